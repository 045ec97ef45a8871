#!/usr/bin/env perl
# The control API has the shapes that DESIGN.md 8 promises.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;

my $t = SimTest->new;
my $ULID = qr/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

my $added = $t->sim('POST', 'friends', {
    display_name => '山田 太郎🍎', picture_url => 'https://example.com/p',
    language => 'en',
});
my $id = $added->{user_id};
like($id, qr/^U[0-9a-f]{32}$/, 'a user id in LINE\'s form');
is($added->{status}, 200, 'the answer tells what the edge said');

my $event = $t->last_event;
is($event->{type}, 'follow', 'a follow event');
ok(!$event->{follow}{isUnblocked}, 'not an unblock');
is($event->{source}{userId}, $id, 'of that person');
is($event->{source}{type}, 'user', 'one-on-one');
is($event->{mode}, 'active', 'mode active');
like($event->{webhookEventId}, $ULID, 'event id is a ULID');
like($event->{replyToken}, qr/^\S{30,}$/, 'with a reply token');
ok(!$event->{deliveryContext}{isRedelivery}, 'no redelivery');
cmp_ok(abs($event->{timestamp} / 1000 - time), '<', 5, 'time in ms');

my $said = $t->sim('POST', "friends/$id/text", { text => 'こんにちは 🍎' });
is($said->{status}, 200, 'text: status of the webhook');
$event = $t->last_event;
is($event->{type}, 'message', 'a message event');
is($event->{message}{text}, 'こんにちは 🍎', 'its text');
like($event->{message}{id}, qr/^\d{17,}$/, 'message id beyond 2^53');
ok($event->{replyToken}, 'repliable');
is($event->{webhookEventId}, $said->{webhook_event_id}, 'its id is told');

$t->sim('POST', "friends/$id/postback", { data => 'a=1&b=2' });
$event = $t->last_event;
is_deeply([@$event{qw(type)}, $event->{postback}],
    ['postback', { data => 'a=1&b=2' }], 'a postback event');

$t->sim('POST', "friends/$id/block", {});
$event = $t->last_event;
is($event->{type}, 'unfollow', 'block: unfollow');
ok(!exists $event->{replyToken}, 'without a reply token');
is(($t->call('POST', "/sim/friends/$id/text", { text => 'x' }))[0], 409,
    'who has blocked us cannot write');
is(($t->call('POST', "/sim/friends/$id/block", {}))[0], 409,
    'nor block twice');

$t->sim('POST', "friends/$id/unblock", {});
$event = $t->last_event;
is($event->{type}, 'follow', 'unblock: follow');
ok($event->{follow}{isUnblocked}, 'marked as unblock');

my @posts = $t->edge_saw;
is(scalar(grep { $_->{ok} } @posts), 5, 'every signature was right');
is(scalar(@posts), 5, 'and there were five webhooks');
is($posts[0]{path}, '/line/webhook/demo', 'the account is in the path');
is($posts[0]{body}{destination}, $SimTest::BOT, 'destination is the bot');
is($posts[0]{headers}{'content-type'}, 'application/json; charset=utf-8',
    'content type');

is_deeply($t->inbox($id), [], 'the inbox is empty');
my $before = time * 1000 - 2000;
$t->push_text($id, 'one');
$t->push_text($id, 'two');
my $inbox = $t->inbox($id);
is_deeply([map { $_->{messages}[0]{text} } @$inbox], ['one', 'two'],
    'oldest first');
is_deeply($inbox->[0]{messages}, [{ type => 'text', text => 'one' }],
    'message objects as they were sent');
is($inbox->[0]{via}, 'push', 'via push');
cmp_ok($inbox->[0]{at}, '>', $before, 'at in ms');

my $calls = $t->sim('GET', 'requests');
is_deeply([map { $_->{seq} } @$calls], [1 .. @$calls], 'seq from 1');
my ($pushed) = grep { $_->{path} =~ /push/ } @$calls;
is($pushed->{method}, 'POST', 'method');
is($pushed->{status}, 200, 'status');
is($pushed->{body}{to}, $id, 'parsed body');
is($pushed->{headers}{'content-type'}, 'application/json', 'headers');
ok(!(grep { /[A-Z]/ } keys %{ $pushed->{headers} }), 'lower-case names');
unlike(JSON::PP->new->encode($calls), qr/$SimTest::SECRET/,
    'the channel secret is not in the log');
is_deeply($t->sim('GET', 'requests?after=' . $calls->[-1]{seq}), [],
    'after the last: nothing');
is($t->sim('GET', 'requests?after=1')->[0]{seq}, 2, 'after 1: from 2');

my $people = $t->sim('GET', 'friends')->{friends};
is($people->[0]{display_name}, '山田 太郎🍎', 'the list of people');
my $state = $t->sim('GET', 'state');
ok($state->{ok}, 'healthy');
is($state->{accepted}, 2, 'two sends were accepted');

my $given = 'U' . 'ab' x 16;
is($t->friend(user_id => $given, display_name => ''), $given,
    'a given user id, an empty name');
is(($t->call('POST', '/sim/friends', { display_name => 'x',
    user_id => $given }))[0], 409, 'nobody is added twice');
is(($t->call('POST', '/sim/friends', {}))[0], 400, 'a name is needed');
is(($t->call('POST', '/sim/friends', '{'))[0], 400, 'broken JSON');
is(($t->call('GET', '/sim/friends/U0/inbox'))[0], 404, 'unknown person');
is(($t->call('GET', '/sim/nothing'))[0], 404, 'unknown call');
is(($t->call('GET', '/sim/requests?after=x'))[0], 400, 'a bad number');

$t->friend(display_name => '<script>alert(1)</script>');
my ($status, $page, $headers) = $t->call('GET', '/');
is($status, 200, 'a page for people');
like($headers->{'content-type'}, qr{^text/html}, 'in HTML');
unlike($page, qr/<script>/, 'names are escaped');

done_testing();
