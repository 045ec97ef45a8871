#!/usr/bin/perl

# A Redis behind TCP that freezes again and again while records are on their way
# (W2, T25): what connections that were given up had left in its buffers is
# executed when it wakes, and nothing of it is sent twice.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Stage;
use Tomo::Test::Stream;

my $port  = free_port();
my $redis = Tomo::Test::Redis->start(set => { port => $port, bind => '127.0.0.1' });
publish($redis, { version => 1 });
my $edge = Tomo::Test::Nginx->start(
    redis      => "127.0.0.1:$port",
    redis_args => 'timeout=150ms connect_timeout=150ms',
);
ok wait_served($redis, 1), 'the edge serves the feed, over TCP';
my $stage = bless { edge => $edge, redis => $redis }, 'Tomo::Test::Stage';

sub counter { return Tomo::Test::Status::counter($edge, $_[0]) // 0 }

# both workers are connected
sub connected {
    return wait_for(
        sub {
            my $list = $redis->cmd('CLIENT', 'LIST');
            return $list =~ tr/\n// == 1 + $edge->worker_pids;
        },
        'both workers connected', 20);
}

# Large records, so that a batch fills many reads of Redis; and a Redis that
# wakes for a moment only, in the middle of the batches that wait for it.
my $load = $stage->load(webhooks => 120, pad => 20_000, connections => 8);
ok wait_for(sub { counter('ship_commits') > 10 }, 'shipped', 20), 'records are shipped';

for my $round (1 .. 2) {
    connected();
    my $n = Tomo::Test::Status::fetch($edge)->{received};
    $redis->pause;
    for my $moment (3, 8, 15, 30) {
        $n += 20;
        wait_for(sub { Tomo::Test::Status::fetch($edge)->{received} >= $n }, 'more', 20);
        $redis->resume;
        my $until = now_ms() + $moment;
        wait_for(sub { now_ms() >= $until }, "$moment ms", 5);
        $redis->pause;
    }
    my $lost = counter('redis_lost');
    wait_for(sub { counter('redis_lost') > $lost }, 'given up', 1);
    my $commits = counter('ship_commits');
    $redis->resume;
    ok wait_for(sub { counter('ship_commits') > $commits + 3 }, 'shipped again', 20),
        "thawed ($round): records are shipped";
}
cmp_ok counter('redis_lost'), '>=', 2, 'connections were given up: ' . counter('redis_lost');
my $seen  = $load->stop;
my $found = $stage->drained(30, $seen);
is $stage->refusals($seen), 'none', 'nobody was refused';
is $stage->missing($seen, $found), 0, 'nothing is missing';
is scalar @{ $found->{twice} }, 0, 'nothing was appended twice';
is scalar @{ $found->{disorder} }, 0, 'each writer\'s records in their order';
is counter('ship_incidents') + counter('ship_quarantined'), 0, 'nothing was set aside';

done_testing;
