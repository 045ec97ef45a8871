#!/usr/bin/perl

# R5: the office of the worker that reads the feed, lost and regained: who stands
# still for half a minute loses it, and has it again when the next one dies. An
# account that Redis lost with its feed is served on, also after a restart from
# the saved copy: absence takes nothing away. Two edges on one journal folder
# keep out of each other's way.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Webhook;

my $redis = Tomo::Test::Redis->start;
my $edge  = Tomo::Test::Nginx->start(redis => $redis, redis_args => 'timeout=20s');
my ($token) = tokens({ link => 1 });
my $version = 0;

sub put { return publish($redis, { version => ++$version, links => { 1 => target() } }) }

sub target { return "https://v$version.example/" }

sub seen { return grep {/\bdemo:$version\b/} values %{ $redis->hash('tomo:edges') } }

sub served {
    my ($what, $seconds) = @_;
    ok wait_for(\&seen, "version $version", $seconds // 10),
        "R5: $what: version $version is served";
    my $r = http_get($edge->port, "/r/$token", 'User-Agent' => 'Line/15') // {};
    is $r->{headers}{location}, target(), "R5: $what: by who is awake";
    return;
}

my @posted;

sub webhook {
    my ($what, $at) = @_;
    my $body = webhook_body(text_event(user_id(1), $what));
    push @posted, $body;
    return is send_webhook($at // $edge, $body)->{status}, 200, "$what: a webhook is taken";
}

# --- the office --------------------------------------------------------------------
put();
served('two workers');
my ($holder, $next) = $edge->worker_pids;

# Whose office it is shows by who serves while the other one stands still.
kill 'STOP', $holder;
put();
my $until = now_ms() + 3000;
wait_for(sub { seen() || now_ms() > $until }, 'a version', 5);
if (seen()) {
    kill 'CONT', $holder;
    ($holder, $next) = ($next, $holder);
    kill 'STOP', $holder;
    put();
}
served('its holder stands still', 60);
webhook('its holder stands still');
kill 'CONT', $holder;
put();
served('its holder goes on');
$edge->allow_alert(qr/exited on signal 9/);
kill 'KILL', $next;
put();
served('the next one is killed');
webhook('the next one is killed');
is scalar(keys %{ $redis->hash('tomo:edges') }), 1, 'R5: it is one edge all the time';
is Tomo::Test::Status::counter($edge, 'feed_errors'), 0, 'R5: and nothing was applied in halves';

# --- an account that Redis lost -------------------------------------------------------
my $saved = sub { return Tomo::Test::Status::counter($edge, 'snapshot_saved') };
for (1, 2) {
    my $was = $saved->();
    put();
    served('before the loss');
    ok wait_for(sub { $saved->() > $was }, 'saved', 20), 'the saved copy is written';
}
$redis->cmd('DEL', 'tomo:{demo}:feed');
$redis->cmd('SREM', 'tomo:accounts', 'demo');
publish($redis, { id => 'other', number => 2 });
ok wait_served($redis, 1, 'other'), 'the feed lost an account, another one came';
webhook('its feed is gone');
$edge->restart;
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{redis} eq 'up' }, 'up', 20), 'restarted';
webhook('restarted from the saved copy');
publish($redis, { version => 1 });      # an older one, as of a backup
ok wait_served($redis, 1), 'its feed is back, older than what the edge has';
webhook('its feed is older');
my $in = sub {
    my @webhooks = grep { $_->[1]{k} eq 'webhook' } @{ $redis->stream('tomo:{demo}:in') };
    return map { $_->[1]{b} } @webhooks;
};
ok wait_for(sub { $in->() >= @posted }, 'all in Redis', 20), 'all of it goes to Redis';

# --- two edges, one folder ---------------------------------------------------------------
my $second = Tomo::Test::Nginx->new(redis => $redis, name => 'second', workers => 1);
rmdir $second->journal;
symlink $edge->journal, $second->journal or die "symlink: $!\n";
$second->launch;
ok wait_for(sub { Tomo::Test::Status::fetch($second)->{generation} }, 'a table', 20),
    'another nginx serves from the same journal folder';
ok wait_served($redis, 1), 'and has the account';
ok wait_for(sub { send_webhook($second, $posted[0])->{status} == 200 }, 'served', 20), 'it takes';
push @posted, $posted[0];
webhook('two edges, the first')             for 1 .. 3;
webhook('two edges, the second', $second)   for 1 .. 3;
ok wait_for(sub { $in->() >= @posted }, 'all in Redis', 20), 'what both took goes to Redis';
$second->stop('KILL');
webhook('the second was killed');
ok wait_for(sub { $in->() >= @posted }, 'all in Redis', 20), 'and what comes then';
is_deeply [ sort $in->() ], [ sort @posted ], 'each webhook once, whoever took it';

done_testing;
