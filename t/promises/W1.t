#!/usr/bin/perl

# W1: A webhook answered 200 is on disk and takes effect once, however often
# the edge's workers are killed.
#
# SIGKILL to a random worker of nginx each 200 ms while webhooks, taps and
# survey posts (of nobody's) come in. What is killed under a request is sent
# again under the same id, as LINE does. Then the timelines that ingest wrote are
# counted.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;
use Tomo::Test::Stage;
use Tomo::Test::Webhook;

my $KILLS = pick(short => 12, full => 300);
my $SHARE = pick(short => 0.2, full => 1);      # of the load L1
my $ROWS  = 150;                                # a timeline keeps 200

my $friends = int($KILLS * 0.2 * 1500 * $SHARE * Tomo::Test::slow() / $ROWS) + 100;
my $ingest = Tomo::Test::Ingest->start;
my $redis  = $ingest->redis;
my $edge   = Tomo::Test::Nginx->start(redis => $redis);
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{generation} }, 'a table', 10),
    'W1: the edge serves the feed';
$edge->allow_alert(qr/worker process \d+ exited on signal 9/);

my $stage = bless { edge => $edge, redis => $redis }, 'Tomo::Test::Stage';
my $load  = $stage->load(
    Tomo::Test::Stage::l1($SHARE), friends => $friends,
    forms  => [ Tomo::Test::Feed::tokens({ kind => 2, link => 1, friend => 1 }) ],
    fields => 'q.name=n%N'
);
ok wait_for(sub { $load->acknowledged('webhook') > 10 }, 'the first webhooks', 20),
    'W1: load comes in';

my $began   = Time::HiRes::time();
my $kills   = $edge->kill_workers($KILLS, 0.2);
my $seconds = Time::HiRes::time() - $began;
my $enough  = pick(short => 100, full => 10_000);
wait_for(sub { $load->acknowledged('webhook') >= $enough }, "$enough webhooks", 60);
my $seen    = $load->stop;
is figure('kills' => $kills), $KILLS, "W1: $KILLS workers are killed";

ok Tomo::Test::Status::wait_shipped($edge, 60), 'W1: all journals are shipped';
ok $ingest->settle(120), 'W1: and decided';

# --- the timelines ------------------------------------------------------------
my (%effects, $full);
for my $key (@{ $redis->cmd('KEYS', $ingest->key('tl:*')) }) {
    my $rows = $redis->cmd('LRANGE', $key, 0, -1);
    $full++ if @$rows >= 200;
    for (@$rows) { $effects{$1}++ if /^(?:\S+ )?id=(\w+)&/ }
}
my $acked = $seen->{webhook}{acked};
my $most  = 0;
for (values %effects) { $most = $_ if $_ > $most }
ok !$full, 'W1: no timeline is so full that rows fell off it';

figure('acknowledged events'          => scalar keys %$acked);
figure('rate reached'                 => sprintf '%d webhooks/s', keys(%$acked) / 3 / $seconds);
figure('connections lost to the kills' =>
        $seen->{webhook}{resets} + $seen->{webhook}{closed});
figure('webhook latency'              => Tomo::Test::Generator::latency($seen->{webhook}{ms}));
is figure('acknowledged but missing' => scalar grep { !$effects{$_} } keys %$acked), 0,
    'W1: nothing acknowledged is missing';
is figure('most effects of one id' => $most), 1, 'W1: each took effect once';
is figure('effects of what was never sent' =>
        scalar grep { !$seen->{webhook}{sent}{$_} } keys %effects),
    0, 'W1: nothing comes of nothing';
is figure('other answers' => $stage->refusals($seen)), 'none',
    'W1: no answer but 200, 302 and 303';
cmp_ok keys %$acked, '>=', 3 * $enough, 'W1: the load was a load';
is scalar(grep { $_->[1]{kind} ne 'answer' } @{ $ingest->quarantine }), 0,
    'W1: no webhook is set aside';

done_testing;
