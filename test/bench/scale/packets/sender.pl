# Sends prepared frames on interfaces of this network namespace, and tells what it cost. A pair of virtual
# interfaces hands a packet over within the call that sends it, so the sender's processor time is that of
# the packet's whole way: through the node, to where it is dropped.
# Each line on standard input: an interface, a file of frames, the first frame, how many; or "socket", an address,
# how many: a program's own datagrams. Each answer: a line with the microseconds that one took, one number for
# each batch.
# A file of frames: each in 128 bytes, of which the first two are its length (big endian).
# Perl, because it is on every Debian, and because the kernel's own interface is open to it.
use strict;
use warnings;
use POSIX ();
use Socket;

my %calls = (
    x86_64 => { clock => 228, send => 307 },
    aarch64 => { clock => 113, send => 269 },
);
my $call = $calls{(POSIX::uname())[4]} // die "this machine's system calls are not known\n";
my $threadTime = 3;
my ($packetFamily, $raw, $allProtocols) = (17, 3, 3);
my ($slot, $batch) = (128, 250);

my (%sockets, %files);
$| = 1;
print "ready\n";
while (my $line = <STDIN>) {
    my @words = split ' ', $line;
    if ($words[0] eq 'socket') {
        answer(map { datagrams($words[1], $batch) } 1 .. $words[2] / $batch);
        next;
    }
    my ($interface, $file, $first, $count) = @words;
    my $socket = $sockets{$interface} //= socketOn($interface);
    my $messages = $files{$file} //= messagesOf($file);
    my @times;
    for (my $at = $first; $at < $first + $count; $at += $batch) {
        my $size = $first + $count - $at < $batch ? $first + $count - $at : $batch;
        push @times, sendBatch(fileno($socket), $messages->{address} + 64 * $at, $size);
    }
    answer(@times);
}

sub answer { print join(' ', map { sprintf '%.3f', $_ } @_), "\n" }

# To a new port each, as new flows are.
sub datagrams {
    my ($ip, $count) = @_;
    socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die "no socket: $!\n";
    my @addresses = map { pack_sockaddr_in(10_000 + $_, inet_aton($ip)) } 1 .. $count;
    my $start = now();
    send($socket, '12345678', 0, $_) // die "not sent: $!\n" for @addresses;
    return (now() - $start) * 1e6 / $count;
}

sub socketOn {
    my ($interface) = @_;
    socket(my $socket, $packetFamily, $raw, 0) or die "no packet socket: $!\n";
    open(my $number, '<', "/sys/class/net/$interface/ifindex") or die "$interface: $!\n";
    my $index = <$number>;
    bind($socket, pack('S n i S C C a8', $packetFamily, 0, $index, 0, 0, 0, '')) or die "$!\n";
    return $socket;
}

# What sendmmsg reads: for each frame a struct mmsghdr, which points to a struct iovec.
sub messagesOf {
    my ($file) = @_;
    open(my $in, '<:raw', $file) or die "$file: $!\n";
    local $/;
    my $of = { frames => scalar <$in> };
    my $count = length($of->{frames}) / $slot;
    my $frames = addressOf($of->{frames});
    $of->{parts} = join '', map {
        pack('J J', $frames + $slot * $_ + 2, unpack('n', substr($of->{frames}, $slot * $_, 2)))
    } 0 .. $count - 1;
    my $parts = addressOf($of->{parts});
    $of->{messages} = join '', map { pack('J7 L2', 0, 0, $parts + 16 * $_, 1, 0, 0, 0, 0, 0) } 0 .. $count - 1;
    $of->{address} = addressOf($of->{messages});
    return $of;
}

sub addressOf { return unpack('J', pack('P', $_[0])) }

sub sendBatch {
    my ($socket, $address, $size) = @_;
    my $start = now();
    my $sent = syscall($call->{send}, $socket, $address, $size, 0);
    my $took = now() - $start;
    die "sent $sent of $size: $!\n" if $sent != $size;
    return $took * 1e6 / $size;
}

sub now {
    my $time = pack('q2', 0, 0);
    syscall($call->{clock}, $threadTime, $time);
    my ($seconds, $nanoseconds) = unpack('q2', $time);
    return $seconds + $nanoseconds / 1e9;
}
