#!/usr/bin/perl

# W10 (short): reloads under load lose nothing, leave no old worker and no
# alert.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Stream;

my $redis = Tomo::Test::Redis->start;
publish($redis, { version => 1, links => { 1 => 'https://example.com/' } });
my $edge = Tomo::Test::Nginx->start(redis => $redis);
ok wait_served($redis, 1), 'R5: the edge serves the feed';
my ($token) = tokens({ link => 1, friend => 1 });

my @loads = start_loads($edge, 2, 150);
my ($reloads, $late, $lost) = (20, 0, 0);

for my $n (1 .. $reloads) {
    $edge->reload(seconds => 12) or $late++;
    my $r = http_get($edge->port, "/r/$token", 'User-Agent' => 'Line/15');
    $lost++ if !$r || $r->{status} != 302;
}
is $late, 0, "W10: $reloads reloads, no old worker stays";
is $lost, 0, 'W10: links lead on meanwhile';

$_->stop for @loads;
ok Tomo::Test::Status::wait_shipped($edge, 20), 'W10: the journals drain';
my $s = read_stream($redis);
complete_ok($s, \@loads, 'W10');
is $s->{kinds}{click}, $reloads, 'W10: every click is there';

$redis->pause;
ok $edge->reload(seconds => 12), 'W10: a frozen Redis does not hold old workers';
$redis->resume;
ok $edge->quit, 'T1: QUIT ends the workers';
unlike $edge->error_log, qr/open socket/, 'T2: no socket is left open';

done_testing;
