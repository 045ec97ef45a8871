#!/usr/bin/perl

# W2: whatever happens to Redis does not show at the edge, and every
# acknowledged webhook is in the stream exactly once afterwards: Redis killed,
# frozen, refusing (OOM, READONLY, NOPERM, NOAUTH, MISCONF), restarted from an
# older file, and restarted empty.  B98: a stream's key that is no stream.
# B102: refusals are tried again.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path ();
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Stream;
use Tomo::Test::Webhook;

my $redis = Tomo::Test::Redis->start(
    own_users => 1,    # the default user's rights are taken away below
    lines     => "enable-protected-configs yes\nenable-debug-command yes\n");
publish($redis, { version => 1 });

my $edge = Tomo::Test::Nginx->start(
    redis      => $redis,
    redis_args => 'timeout=500ms connect_timeout=300ms',
);
ok wait_served($redis, 1), 'R5: the edge serves the feed';

my @loads = start_loads($edge, 2, 150);

sub counter { return Tomo::Test::Status::counter($edge, $_[0]) // 0 }

# Waits until something was shipped after now.
sub ships_again {
    my ($name) = @_;
    my $before = counter('ship_commits');
    ok wait_for(sub { counter('ship_commits') > $before + 5 }, $name, 20), $name;
    return;
}

# Waits until records wait in the journal: the fault has an effect.
sub waits {
    my ($name, $n) = @_;
    ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{waiting} > ($n // 100) }, $name, 20),
        "$name: records wait";
    return;
}

ships_again('W2: under load records are shipped');

# --- an hour ago's backup, so to say ------------------------------------------
my $old = temp_dir() . '/old-aof';
system('cp', '-r', "$redis->{folder}/appendonlydir", $old) == 0 or die "cp failed\n";

$redis->kill_now;
waits('W2: Redis killed');
$redis->restart;
ships_again('W2: Redis is back');

for my $round (1 .. 3) {
    $redis->pause;
    waits("W2: Redis frozen ($round)", 150 * $round);
    $redis->resume;
    ships_again("W2: Redis thawed ($round)");
}

# --- refusals -----------------------------------------------------------------
my %refusal = (
    OOM      => [['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '512mb']],
    READONLY => [['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    NOPERM   => [['ACL', 'SETUSER', 'default', '-xadd'], ['ACL', 'SETUSER', 'default', '+xadd']],
);
for my $name (sort keys %refusal) {
    $redis->cmd(@{ $refusal{$name}[0] });
    waits("B102: $name");
    $redis->cmd(@{ $refusal{$name}[1] });
    ships_again("B102: after $name");
}

{
    my $client = $redis->client;
    $client->cmd('CONFIG', 'SET', 'requirepass', 'secret');
    $client->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    waits('B102: NOAUTH');
    $client->cmd('CONFIG', 'SET', 'requirepass', '');
    ships_again('B102: after NOAUTH');
    eval { $redis->cmd('PING') };    # ours was killed as well
}

{
    mkdir "$redis->{folder}/taken";
    write_file("$redis->{folder}/taken/x", '');
    $redis->cmd('CONFIG', 'SET', 'dbfilename', 'taken');
    $redis->cmd('CONFIG', 'SET', 'save', '3600 1000000');
    $redis->cmd('BGSAVE');
    waits('B102: MISCONF');
    $redis->cmd('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    ships_again('B102: after MISCONF');
}

# --- B98: `in` is no stream ----------------------------------------------------
$redis->cmd('RENAME', 'tomo:{demo}:in', 'tomo:{demo}:kept');
$redis->cmd('SET', 'tomo:{demo}:in', 'x');
waits('B98: in is a string');
$redis->cmd('DEL', 'tomo:{demo}:in');
$redis->cmd('RENAME', 'tomo:{demo}:kept', 'tomo:{demo}:in');
ships_again('B98: after a foreign key');

# --- lost data ----------------------------------------------------------------
$redis->kill_now;
File::Path::remove_tree("$redis->{folder}/appendonlydir");
unlink glob "$redis->{folder}/*.rdb";
system('cp', '-r', $old, "$redis->{folder}/appendonlydir") == 0 or die "cp failed\n";
$redis->restart;
ships_again('W2: Redis restarted from an older file');
ok wait_for(sub { counter('ship_reshipped') > 0 }, 'reshipped', 20),
    'W2: what Redis lost is shipped again';

$redis->restart_empty;
ships_again('W2: Redis restarted empty');

# --- the law --------------------------------------------------------------------
$_->stop for @loads;
ok Tomo::Test::Status::wait_shipped($edge, 30), 'W2: the journal drains';
my $s;
ok wait_for(
    sub {
        $s = read_stream($redis);
        my $missing = 0;
        for my $load (@loads) {
            my ($acked) = $load->read_journal;
            $missing += grep { !$s->{ids}{$_} } keys %$acked;
        }
        return $missing == 0;
    },
    'all in the stream', 20
    ),
    'W2: all is in the new Redis';
complete_ok($s, \@loads, 'W2', 1);
is counter('ship_quarantined'), 0, 'W2: nothing was set aside';
is counter('ship_incidents'),   0, 'W2: all that was wanted was kept';
is counter('webhook_unavailable'), 0, 'W2: no 503';

# --- W2: half an hour is kept whatever keep= says -----------------------------------
{
    publish($redis, { version => 9 });      # that Redis is empty
    my $e = Tomo::Test::Nginx->start(
        redis => $redis, workers => 1, journal => 'keep=0 max=256m segment=2m');
    my $kept = sub { return scalar grep {m{/[0-9a-f]{16}/}} glob $e->journal . '/*/*.seg' };
    ok wait_for(sub { Tomo::Test::Status::fetch($e)->{generation} }, 'a table', 10), 'W2: served';
    my $body = webhook_body(text_event(user_id(1), 'x' x 400_000));
    is send_webhook($e, $body)->{status}, 200, 'W2: a large webhook' for 1 .. 12;
    ok Tomo::Test::Status::wait_shipped($e, 10), 'W2: shipped';
    my $n = $kept->();
    cmp_ok $n, '>=', 3, "W2: $n segments";
    my $until = now_ms() + 2500;
    wait_for(sub { now_ms() > $until }, 'the reaper had its turn', 5);
    is $kept->(), $n, 'W2: shipped ones are not reaped at once';
    ok $e->quit, 'W2: QUIT';
}

done_testing;
