#!/usr/bin/env perl
# Sending: who receives, reply tokens, retry keys, quota, access tokens
# (LINE.md 6, 12, 13, 15, 16, 20).

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;

my $t = SimTest->new;
my $UUID = qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
my ($a, $b) = map { $t->friend(display_name => "名前$_") } 1 .. 2;
my $PUSH = '/v2/bot/message/push';
my $MULTICAST = '/v2/bot/message/multicast';
my $REPLY = '/v2/bot/message/reply';

# --- push --------------------------------------------------------------------
my ($status, $body, $headers) = $t->push_text($a, 'hello');
is($status, 200, 'push');
like($body->{sentMessages}[0]{id}, qr/^\d{17,}$/, 'a message id');
ok($body->{sentMessages}[0]{quoteToken}, 'and a quote token');
like($headers->{'x-line-request-id'}, $UUID, 'a request id');
($status, $body) = $t->push_text('U' . '0' x 32, 'x');
is_deeply([$status, $body], [400, { message => 'Failed to send messages' }],
    'an unknown id');
($status, $body) = $t->push_text('nobody', 'x');
is($status, 400, 'a malformed id');
like($body->{message}, qr/^The property, to,/, 'is named');

# --- blocked -----------------------------------------------------------------
$t->sim('POST', "friends/$b/block", {});
is(($t->push_text($b, 'silent'))[0], 200, 'blocked: 200');
is_deeply($t->inbox($b), [], 'but nothing arrives');
is(($t->line('GET', "/v2/bot/profile/$b"))[0], 404, 'and no profile');
$t->sim('POST', "friends/$b/unblock", {});
is_deeply($t->inbox($b), [], 'not later either');
(undef, $body) = $t->line('GET', "/v2/bot/profile/$b");
is_deeply($body, { displayName => '名前2', userId => $b, language => 'ja' },
    'profile of a friend');
is(($t->line('GET', '/v2/bot/profile/x'))[0], 400, 'malformed id');

# --- multicast ---------------------------------------------------------------
($status, $body) = $t->line('POST', $MULTICAST, { to => [$a, $b],
    messages => [SimTest::text('all')] });
is_deeply([$status, $body], [200, {}], 'multicast');
is($t->inbox($_)->[-1]{via}, 'multicast', 'arrived') for $a, $b;
($status, $body) = $t->line('POST', $MULTICAST, { to => [$a, 'C1'],
    messages => [SimTest::text('all')] });
is($status, 400, 'a malformed id fails all');
like($body->{message}, qr/^The property, to\[1\],/, 'and is named');
is(($t->line('POST', $MULTICAST, { to => [($a) x 501],
    messages => [SimTest::text('x')] }))[0], 400, '501 are too many');
is(($t->line('POST', $MULTICAST, { to => [],
    messages => [SimTest::text('x')] }))[0], 400, 'none are too few');

# --- reply tokens ------------------------------------------------------------
sub reply {
    my ($token, %headers) = @_;
    return $t->line('POST', $REPLY, { replyToken => $token,
        messages => [SimTest::text('re')] }, %headers);
}

sub fresh_token {
    $t->sim('POST', "friends/$a/text", { text => 'hi' });
    return $t->last_event->{replyToken};
}

my $token = fresh_token();
is(($t->line('POST', $REPLY, { replyToken => $token, messages => [] }))[0],
    400, 'a refused reply');
is((reply($token))[0], 200, 'does not use the token up');
is($t->inbox($a)->[-1]{via}, 'reply', 'arrived by reply');
($status, $body) = reply($token);
is_deeply([$status, $body], [400, { message => 'Invalid reply token' }],
    'once only');
is((reply('nonsense'))[0], 400, 'unknown token');
$token = fresh_token();
is((reply($token, 'x-line-retry-key' =>
    '123e4567-e89b-12d3-a456-426614174000'))[0], 400, 'no retry key here');
$t->advance_to(59);
is((reply($token))[0], 200, 'good for a minute');
$t->advance_to(0);
$token = fresh_token();
$t->advance_to(61);
is((reply($token))[0], 400, 'and not longer');
$t->advance_to(0);

# --- retry keys --------------------------------------------------------------
my $key = '0a1b2c3d-0000-4000-8000-00000000000A';
my %keyed = ('x-line-retry-key' => $key);
my $before = @{ $t->inbox($a) };
my ($s1, $b1, $h1) = $t->push_text($a, 'once', %keyed);
my ($s2, $b2, $h2) = $t->push_text($a, 'once', 'x-line-retry-key' => lc $key);
is_deeply([$s1, $s2], [200, 409], 'a key is accepted once');
is($h2->{'x-line-accepted-request-id'}, $h1->{'x-line-request-id'},
    'the accepted request is named');
isnt($h2->{'x-line-request-id'}, $h1->{'x-line-request-id'},
    'each attempt has its own id');
is_deeply($b2, { message => 'The retry key is already accepted',
    sentMessages => $b1->{sentMessages} }, 'with its messages');
is(@{ $t->inbox($a) }, $before + 1, 'one message arrived');
is($t->sim('GET', 'state')->{retry_key_content_mismatch}, 0, 'same content');
is(($t->push_text($a, 'other', %keyed))[0], 409, 'other content, same key');
is($t->sim('GET', 'state')->{retry_key_content_mismatch}, 1, 'is counted');
is(($t->push_text($a, 'x', 'x-line-retry-key' => 'no-uuid'))[0], 400,
    'a key must be a UUID');
my $other = '0a1b2c3d-0000-4000-8000-00000000000b';
is(($t->push_text('U' . '0' x 32, 'x', 'x-line-retry-key' => $other))[0],
    400, 'a refused request');
is(($t->push_text($a, 'x', 'x-line-retry-key' => $other))[0], 200,
    'does not use its key up');
my @multi = ('POST', $MULTICAST, { to => [$a],
    messages => [SimTest::text('m')] },
    'x-line-retry-key' => '0a1b2c3d-0000-4000-8000-00000000000c');
is(($t->line(@multi))[0], 200, 'multicast with a key');
($status, $body) = $t->line(@multi);
is_deeply([$status, $body],
    [409, { message => 'The retry key is already accepted' }], 'and again');
is(($t->line('POST', '/v2/bot/message/validate/push',
    { messages => [SimTest::text('x')] }, %keyed))[0], 400,
    'no key on validate');
$t->advance_to(86401);
delete $t->{token};
is(($t->push_text($a, 'once', %keyed))[0], 200, 'new again after 24 hours');
$t->advance_to(0);
delete $t->{token};

# --- access tokens -----------------------------------------------------------
sub as {
    my ($authorization) = @_;
    return $t->call('GET', '/v2/bot/info', undef,
        defined $authorization ? (authorization => $authorization) : ());
}

is((as(undef))[0], 401, 'no token');
($status, $body) = as('Bearer nonsense');
is($status, 401, 'a bad token');
like($body->{message}, qr/^Authentication failed due to/, 'LINE\'s words');
my $access = $t->new_token;
(undef, $body) = as("Bearer $access");
is($body->{userId}, $SimTest::BOT, 'bot info');
$t->advance_to(899);
is((as("Bearer $access"))[0], 200, 'good for 15 minutes');
(undef, $body) = $t->call('GET',
    "/oauth2/v2.1/verify?access_token=$access");
is($body->{client_id}, $SimTest::ID, 'verify');
$t->advance_to(901);
is((as("Bearer $access"))[0], 401, 'and not longer');
$t->advance_to(0);
($status, $body) = $t->call('POST', '/oauth2/v3/token',
    "grant_type=client_credentials&client_id=$SimTest::ID&client_secret=x",
    'content-type' => 'application/x-www-form-urlencoded');
is_deeply([$status, $body->{error}], [400, 'invalid_client'],
    'a wrong secret');

# --- quota -------------------------------------------------------------------
delete $t->{token};
(undef, $body) = $t->line('GET', '/v2/bot/message/quota');
is_deeply($body, { type => 'none' }, 'no quota by default');
(undef, $body) = $t->line('GET', '/v2/bot/message/quota/consumption');
my $used = $body->{totalUsage};
$t->sim('POST', 'quota', { value => $used + 1 });
(undef, $body) = $t->line('GET', '/v2/bot/message/quota');
is_deeply($body, { type => 'limited', value => $used + 1 }, 'a quota');
($status, $body) = $t->line('POST', $MULTICAST, { to => [$a, $b],
    messages => [SimTest::text('x')] });
is_deeply([$status, $body->{message}],
    [429, 'You have reached your monthly limit.'], 'two do not fit');
my %last = ('x-line-retry-key' => '0a1b2c3d-0000-4000-8000-00000000000d');
is(($t->push_text($a, 'fits', %last))[0], 200, 'one fits');
is(($t->push_text($a, 'full'))[0], 429, 'then it is full');
is(($t->push_text($a, 'fits', %last))[0], 409, 'a repeat is still known');
is((reply(fresh_token()))[0], 200, 'replies are never counted');

# --- other calls -------------------------------------------------------------
(undef, $body) = $t->line('GET', '/v2/bot/followers/ids?limit=1');
is_deeply($body->{userIds}, [$a], 'first page of followers');
(undef, $body) = $t->line('GET',
    "/v2/bot/followers/ids?limit=1&start=$body->{next}");
is_deeply($body, { userIds => [$b] }, 'last page');
is(($t->line('POST', '/v2/bot/chat/loading/start',
    { chatId => $a, loadingSeconds => 10 }))[0], 202, 'loading animation');
is(($t->line('POST', '/v2/bot/chat/loading/start',
    { chatId => $a, loadingSeconds => 7 }))[0], 400, 'in steps of five');
is(($t->line('GET', '/v2/bot/nothing'))[0], 404, 'an unknown call');
is(($t->line('POST', $PUSH, '{"to":'))[0], 400, 'broken JSON');
is(($t->line('POST', $PUSH, "{\"to\":\"\xff\"}"))[0], 400, 'broken UTF-8');
is(($t->line('POST', $PUSH, '{}', 'content-type' => 'text/plain'))[0], 415,
    'another media type');
is(($t->line('POST', $PUSH, ' ' x (2 * 1024 * 1024 + 1)))[0], 413,
    'more than 2 MB');

done_testing();
