#!/usr/bin/perl

# R5: the edge serves what the worker published and says so; another worker
# takes over when the one that polls dies; a restart works from the snapshot
# without Redis; what cannot be read does not spoil the rest.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;

my $redis = Tomo::Test::Redis->start(own_users => 1);    # its rights are taken away
my $edge  = Tomo::Test::Nginx->start(redis => $redis, redis_args => 'timeout=500ms');
$edge->allow_alert(qr/exited on signal 9/);
my ($one, $two, $b) = tokens({ link => 1 }, { link => 2 }, { link => 1, account => 2 });

sub to {
    my $r = http_get($edge->port, "/r/$_[0]", 'User-Agent' => 'Line/15') or return 'no answer';
    return $r->{headers}{location} // $r->{status};
}

sub webhook {
    my ($account, $secret) = @_;
    my $body = Tomo::Test::Webhook::webhook_body();
    return Tomo::Test::Webhook::send_webhook($edge, $body, account => $account, secret => $secret)
        ->{status};
}

is to($one), 503, 'no table yet: 503, not 404';
my $start = now_ms();
publish($redis, { version => 1, links => { 1 => 'https://one.example/' } });
ok wait_served($redis, 1), 'R5: the first version is acknowledged';
cmp_ok now_ms() - $start, '<', 1500 * Tomo::Test::slow(), 'R5: within a second';
is to($one), 'https://one.example/', 'R5: and served';

for my $version (2 .. 11) {
    publish($redis, { version => $version, links => { 1 => "https://v$version.example/" } });
    wait_served($redis, $version);
    is to($one), "https://v$version.example/", "R5: version $version is served once acknowledged";
}
publish($redis,
    { version => 12, links => { 2 => 'https://two.example/' } },
    { id => 'b', number => 2, version => 5, secrets => [ 'ab' x 16, 'cd' x 16 ],
        links => { 1 => 'https://b.example/' } });
ok wait_served($redis, 12), 'R5: two accounts';
ok wait_served($redis, 5, 'b'), 'R5: two accounts';
is to($b),   'https://b.example/',   'R5: the new account';
is to($two), 'https://two.example/', 'R5: the new link';
is to($one), 404, 'R5: a link that was taken out';
is webhook('b', $_), 200, 'B7: either secret' for 'ab' x 16, 'cd' x 16;
is webhook('b', 'ef' x 16), 401, 'B5: another secret';
my ($beat) = values %{ $redis->hash('tomo:edges') };
like $beat, qr/^at=\d{13} versions=\S+ waiting=\d+ keep=3600 keys=1$/, 'the heartbeat\'s form';
is scalar(keys %{ $redis->hash('tomo:edges') }), 1, 'one edge, one heartbeat';

# --- broken feeds -----------------------------------------------------------------
publish($redis,
    { version => 13, links => { 2 => 'https://two.example/' },
        more => [ 'link/9' => '%%%', 'nonsense' => 1, 'link/x' => 'url=https%3A%2F%2Fx&open=1' ] },
    { id => 'c', number => 3, version => 1, key => [ 1, '77' x 32 ],
        links => { 1 => 'https://c.example/' } },
    { id => 'd', number => 1, version => 1 });
$redis->cmd('SET', 'tomo:{e}:feed', 'x');
$redis->cmd('SADD', 'tomo:accounts', 'e', 'UPPER', '../x', '');
ok wait_served($redis, 13), 'foreign fields do not stop a feed';
ok wait_served($redis, 1, 'c'), 'nor a secret of another key';
is to((tokens({ link => 1, account => 3 }))[0]), 'https://c.example/', 'its links are served';
is webhook('c'), 401, 'its webhooks are not: no secret';
is to($two), 'https://two.example/', 'an account with a number twice does not harm the first';
ok wait_for(sub { Tomo::Test::Status::counter($edge, 'feed_errors') > 2 }, 'three errors', 10),
    'errors are counted';

# --- another takes over -------------------------------------------------------------
for my $round (1 .. 2) {
    kill 'KILL', $_ for ($edge->worker_pids)[0];
    publish($redis, { version => 20 + $round, links => { 2 => "https://k$round.example/" } });
    ok wait_served($redis, 20 + $round), "a killed worker's office is taken over ($round)";
}
is to($two), 'https://k2.example/', 'and the table is new';

# --- without Redis --------------------------------------------------------------------
my $snap = $edge->folder . '/edge.snap';
my $saved;
publish($redis, { version => 30, links => { 2 => 'https://snap.example/' } });
wait_served($redis, 30);
# the first of two may have been begun before the table was new
for my $version (31, 32) {
    $saved = Tomo::Test::Status::counter($edge, 'snapshot_saved');
    publish($redis, { version => $version, links => { 2 => 'https://snap.example/' } });
    ok wait_for(sub { Tomo::Test::Status::counter($edge, 'snapshot_saved') > $saved }, 'saved', 10),
        "the snapshot is written ($version)";
}
is sprintf('%o', (stat $snap)[2] & 0777), '600', 'for its owner alone';
unlike read_file($snap), qr/snap\.example|$Tomo::Test::Files::CHANNEL_SECRET/, 'S1: and sealed';

$redis->cmd('FLUSHALL');
is to($two), 'https://snap.example/', 'an emptied Redis changes nothing';
$redis->stop;
$edge->restart;
is to($two), 'https://snap.example/', 'after a restart without Redis links lead on';
is webhook('demo'), 200, 'and webhooks are accepted';
is to((tokens({ link => 99 }))[0]), 503, 'what only Redis could know: 503';

substr(my $bad = read_file($snap), 100, 1) = "\xff";
write_file($snap, $bad, 0600);
$edge->restart;
is to($two), 503, 'a damaged snapshot is not used';
$redis->restart;
# not a version that the edge before the restarts told of as well
publish($redis, { version => 41, links => { 2 => 'https://back.example/' } });
ok wait_served($redis, 41), 'Redis mends it';
is to($two), 'https://back.example/', 'links lead on';

# --- a refusal is not the last word -------------------------------------------------
$redis->cmd('ACL', 'SETUSER', 'default', '-hgetall');
publish($redis, { version => 42, links => { 2 => 'https://mended.example/' } });
ok wait_for(sub { $edge->error_log =~ /redis refused HGETALL/ }, 'the refusal', 10),
    'a feed that may not be read is told of';
$redis->cmd('ACL', 'SETUSER', 'default', '+hgetall');
ok wait_served($redis, 42), 'and read once it may be';
is to($two), 'https://mended.example/', 'without a new version';

done_testing;
