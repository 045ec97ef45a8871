#!/usr/bin/perl

# F1: A survey answer that was thanked for is on disk and counts once, however
# often it is sent and whoever is killed meanwhile.
#
# Every post is sent twice at once (a double tap), and again when a worker is
# killed under it, under the nonce of its page. Workers are killed each 200 ms.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Generator;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;
use Tomo::Test::Stage;

my $KILLS   = pick(short => 10, full => 300);
my $RATE    = pick(short => 25, full => 50);      # posts a second, each twice
my $FRIENDS = pick(short => 40, full => 400);

my $ingest = Tomo::Test::Ingest->start;
my $redis  = $ingest->redis;
my $edge   = Tomo::Test::Nginx->start(redis => $redis);
$edge->allow_alert(qr/worker process \d+ exited on signal 9/);
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{generation} }, 'a table', 10),
    'F1: the edge serves the feed';
my $survey = $ingest->no('survey', 'profile');
$ingest->webhook(map { $ingest->event('follow', $_) } 1 .. $FRIENDS);
ok $ingest->settle(60), 'F1: friends';

my %serial;
for my $key (@{ $redis->cmd('KEYS', $ingest->key('uid:*')) }) {
    my $of = $redis->hash($key);
    @serial{ keys %$of } = values %$of;
}
my @forms = tokens(map {
        { kind => 2, link => $survey, friend => $serial{ $ingest->user($_) },
            check => $ingest->check($_) }
    } 1 .. $FRIENDS);

my $load = Tomo::Test::Generator->start(
    port => $edge->port, answers => $RATE, forms => \@forms, fields => 'q.name=n%Nn',
    copies => 2, connections => 8);
my $kills = $edge->kill_workers($KILLS, 0.2);
my $enough = pick(short => 40, full => 5000);
wait_for(sub { $load->acknowledged('answer') >= $enough }, "$enough answers", 60);
my $posts = $load->stop->{answer};
ok Tomo::Test::Status::wait_shipped($edge, 60), 'F1: all journals are shipped';
ok $ingest->settle(120), 'F1: and decided';

# --- the timelines -----------------------------------------------------------------
my (%effects, $full);
for my $key (@{ $redis->cmd('KEYS', $ingest->key('tl:*')) }) {
    my $rows = $redis->cmd('LRANGE', $key, 0, -1);
    $full++ if @$rows >= 200;
    for my $row (map { Tomo::Test::Ingest::parse($_) } @$rows) {
        next if $row->{kind} ne 'answer';
        my ($n) = $row->{text} =~ /n(\d+)n/ or next;
        $effects{ sprintf '%04d%017dA', $load->{number}, $n }++;
    }
}
my $acked = $posts->{acked};
my ($most, $copies) = (0, 0);
for (values %effects) { $most   = $_     if $_ > $most }
for (values %$acked)  { $copies += $_ - 1 }
ok !$full, 'F1: no timeline is so full that rows fell off it';
figure('kills' => $kills);
figure('answers thanked for' => scalar keys %$acked);
figure('thanked for more than once' => $copies);
figure('post latency' => Tomo::Test::Generator::latency($posts->{ms}));
is figure('thanked for but missing' => scalar grep { !$effects{$_} } keys %$acked), 0,
    'F1: none that was thanked for is missing';
is figure('most effects of one nonce' => $most), 1, 'F1: each counts once';
is figure('effects of what was never sent' =>
        scalar grep { !$posts->{sent}{$_} } keys %effects),
    0, 'F1: nothing comes of nothing';
my $others = Tomo::Test::Stage::refusals(undef, { answer => $posts });
is $others, 'none', 'F1: no answer but 303';
cmp_ok $copies, '>', 0, 'F1: double taps were double';
cmp_ok keys %$acked, '>=', $enough / 2, 'F1: the load was a load';
is scalar @{ $ingest->quarantine }, 0, 'F1: nothing is set aside';

done_testing;
