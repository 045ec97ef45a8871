#!/usr/bin/perl

# Segments of dead writers go when they are shipped and either older than keep=
# or in the way of max=; never before, and the oldest first (T32).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::DeadWriter;
use Tomo::Test::Feed;

sub segments { my @all = sort map {m{([0-9a-f]{16})\.seg$}} glob "$_[0]/*.seg"; return @all }
sub number { return map { sprintf '%016x', $_ } @_ }

sub record { return [ 'demo', sprintf '{"events":[],"n":"%s"}', $_[0] ] }

sub shipped { return eval { $_[0]->cmd('XLEN', 'tomo:{demo}:in') } // 0 }

# --- by age ------------------------------------------------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, { version => 1 });
    my $e = Tomo::Test::Nginx->new(
        redis => $redis, workers => 1, journal => 'keep=1h max=256m segment=2m');
    my $mixed = dead_segments($e, 0xa1,
        { age => 9000, records => [ record('a'), record('b') ] },
        { age => 8000, records => [ record('c') ] },
        { age => 0,    records => [ record('d') ] });
    my $old = dead_segments($e, 0xa2, { age => 9000, records => [ record('e') ] });
    $redis->pause;
    $e->launch;
    ok wait_for(sub { Tomo::Test::Status::fetch($e)->{counters}{ship_adopted} == 2 },
        'adopted', 10), 'age: two dead writers';
    my $until = now_ms() + 1500;
    wait_for(sub { now_ms() > $until }, 'time to prune', 5);
    is_deeply [ segments($mixed) ], [ number(1, 2, 3) ], 'age: what Redis may lack is kept';
    ok -d $old, 'age: however old it is';
    $redis->resume;
    ok wait_for(sub { shipped($redis) == 5 }, 'shipped', 20), 'age: all is shipped';
    ok wait_for(sub { segments($mixed) == 1 }, 'pruned', 15), 'age: then old segments go';
    is_deeply [ segments($mixed) ], [ number(3) ], 'age: the young one stays';
    ok wait_for(sub { !-d $old }, 'folder gone', 15), 'age: a folder goes with its last segment';
    ok -f "$mixed/lock", 'age: the other stays ours';
    is Tomo::Test::Status::counter($e, 'journal_recycled'), 3, 'age: they are counted';
    is shipped($redis), 5, 'age: nothing twice';
    ok $e->quit, 'age: QUIT';
}

# --- by max= -------------------------------------------------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, { version => 1 });
    my $e = Tomo::Test::Nginx->new(
        redis => $redis, workers => 1, journal => 'keep=1h max=4m segment=2m');
    my $body   = 'x' x 60_000;
    my $folder = dead_segments($e, 0xb1,
        map { { age => 100 - $_, records => [ map { record("$_$body") } 1 .. 10 ] } } 1 .. 6);
    my $bytes = sub { my $n = 0; $n += -s $_ for glob "$folder/*.seg"; return $n };
    my $room  = 0.8 * 4 * 1024 * 1024;
    cmp_ok $bytes->(), '>', $room, 'max: over 80 percent of it';
    $redis->pause;
    $e->launch;
    ok wait_for(sub { Tomo::Test::Status::fetch($e)->{counters}{ship_adopted} == 1 },
        'adopted', 10), 'max: a dead writer';
    is_deeply [ segments($folder) ], [ number(1 .. 6) ], 'max: what Redis may lack is kept';
    $redis->resume;
    ok wait_for(sub { shipped($redis) == 60 }, 'shipped', 20), 'max: all is shipped';
    ok wait_for(sub { $bytes->() <= $room }, 'room', 15), 'max: shipped segments make room';
    my @left = segments($folder);
    cmp_ok @left, '>=', 4, 'max: no more of them than need be';
    is_deeply \@left, [ number(7 - @left .. 6) ], 'max: the oldest first';
    is shipped($redis), 60, 'max: nothing twice';
    ok $e->quit, 'max: QUIT';
}

done_testing;
