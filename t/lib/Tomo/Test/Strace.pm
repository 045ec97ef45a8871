package Tomo::Test::Strace;

# strace on the workers of an edge: to watch their system calls, or to make some
# of them slow or fail. Only the threads that touch the disk are slowed down
# with `pool`: the event loops run at their own speed.
#
#   my $trace = Tomo::Test::Strace->start($edge, pool => 1,
#       args => ['-e', 'inject=fdatasync:delay_enter=1500000']);
#   $trace->stop('INT');
#   read_file($trace->{trace});

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Process';
use Tomo::Test ();

my $COUNT = 0;

sub _threads {
    my ($pool, @pids) = @_;
    my @threads;
    for my $pid (@pids) {
        push @threads, grep { !$pool || $_ != $pid } map {m{(\d+)$}} glob "/proc/$pid/task/*";
    }
    return @threads;
}

# start($edge, args => [...], pool => 1, pids => [workers])
sub start {
    my ($class, $edge, %o) = @_;
    my $name    = 'strace' . ++$COUNT;
    my $file    = Tomo::Test::temp_dir() . "/$name.out";
    my @threads = _threads($o{pool}, @{ $o{pids} || [ $edge->worker_pids ] });
    my $self = Tomo::Test::Process::start($class,
        name => $name, stop => 'INT',
        command => [
            'strace', ($o{pool} ? () : '-f'), '-ttt', '-o', $file, @{ $o{args} },
            map { ('-p', $_) } @threads
        ],
    );
    $self->{trace} = $file;
    Tomo::Test::wait_for(
        sub {
            return !grep { Tomo::Test::read_file("/proc/$_/status") =~ /TracerPid:\s*0\b/ }
                @threads;
        },
        "$name on all threads", 10
    ) or die "strace cannot attach\n";
    return $self;
}

1;
