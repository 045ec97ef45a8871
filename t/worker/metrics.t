#!/usr/bin/perl

# GET /metrics on the api socket: what it says of an account that waits, of one
# that flows, of a Redis that is away; and that the edge's own numbers and the
# worker's pass Prometheus' checks.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Prometheus;
use Tomo::Test::Webhook;

sub metrics {
    my ($worker) = @_;
    my $r = http_get($worker->api_socket, '/metrics') or return;
    return { r => $r, prometheus_parse($r->{body}) };
}

sub of { return "tomo_account_$_[0]\{account=\"demo\"\}" }

# --- the api role alone, with an account that nobody decides ------------------

my $redis = Tomo::Test::Redis->start;
my $api   = Tomo::Test::Worker->start(redis => $redis, role => 'api', name => 'api');
my $demo  = 'tomo:{demo}';
my $past  = now_ms() - 90_000;

$redis->cmd('XADD', "$demo:in",   ($past - 5) . '-0', 'v', 1);
$redis->cmd('XADD', "$demo:in",   "$past-$_",         'v', 1) for 1 .. 3;
$redis->cmd('XADD', "$demo:bulk", ($past - 9) . '-0', 'v', 1);
$redis->cmd('XADD', "$demo:out",  ($past - 60_000) . '-0', 'v', 1);
$redis->cmd('XADD', "$demo:quarantine", '*', 'why', 'odd');
$redis->cmd('ZADD', "$demo:sched", now_ms() - 45_000, '1:s:1');
$redis->cmd('HSET', "$demo:cursor", in => ($past - 5) . '-0', bulk => ($past - 9) . '-0',
    events => 7, send_parked => 2);
$redis->cmd('HSET', "$demo:meta", pause => now_ms() + 600_000);
$redis->cmd('HSET', "$demo:sending", token_until => now_ms() + 300_000);
$redis->cmd('HSET', 'tomo:edges', 'aa' x 8,
    'at=' . (now_ms() + 60_000) . ' versions=demo:3 waiting=0');
$redis->cmd('HSET', 'tomo:edges', 'bb' x 8, 'at=' . ($past) . ' versions= waiting=0');

my $m = metrics($api);
is $m->{r}{status}, 200, 'metrics need no token on the socket';
like $m->{r}{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'their type';
is_deeply $m->{strange}, [], 'no strange line';
promtool_ok($m->{r}{body}, 'the worker');
my $v = $m->{value};
is $v->{ of('in_waiting') }, 3, 'three entries wait; the one behind the cursor does not count';
cmp_ok $v->{ of('in_oldest_seconds') }, '>=', 89, 'for 90 seconds';
is $v->{ of('bulk_waiting') }, 0, 'the bulk lane is decided';
is $v->{ of('bulk_oldest_seconds') }, 0, 'so nothing in it is old';
is $v->{ of('outbox_rows') }, 1, 'one message is open';
cmp_ok $v->{ of('outbox_oldest_seconds') }, '>=', 149, 'for 150 seconds';
is $v->{ of('scheduled') }, 1, 'one moment';
cmp_ok $v->{ of('schedule_overdue_seconds') }, '>=', 44, 'overdue';
is $v->{ of('quarantine_entries') }, 1, 'one event set aside';
is $v->{ of('events_total') }, 7, 'counters are those of the cursor';
is $v->{ of('send_parked_total') }, 2, 'parked';
is $v->{ of('ingest_held') } . $v->{ of('dispatch_held') }, '00', 'nobody holds the account';
cmp_ok $v->{ of('paused_seconds') }, '>', 500, 'the quota pause';
cmp_ok $v->{ of('token_seconds') }, '>', 200, 'the token lives';
is $v->{tomo_worker_edges_living}, 1, 'one edge was heard of';
is $v->{tomo_worker_redis_up}, 1, 'Redis is up';
cmp_ok $v->{tomo_worker_redis_memory_max_bytes}, '==', 512 << 20, 'and may use 512 MB';
is $v->{tomo_worker_redis_disk_ok}, 1, 'its disk is good';
cmp_ok $v->{tomo_worker_journal_disk_free_bytes}, '>', 1 << 20, 'the journals have room';
cmp_ok abs($v->{tomo_worker_start_seconds} - time), '<', 300, 'when it started';
is_deeply [sort keys %{ $m->{help} }], [sort keys %{ $m->{type} }], 'HELP and TYPE for each';

# what dispatch keeps of Redis' past
is $v->{tomo_worker_redis_rollbacks_total} . $v->{tomo_worker_sending_held}, '00',
    'Redis has not gone back, nothing is held';
my $journal = $api->folder . '/journal';
write_file("$journal/redis.state", 'id=00000000000000ab&mark=7&incidents=3', 0600);
write_file("$journal/hold", "restore\n", 0600);
$v = metrics($api)->{value};
is $v->{tomo_worker_redis_rollbacks_total} . $v->{tomo_worker_sending_held}, '31',
    'D4: three rollbacks, and sending waits';
unlink "$journal/redis.state", "$journal/hold";

# nothing behind the cursor any more: neither count nor age
$redis->cmd('HSET', "$demo:cursor", in => "$past-3", in_i => 0);
$v = metrics($api)->{value};
is $v->{ of('in_waiting') }, 0, 'decided: nothing waits';
is $v->{ of('in_oldest_seconds') }, 0, 'and nothing is old';

# a key of another type takes the account out, not the whole answer
$redis->cmd('DEL', "$demo:bulk");
$redis->cmd('SET', "$demo:bulk", 'x');
$m = metrics($api);
is $m->{r}{status}, 200, 'X3: a key of another type is answered';
ok !exists $m->{value}{ of('in_waiting') }, 'without numbers that would be wrong';

is http_get($api->api_socket, '/metrics/x')->{status}, 401, 'A1: nothing else is open';
is http_post($api->api_socket, '/metrics', 'x')->{status}, 401, 'A1: nor another method';

$redis->stop;
$m = metrics($api);
is $m->{r}{status}, 200, 'without Redis it answers';
is $m->{value}{tomo_worker_redis_up}, 0, 'and says so';
ok !exists $m->{value}{tomo_worker_redis_memory_bytes}, 'what only Redis knows is left out';
ok exists $m->{value}{tomo_worker_journal_bytes}, 'the journals are told';
$api->stop;

# --- all of it at work ------------------------------------------------------------

my $live = Tomo::Test::Redis->start(name => 'live');
my $edge = Tomo::Test::Nginx->start(redis => $live);
my $sim  = Tomo::Test::Sim->start(edge => $edge);
my $worker = Tomo::Test::Worker->start(redis => $live, edge => $edge, sim => $sim);
my $friend = $sim->add_friend('Metrics');

ok wait_for(sub {
    my $now = metrics($worker) or return;
    $v = $now->{value};
    return ($v->{ of('send_accepted_total') } // 0) >= 1 && !$v->{ of('outbox_rows') }
        && $v->{tomo_worker_edges_living} == 1;
}, 'a greeting that LINE took', 30), 'a follow is decided, its greeting taken, the edge lives';
cmp_ok $v->{ of('events_total') }, '>=', 1, 'events are counted';
is $v->{ of('ingest_held') } . $v->{ of('dispatch_held') }, '11', 'both leases are held';
cmp_ok $v->{ of('token_seconds') }, '>', 0, 'the access token has an end';
cmp_ok $v->{tomo_worker_journal_bytes}, '>', 0, 'dispatch has written a journal';
cmp_ok $v->{ of('scheduled') }, '>=', 1, 'the next steps are scheduled';
promtool_ok(http_get($worker->api_socket, '/metrics')->{body}, 'the worker at work');
promtool_ok(http_get($edge->port, '/tomo/status?format=prometheus')->{body}, 'the edge');

done_testing;
