# Accepts every connection to a port and closes it at once; says so when it listens.
use strict;
use warnings;
use Socket;

my ($port) = @ARGV;
socket(my $listener, AF_INET, SOCK_STREAM, 0) or die "no socket: $!\n";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, pack_sockaddr_in($port, INADDR_ANY)) or die "no port: $!\n";
listen($listener, 4096) or die "cannot listen: $!\n";
$| = 1;
print "listening\n";
while (1) {
    accept(my $connection, $listener) or next;
    close $connection;
}
