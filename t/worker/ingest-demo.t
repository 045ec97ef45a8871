# The demo account through ingest alone: the test is the edge and dispatch.
# DESIGN.md 8; promises about greeting, clicks, answers and due steps.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $DAY = 86_400;
my $in  = Tomo::Test::Ingest->start;
my $no  = JSON::PP::false();

sub bubbles { return @{ JSON::PP::decode_json($_[0][1]{body}) } }

ok wait_for(sub { $in->no('scenario', 'welcome') }, 'demo account'), 'conf/demo is loaded';
ok wait_for(sub { $in->redis->cmd('HEXISTS', $in->key('feed'), 'secret/1') }, 'feed'), 'feed';
my $feed = $in->redis->hash($in->key('feed'));
ok $feed->{'link/1'} && $feed->{'survey/1'} && $feed->{'secret/1'}, 'the edge feed is published';
is $in->redis->cmd('SISMEMBER', 'tomo:accounts', 'demo'), 1, 'the edge will find the account';

# --- follow, profile, greeting ----------------------------------------------

$in->webhook($in->event('follow', 1, replyToken => 'r1', follow => { isUnblocked => $no }));
my ($profile) = $in->wait_rows('profile', 1);
is $profile->[1]{friend}, 1, 'a follow without a profile asks for it first';
is scalar $in->rows('reply'), 0, 'and does not greet yet';
ok exists $in->due->{'1:p:0'}, 'it waits for 3 s';

$in->verdict($profile, 'accepted', name => '花子', picture => 'https://p', language => 'ja');
my ($reply) = $in->wait_rows('reply', 1);
is $reply->[1]{token}, 'r1', 'the greeting is a free reply';
my @b = bubbles($reply);
is scalar @b, 2, 'of two bubbles';
like $b[0]{text}, qr/^花子さん/, 'by name';
like $b[0]{text}, qr{http://127\.0\.0\.1:\d+/r/[\w-]{39}$}, 'with a personal link';
like $b[1]{text}, qr{/s/[\w-]{39}$}, 'and a personal survey';
cmp_ok $reply->[1]{links}, '>', 0, 'the row waits for the edges to know the link';
is scalar $in->rows('profile'), 0, 'the profile row is gone';
my $friend = $in->friend(1);
is $friend->{st}, 'following', 'following';
ok !exists $friend->{wait} && !exists $in->due->{'1:p:0'}, 'nothing waits any more';

$in->verdict($reply, 'accepted', sent => '1', sent => '2');
$in->settle;
my $row = $in->timeline(1)->[0];
is $row->{kind}, 'send', 'the sending is on the timeline';
ok utf8::decode($row->{text}) && $row->{text} =~ /花子さん/, 'with its text';
is scalar @{ $in->out }, 0, 'the outbox is empty';

# the fallback after 3 s without a profile
$in->webhook($in->event('follow', 2, replyToken => 'r2', follow => { isUnblocked => $no }));
$in->wait_rows('profile', 1);
$in->advance(4);
($reply) = $in->wait_rows('reply', 1);
like +(bubbles($reply))[0]{text}, qr/^お客さまさん/, 'after 3 s: greeted with the fallback';
$in->verdict(($in->rows('profile'))[0], 'accepted', name => '次郎');
$in->settle;
is scalar $in->rows('reply'), 1, 'the late profile greets nobody twice';
my $name = $in->friend(2)->{name};
utf8::decode($name);
is $name, '次郎', 'but its name is kept';
$in->verdict($reply, 'unusable');
my ($push) = $in->wait_rows('push', 1);
is $push->[1]{body}, $reply->[1]{body}, 'an unusable token: the same bubbles as a push';
like $push->[1]{key}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-4/, 'with a retry key';
$in->verdict($push, 'accepted');
$in->settle;

# --- clicks -----------------------------------------------------------------

my $began = now_ms();
$in->click(1, 'catalog', visit => 'preview');
$in->settle;
is $in->tags(1), '', 'R4: a preview sets no tag';
is $in->cursor->{previews}, 1, 'R4: but is counted';
$began = now_ms();
$in->click(1, 'catalog');
ok wait_for(sub { $in->tags(1) eq 'saw-catalog' }, 'tag', 1), 'a click sets the tag within 1 s';
$in->click(1, 'catalog');
$in->settle;
like $in->friend(1)->{'k:1'}, qr/^n=2&/, 'both clicks are counted';
is_deeply [Tomo::Test::Ingest::values_of($in->timeline(1)->[0], 'fx')], [],
    'the second click runs no actions';
is $in->redis->cmd('SISMEMBER', $in->key('set:link:1'), 1), 1, 'index of the link';
is $in->redis->cmd('SISMEMBER', $in->key('set:tag:' . $in->no('tag', 'saw-catalog')), 1), 1,
    'index of the tag';
$in->click(2, 'catalog', check => $in->check(1));
$in->settle;
is $in->tags(2), '', 'a check of another user id: nobody is taken for somebody else';
is $in->cursor->{anonymous}, 1, 'counted as anonymous';

# --- answers ----------------------------------------------------------------

my @given = ('q.name' => '山田花子', 'q.birth' => '1990-02-28', 'q.sex' => 'female',
    'q.interests' => 'coffee', 'q.interests' => 'gift', 'q.message' => "いつも\nありがとう");
$in->answer(1, 'profile', nonce => 'n' x 22, @given);
$in->answer(1, 'profile', nonce => 'n' x 22, @given);
$in->settle;
is $in->tags(1), 'likes-coffee likes-gift saw-catalog', 'one tag for each interest';
$friend = $in->friend(1);
my %field = map {
    my $v = $friend->{ 'd:' . $in->no('field', $_) } // '';
    utf8::decode($v);
    ($_ => $v)
} qw(real-name birth-date sex interests request);
is_deeply \%field,
    {
        'real-name'  => '山田花子',
        'birth-date' => '1990-02-28',
        sex          => 'female',
        interests    => "coffee\ngift",
        request      => "いつも\nありがとう"
    },
    'answers fill the fields';
like $friend->{'a:1'}, qr/^n=1&/, 'B49: the same nonce twice is one answer';
is $in->cursor->{duplicates}, 1, 'and the other is counted';
$in->answer(1, 'profile', 'q.name' => '花', 'q.sex' => 'robot');
$in->answer(1, 'profile', 'q.sex' => 'female');
$in->answer(1, 'profile', 'q.name' => '花', 'q.birth' => '2026-02-30');
$in->answer(9, 'profile', 'q.name' => '花');
$in->settle;
is_deeply [map { $_->[1]{why} } @{ $in->quarantine }],
    [qw(answer_odd answer_missing answer_odd answer_anonymous)],
    'B46: what the survey does not offer goes to the quarantine';
is $in->cursor->{quarantined}, 4, 'and is counted';

# an older answer does not overwrite a newer one
$in->answer(1, 'profile', at => now_ms() - 3_600_000, 'q.name' => '古い');
$in->settle;
is $in->friend(1)->{ 'd:' . $in->no('field', 'real-name') }, $friend->{ 'd:' . $in->no('field',
    'real-name') },
    'an older answer never overwrites a newer one';

# --- due steps --------------------------------------------------------------

my $due = $in->due;
my ($second, $minute, $hour) = gmtime $due->{'1:s:1'} / 1000;
is sprintf('%02d:%02d:%02d', $hour, $minute, $second), '01:00:00',
    'day1 is due at 10:00 in Tokyo';
$in->advance($due->{'1:s:1'} / 1000 - time - $in->{offset} / 1000 - 60);
$in->command(do => 'sandbox.tick');
is scalar @{ $in->out }, 0, 'nothing goes out a minute early';
$in->advance(60);
my @push = $in->wait_rows('push', 2);
my %text = map { ($_->[1]{friend} => (bubbles($_))[0]{text}) } @push;
like $text{1}, qr/カタログをご覧いただき/, 'day1: who clicked';
like $text{2}, qr{/r/[\w-]{39}$}, 'day1: who did not click gets the link again';
is $push[0][1]{due}, $due->{'1:s:1'}, 'the row says when it was due';
$in->verdict($_, 'accepted') for @push;
$in->settle;

$due = $in->due;
$in->advance(4 * $DAY);
@push = $in->wait_rows('push', 1);
$in->settle;
wait_for(sub { !%{ $in->due } }, 'no timers', 5);
is_deeply [map { $_->[1]{friend} } $in->rows('push')], [2], 'day3: only who has not answered';
is $push[0][1]{due} - (Tomo::Test::Ingest::parse($in->friend(2)->{'s:1'}))->{start},
    3 * $DAY * 1000,
    'exactly 3 days after the follow';
is_deeply $in->due, {}, 'both have finished';
like $in->friend(1)->{'s:1'}, qr/done=1/, 'and say so';

# --- conservation -----------------------------------------------------------

my $cursor = $in->cursor;
is $cursor->{handled} + $cursor->{quarantined}, $in->{seq}, 'handled + quarantined = all events';

done_testing;
