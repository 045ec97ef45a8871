# What one event sends goes out in one row, whatever became of the step that
# sends it; open rows never stop the verdicts that end them; the same keys
# after a takeover.  RELIABILITY.md D4, D8, T41.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;
my $no    = JSON::PP::false();

sub text { return { type => 'text', text => $_[0] } }

sub put {
    my ($kind, $id, %more) = @_;
    return $in->command(do => 'definition.put', kind => $kind, key => $id,
        document => { kind => $kind, id => $id, revision => 0, %more });
}

# friends that entered the scenario of a tag, and nothing else
sub enter {
    my ($tag, @users) = @_;
    $in->click($_, "l-$tag") for @users;
    $in->settle;
    my $scenario = $in->no('scenario', "s-$tag");
    $redis->cmd('ZREM', $in->key('sched'), grep { !/:s:$scenario$/ } keys %{ $in->due })
        if grep { !/:s:$scenario$/ } keys %{ $in->due };
    $redis->cmd('DEL', $in->key('out'));
    my ($at) = values %{ $in->due };
    return $at;
}

sub scenario {
    my ($tag, %step) = @_;
    put('tag', $tag, name => $tag);
    put('link', "l-$tag", name => 'x', url => 'https://x.example/',
        actions => [{ do => 'tag.add', tag => $tag }]);
    return is put('scenario', "s-$tag", name => $tag, start => [{ on => 'tag.added', id => $tag }],
        steps => [{ id => 'news', at => { day => 1, time => '09:00' }, %step }])->{status}, 200,
        "scenario $tag";
}

sub until_due { my ($at) = @_; $in->advance(int($at / 1000) - int($in->now / 1000) + 2); return }

sub bubbles { return [map { $_->{text} } @{ JSON::PP::decode_json($_[0][1]{body}) }] }

$in->greeted($_) for 1 .. 4;

# --- a step with a message and an action that sends -------------------------

scenario('one', messages => [text('plain')],
    actions => [{ do => 'send', messages => [text('and more')] }]);
until_due(enter('one', 1));
my ($row) = $in->wait_rows('push', 1);
is_deeply bubbles($row), ['plain', 'and more'], 'message and action of a step: one row, in order';
is scalar @{ $in->out }, 1, 'and no other with the same retry key';

scenario('two', messages => [text('plain')],
    actions => [{ do => 'send', messages => [text('dear {{name|you}}')] }]);
until_due(enter('two', 1, 2));
my @rows = $in->wait_rows('push', 2);
is_deeply bubbles($_), ['plain', 'dear friend' . $_->[1]{friend}], 'with an insert: the same'
    for @rows;
is scalar @{ $in->out }, 2, 'a row for each friend';

# --- the same key after a takeover ------------------------------------------

scenario('three', messages => [text('for many')]);
my $at = enter('three', 1 .. 3);
my $sched = $redis->cmd('ZRANGE', $in->key('sched'), 0, -1, 'WITHSCORES');
my %friends = map { $_ => $redis->hash($in->key("f:$_")) } 1 .. 3;
until_due($at);
my ($multi) = $in->wait_rows('multicast', 1);
is $multi->[1]{serials}, '1,2,3', 'a multicast for three';
$in->settle;

# Redis goes back in time, and another process decides again
$in->worker->kill_now;
$redis->cmd('DEL', $in->key('out'));
$redis->cmd('HSET', $in->key("f:$_"), %{ $friends{$_} }) for 1 .. 3;
while (my ($member, $score) = splice @$sched, 0, 2) {
    $redis->cmd('ZADD', $in->key('sched'), $score, $member);
}
$in->worker->launch;
ok wait_for(sub { !keys %{ $in->due } }, 'decided again', 10), 'D4: the step is decided again';
my @again = @{ $in->out };
is_deeply [map { $_->[1]{key} } @again], [($multi->[1]{key}) x @again],
    'D4: one by one, but under the key of the multicast that went out';
is join(',', sort map { $_->[1]{serials} } @again), '1,2,3', 'D4: for everybody';
$redis->cmd('DEL', $in->key('out'));

# --- a reply carries the key of its push ------------------------------------

scenario('four', messages => [text('x')]);
put('scenario', 'hello', name => 'x', start => [{ on => 'friend.added' }],
    steps => [{ id => 'a', after => {}, messages => [text('hello')] }]);
$in->greeted(20);
my ($reply) = $in->wait_rows('reply', 1);
like $reply->[1]{key}, qr/^[0-9a-f-]{36}$/, 'a reply names the key of the push it may become';
$in->verdict($reply, 'unusable');
my ($push) = $in->wait_rows('push', 1);
is $push->[1]{key}, $reply->[1]{key}, 'and the push has it';
$redis->cmd('DEL', $in->key('out'));

# --- who comes back and writes: the message may be faster than the follow ----

put('scenario', 'back', name => 'x', start => [{ on => 'friend.returned' }],
    steps => [{ id => 'a', after => {}, messages => [text('welcome back')] }]);
my $t = $in->now;
$in->webhook($in->event('unfollow', 20, timestamp => $t));
$in->webhook($in->event('message', 20, timestamp => $t + 20,
    message => { type => 'text', id => '1', text => 'hi' }));
my $return = $in->event('follow', 20, timestamp => $t + 10, follow => { isUnblocked => $no });
$in->webhook($return);
$in->webhook({ %$return, webhookEventId => $in->event_id });
$in->settle;
is scalar(grep { $_->[1]{body} =~ /welcome back/ } $in->rows('push')), 1,
    'W8: a follow that comes after the message: the return is noticed, once';
$redis->cmd('DEL', $in->key('out'));

# --- everybody left out of a frozen list ------------------------------------

my $FRIENDS = 256;
my $first = $redis->cmd('HGET', $in->key('meta'), 'serial') + 1;
for my $serial ($first .. $first + $FRIENDS - 1) {
    $redis->cmd('HSET', $in->key("f:$serial"), uid => $in->user(1000 + $serial),
        st => 'following');
}
$redis->cmd('HSET', $in->key('meta'), 'serial', $first + $FRIENDS - 1);
my @serials = $first .. $first + $FRIENDS - 1;
my $id = $redis->cmd('XADD', $in->key('out'), '*', via => 'multicast', medium => 'line',
    friend => 0, to => join(',', map { $in->user(1000 + $_) } @serials),
    serials => join(',', @serials), key => $push->[1]{key}, body => '[{"type":"text","text":"m"}]',
    def => 'scenario/s-four', step => 'news', gen => 1, due => $in->now, delivery => 1,
    links => 0, event => join(',', ('e') x @serials));
$in->add('verdict', Tomo::Test::Ingest::rec(row => $id, key => $push->[1]{key},
    via => 'multicast', send => 'accepted', status => 200, request => 'r', attempts => 1,
    first => $in->now, at => $in->now, friend => 0, map { (left => $_) } @serials), 'bulk');
ok $in->settle(20), 'a verdict that leaves a whole window out';
is scalar(() = $in->rows('push')), $FRIENDS, 'gives everybody a push';
is $in->cursor->{quarantined}, 0, 'and none to the quarantine';

# --- open rows do not stop the verdicts that end them -----------------------

$redis->cmd('DEL', $in->key('out'));
$redis->cmd('EVAL', <<'LUA', 1, $in->key('out'));
for i = 1, 10000 do
    redis.call('XADD', KEYS[1], '*', 'via', 'multicast', 'serials', '1', 'key', '')
end
LUA
my $open = $redis->stream($in->key('out'));
is scalar @$open, 10_000, '10,000 rows are open';
$in->verdict([$open->[0][0], { %{ $open->[0][1] }, friend => 0 }], 'refused');
ok $in->settle(5), 'D8: a verdict in the second lane is decided all the same';
is scalar @{ $in->out }, 9_999, 'and its row is gone';
$redis->cmd('DEL', $in->key('out'));

done_testing;
