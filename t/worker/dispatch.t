#!/usr/bin/env perl
# What dispatch does with each kind of row when all is well, and with each of
# LINE's answers.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();

my $d = Tomo::Test::Dispatch->new(friends => 4);
my $worker = $d->start;

# --- push -------------------------------------------------------------------
my $id = $d->push(1, 'hello');
my $v  = $d->verdict($id);
is $v->{send}, 'accepted', 'push: accepted';
is $v->{status}, 200, 'push: its status';
is $v->{attempts}, 1, 'push: one attempt';
is $v->{friend}, 1, 'push: whose';
is $v->{lane}, 'in', 'push: in the first lane';
like $v->{request}, qr/^[0-9a-f-]{36}$/, 'push: the request id is kept';
is scalar @{ $v->{sent} }, 1, 'push: the id of what was sent is kept';
is_deeply $d->texts(1), ['hello'], 'push: it arrived';

my ($request) = @{ $d->sim->requests(0, '/v2/bot/message/push') };
is $request->{headers}{'x-line-retry-key'}, $v->{key}, 'push: the retry key from the first try on';
like $request->{headers}{authorization}, qr/^Bearer sim\./, 'push: with an access token';

# --- order of one friend ----------------------------------------------------
my @ids = map { $d->push(2, "m$_") } 1 .. 20;
is $d->verdict($ids[-1])->{send}, 'accepted', 'twenty rows of one friend: the last one';
is_deeply $d->texts(2), [map {"m$_"} 1 .. 20], 'one in flight per friend: in order';

# --- reply ------------------------------------------------------------------
my $token = $d->reply_token(1);
$v = $d->verdict($d->reply(1, $token, 'free'));
is $v->{send}, 'accepted', 'reply: accepted';
is $v->{key}, '', 'reply: no key';
($request) = @{ $d->sim->requests(0, '/v2/bot/message/reply') };
ok !exists $request->{headers}{'x-line-retry-key'},
    'reply: no retry key is sent (LINE answers 400)';

$v = $d->verdict($d->reply(1, 'nosuchtoken0000000000000000000000', 'x'));
is $v->{send}, 'unusable', 'reply: a token that is none, certainly unused';
is $v->{status}, 400, 'reply: its status';
is $v->{message}, 'Invalid reply token', 'reply: what LINE said';

# --- profile ----------------------------------------------------------------
$v = $d->verdict($d->profile(3));
is $v->{send}, 'accepted', 'profile: answered';
is $v->{name}, 'Friend 3', 'profile: the name';
$v = $d->verdict($d->row(via => 'profile', friend => 3, to => 'U' . 'f' x 32));
is $v->{send}, 'refused', 'profile: unknown person';
is $v->{status}, 404, 'profile: 404';

# --- multicast --------------------------------------------------------------
my $multi = $d->multicast([1, 2, 3], 'to all');
$v = $d->verdict($multi);
is $v->{send}, 'accepted', 'multicast: accepted';
is $v->{lane}, 'bulk', 'multicast: in the second lane';
is_deeply $v->{left}, [], 'multicast: nobody left';
is $d->texts($_)->[-1], 'to all', "multicast: friend $_ has it" for 1 .. 3;

# The same chunk decided again with more people: the frozen list counts.
my $again = $d->multicast([1, 2, 3, 4], 'to all', key => $v->{key});
$v = $d->verdict($again);
is $v->{send}, 'accepted', 'multicast again: settled as before';
is_deeply $v->{left}, [4], 'multicast again: friend 4 is named as left';
is_deeply $d->texts(4), [], 'multicast again: nothing was sent twice';

# --- 409 --------------------------------------------------------------------
my $key = Tomo::Test::Dispatch::uuid('409');
$d->sim->faults({ path => '/v2/bot/message/push', share => 1, times => 1,
        kind => 'reset_after_accept' });
$v = $d->verdict($d->push(3, 'once', key => $key));
is $v->{send}, 'accepted', 'reset after accept: accepted on the repeat';
is $v->{status}, 409, 'reset after accept: by 409 (B89)';
is $v->{attempts}, 2, 'reset after accept: two attempts';
is scalar(grep { $_ eq 'once' } @{ $d->texts(3) }), 1, 'reset after accept: seen once';
is scalar @{ $v->{sent} }, 1, 'reset after accept: 409 names the messages';

# --- a row decided again after Redis lost it --------------------------------
$v = $d->verdict($d->push(3, 'once', key => $key));
is $v->{send}, 'accepted', 'same key again: settled from the journal';
is scalar(grep { ($_->{headers}{'x-line-retry-key'} // '') eq $key }
        @{ $d->sim->requests(0, '/v2/bot/message/push') }), 2, 'same key again: LINE is not asked';

# --- blocked ----------------------------------------------------------------
$d->redis->cmd('HSET', 'tomo:{demo}:f:4', st => 'blocked');
$v = $d->verdict($d->push(4, 'never'));
is $v->{send}, 'cancelled', 'D7: a friend who blocks us is not sent to';
is $v->{attempts}, 0, 'D7: not even tried';

# In a multicast only who blocks us is left out, and named, so that ingest
# decides about her; when all do, nobody is asked.
for my $case ([[1, 4, 2], [4]], [[4, 1, 2], [4]], [[1, 2, 4], [4]], [[3, 1], []]) {
    my ($serials, $left) = @$case;
    my $text = "to @$serials";
    $v = $d->verdict($d->multicast($serials, $text));
    is $v->{send}, 'accepted', "D7: multicast $text, 4 blocks us: accepted";
    is_deeply $v->{left}, $left, "D7: multicast $text: who is left";
    is_deeply [map { scalar grep { $_ eq $text } @{ $d->texts($_) } } @$serials],
        [map { $_ == 4 ? 0 : 1 } @$serials], "D7: multicast $text: who has it";
}
my @multis = @{ $d->sim->requests(0, '/v2/bot/message/multicast') };
is scalar(grep { grep { $_ eq $d->user(4) } @{ $_->{body}{to} } } @multis), 0,
    'D7: her id was not in any call';
$v = $d->verdict($d->multicast([4], 'to nobody'));
is $v->{send}, 'cancelled', 'D7: a multicast to her alone is cancelled';
is scalar @{ $d->sim->requests(0, '/v2/bot/message/multicast') }, scalar @multis,
    'D7: without a call';
$d->redis->cmd('HSET', 'tomo:{demo}:f:4', st => 'following');

# --- rows that are none -----------------------------------------------------
for my $bad (
    ['its way out',     via => 'pigeon',  friend => 1, to => $d->user(1), body => '[]'],
    ['a retry key',     via => 'push',    friend => 1, to => $d->user(1), body => '[]', key => 'x'],
    ['a body',          via => 'push',    friend => 1, to => $d->user(1), key => $key, body => 'x'],
    ['a number',        via => 'profile', friend => 'one', to => $d->user(1)],
    ['a recipient',     via => 'profile', friend => 1, to => '../../x'],
    ['anything at all', x   => 1],
) {
    my ($what, %fields) = @$bad;
    my $row = $d->redis->cmd('XADD', 'tomo:{demo}:out', '*', %fields);
    is $d->verdict($row)->{send}, 'refused', "X3: a row without $what is refused";
}
is $d->verdict($d->push(1, 'x' x 5001))->{status}, 400, 'LINE refuses too long a text: settled';

# --- a row that disappears is not sent --------------------------------------
$d->redis->cmd('HSET', 'tomo:{demo}:meta', pause => 9_999_999_999_999);
$id = $d->push(1, 'withdrawn');
my $free = $d->verdict($d->reply(1, $d->reply_token(1), 'beside'));
is $free->{send}, 'accepted', 'meta pause: a reply does not wait for a push';
$d->redis->cmd('XDEL', 'tomo:{demo}:out', $id);
is_deeply $d->verdicts_of($id), [], 'meta pause: the push waits';

is scalar(grep { !/^\d+$/ } map { $_->{at} } @{ $d->verdicts }), 0, 'every verdict has its time';
ok $worker->stop, 'D11: stops when asked';
is $worker->exit_status, 0, 'D11: with code 0';
unlike $worker->output, qr/\Q$Tomo::Test::Files::CHANNEL_SECRET\E|Bearer|sim\.\d|U[0-9a-f]{32}/,
    'S1: no secret, token or user id in the log';

done_testing;
