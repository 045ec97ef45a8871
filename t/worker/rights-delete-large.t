# S2: whoever has very many tags, timers and rows is deleted as well, in several
# commits, and whenever ingest is killed in between, the rest goes at its start.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;
my $RUNS  = 3;

# Gives a friend tags, clicked links, answered surveys, scenarios with their
# timers, and rows: as if time had brought them.
sub laden {
    my ($user, $tags, $rows) = @_;
    $in->greeted($user, "Canary-$user");
    my $serial = $in->serial($user);
    $in->worker->stop;
    $redis->cmd('HSET', $in->key("f:$serial"), 'tags', join ',', 1 .. $tags);
    for my $no (1 .. $tags) {
        $redis->cmd('SADD', $in->key("set:tag:$no"), $serial);
        next if $no % 3;
        $redis->cmd('HSET', $in->key("f:$serial"), "s:$no", 'gen=1&step=x&done=0',
            "k:$no", 'n=1', "a:$no", 'n=1');
        $redis->cmd('SADD', $in->key("set:$_:$no"), $serial) for qw(link survey);
        $redis->cmd('ZADD', $in->key('sched'), $in->now + 86_400_000, "$serial:s:$no");
    }
    my $row = 'id=x&at=1&kind=text&text=canary-row-' . 'x' x 80;
    $redis->cmd('RPUSH', $in->key("tl:$serial"), ($row) x 500) for 1 .. $rows / 500;
    $redis->cmd('SADD', $in->key('set:tag:1'), 999_999);    # a neighbour's
    return $serial;
}

sub places {
    my ($serial) = @_;
    my $n = 0;
    for my $kind (qw(tag link survey)) {
        $n += $redis->cmd('SISMEMBER', $_, $serial)
            for @{ $redis->cmd('KEYS', $in->key("set:$kind:*")) };
    }
    return $n + grep {/^$serial:/} keys %{ $in->due };
}

sub order_deletion {
    my ($serial) = @_;
    my $id = $in->event_id;
    $in->add('command', JSON::PP->new->canonical->utf8->encode(
        { id => $id, actor => 'api:owner', do => 'friend.delete', friend => 0 + $serial }));
    return $id;
}

sub answers {
    my ($id) = @_;
    return map { $_->[1]{status} }
        grep { $_->[1]{id} eq $id } @{ $redis->stream($in->key('result')) };
}

sub nothing_is_left {
    my ($what, $user, $serial, $id) = @_;
    ok $in->settle(30), "$what: all decided";
    is_deeply [answers($id)], [200], "$what: answered once, done";
    is places($serial), 0, "$what: in no index, no timer";
    is $redis->cmd('EXISTS', map { $in->key("$_:$serial") } 'f', 'tl'), 0,
        "$what: no record, no timeline";
    ok !$in->serial($user), "$what: no user id";
    is scalar(@{ $in->quarantine }), 0, "$what: nothing set aside";
    ok $redis->cmd('SISMEMBER', $in->key('set:tag:1'), 999_999), "$what: a neighbour stays";
    return;
}

# --- 600 tags, 2,000 rows, killed after the first commit ------------------------

my $serial = laden(1, 600, 2000);
cmp_ok places($serial), '>=', 600 + 3 * 200, 'places in indexes and schedule';
my $id = order_deletion($serial);

# Whatever follows from the first commit ends the process: its entries carry the
# number of that commit.
my $commit = $in->cursor->{n} + 2;
$in->worker->{env} = { TOMO_SANDBOX_POISON => "0000000000000000-$commit.0" };
eval { $in->worker->launch };
ok wait_for(sub { !$in->worker->alive }, 'the end of ingest', 20), 'killed in between';
is_deeply [answers($id)], [200], '... after the deletion was answered';
is $redis->cmd('EXISTS', $in->key("f:$serial")), 0, '... the record went with it';
my $left = places($serial);
cmp_ok $left, '>', 0, "... $left places are left";
$in->worker->stop;
$in->worker->{env} = {};
$in->worker->launch;
nothing_is_left('600 tags', 1, $serial, $id);

# --- 2,500 tags: more than a commit holds; killed at any moment --------------------

for my $run (1 .. $RUNS) {
    my $user   = 1 + $run;
    my $serial = laden($user, $run == 1 ? 2500 : 1200, 2000);
    my $id     = order_deletion($serial);
    for (1 .. ($run == 1 ? 0 : 2)) {    # a third would make it poison
        $in->worker->launch;
        Time::HiRes::usleep(int rand 15_000);
        $in->worker->kill_now;
    }
    $in->worker->launch;
    nothing_is_left($run == 1 ? '2,500 tags' : 'killed at any moment', $user, $serial, $id);
}

done_testing;
