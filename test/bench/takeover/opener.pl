# Opens a connection to each of some addresses again and again, and ends each with a reset. In: how many
# microseconds lie between two opens of one address, and the addresses; then a line on standard input for
# each period that begins. Out: a line of JSON for each period, once none of its opens is undecided.
# Perl and not Node, because ten thousand opens a second must leave half of a small machine to others;
# only what Debian's perl-base has.
use strict;
use warnings;
use Errno qw(EALREADY ECONNREFUSED ECONNRESET EINPROGRESS EISCONN);
use Socket;
use POSIX ();

my $openTimeout = 3;
# What took longer was sent twice: a SYN is sent again after one second.
my $lateAfter = 0.9;
# In an outage every open stays undecided for three seconds, and is a file of this process.
my $mostUndecided = 4000;
# Further behind than this the missed opens are left out, not made up for in one burst.
my $longestBehind = 0.2;
my $tick = 0.001;

# From linux/unistd.h: perl-base has no clock finer than a second.
my %clockGettime = (x86_64 => 228, aarch64 => 113);
my $clockCall = $clockGettime{(POSIX::uname())[4]} // die "no clock on this machine\n";
my $monotonic = 1;
my $nonBlocking = 04000;
my $resetOnClose = pack('ii', 1, 0);

my ($every, @targets) = @ARGV;
my @addresses = map { my ($ip, $port) = split /:/; pack_sockaddr_in($port, inet_aton($ip)) } @targets;
my $step = $every / 1e6 / @addresses;

my (@lastSuccess, %periods, %undecided);
my $undecidedBits = '';
my $current = 0;
my $period = newPeriod();

$| = 1;
my $due = now();
my $next = 0;
while (1) {
    my $now = now();
    my $behind = $now - $due;
    $period->{behind} = $behind if $behind > $period->{behind};
    if ($behind > $longestBehind) {
        my $missed = int($behind / $step);
        $period->{skipped} += $missed;
        $due += $missed * $step;
        $next = ($next + $missed) % @addresses;
    }
    while ($due <= $now) {
        open_($next);
        $due += $step;
        $next = ($next + 1) % @addresses;
    }
    my $readBits = '';
    vec($readBits, fileno(STDIN), 1) = 1;
    my $writeBits = $undecidedBits;
    my $wait = $due - now();
    select($readBits, $writeBits, undef, $wait > $tick ? $wait : $tick);
    decideAll($writeBits) if %undecided;
    if (vec($readBits, fileno(STDIN), 1)) {
        sysread(STDIN, my $text, 4096) or last;
        beginPeriod() for 1 .. ($text =~ tr/\n//);
    }
}

sub now {
    my $time = pack('q2', 0, 0);
    syscall($clockCall, $monotonic, $time);
    my ($seconds, $nanoseconds) = unpack('q2', $time);
    return $seconds + $nanoseconds / 1e9;
}

sub newPeriod {
    my $period = { id => $current, begin => now(), tried => 0, ok => 0, late => 0, open => 0,
        skipped => 0, behind => 0, failed => {}, gaps => [(0) x @addresses] };
    return $periods{$current} = $period;
}

sub beginPeriod {
    $period->{end} = now();
    $current += 1;
    $period = newPeriod();
    report($current - 1);
}

sub open_ {
    my ($target) = @_;
    if (%undecided && keys %undecided >= $mostUndecided) {
        $period->{skipped} += 1;
        return;
    }
    socket(my $socket, AF_INET, SOCK_STREAM | $nonBlocking, 0) or die "no socket: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_LINGER, $resetOnClose);
    my $try = { socket => $socket, target => $target, begin => now(), period => $period };
    $period->{tried} += 1;
    $period->{open} += 1;
    # The answer has mostly come when the first call returns; the second call asks for it.
    connect($socket, $addresses[$target]);
    return if decide($try);
    $undecided{fileno $socket} = $try;
    vec($undecidedBits, fileno($socket), 1) = 1;
}

# Whether it is known how the try ended.
sub decide {
    my ($try) = @_;
    if (connect($try->{socket}, $addresses[$try->{target}]) || $! == EISCONN) {
        succeed($try);
    } elsif ($! == EALREADY || $! == EINPROGRESS) {
        return 0 if now() - $try->{begin} < $openTimeout;
        fail($try, 'timeout');
    } else {
        fail($try, $! == ECONNREFUSED ? 'refused' : $! == ECONNRESET ? 'reset' : "$!");
    }
    return 1;
}

sub decideAll {
    my ($ready) = @_;
    my $now = now();
    for my $number (keys %undecided) {
        my $try = $undecided{$number};
        next if !vec($ready, $number, 1) && $now - $try->{begin} < $openTimeout;
        next if !decide($try);
        delete $undecided{$number};
        vec($undecidedBits, $number, 1) = 0;
        close $try->{socket};
    }
}

sub succeed {
    my ($try) = @_;
    my ($target, $of, $now) = (@$try{'target', 'period'}, now());
    $of->{ok} += 1;
    $of->{late} += 1 if $now - $try->{begin} > $lateAfter;
    my $gap = $now - ($lastSuccess[$target] // $now);
    $of->{gaps}[$target] = $gap if $gap > $of->{gaps}[$target];
    $lastSuccess[$target] = $now;
    decided($of);
}

sub fail {
    my ($try, $why) = @_;
    $try->{period}{failed}{$why} += 1;
    decided($try->{period});
}

sub decided {
    my ($of) = @_;
    $of->{open} -= 1;
    report($of->{id}) if $of->{open} == 0;
}

sub report {
    my ($id) = @_;
    my $of = $periods{$id};
    return if !defined $of || !defined $of->{end} || $of->{open} > 0;
    delete $periods{$id};
    my $failed = join ',', map { "\"$_\":$of->{failed}{$_}" } sort keys %{ $of->{failed} };
    my $gaps = join ',', map { sprintf '%.1f', $_ * 1000 } @{ $of->{gaps} };
    printf "{\"seconds\":%.3f,\"tried\":%d,\"opened\":%d,\"late\":%d,\"skipped\":%d,"
        . "\"behindMs\":%.1f,\"failed\":{%s},\"gapsMs\":[%s]}\n",
        $of->{end} - $of->{begin}, @$of{'tried', 'ok', 'late', 'skipped'}, $of->{behind} * 1000,
        $failed, $gaps;
}
