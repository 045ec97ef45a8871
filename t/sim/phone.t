# What the phone page asks of the simulator: talks, acts, events, and Tomo's
# API by way of it. No Tomo here: a small server stands for the edge.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use IO::Socket::INET;
use Test::More;

my $t = SimTest->new;

my $user = $t->friend(display_name => 'さくら');
my $talk = sub { ($t->call('GET', "/phone/api/talk/$user"))[1] };
is($talk->()->{said}[0]{kind}, 'follow', 'adding the account stands in the talk');
ok($talk->()->{said}[0]{heard}, '... and the edge has it');

$t->sim('POST', "friends/$user/text", { text => 'こんにちは' });
my $said = $talk->()->{said}[1];
is($said->{text}, 'こんにちは', 'what was sent stands there');
is($said->{id}, $t->last_event->{message}{id}, '... by the id that the webhook had');

$t->sim('POST', "friends/$user/sticker",
    { package_id => '446', sticker_id => '1988' });
is($t->last_event->{message}{type}, 'sticker', 'a sticker');
$t->sim('POST', "friends/$user/location",
    { latitude => 35.7, longitude => 139.5, title => '店' });
is($t->last_event->{message}{latitude}, 35.7, 'a place');
is(($t->call('POST', "/sim/friends/$user/sticker",
    { package_id => 'x', sticker_id => '1' }))[0], 400, 'no such sticker');
is(($t->call('POST', "/sim/friends/$user/location",
    { latitude => 91, longitude => 0 }))[0], 400, 'no such place');

$t->sim('POST', "friends/$user/unsend", { message_id => $said->{id} });
is($t->last_event->{unsend}{messageId}, $said->{id}, 'unsent');
ok($talk->()->{said}[1]{unsent} && !defined $talk->()->{said}[1]{text},
    '... the talk has no text of it');
is(($t->call('POST', "/sim/friends/$user/unsend",
    { message_id => $said->{id} }))[0], 404, '... and not twice');
is(($t->call('POST', "/sim/friends/$user/unsend", { message_id => '1' }))[0],
    404, 'nothing to unsend');

$t->sim('POST', "friends/$user/postback",
    { data => 'a=1', display_text => '見る' });
is($talk->()->{said}[-1]{text}, '見る', 'a postback shows its text');
$t->sim('POST', "friends/$user/postback", { data => 'a=1' });
is($talk->()->{said}[-1]{text}, undef, '... or none');
is(($t->call('POST', "/sim/friends/$user/constructor", {}))[0], 404,
    'only acts are acts');

my ($status, $value) = $t->call('GET', '/phone/api/clock');
is($status, 503, 'without a token Tomo is not asked');
like($value->{error}, qr/scripts\/run/, '... and the page is told what to do');
is(($t->call('POST', '/phone/api/clock', { advance_s => $_ }))[0], 400,
    'the clock goes forward by whole seconds, not '
    . (defined $_ ? $_ : 'nothing')) for -1, 0, 1.5, '1', undef, 1e12;
is(($t->call('GET', "/phone/api/talk/U" . '0' x 32))[0], 404, 'nobody');
is(($t->call('GET', '/phone/api/nothing'))[0], 404, 'no such call');

SimTest::spew("$t->{dir}/api-token", "secret-token\n");
($status, $value) = $t->call('GET', '/phone/api/clock');
is($status, 502, 'an edge that is none of ours');
like($value->{error}, qr/tomo-worker/, '... says where to look');
my ($asked) = grep { $_->{path} eq '/api/v1/sandbox/clock' } $t->edge_saw;
is($asked->{headers}{authorization}, 'Bearer secret-token', 'the token goes to the edge');
unlike($t->{http}->get("$t->{url}/phone/api/clock")->{content}, qr/secret-token/,
    '... and not to the page');

# The answer's first bytes, until they hold what is waited for.
sub first_bytes {
    my ($path, $what) = @_;
    my ($port) = $t->{url} =~ /:(\d+)$/;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die "connect: $!";
    print $socket "GET $path HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    my $select = IO::Select->new($socket);
    my ($got, $end) = ('', time + 20);
    while ($got !~ $what && $select->can_read($end - time)) {
        sysread $socket, $got, 65536, length $got or last;
    }
    return $got;
}
my $first = first_bytes("/phone/api/events?story=$user", qr/event: story\n.*\n/);
like($first, qr/content-type: text\/event-stream/i, 'a stream of events');
like($first, qr/event: people\ndata: \{"total":1,/, '... begins with the people');
like($first, qr/event: clock\n/, '... has the clock');
like($first, qr/event: story\ndata: .*tomo-worker/, '... and says what is wrong with Tomo');

$t->edge_answers(500);
is($t->sim('POST', "friends/$user/text", { text => '届け' })->{status}, 500, 'refused');
is($talk->()->{said}[-1]{heard}, JSON::PP::false, 'a message that nobody took says so');
$t->edge_answers(200);
ok(SimTest::until_true(20, sub { $talk->()->{said}[-1]{heard} }),
    '... until it is taken');
my $before = $talk->();
$t->stop;
$t->start;
is_deeply($talk->(), $before, 'a restart keeps the talk');

for my $file (qw(main.mjs dom.mjs page.css icon.svg)) {
    my ($code, $body, $headers) = $t->call('GET', "/phone/$file");
    is($code, 200, "$file is served");
    my $again = $t->{http}->get("$t->{url}/phone/$file",
        { headers => { 'if-none-match' => $headers->{etag} } });
    is($again->{status}, 304, '... once');
}

done_testing();
