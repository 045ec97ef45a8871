# Which events count a try: a timer that ends the process while others keep
# coming (D6), an event during which Redis goes away (D1).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select ();
use IO::Socket::UNIX ();
use Tomo::Test;
use Tomo::Test::Ingest;

# --- D6: a poison timer under load ------------------------------------------

{
    my $in = Tomo::Test::Ingest->start;
    $in->greeted($_) for 1 .. 2;
    $in->redis->cmd('DEL', $in->key('out'));
    my $due = $in->due;
    my ($first) = sort keys %$due;
    $in->worker->stop;
    $in->worker->{env} = { TOMO_SANDBOX_POISON => "timer:$first:$due->{$first}" };
    $in->advance(2 * 86_400);
    for my $start (1 .. 6) {
        # more than a restart replays one by one
        $in->webhook(map { $in->event('message', 1, message =>
            { type => 'text', id => "$start$_", text => 'x' }) } 1 .. 300);
        eval { $in->worker->launch };
        wait_for(sub { !$in->worker->alive || @{ $in->quarantine } }, 'an end', 10);
        last if @{ $in->quarantine };
        $in->worker->stop;
    }
    is scalar @{ $in->quarantine }, 1, 'D6: set aside although new events kept coming';
    is $in->quarantine->[0][1]{kind}, 'timer', 'D6: the timer it was';
    ok $in->settle, 'D6: everything else is decided';
    is $in->cursor->{quarantined}, 0, 'D6: no event was set aside';
    is $in->cursor->{timers_aside}, 1, 'D6: a timer was';
}

# --- D1: Redis goes away while an event is tried alone ----------------------

# A connection between worker and Redis that breaks when $word passes, $times.
sub breaker {
    my ($to, $path, $word, $times) = @_;
    my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 8) or die "listen: $!\n";
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    $SIG{TERM} = 'DEFAULT';
    my %peer;
    my $select = IO::Select->new($listen);
    for (;;) {
        for my $fd ($select->can_read) {
            if ($fd == $listen) {
                my $client = $listen->accept or next;
                my $server = IO::Socket::UNIX->new(Peer => $to) or next;
                @peer{ $client, $server } = ([$server, 1], [$client, 0]);
                $select->add($client, $server);
                next;
            }
            my ($other, $client) = @{ $peer{$fd} // next };
            my $n = sysread $fd, my $data, 65536;
            if ($n && !($client && $times > 0 && $data =~ /$word/ && $times--)) {
                syswrite $other, $data;
                next;
            }
            delete @peer{ $fd, $other };
            $select->remove($fd, $other);
            close $_ for $fd, $other;
        }
    }
}

{
    my $in = Tomo::Test::Ingest->start;
    $in->greeted(1);
    $in->worker->stop;
    $in->webhook($in->event('message', 1, message => { type => 'text', id => '1', text => 'hi' }));
    my $path = temp_dir() . '/breaks.sock';
    my $pid  = breaker($in->redis->socket, $path, 'SISMEMBER', 5);
    $in->worker->{ini}{redis}{address} = "unix:$path";
    $in->worker->write_ini;
    $in->worker->launch;
    ok $in->settle(20), 'D1: Redis went away five times during one event';
    is scalar @{ $in->quarantine }, 0, 'D1: the event is not set aside for it';
    is $in->timeline(1)->[0]{text}, 'hi', 'D1: it is decided';
    kill 'TERM', $pid;
    waitpid $pid, 0;
}

done_testing;
