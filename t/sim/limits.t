#!/usr/bin/env perl
# Rate limits are token buckets per endpoint (LINE.md 11).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;
use Time::HiRes qw(time);

my $t = SimTest->new;
my $id = $t->friend;

# Sends n calls; returns how many passed, how many were refused, seconds.
sub burst {
    my ($sim, $n, @call) = @_;
    my $start = time;
    my $seen = $sim->volley($n, @call);
    return ($seen->{200} // $seen->{202} // 0, $seen->{429} // 0,
        time - $start);
}

$t->line('GET', '/v2/bot/info');
my @loading = ('POST', '/v2/bot/chat/loading/start', { chatId => $id });
my ($passed, $refused, $took) = burst($t, 250, @loading);
cmp_ok($passed, '>=', 100, "a burst of the rate passes ($passed)");
cmp_ok($passed, '<=', 101 + 100 * $took, 'and what was refilled');
is($passed + $refused, 250, 'the rest is refused');
cmp_ok($refused, '>=', 249 - 100 - 100 * $took, "$refused of 250");
is($t->sim('GET', 'state')->{rate_limited}, $refused, 'and counted');

my @multicast = ('POST', '/v2/bot/message/multicast',
    { to => [$id], messages => [SimTest::text('x')] });
($passed, $refused, $took) = burst($t, 500, @multicast);
cmp_ok($passed, '>=', 200, "multicast: $passed of 500");
cmp_ok($passed, '<=', 201 + 200 * $took, 'within its own limit');
is(@{ $t->inbox($id) }, $passed, 'what was refused did not arrive');

is(($t->push_text($id, 'x'))[0], 200, 'another endpoint is not touched');
ok(SimTest::until_true(3, sub { ($t->line(@multicast))[0] == 200 }),
    'the bucket fills again');
my (undef, $body) = $t->line('GET', '/v2/bot/nothing');
is($body->{message}, 'Not found', 'no such endpoint');

# Calls of a path in windows of time, refused ones too.
$t->sim('POST', 'rates', {});
$t->volley(50, @multicast);
my $rates = $t->sim('GET', 'state')->{rates};
my $of = $rates->{paths}{'/v2/bot/message/multicast'};
is($of->{calls}, 50, 'rates: the calls of a path');
cmp_ok($of->{most}{1000}, '<=', 50, 'rates: no window has more');
cmp_ok($of->{most}{ $_->[1] }, '<=', $of->{most}{ $_->[0] },
    "rates: $_->[1] ms has no more than $_->[0]")
    for [1000, 900], [900, 750], [750, 500], [500, 250];
cmp_ok($of->{most}{250}, '>=', 1, 'rates: and one at least');
cmp_ok($rates->{stall_ms}, '>', 0, 'rates: and how long nothing was looked at');

my $free = SimTest->new('--no-rate-limits');
my $friend = $free->friend;
(undef, $refused) = burst($free, 250, 'POST', '/v2/bot/chat/loading/start',
    { chatId => $friend });
is($refused, 0, '--no-rate-limits');

done_testing();
