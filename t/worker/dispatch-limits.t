#!/usr/bin/env perl
# LINE says: not now (D8, B90, B91). The rate, the month's quota, too many
# messages to one person, an access token that is none: each stops what it is
# about and no more, and nothing is used up meanwhile.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();

my $PUSH  = '/v2/bot/message/push';
my $MULTI = '/v2/bot/message/multicast';
my $TOKEN = '/oauth2/v3/token';
my $QUOTA = '/v2/bot/message/quota';
my $USED  = "$QUOTA/consumption";

my $d = Tomo::Test::Dispatch->new(friends => 12);
my $worker = $d->start;
my $clock_ms = 0;

sub fault  { return $d->sim->faults(@_ ? { share => 1, @_ } : ()) }
sub calls  { return scalar @{ $d->sim->requests(0, $_[0]) } }
sub quota  { return $d->sim->call('POST', '/sim/quota', { value => $_[0] }) }
sub pauses { return grep { $_->{send} eq 'pause' } @{ $d->verdicts } }

sub later {
    $clock_ms += 60_000 * $_[0];
    return Tomo::Test::Files::set_clock($clock_ms);
}

# --- access token (B91) -----------------------------------------------------
# its first token it gets by itself, soon after it is ready
is $d->verdict($d->push(1, 'a first token'))->{send}, 'accepted', 'token: one to begin with';
my $before = calls($TOKEN);
fault(path => $PUSH, kind => '401', times => 1);
my $v = $d->verdict($d->push(1, 'after 401'));
is $v->{send}, 'accepted', 'B91: 401 once: a new token, then accepted';
is calls($TOKEN) - $before, 1, 'B91: one new token';

later(13);
ok wait_for(sub { calls($TOKEN) - $before == 2 }, 'renewal ahead'),
    'token: renewed ahead of its end';
is $d->verdict($d->push(1, 'renewed'))->{attempts}, 1, 'token: no 401 was needed';
$worker->restart;
is $d->verdict($d->push(1, 'same token'))->{send}, 'accepted', 'token: after a restart';
is calls($TOKEN) - $before, 2, 'token: a restart goes on with the sealed one';
unlike join('', %{ $d->redis->hash('tomo:{demo}:access') }), qr/sim\./,
    'E14: it is sealed in Redis';

later(47);
fault(path => $TOKEN, kind => '500', times => 2);
$v = $d->verdict($d->push(1, 'token by the third'), 15);
is $v->{send}, 'accepted', 'token: an outage of the token call is waited for';

# In the middle of a batch the token is refused, and LINE issues no other.
$d->sim->faults({ path => $PUSH, kind => '401', share => 1 }, { path => $TOKEN, kind => '400' });
my $refusals = calls($PUSH);
my @batch = map { $d->push($_, 'mid batch') } 1 .. 12;
ok wait_for(sub { $worker->output =~ /LINE refused channel_id/ }, 'refusal', 15),
    'B91: no new token: the operator is told what to check';
my $tries = calls($PUSH);
cmp_ok $tries - $refusals, '<=', 12, 'B91: nobody was tried twice with the bad token';
my $tokens = calls($TOKEN);
ok wait_for(sub { calls($TOKEN) > $tokens }, 'tries', 20), 'B91: the token call is tried on';
is calls($PUSH), $tries, 'B91: and no push meanwhile';
is_deeply [map { @{ $d->verdicts_of($_) } } @batch], [], 'B91: nothing is consumed';
fault();
is $d->verdict($_, 30)->{send}, 'accepted', 'B91: all go when a token is issued' for @batch;
is_deeply [map { scalar grep { $_ eq 'mid batch' } @{ $d->texts($_) } } 1 .. 12], [(1) x 12],
    'B91: once each';

# Tokens are issued, and refused: the account waits a quarter of an hour.
fault(path => $PUSH, kind => '401');
my $held = $d->push(3, 'held');
ok wait_for(sub { grep { $_->{why} eq 'access' } pauses() }, 'pause'),
    'B91: a second 401 pauses the account';
is_deeply $d->verdicts_of($held), [], 'B91: the row stays open';
fault();
later(16);
is $d->verdict($held)->{send}, 'accepted', 'B91: and goes when LINE lets us again';

# --- 429: the text lies, the quota calls decide (B90) -------------------------
my $asked = calls($QUOTA);
fault(path => $PUSH, kind => '429_month', times => 1);
$v = $d->verdict($d->push(1, 'says month'));
is $v->{send}, 'accepted', 'B90: the text says month, the quota is unlimited: tried again';
is calls($QUOTA) - $asked, 1, 'B90: the quota was asked';
quota(10_000);
fault(path => $PUSH, kind => '429_month', times => 1);
$v = $d->verdict($d->push(2, 'says month'));
is $v->{send}, 'accepted', 'B90: the text says month, the quota has room: tried again';
cmp_ok calls($USED), '>=', 1, 'B90: how much is used was asked';
is scalar(grep { $_->{why} eq 'quota' } pauses()), 0, 'B90: no pause';

$d->sim->faults({ path => $PUSH, kind => '429', times => 1 }, { path => $QUOTA, kind => '500' });
$v = $d->verdict($d->push(3, 'no quota call'));
is $v->{send}, 'accepted', 'B90: the quota call fails: taken for the rate';
$d->sim->faults({ path => $PUSH, kind => '429', times => 1 }, { path => $USED, kind => 'garbage' });
$v = $d->verdict($d->push(4, 'broken quota call'));
is $v->{send}, 'accepted', 'B90: its answer is broken: taken for the rate';

# --- too many messages to one person --------------------------------------------
fault(path => $PUSH, kind => '429_user', to => $d->user(5), times => 4);
my $one = $d->push(5, 'too many');
my @rest = map { $d->push($_, 'beside') } 1 .. 4, 6 .. 12;
is $d->verdict($_)->{send}, 'accepted', 'B90: too many to one: the others go on' for @rest;
is $d->verdict($one, 30)->{send}, 'accepted', 'B90: too many to one: and in the end that one';
is scalar(grep { $_->{why} eq 'quota' } pauses()), 0, 'B90: no pause';

# It does not go on for ever: a day later it is refused, with what LINE said.
fault(path => $PUSH, kind => '429_user', to => $d->user(5));
my $refused = calls($PUSH);
my $never = $d->push(5, 'too many for ever');
ok wait_for(sub { calls($PUSH) > $refused }, 'a first try'), 'B90: too many to one, without end';
later(24 * 60);
ok wait_for(sub {
    $d->verdict($d->push(6, 'beside'), 20);
    return @{ $d->verdicts_of($never) };
}, 'its end', 60), 'B90: it ends';
$v = $d->verdict($never);
is $v->{send}, 'refused', 'B90: a day of 429 to one row: refused';
like "$v->{status} $v->{message}", qr/^429 \S/, 'B90: with what LINE said';
is scalar(grep { $_->{why} eq 'quota' } pauses()), 0, 'B90: no pause';

# --- the month's quota (D8) -------------------------------------------------
quota(0);
fault(path => $PUSH, kind => '429');    # whose text says: rate
my @waiting = map { $d->push($_, 'quota') } 1 .. 8;
my $pause = wait_for(sub { (grep { $_->{why} eq 'quota' } pauses())[0] }, 'pause', 15);
ok $pause, 'B90: the text says rate, the quota is used up: the account pauses';
my $calls = calls($PUSH);
cmp_ok $pause->{until}, '>', $pause->{at}, 'D8: it is told until when';
$v = $d->verdict($d->reply(2, $d->reply_token(2), 'free all the same'));
is $v->{send}, 'accepted', 'D8: replies go on';
my $late = $d->push(9, 'while paused');
$d->verdict($d->profile(2));
is calls($PUSH), $calls, 'D8: no push is tried during the pause';
is scalar(grep { $_->{why} eq 'quota' } pauses()), 1, 'D8: reported once, not by row';

later(16);
ok wait_for(sub { calls($PUSH) == $calls + 1 }, 'probe', 15),
    'D8: after the pause one row is tried';
ok wait_for(sub { 2 == grep { $_->{why} eq 'quota' } pauses() }, 'second pause'),
    'D8: and the next pause begins';
$d->verdict($d->profile(2));
is calls($PUSH), $calls + 1, 'D8: one row, and no more';

# Two days without quota and a restart: what was surely not sent is not parked.
$worker->stop;
later(2 * 24 * 60);
quota(10_000);
fault();
$worker->launch;
is $d->verdict($_, 20)->{send}, 'accepted', 'D8: with quota again all go' for @waiting, $late;

# A multicast to more people than are left waits; one row decides nothing more.
quota($d->sim->call('GET', '/sim/state')->{quota}{used} + 2);
my $many = $d->multicast([6 .. 10], 'to five');
ok wait_for(sub { 3 == grep { $_->{why} eq 'quota' } pauses() }, 'pause', 15),
    'D8: a multicast to more than the quota has left pauses';
isnt $d->texts($_)->[-1], 'to five', "D8: nothing was sent to $_" for 6, 10;
quota(10_000);
later(16);
is $d->verdict($many, 20)->{send}, 'accepted', 'D8: and goes with quota';
is calls($MULTI), 2, 'D8: two calls';

done_testing;
