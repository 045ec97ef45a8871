#!/usr/bin/perl

# B98, B102: what Redis refuses of one account holds that account alone. Its
# records wait in the journal, the others ship on; when its keys are right again
# they follow, in order and once. The operator is told once, with its name.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Webhook;

my $redis = Tomo::Test::Redis->start;
publish($redis, map { { id => "shop$_", number => $_ } } 1 .. 3);
my $edge = Tomo::Test::Nginx->start(redis => $redis, workers => 1);
ok wait_served($redis, 1, "shop$_"), "the edge serves shop$_" for 1 .. 3;

my (%sent, $n);

# Webhooks for all accounts in turn; each says its number.
sub post {
    my ($count) = @_;
    my $bad = 0;
    for (1 .. $count) {
        for my $account (map {"shop$_"} 1 .. 3) {
            my $body = sprintf '{"n":%d,"account":"%s","pad":"%s"}', ++$n, $account, 'x' x 500;
            my $r = send_webhook($edge, $body, account => $account);
            $bad++ if !$r || $r->{status} != 200;
            push @{ $sent{$account} }, $body;
        }
    }
    return is $bad, 0, "$count webhooks of each account are answered 200";
}

# What Redis has of an account is what was sent, in order and once.
sub arrives {
    my ($what, @accounts) = @_;
    for my $account (@accounts) {
        my $have = sub { map { $_->[1]{b} } @{ $redis->stream("tomo:{$account}:in") } };
        ok wait_for(sub { $have->() >= @{ $sent{$account} } }, "$account ships", 20),
            "$what: $account ships";
        is_deeply [ $have->() ], $sent{$account}, "$what: $account: in order, once";
    }
    return;
}

sub status { return Tomo::Test::Status::fetch($edge) }

sub told {
    my ($account) = @_;
    my @lines = $edge->error_log =~ /\[error\].*tomo: account $account is held: (.*)/g;
    return scalar @lines;
}

sub held {
    my ($what, $accounts) = @_;
    return ok wait_for(sub { status()->{held} == $accounts }, "$accounts held", 20),
        "$what: $accounts held";
}

# Redis was asked again, some times.
sub tried {
    my ($what) = @_;
    my $asked = sub {
        my $all = 0;
        $all += $_
            for $redis->cmd('INFO', 'errorstats') =~ /errorstat_(?:WRONGTYPE|NOPERM):count=(\d+)/g;
        return $all;
    };
    my $was = $asked->();
    return ok wait_for(sub { $asked->() > $was + 2 }, 'tried again', 30), "$what: tried again";
}

post(5);
arrives('well before', map {"shop$_"} 1 .. 3);
is status()->{held}, 0, 'nobody is held';

# --- a key of another type ---------------------------------------------------------
$redis->cmd('RENAME', 'tomo:{shop2}:in', 'kept');
$redis->cmd('SET', 'tomo:{shop2}:in', 'x');
post(20);
arrives('WRONGTYPE', 'shop1', 'shop3');
held('WRONGTYPE', 1);
tried('WRONGTYPE');
is status()->{redis}, 'up', 'WRONGTYPE: Redis is not called down';
cmp_ok status()->{waiting}, '>=', 20, 'WRONGTYPE: what waits is counted';
post(20);
arrives('WRONGTYPE, later', 'shop1', 'shop3');

# Its neighbour as well, by its mark; and the connection is lost meanwhile.
my ($mark, $was) = @{ $redis->cmd('HGETALL', 'tomo:{shop3}:ship') };
$redis->cmd('HSET', 'tomo:{shop3}:ship', $mark, 'much');
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
held('a broken mark', 2);
post(20);
arrives('two of three held', 'shop1');
$redis->cmd('HSET', 'tomo:{shop3}:ship', $mark, $was);
arrives('the mark is right again', 'shop1', 'shop3');
held('the mark is right again', 1);

$redis->cmd('DEL', 'tomo:{shop2}:in');
$redis->cmd('RENAME', 'kept', 'tomo:{shop2}:in');
arrives('the stream is back', map {"shop$_"} 1 .. 3);
held('the stream is back', 0);
ok Tomo::Test::Status::wait_shipped($edge, 10), 'nothing waits';
is told('shop2'), 1, 'the operator is told once of shop2';
is told('shop3'), 1, 'and once of shop3';
is told('shop1'), 0, 'never of shop1';
is status()->{counters}{ship_holds}, 2, 'and it is counted';

# --- no right to its keys, and a restart meanwhile ------------------------------------
my @rest = ('(~tomo:edges +hset)', '(%R~tomo:{*}:feed +hget +hgetall)',
    '(%R~tomo:accounts +smembers)');
$redis->cmd('ACL', 'SETUSER', 'edge', 'clearselectors',
    (map { ("(~tomo:{shop$_}:in +xadd +xlen)", "(~tomo:{shop$_}:ship +hget +hset)") } 1, 3), @rest);
post(20);
arrives('NOPERM', 'shop1', 'shop3');
held('NOPERM', 1);
tried('NOPERM');
is told('shop2'), 2, 'NOPERM: the operator is told';
like $edge->error_log, qr/shop2 is held: .*NOPERM: .*give the user of tomo_redis its rights back/,
    'NOPERM: and what to do';
$edge->restart;
ok wait_served($redis, 1, 'shop1'), 'nginx was restarted';
post(20);
arrives('NOPERM, restarted', 'shop1', 'shop3');

# XADD alone is refused: the transaction is, not what goes before it.
$redis->cmd('ACL', 'SETUSER', 'edge', 'clearselectors', '(~tomo:{*}:in +xlen)',
    (map {"(~tomo:{shop$_}:in +xadd)"} 1, 3), '(~tomo:{*}:ship +hget +hset)', @rest);
post(20);
arrives('XADD refused', 'shop1', 'shop3');
ok wait_for(sub { status()->{counters}{ship_adopted} }, 'adopted', 20),
    'XADD refused: the journal of before is taken over';

$redis->cmd('ACL', 'SETUSER', 'edge', 'clearselectors', '(~tomo:{*}:in +xadd +xlen)',
    '(~tomo:{*}:ship +hget +hset)', @rest);
held('rights are back', 0);
ok Tomo::Test::Status::wait_shipped($edge, 20), 'rights are back: nothing waits';
my @all = map { $_->[1]{b} } @{ $redis->stream("tomo:{shop2}:in") };
is_deeply [ sort @all ], [ sort @{ $sent{shop2} } ], 'rights are back: each once, of both writers';
my %place = map { $sent{shop2}[$_] => $_ } 0 .. $#{ $sent{shop2} };
my $cut   = @{ $sent{shop2} } - 40;     # what the restarted nginx took
my @first = grep { $_ < $cut } map { $place{$_} } @all;
my @then  = grep { $_ >= $cut } map { $place{$_} } @all;
is_deeply [ @first, @then ], [ 0 .. $#all ], 'rights are back: each writer\'s in order';
is status()->{counters}{ship_quarantined} + status()->{counters}{ship_incidents}, 0,
    'nothing was set aside';

# --- a worker killed meanwhile; its journal is adopted when the key is right again ------
sub broken {
    $redis->cmd('RENAME', 'tomo:{shop2}:in', 'kept');
    return $redis->cmd('SET', 'tomo:{shop2}:in', 'x');
}

sub right {
    my ($what) = @_;
    $redis->cmd('DEL', 'tomo:{shop2}:in');
    $redis->cmd('RENAME', 'kept', 'tomo:{shop2}:in');
    return if !$what;
    held($what, 0);
    return ok Tomo::Test::Status::wait_shipped($edge, 20), "$what: nothing waits";
}

broken();
post(2);
ok wait_for(sub { status()->{held} }, 'held', 20), 'a kill: held';
$edge->allow_alert(qr/worker process \d+ exited on signal 9/);
$edge->pause;               # nobody adopts before the key is right
kill 'KILL', $edge->worker_pids;
ok wait_for(sub { !$edge->worker_pids }, 'killed', 10), 'a kill: the worker is killed';
right();
$edge->resume;
held('a kill, adopted', 0);
ok Tomo::Test::Status::wait_shipped($edge, 20), 'a kill: nothing waits';

# --- what held an adopted journal that has nothing left does not hush a later hold ------
post(1);
ok Tomo::Test::Status::wait_shipped($edge, 20), 'adopted: nothing is left';
broken();
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
ok wait_for(sub { status()->{held} >= 2 }, 'held', 20), 'adopted: held in it too';
right('adopted');
post(1);
ok Tomo::Test::Status::wait_shipped($edge, 20), 'adopted: a record of the own journal';
my $told = told('shop2');
broken();
post(1);
ok wait_for(sub { status()->{held} }, 'held', 20), 'later: held again';
is told('shop2'), $told + 1, 'later: the operator is told again';
right('later');

done_testing;
