#!/usr/bin/perl

# A disk that stands still for seconds while a campaign's clicks come in: they
# wait in memory, none is dropped, all are journalled and shipped (W4).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Http;
use Tomo::Test::Status;
use Tomo::Test::Webhook;

my $STALL_US = 5_000_000;
my $CLICKS   = 12_000;     # of about 1 KB: 12 MB

my $redis = Tomo::Test::Redis->start;
publish($redis, { version => 1, links => { 1 => 'https://shop.example/' } });
my $edge = Tomo::Test::Nginx->start(redis => $redis, workers => 1);
ok wait_served($redis, 1), 'the edge serves the feed';

# only the pool's threads are traced: the loop runs at its own speed
my ($pid) = $edge->worker_pids;
my @threads = grep { $_ != $pid } map {m{(\d+)$}} glob "/proc/$pid/task/*";
my $trace = Tomo::Test::Process->start(
    name => 'strace', stop => 'INT',
    command => ['strace', '-o', temp_dir() . '/strace', '-e',
        "inject=fdatasync:delay_enter=$STALL_US", map { ('-p', $_) } @threads],
);
ok wait_for(
    sub { !grep { read_file("/proc/$pid/task/$_/status") =~ /TracerPid:\s*0\b/ } @threads },
    'strace on the threads', 10), 'a disk that will stand still';

# the sync that this webhook asks for is the one that hangs
my $r = send_webhook($edge, '{"events":[]}');
is $r->{status}, 503, 'W3: the webhook is told so';

my ($token) = tokens({ link => 1, friend => 7 });
my $request = Tomo::Test::Http::format_request('GET', "/r/$token",
    [ 'User-Agent' => "Line/15 \xe3\x81\x82" . '(' x 240 ]);
my $asked = 0;
while ($asked < $CLICKS) {
    my $client = Tomo::Test::Http->connect($edge->port) or last;
    my $n = 500;        # below keepalive_requests
    $client->send($request x $n) or last;
    my $good = grep { my $answer = $client->response; $answer && $answer->{status} == 302 } 1 .. $n;
    last if $good < $n;
    $asked += $n;
    $client->close;
}
is $asked, $CLICKS, "$CLICKS clicks are sent on meanwhile";
my $c = Tomo::Test::Status::fetch($edge)->{counters};
is $c->{click_dropped}, 0, 'W4: none is dropped';
$trace->stop('INT');
my $shipped = sub {
    return scalar grep {/friend=7&/} map { split /\n/, $_->[1]{b} } grep { $_->[1]{k} eq 'click' }
        @{ $redis->stream('tomo:{demo}:in') };
};
wait_for(sub { $shipped->() >= $CLICKS }, "$CLICKS clicks shipped", 20);
ok Tomo::Test::Status::wait_shipped($edge), 'W4: the journal goes on and ships';
is $shipped->(), $CLICKS, 'W4: every click arrives, once';
my %frames;
$frames{ $_->[1]{b} =~ tr/\n// }++
    for grep { $_->[1]{k} eq 'click' } @{ $redis->stream('tomo:{demo}:in') };
my ($largest) = sort { $b <=> $a } keys %frames;
is $largest, 64, 'W4: clicks that waited share records, 64 in one';
cmp_ok $frames{64}, '>=', 0.9 * $CLICKS / 64, 'W4: nearly all of them';
ok $edge->quit, 'QUIT';

done_testing;
