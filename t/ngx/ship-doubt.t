#!/usr/bin/perl

# B98, W2: EXEC takes nothing back: where Redis refuses the records of a
# transaction the mark beside them moved. It is put back, also when the answer
# of EXEC or what puts it back is lost on the way, and nothing is lost.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Hostile;
use Tomo::Test::Webhook;

my $redis = Tomo::Test::Redis->start;
publish($redis, map { { id => "shop$_", number => $_ } } 1, 2);
my $front = Tomo::Test::Hostile->start(redis => $redis);
my $edge  = Tomo::Test::Nginx->start(redis => $front->socket, workers => 1);
ok wait_served($redis, 1, "shop$_"), "the edge serves shop$_" for 1, 2;

my ($in, $ship) = ('tomo:{shop2}:in', 'tomo:{shop2}:ship');
my (%sent, $n);

sub post {
    my ($account) = @_;
    my $body = sprintf '{"events":[],"n":%d}', ++$n;
    push @{ $sent{$account} }, $body;
    return is send_webhook($edge, $body, account => $account)->{status}, 200, "webhook $n: 200";
}

sub arrives {
    my ($what) = @_;
    for my $account (sort keys %sent) {
        my $have = sub { map { $_->[1]{b} } @{ $redis->stream("tomo:{$account}:in") } };
        ok wait_for(sub { $have->() >= @{ $sent{$account} } }, "$account ships", 20),
            "$what: $account ships";
        is_deeply [ $have->() ], $sent{$account}, "$what: $account: in order, once";
    }
    return;
}

# An account counts once for each journal that has waited for it.
sub held {
    my ($what, $is) = @_;
    return ok wait_for(sub { !!Tomo::Test::Status::fetch($edge)->{held} == !!$is }, 'held', 20),
        "$what: " . ($is ? 'held' : 'not held');
}

sub mark { return { @{ $redis->cmd('HGETALL', $ship) } } }

sub broken { $redis->cmd('RENAME', $in, 'kept'); return $redis->cmd('SET', $in, 'x') }
sub right  { $redis->cmd('DEL',    $in); return $redis->cmd('RENAME', 'kept', $in) }

post("shop$_") for 1, 2, 1, 2;
arrives('before');
my ($writer, $was) = %{ mark() };

# --- what puts it back is refused, and then the connection is lost ---------------------
$front->be('alone:HSET:OOM');
broken();
post('shop2');
held('not put back', 1);
ok wait_for(sub { mark()->{$writer} > $was }, 'moved', 10), 'not put back: the mark has moved';
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
$front->be('pass');
ok wait_for(sub { mark()->{$writer} == $was }, 'put back', 20), 'it is put back when it is read';
right();
held('put back', 0);
arrives('put back');

# --- the answer of EXEC is lost -----------------------------------------------------------
for my $round (1 .. 3) {
    post("shop$_") for 1, 2;
    arrives("round $round");
    broken();
    $front->be('only:EXEC:closes');
    post('shop2');
    ok wait_for(sub { $front->met }, 'lost', 10), "round $round: an answer is lost";
    $front->be('pass');
    held("round $round", 1);
    post('shop1');
    right();
    held("round $round", 0);
    arrives("round $round, right again");
}

# --- and where it says that all went well, nothing is sent again ---------------------------
$front->be('only:EXEC:closes');
post('shop2');
ok wait_for(sub { $front->met }, 'lost', 10), 'the answer of a good transaction is lost';
$front->be('pass');
post("shop$_") for 1, 2;
arrives('a good transaction');

# --- the worker is killed before it puts the mark back --------------------------------------
$edge->allow_alert(qr/worker process \d+ exited on signal 9/);
for my $round (1 .. 2) {
    $was = mark();
    $front->be('alone:HSET:OOM');
    broken();
    post("shop$_") for 1, 2;
    held("kill $round", 1);
    my ($moved) = wait_for(
        sub { my $m = mark(); (grep { $m->{$_} > ($was->{$_} // 0) } keys %$m)[0] }, 'moved', 10);
    ok $moved, "kill $round: the mark has moved";
    my $ahead = mark()->{$moved};
    my ($pid) = $edge->worker_pids;
    kill 'KILL', $pid;
    ok wait_for(sub { my @p = $edge->worker_pids; @p && $p[0] != $pid }, 'killed', 10),
        "kill $round: another worker";
    $front->be('pass');
    held("kill $round, adopted", 1);
    ok wait_for(sub { mark()->{$moved} < $ahead }, 'back', 20),
        "kill $round: who adopts puts it back";
    post('shop1');
    right();
    held("kill $round", 0);
    arrives("kill $round, right again");
    post("shop$_") for 1, 2;            # its own writer has a mark, too
    arrives("kill $round, and on");
}

ok Tomo::Test::Status::wait_shipped($edge, 20), 'nothing waits';
is Tomo::Test::Status::counter($edge, 'ship_quarantined'), 0, 'nothing was set aside';
is Tomo::Test::Status::counter($edge, 'redis_rollbacks'), 0, 'and Redis did not go back';

done_testing;
