#!/usr/bin/perl

# W10: Reloads and an upgrade of the binary under load lose nothing, refuse
# nobody and leave no old worker behind.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Promise;
use Tomo::Test::Stage;

my $RELOADS  = pick(short => 6,   full => 200);
my $EVERY    = pick(short => 0.2, full => 1);       # s
my $UPGRADES = pick(short => 1,   full => 3);
my $SHARE    = pick(short => 0.1, full => 1);

my $stage = Tomo::Test::Stage->start(
    edge  => { daemon => 1, journal => 'keep=1h max=4g segment=8m' },
    redis => { set => { maxmemory => '4gb' } });
my ($edge, $redis) = ($stage->edge, $stage->redis);

my $load = $stage->load(Tomo::Test::Stage::l1($SHARE));
ok wait_for(sub { $load->acknowledged('webhook') > 10 }, 'load', 20), 'W10: load comes in';

# true once every worker but those that take connections is gone
sub settled {
    my @all = Tomo::Test::Process::children($edge->{pid});
    return @all == $edge->worker_pids && @all == 2;
}

my ($reloads, $next) = (0, Time::HiRes::time());
for (1 .. $RELOADS) {
    wait_for(sub { Time::HiRes::time() >= $next }, 'the next', 5);
    $next = Time::HiRes::time() + $EVERY;
    $reloads++ if $edge->reload(keep_old => 1);
}
is figure('reloads' => $reloads), $RELOADS, 'W10: every reload brings new workers';
ok wait_for(\&settled, 'old workers gone', 10), 'W10: no old worker is left 10 s later';

my $upgrades = 0;
for (1 .. $UPGRADES) {
    $edge->upgrade or last;
    $upgrades++ if wait_for(\&settled, 'workers of the new binary', 10);
}
is figure('upgrades of the binary' => $upgrades), $UPGRADES, 'W10: a new binary takes over';
ok $stage->serves_on($load, 10, 20), 'W10: and goes on serving';

my $seen  = $load->stop;
my $found = $stage->drained(60, $seen);
ok $found, 'W10: the journals drain';
my ($fresh, $idle) = (0, 0);
for (values %$seen) {
    $fresh += $_->{resets};
    $idle  += $_->{closed};
}
figure('acknowledged webhooks' => scalar @{ $seen->{webhook}{ms} });
figure('webhook latency' => Tomo::Test::Generator::latency($seen->{webhook}{ms}));
figure('idle connections closed as a request came' => $idle);
is figure('failed requests' => $fresh + $stage->refused($seen)), 0,
    'W10: no request fails' or diag $stage->refusals($seen);
is figure('acknowledged but missing' => $stage->missing($seen, $found)), 0,
    'W10: nothing acknowledged is missing';
is figure('taps missing' => $stage->missing($seen, $found, 'click')), 0, 'W10: nor is any tap';
is scalar @{ $found->{twice} }, 0, 'W10: nothing twice';
is scalar @{ $found->{disorder} }, 0, 'W10: each writer\'s records in their order';

$redis->pause;
ok $edge->reload(seconds => 12), 'W10: a frozen Redis does not hold old workers';
$redis->resume;
is figure('old workers alive' => Tomo::Test::Process::children($edge->{pid}) - $edge->worker_pids),
    0, 'W10: none is left';
ok $edge->quit, 'T1: QUIT ends the workers';
unlike $edge->error_log, qr/open socket/, 'T2: no socket is left open';
my $alerts = () = $edge->error_log =~ /\[alert\]/g;
is figure('alert lines' => $alerts), 0, 'W10: no alert';

done_testing;
