package Tomo::Test::Ports;

# Free TCP ports on 127.0.0.1. A port is taken below the kernel's range for
# outgoing connections, so that no client can be given it, and stays locked by
# this process, so that tests running side by side never share one.

use strict;
use warnings;
use Errno ();
use Fcntl ':flock';
use File::Spec ();
use IO::Socket::INET ();

my %LOCKS;

# True if the port is ours from now on.
sub take {
    my ($port) = @_;
    my $folder = File::Spec->tmpdir . "/tomo-ports-$<";
    mkdir $folder, 0700 or $!{EEXIST} or die "cannot make $folder: $!\n";
    open my $lock, '>>', "$folder/$port" or return 0;
    return 0 if !flock $lock, LOCK_EX | LOCK_NB;
    my $probe = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $port,
        Proto     => 'tcp',
        Listen    => 1,
        ReuseAddr => 1,
    ) or return 0;
    close $probe;
    $LOCKS{$port} = $lock;
    return 1;
}

sub free_port { return free_ports(1) }

# The first of $n free ports in a row.
sub free_ports {
    my ($n) = @_;
    for (1 .. 1000) {
        my $port = 10_240 + int rand 22_000;
        my @taken;
        for my $next ($port .. $port + $n - 1) {
            last if $LOCKS{$next} || !take($next);
            push @taken, $next;
        }
        return $port if @taken == $n;
        delete @LOCKS{@taken};
    }
    die "no free port on 127.0.0.1\n";
}

1;
