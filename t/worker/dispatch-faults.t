#!/usr/bin/env perl
# LINE answers badly, late, twice or not at all (D2, D3, B87-B93): every row
# still ends once, and nobody gets a message twice.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();

my $PUSH  = '/v2/bot/message/push';
my $REPLY = '/v2/bot/message/reply';

my $d = Tomo::Test::Dispatch->new(friends => 12);
my $worker = $d->start;

sub fault { return $d->sim->faults(@_ ? { share => 1, @_ } : ()) }

# --- push: each bad answer once, then it goes on ----------------------------
my $n = 0;
for my $case (
    ['500',                500 => 200],
    ['503',                503 => 200],
    ['429',                429 => 200],
    ['drop',               0   => 200],
    ['reset',              0   => 200],
    ['500_after_accept',   500 => 409],
    ['drop_after_accept',  0   => 409],
    ['reset_after_accept', 0   => 409],
) {
    my ($kind, $first, $last) = @$case;
    my $friend = 1 + $n++ % 8;
    my $before = @{ $d->texts($friend) };
    fault(path => $PUSH, kind => $kind, times => 1);
    my $v = $d->verdict($d->push($friend, $kind));
    is $v->{send}, 'accepted', "push, $kind: accepted in the end";
    is $v->{status}, $last, "push, $kind: by $last";
    is $v->{attempts}, 2, "push, $kind: the second attempt";
    is @{ $d->texts($friend) } - $before, 1, "push, $kind: seen once";
}

for my $kind (qw(garbage huge)) {
    fault(path => $PUSH, kind => $kind, times => 1);
    my $v = $d->verdict($d->push(1, $kind));
    is $v->{status}, 200, "B87: $kind: the status decides";
    is $v->{attempts}, 1, "B87: $kind: one attempt";
}
for my $kind (qw(400 403 404 413)) {
    fault(path => $PUSH, kind => $kind, times => 1);
    is $d->verdict($d->push(1, "x$kind"))->{send}, 'refused', "B92: $kind is final";
}

# --- reply: never doubled, never lost when that can be known ----------------
fault(path => $REPLY, kind => 'reset', times => 1);
my $v = $d->verdict($d->reply(9, $d->reply_token(9), 'r1'));
is $v->{send}, 'accepted', 'reply, no answer: repeated with the same token';
is_deeply $d->texts(9), ['r1'], 'reply, no answer: seen once';

fault(path => $REPLY, kind => 'reset_after_accept', times => 1);
$v = $d->verdict($d->reply(9, $d->reply_token(9), 'r2'));
is $v->{send}, 'probably', 'reply, no answer but accepted: 400 on the repeat means probably sent';
is_deeply $d->texts(9), ['r1', 'r2'], 'reply, no answer but accepted: seen once';

fault(path => $REPLY, kind => '429', times => 1);
$v = $d->verdict($d->reply(9, $d->reply_token(9), 'r3'));
is $v->{send}, 'accepted', 'reply, 429: again within the life of its token';

fault(path => $REPLY, kind => '400', times => 1);
$v = $d->verdict($d->reply(9, $d->reply_token(9), 'r4'));
is $v->{send}, 'unusable', 'reply, 400 at once: surely not sent';

# --- nothing is repeated after 23 h (D3) ------------------------------------
fault(path => $PUSH, kind => '500_after_accept', times => 1);
my $park = $d->push(10, 'too late', due => now_ms() + 60 * 60_000);
ok wait_for(sub { $d->texts(10)->[0] }, 'first attempt'),
    'D3: a first attempt with unknown outcome';
fault(path => $PUSH, kind => '503');
$worker->stop;
Tomo::Test::Files::set_clock(26 * 3_600_000);
my $calls = @{ $d->sim->requests(0, $PUSH) };
$worker->launch;
$v = $d->verdict($park);
is $v->{send}, 'parked', 'D3: 23 h later it is parked for a person';
is scalar @{ $d->sim->requests(0, $PUSH) }, $calls, 'D3: without another attempt';
fault();

# --- rows with new links wait for the edges (R5) ----------------------------
my $beat = sub {
    $d->redis->cmd('HSET', 'tomo:edges', 'edge1',
        'at=' . now_ms() . " versions=other:9,demo:$_[0] waiting=0");
};
$beat->(4);
my $link = $d->push(11, 'new link', links => 5);
$d->verdict($d->push(12, 'no link'));
is_deeply $d->verdicts_of($link), [], 'R5: the row waits for the edge';
$beat->(5);
is $d->verdict($link)->{send}, 'accepted', 'R5: and goes when the edge has its link';
$beat->(4);
my $t = now_ms();
$link = $d->push(11, 'slow edge', links => 6);
my $v2 = wait_for(sub { $beat->(4); $d->verdicts_of($link)->[0] }, 'five seconds', 10);
is $v2->{send}, 'accepted', 'R5: at most five seconds';
cmp_ok now_ms() - $t, '>', 4500, 'R5: but those';

# --- hang: the time limit ends it -------------------------------------------
$d->sim->faults(
    { path => $PUSH,  kind => 'hang_after_accept', share => 1, times => 1 },
    { path => $REPLY, kind => 'hang',              share => 1, times => 1 },
);
my $hang  = $d->push(5, 'hung');
my $hung  = $d->reply(6, $d->reply_token(6), 'hung reply');
is $d->verdict($d->push(7, 'beside'))->{send}, 'accepted', 'hang: others go on';
is $d->verdict($hang, 20)->{status}, 409, 'hang after accept: 409 on the repeat';
is $d->verdict($hung, 20)->{send}, 'accepted', 'hang of a reply: accepted on the repeat';
is scalar(grep { $_ eq 'hung' } @{ $d->texts(5) }), 1, 'hang: seen once';

done_testing;
