#!/usr/bin/env perl
# Webhooks: LINE's published signature vector, time limit, redelivery
# (LINE.md 2 and 7).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;
use Time::HiRes qw(time);

my $module = "$FindBin::Bin/../../scripts/simulator/webhook.mjs";
open my $node, '-|', 'node', '--input-type=module', '-e',
    "import { signature } from '$module';"
    . 'process.stdout.write(signature("8c570fa6dd201bb328f1c1eac23a96d8",'
    . '\'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}\'))'
    or die $!;
is(do { local $/; <$node> }, 'GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=',
    'the published vector');

my $t = SimTest->new;
my $id = $t->friend;

sub deliveries {
    my ($event_id) = @_;
    return grep { $_->{body}{events}[0]{webhookEventId} eq $event_id }
        grep { $_->{method} eq 'POST' } $t->edge_saw;
}

# Refused, then accepted.
$t->edge_answers(500);
my $r = $t->sim('POST', "friends/$id/text", { text => 'again' });
is($r->{status}, 500, 'the refusal is told');
is($t->sim('GET', 'state')->{webhooks}{waiting}, 1, 'it waits');
$t->edge_answers(200);
SimTest::until_true(10, sub { deliveries($r->{webhook_event_id}) >= 2 });
my ($first, $second) = map { $_->{body}{events}[0] }
    deliveries($r->{webhook_event_id});
ok($second->{deliveryContext}{isRedelivery}, 'sent again, marked');
is_deeply([@$second{qw(webhookEventId replyToken timestamp message)}],
    [@$first{qw(webhookEventId replyToken timestamp message)}],
    'otherwise the same');
ok(SimTest::until_true(5,
    sub { !$t->sim('GET', 'state')->{webhooks}{waiting} }), 'settled');
is(scalar(deliveries($r->{webhook_event_id})), 2, 'and not sent again');

# No answer within two seconds.
$t->edge_answers('hang');
my $start = time;
$r = $t->sim('POST', "friends/$id/text", { text => 'slow' });
my $took = time - $start;
is($r->{status}, 0, 'no answer is status 0');
ok($took > 1.8 && $took < 4, "after two seconds ($took)");
$t->edge_answers(200);

# Redelivery goes on after a restart of the simulator.
$t->stop('KILL');
$t->start;
ok(SimTest::until_true(10, sub { deliveries($r->{webhook_event_id}) >= 2 }),
    'delivered after a restart');

# The console's test call.
my (undef, $test) = $t->line('POST', '/v2/bot/channel/webhook/test', {});
is_deeply([@$test{qw(statusCode reason)}, !!$test->{success}],
    [200, 'OK', 1], 'webhook test');
my ($probe) = reverse $t->edge_saw;
is_deeply($probe->{body}{events}, [], 'has no events');
ok($probe->{ok}, 'and is signed');

is($t->sim('POST', 'verify')->{status}, 200, 'the same by /sim/verify');

# Switched off.
my $off = SimTest->new('--no-redelivery');
$off->edge_answers(503);
$off->friend;
is($off->sim('GET', 'state')->{webhooks}{waiting}, 0, '--no-redelivery');

done_testing();
