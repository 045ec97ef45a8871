#!/usr/bin/env perl
# Faults on demand: what the caller sees, and whether the call was carried out.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;
use Time::HiRes qw(time);

my $t = SimTest->new;
my $PUSH = '/v2/bot/message/push';
my $id = $t->friend;
my $n = 0;

sub faults { return $t->sim('POST', 'faults', [@_]) }

# Pushes with a new key while the fault is on, then again without it.
sub try_kind {
    my ($kind, $seen, $accepted) = @_;
    my %key = ('x-line-retry-key' =>
        sprintf '00000000-0000-4000-8000-%012d', ++$n);
    my $before = @{ $t->inbox($id) };
    faults({ path => $PUSH, kind => $kind, times => 1 });
    my ($status, $body) = $t->push_text($id, "$kind", %key);
    is($status, $seen, "$kind: the caller sees $seen");
    is(@{ $t->inbox($id) } - $before, $accepted,
        "$kind: " . ($accepted ? 'carried out' : 'not carried out'));
    my ($again) = $t->push_text($id, "$kind", %key);
    is($again, $accepted ? 409 : 200, "$kind: the repeat");
    is(@{ $t->inbox($id) } - $before, 1, "$kind: arrived once");
    return $body;
}

$t->line('GET', '/v2/bot/info');
try_kind($_, $_, 0) for qw(400 401 403 404 500 503);
is(try_kind('429', 429, 0)->{message},
    'The API rate limit has been exceeded. Try again later.', 'rate');
is(try_kind('429_month', 429, 0)->{message},
    'You have reached your monthly limit.', 'month');
try_kind('500_after_accept', 500, 1);
try_kind('garbage', 200, 1);
cmp_ok(length try_kind('huge', 200, 1), '>', 10_000_000, 'a huge body');
my $start = time;
try_kind('slow', 200, 1);
cmp_ok(time - $start, '>', 1.9, 'slow');

# No answer at all is 599 for this client.
try_kind($_, 599, 0) for qw(reset drop);
try_kind($_, 599, 1) for qw(reset_after_accept drop_after_accept);
$t->{http}->timeout(1);
try_kind('hang', 599, 0);
try_kind('hang_after_accept', 599, 1);
$t->{http}->timeout(10);

# The log tells about calls that got no answer.
my ($silent) = grep { ($_->{fault} // '') eq 'reset_after_accept' }
    @{ $t->sim('GET', 'requests') };
is($silent->{status}, 0, 'status 0 in the log');

# Share and seed.
sub pattern {
    my (%fault) = @_;
    faults({ path => '/v2/bot/info', kind => '500', %fault });
    return join '', map { ($t->line('GET', '/v2/bot/info'))[0] == 500
        ? 'x' : '.' } 1 .. 300;
}

my $one = pattern(share => 0.1, seed => 7);
my $hits = () = $one =~ /x/g;
ok($hits > 10 && $hits < 60, "a share of 0.1 struck $hits of 300");
is(pattern(share => 0.1, seed => 7), $one, 'the same seed, the same pattern');
isnt(pattern(share => 0.1, seed => 8), $one, 'another seed, another one');
unlike(pattern(share => 0), qr/x/, 'a share of 0');
is(pattern(share => 1, times => 3), 'xxx' . '.' x 297, 'times');

# The list is replaced; paths match exactly or by a trailing star.
faults({ path => '/v2/bot/*', kind => '500' });
is(($t->line('GET', '/v2/bot/message/quota'))[0], 500, 'a star matches');
is(($t->call('GET', '/sim/state'))[0], 200, 'the control API is spared');
my $other = $t->friend;
faults({ path => $PUSH, kind => '429_user', to => $other });
is(($t->push_text($other, 'x'))[0], 429, 'a fault for one person strikes her');
is(($t->push_text($id, 'x'))[0], 200, 'and nobody else');
faults();
is(($t->line('GET', '/v2/bot/info'))[0], 200, 'an empty list heals');
for my $bad ({ path => '/x', kind => 'nonsense' }, { kind => '500' },
    { path => '/x', kind => '500', share => 2 }) {
    is(($t->call('POST', '/sim/faults', [$bad]))[0], 400, 'a bad fault');
}
is(($t->call('POST', '/sim/faults', {}))[0], 400, 'no list');

done_testing();
