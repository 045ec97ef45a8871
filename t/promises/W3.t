#!/usr/bin/perl

# W3: No webhook waits longer than a second for its answer, however slow the
# disk and Redis are; LINE's two seconds are never reached.
#
# Redis is frozen and each fdatasync of the edge's takes 1.5 s while load comes
# in bursts. What cannot be on disk in time is answered 503 with Retry-After.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Promise;
use Tomo::Test::Stage;
use Tomo::Test::Strace;
use Tomo::Test::Webhook;

my $SHARE  = pick(short => 0.2, full => 5);      # L2 is five times L1, of webhooks
my $BURST  = pick(short => 1,   full => 10);     # s of load, and of rest
my $BURSTS = pick(short => 2,   full => 3);
my $CONNECTIONS = pick(short => 40, full => 200);    # more only wait for the generator

my $stage = Tomo::Test::Stage->start(
    edge => { redis_args => 'timeout=500ms', connections => 2048 });
my ($edge, $redis) = ($stage->edge, $stage->redis);
$redis->pause;
my $trace = Tomo::Test::Strace->start($edge, pool => 1,
    args => ['-e', 'inject=fdatasync:delay_enter=1500000']);

my $load = $stage->load(Tomo::Test::Stage::l1(full() ? 1 : $SHARE),
    webhooks => 500 * $SHARE, friends => 500,
    connections => $CONNECTIONS, on => $BURST, off => $BURST);
my $began = Time::HiRes::time();
my $until = $began + 2 * $BURST * $BURSTS;
wait_for(sub { Time::HiRes::time() > $until }, 'the bursts', 2 * $BURST * $BURSTS + 5);
my $seen = $load->stop;
$trace->stop('INT');
$redis->resume;
my $healed = Time::HiRes::time();
ok wait_for(sub { send_webhook($edge, webhook_body())->{status} == 200 }, 'a 200', 20),
    'W3: heals by itself';
figure('seconds to the first 200' => sprintf '%.2f', Time::HiRes::time() - $healed);
my $found = $stage->drained(60, $seen);
ok $found, 'W3: what was written is shipped';

my $posts = $seen->{webhook};
my $slow  = $posts->{all_ms}[-1] // 0;
my $n     = @{ $posts->{all_ms} };
figure('bursts' => "$BURSTS of $BURST s");
figure('webhooks answered' => $n);
figure('rate reached' => sprintf '%d webhooks/s in a burst', $n / ($BURST * $BURSTS));
figure('webhook latency' => Tomo::Test::Generator::latency($posts->{all_ms}));
figure('redirect latency' => Tomo::Test::Generator::latency($seen->{click}{all_ms}));
figure('answered 503' => $posts->{status}{503} // 0);
figure('answered 200' => scalar @{ $posts->{ms} });
is $posts->{bare}, 0, 'W3: each 503 carries Retry-After';
is join(',', grep { $_ != 503 } keys %{ $posts->{status} }), '', 'W3: nothing but 200 and 503';
cmp_ok $n, '>=', 30, 'W3: the load was a load';
cmp_ok $posts->{status}{503} // 0, '>', 0, 'W3: the disk was too slow';

# The promise's second is measured where nothing else runs; LINE's two always.
cmp_ok figure('longest wait, ms' => $slow), '<', full() ? 1000 : 2000 * Tomo::Test::slow(),
    'W3: nobody waited longer';
is figure('acknowledged but missing' => $stage->missing($seen, $found)), 0,
    'W3: what was answered 200 is there';
is scalar @{ $found->{twice} }, 0, 'W3: once';
my $late = Tomo::Test::Status::counter($edge, 'webhook_late');
cmp_ok $late, '>', 0, "W3: late ones are counted: $late";

done_testing;
