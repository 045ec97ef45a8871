#!/usr/bin/perl

# S2 within Redis: a deleted person is gone from every key, old events of that
# person have no effect any more, new ones make a new friend; an unsent message
# loses its text, whichever of the two comes first.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;

sub text_event {
    my ($user, $id, $text, %more) = @_;
    return $in->event('message', $user,
        message => { type => 'text', id => "$id", text => $text }, %more);
}

# keys that hold one of the words, in names or values
sub holding {
    my (@words) = @_;
    my @found;
    for my $key (@{ $redis->cmd('KEYS', '*') }) {
        my $dump = join "\0", $key, flat(content($key));
        push @found, $key if grep { index($dump, $_) >= 0 } @words;
    }
    return sort @found;
}

sub flat { return map { ref $_ ? flat(@$_) : $_ // '' } @_ }

sub content {
    my ($key) = @_;
    my $type = $redis->cmd('TYPE', $key);
    return $redis->cmd('GET', $key) if $type eq 'string';
    return $redis->cmd('HGETALL', $key) if $type eq 'hash';
    return $redis->cmd('LRANGE', $key, 0, -1) if $type eq 'list';
    return $redis->cmd('SMEMBERS', $key) if $type eq 'set';
    return $redis->cmd('ZRANGE', $key, 0, -1) if $type eq 'zset';
    return map { $_->[0], $_->[1] } @{ $redis->cmd('XRANGE', $key, '-', '+') };
}

# --- a person with a copy in every place -------------------------------------

$in->greeted(7, 'Canary-Name');
$in->greeted(8, 'Neighbour');
$in->webhook(text_event(7, 100, 'canary-text'), text_event(8, 101, 'neighbour-text'));
$in->settle;
$in->click(7, 'catalog');
$in->answer(7, 'profile', 'q.name' => 'canary-answer', 'q.interests' => 'coffee');
$in->answer(7, 'profile', 'q.name' => 'canary-trapped', trap => 1);
my $old = text_event(7, 102, 'canary-old');
$old->{timestamp} = $in->now - 8 * 86_400_000;
$in->webhook($old);
$in->add('webhook', '{"destination":"x","events":[{"source":{"userId":"' . $in->user(7) . '"');
$in->settle;

my $serial = $in->serial(7);
my $friend = $in->friend(7);
ok $friend->{tags}, 'the canary has tags';
is_deeply [map { $_->[1]{why} } @{ $in->quarantine }],
    [qw(answer_trapped too_old not_json)], '... and lies in the quarantine'
    or diag(explain($in->quarantine));
ok scalar(grep { $_->[1]{friend} == $serial } @{ $in->out }), '... and in the outbox';
ok exists $in->due->{"$serial:s:1"}, '... and in the schedule';
my @marks = ($in->user(7), 'Canary-Name', 'canary-', 'Canary-');
my @all = holding(@marks);
cmp_ok scalar @all, '>=', 5, 'its marks are all over Redis' or diag("@all");
my $kept = text_event(7, 103, 'canary-kept');    # shipped again later

# --- deleted -----------------------------------------------------------------

my $before = $in->now;
my $answer = $in->command(do => 'friend.delete', friend => $serial);
is $answer->{status}, 200, 'S2: deleted' or diag(explain($answer));
is $answer->{json}{id}, $serial, '... that friend';
cmp_ok $answer->{json}{deleted_at}, '>=', $before, '... now';
is $answer->{json}{complete_at} - $answer->{json}{deleted_at}, (8 * 24 + 2) * 3_600_000,
    '... complete when journals have let go';
$in->settle;
$in->webhook(text_event(8, 104, 'pushes the last entries out'));
$in->settle;
is_deeply [holding(@marks)], [], 'S2: no key holds a mark of the person';
ok !exists $in->due->{"$serial:s:1"}, '... no timer';
is scalar(grep { $_->[1]{friend} == $serial } @{ $in->out }), 0, '... no open row';
for my $kind (qw(tag link survey)) {
    my @with = grep { $redis->cmd('SISMEMBER', $_, $serial) }
        @{ $redis->cmd('KEYS', "tomo:{demo}:set:$kind:*") };
    is_deeply \@with, [], "... in no set of a $kind";
}
is $redis->cmd('HLEN', $in->key('gone')), 1, 'a tombstone stays';
is $in->serial(8), $serial + 1, 'the neighbour stays';
like $in->friend(8)->{name}, qr/Neighbour/, '... whole';
my ($audit) = grep { $_->[1]{do} eq 'friend.delete' } @{ $redis->stream($in->key('audit')) };
is $audit->[1]{what}, "friend/$serial", 'audited, by number';

# --- the file that Redis appends to ------------------------------------------

my $files = "$redis->{folder}/appendonlydir";
ok wait_for(sub { my $m = $redis->hash($in->key('meta')); ($m->{erased} // 0) >= $m->{erase} },
    'file written anew', 20), 'S2: Redis writes its file anew by itself';
ok wait_for(sub {
    my $all = join '', map { read_file($_) } glob "$files/*";
    return $all && !grep { index($all, $_) >= 0 } 'Canary-Name', 'canary-';
}, 'old files gone', 10), '... and no mark is left in it';

# --- shipped again -----------------------------------------------------------

sub nothing_came_back {
    my ($what, $n) = @_;
    $in->settle;
    $in->webhook(text_event(8, 900 + $n, 'next'));
    $in->settle;
    is_deeply [holding(@marks)], [], "S2: $what: nothing comes back";
    is $in->cursor->{erased}, $n, '... counted';
    return;
}
$in->webhook($kept);
nothing_came_back('an older event shipped again', 1);
my $meta = $redis->hash($in->key('meta'));
cmp_ok $meta->{erase}, '>', $meta->{erased}, '... and the file is due again: it came by that';
$in->add('webhook', encode_webhook($old), 'in', $in->now - 3_600_000);
nothing_came_back('one that would go to the quarantine', 2);
$in->add('webhook', '{"events":[{"source":{"userId":"' . $in->user(7) . '"', 'in',
    $in->now - 3_600_000);
nothing_came_back('a broken body that names the person', 3);
$in->{worker}->restart;
$in->webhook(text_event(7, 105, 'canary-again', timestamp => $before - 1000));
nothing_came_back('after a restart of ingest', 4);

sub encode_webhook {
    return JSON::PP->new->canonical->utf8->encode(
        { destination => $Tomo::Test::Files::BOT_USER_ID, events => [@_] });
}

my $again = $in->command(do => 'friend.delete', friend => $serial);
is $again->{status}, 200, 'deleted again: the same answer';
is_deeply $again->{json}, $answer->{json}, '... to the ms';
is $in->command(do => 'friend.delete', friend => 99)->{status}, 404, 'nobody: 404';

$in->webhook(text_event(7, 106, 'a new beginning'));
$in->settle;
cmp_ok $in->serial(7), '>', $serial, 'who writes again is a new friend, never the old number';
is $in->timeline(7)->[0]{text}, 'a new beginning', '... with a timeline of its own';

# a tombstone that somebody spoilt is told
$redis->cmd('HSET', $in->key('gone'), 'x', 'y');
$in->worker->restart;
ok wait_for(sub { $in->worker->output =~ /demo 1 tombstones of deleted persons cannot be read/ },
    'a line', 10), 'a tombstone that cannot be read: the log says so';
$in->webhook(text_event(7, 107, 'and on'));
ok $in->settle, '... and ingest goes on';
$redis->cmd('HDEL', $in->key('gone'), 'x');

# --- unsend ------------------------------------------------------------------

sub unsend { return $in->event('unsend', $_[0], unsend => { messageId => "$_[1]" }) }

$in->webhook(text_event(8, 200, 'secret-one'), text_event(8, 201, 'kept'));
$in->settle;
$in->webhook(unsend(8, 200));
$in->settle;
my ($row) = grep { ($_->{msg} // '') eq '200' } @{ $in->timeline(8) };
ok $row && !defined $row->{text}, 'S2: unsend takes the text out of its row';
is_deeply [Tomo::Test::Ingest::values_of($row, 'fx')], ['unsent'], '... which says so';
is((grep { ($_->{msg} // '') eq '201' } @{ $in->timeline(8) })[0]{text}, 'kept', 'no other row');
is_deeply [grep {/:tl:/} holding('secret-one')], [], '... and the timeline has it nowhere';

$in->webhook(text_event(8, 202, 'secret-two'), unsend(8, 202));
$in->settle;
is_deeply [grep {/:tl:/} holding('secret-two')], [], 'in one body as well';
$in->webhook(unsend(8, 203));
$in->settle;
$in->webhook(text_event(8, 203, 'secret-three'));
$in->settle;
is_deeply [grep {/:tl:/} holding('secret-three')], [], 'W8: the unsend before its message as well';
$in->webhook(unsend(8, 999));
$in->settle;
is $in->cursor->{quarantined}, 3, 'B25: an unsend for what nobody knows is no fault';

done_testing;
