#!/usr/bin/perl

# X2: While the worker stands still Redis fills up to three quarters of its memory
# and no further: the edge keeps the rest on its own disk, nothing is trimmed or
# thrown away unread, and all of it is decided when the worker comes back.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Tomo::Test;
use Tomo::Test::Promise;

my $MB    = pick(short => 12, full => 256);    # maxmemory
my $EXTRA = pick(short => 40, full => 2000);   # webhooks beyond the limit
my $USERS = 200;

my $redis = Tomo::Test::Redis->start(set => { 'maxmemory' => "${MB}mb" });
my $edge  = Tomo::Test::Nginx->start(redis => $redis,
    journal => 'keep=1h max=4g segment=8m');
my $worker = Tomo::Test::Worker->start(role => 'ingest', redis => $redis, edge => $edge,
    sandbox => 1);
ok wait_for(sub { post(0)->{status} == 200 }, 'the edge knows the account', 15),
    'the edge knows the account';
$worker->stop;

# One webhook of two events with 24 KB around them; the generator's own record
# of what was acknowledged is %acked.
my (%acked, $n, $client);

sub post {
    my ($events) = @_;
    my @events = map {
        my $text = 'x2-' . ++$n;
        my $event = Tomo::Test::Webhook::event('message',
            Tomo::Test::Webhook::user_id($n % $USERS),
            message => { type => 'text', id => "$n", text => $text, quoteToken => 'q' },
            padding => 'x' x 12_000);
        delete $event->{replyToken};
        [ $text, $event ];
    } 1 .. $events;
    my $body = JSON::PP::encode_json(
        { destination => $Tomo::Test::Files::BOT_USER_ID, events => [ map { $_->[1] } @events ] });
    $client //= Tomo::Test::Http->connect($edge->port) or return { status => 0 };
    my $r = $client->ask('POST', '/line/webhook/demo',
        [ 'x-line-signature' => Tomo::Test::Webhook::sign($body) ], $body);
    undef $client if !$r || lc($r->{headers}{connection} // '') eq 'close';
    $acked{ $_->[0] } = 1 for $r && $r->{status} == 200 ? @events : ();
    return $r // { status => 0 };
}

sub info {
    my ($section, $field) = @_;
    my ($value) = $redis->cmd('INFO', $section) =~ /^\Q$field\E:(.*?)\r?$/m;
    return $value // 0;
}

my $most = 0;

sub used {
    my $percent = 100 * info('memory', 'used_memory') / ($MB * 1024 * 1024);
    $most = $percent if $percent > $most;
    return $percent;
}

# --- until the edge keeps it for itself -------------------------------------

my %status;
my $refused = sub { return Tomo::Test::Status::fetch($edge)->{redis} eq 'refused' };
ok wait_for(
    sub {
        $status{ post(2)->{status} }++ for 1 .. 10;
        used();
        return $refused->();
    },
    'three quarters are used', pick(short => 60, full => 600)
), 'X2: the edge stops shipping';
my $at = used();
like Tomo::Test::Status::fetch($edge)->{redis_refused}, qr/^memory used, wanted under 75 %/,
    'X2: and says that it is memory';
$status{ post(2)->{status} }++ for 1 .. $EXTRA;
my $waiting = Tomo::Test::Status::fetch($edge)->{waiting};
used();
cmp_ok $waiting, '>=', $EXTRA, 'X2: what comes then waits on the edge\'s disk';
is join(' ', keys %status), '200', 'X2: every webhook was accepted';
my $added = {@{ $redis->cmd('XINFO', 'STREAM', 'tomo:{demo}:in') }};
my $cursor = $redis->hash('tomo:{demo}:cursor');
cmp_ok $added->{length}, '>=', $added->{'entries-added'} - ($cursor->{entries} // 0),
    'X2: every entry that is not decided is in the stream';

# --- the worker comes back ----------------------------------------------------

$worker->launch;
ok Tomo::Test::Status::wait_shipped($edge, pick(short => 60, full => 600)),
    'X2: all is shipped when there is room';
ok wait_for(sub { used(); Tomo::Test::Status::undecided($worker) eq '' }, 'decided',
    pick(short => 60, full => 600)), 'X2: and decided';
cmp_ok used(), '<', 75, 'X2: there is room again';
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{redis} eq 'up' }, 'up', 20),
    'X2: the edge ships again';

my %got;
for my $list (@{ $redis->cmd('KEYS', 'tomo:{demo}:tl:*') }) {
    for my $line (@{ $redis->cmd('LRANGE', $list, 0, -1) }) {
        $got{$1}++ if $line =~ /(?:^|&)text=(x2-\d+)(?:&|$)/;
    }
}
my $missing = grep { !$got{$_} } keys %acked;
my $twice   = grep { $got{$_} > 1 } keys %got;
my ($oom) = $redis->cmd('INFO', 'errorstats') =~ /errorstat_OOM:count=(\d+)/;

figure('maxmemory' => "$MB MB");
figure('memory used when the edge stopped' => sprintf '%.0f %%', $at);
figure('memory used at most' => sprintf '%.0f %%', $most);
figure('records on the edge\'s disk meanwhile' => $waiting);
figure('events acknowledged' => scalar keys %acked);
figure('writes refused by Redis (OOM)' => $oom // 0);
figure('evicted_keys' => info('stats', 'evicted_keys'));
figure('acknowledged but missing' => $missing);
figure('decided twice' => $twice);
is info('stats', 'evicted_keys'), 0, 'X2: nothing was thrown away';
is $missing, 0, 'X2: nothing acknowledged is missing';
is $twice, 0, 'X2: nothing is decided twice';
cmp_ok $most, '<', 100, 'X2: Redis never reached its limit';

done_testing;
