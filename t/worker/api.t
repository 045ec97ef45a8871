#!/usr/bin/perl

# The api role alone: reads from Redis, commands through its journal. The
# owner's part (deciding a command) is played by this test where it matters
# what the api role does with an answer; t/e2e has the whole.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Digest::SHA ();
use JSON::PP ();

my $redis = Tomo::Test::Redis->start;
my $api   = Tomo::Test::Worker->start(redis => $redis, role => 'api', sandbox => 1);

my $user = 'U' . ('0123456789abcdef' x 2);

sub key { return "tomo:{demo}:$_[0]" }

# what docs/openapi.yaml says may be answered: { 'GET /accounts' => '200 401', ... }
my (%documented, %surprise);
{
    my ($path, $method);
    for (split /\n/, read_file(top_dir() . '/docs/openapi.yaml') =~ s/^components:.*//msr) {
        $path   = $1 =~ s/\{\w+\}/[^\/]+/gr if m{^  (/\S*):};
        $method = uc $1 if /^    (get|put|post|delete):/;
        $documented{"$method $path"}{$1} = 1 if /^        "(\d+)":/;
    }
    my $call = \&Tomo::Test::Worker::api;
    no warnings 'redefine';
    *Tomo::Test::Worker::api = sub {
        my ($self, $of, $what) = @_;
        my $answer = $call->(@_);
        my ($known) = grep { "$of $what" =~ /^$_(?:\?|$)/ } sort keys %documented;
        $surprise{"$of $what $answer->{status}"} = 1
            if $known && !$documented{$known}{ $answer->{status} };
        return $answer;
    };
}

# CRC32C, for the bucket of a user id
sub crc32c {
    my ($text) = @_;
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $text) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    }
    return $crc ^ 0xffffffff;
}

sub define {
    my ($kind, $id, $no, %document) = @_;
    my $json = JSON::PP->new->utf8->canonical;
    $redis->cmd('HSET', key('defs'), "$kind/$id",
        $json->encode({ no => $no, revision => 3,
            document => { kind => $kind, id => $id, %document } }));
    $redis->cmd('HINCRBY', key('meta'), 'defs', 1);
}

# --- who may call -----------------------------------------------------------

sub status_of {
    my ($method, $path, @headers) = @_;
    return Tomo::Test::Http::request($api->api_socket, $method, $path, \@headers)->{status};
}

is status_of('GET', '/api/v1/accounts'), 401, 'A1: no token, no answer';
is status_of('GET', '/api/v1/accounts', Authorization => 'Bearer wrong-token-wrong-token'), 401,
    'A1: a wrong token is refused';
is status_of('GET', '/api/v1/nothing'), 401, 'A1: unknown paths say nothing to strangers';
is status_of('PUT', '/api/v1/accounts/demo/definitions/tag/vip'), 401, 'A1: nor may they write';
is Tomo::Test::Http::request($api->api_socket, 'PUT', '/api/v1/accounts', ['Content-Type' => 'x'],
    'x' x 300_000)->{status}, 401, 'A1: ... nor have a large body looked at';
is $api->api('GET', '/accounts')->{json}[0]{id}, 'demo', 'accounts are listed';
is $api->api('GET', '/nothing')->{status}, 404, 'an unknown call is 404';
is $api->api('GET', '/accounts/other/friends')->{status}, 404, 'B57: an unknown account is 404';
is $api->api('GET', '/accounts/..%2f/friends')->{status}, 404, 'B57: a spliced account is 404';
is $api->api('GET', '/accounts/demo%7D:x/friends')->{status}, 404, 'B57: braces are 404';
my $r = $api->api('DELETE', '/accounts/demo/definitions/tag/vip');
is $r->{status}, 405, 'another method is 405';
is $r->{headers}{allow}, 'GET, PUT', '... and says which there are';

# --- friends ----------------------------------------------------------------

define('tag',   'saw-catalog', 1, name => 'catalog');
define('field', 'birthday',    1, name => 'birthday', type => 'date');
define('field', 'interests',   2, name => 'interests', type => 'multi');
define('field', 'visits',      3, name => 'visits', type => 'number');
$redis->cmd('HSET', key('uid:' . (crc32c($user) & 0xffff)), $user, 1);
$redis->cmd(
    'HSET', key('f:1'), uid => $user, name => "\xe3\x81\x82<b>", st => 'following', tags => '1,9',
    'd:1' => '1990-02-03', 'd:2' => "coffee\ntea", 'd:3' => '7', 'd:8' => 'gone'
);

$r = $api->api('GET', "/accounts/demo/friends?user_id=$user");
is $r->{status}, 200, 'a friend is found by LINE user id';
is_deeply $r->{json},
    {
    friends => [
        {
            id => 1, user_id => $user, display_name => "\x{3042}<b>", status => 'following',
            tags   => ['saw-catalog'],
            fields => { birthday => '1990-02-03', interests => [qw(coffee tea)], visits => 7 },
        }
    ]
    },
    '... with tags and fields by id and type';
is_deeply $api->api('GET', "/accounts/demo/friends?user_id=Unknown")->{json}, { friends => [] },
    'an unknown user id is an empty list';
is $api->api('GET', '/accounts/demo/friends?user_id=')->{status}, 400, 'an empty one is refused';
is $api->api('GET', '/accounts/demo/friends/1')->{json}{id}, 1, 'a friend by id';
is $api->api('GET', '/accounts/demo/friends/2')->{status}, 404, 'an unknown friend is 404';
is $api->api('GET', '/accounts/demo/friends/x')->{status}, 404, 'so is a word';
is @{ $api->api('GET', '/accounts/demo/friends?limit=500')->{json}{friends} }, 1, 'pages of 500';
is @{ $api->api('GET', '/accounts/demo/friends?after=1')->{json}{friends} }, 0, '... go on behind';
is $api->api('GET', "/accounts/demo/friends?limit=$_")->{status}, 400, "B67: limit $_ is refused"
    for 0, 501, '1e9', -1;

# --- timeline ---------------------------------------------------------------

$redis->cmd('LPUSH', key('tl:1'), 'id=E1&at=1000&kind=follow&why=line');
$redis->cmd('LPUSH', key('tl:1'),
    'id=E2&at=2000&kind=text&text=%E3%81%82%22&why=E1&why=rule&fx=tag.add%3Asaw&fx=x&new=1');
$redis->cmd('LPUSH', key('tl:1'), 'broken');
is_deeply $api->api('GET', '/accounts/demo/friends/1/timeline')->{json},
    [
    {
        id => 'E2', at => 2000, kind => 'text', text => "\x{3042}\"", why => [qw(E1 rule)],
        effects => ['tag.add:saw', 'x']
    },
    { id => 'E1', at => 1000, kind => 'follow', why => ['line'], effects => [] }
    ],
    'newest first, with why and effects; a broken row is left out (X3)';
is @{ $api->api('GET', '/accounts/demo/friends/1/timeline?limit=2')->{json} }, 1,
    'limit counts rows';
is $api->api('GET', '/accounts/demo/friends/7/timeline')->{status}, 404, 'of nobody: 404';

# --- definitions ------------------------------------------------------------

is_deeply $api->api('GET', '/accounts/demo/definitions/tag/saw-catalog')->{json},
    { kind => 'tag', id => 'saw-catalog', name => 'catalog', revision => 3 },
    'a document carries its revision';
is $api->api('GET', '/accounts/demo/definitions/tag/none')->{status}, 404, 'unknown id: 404';
is $api->api('GET', '/accounts/demo/definitions/spell/x')->{status},  404, 'unknown kind: 404';
is @{ $api->api('GET', '/accounts/demo/definitions/field')->{json}{definitions} }, 3, 'a kind';
$redis->cmd('HSET', key('defs'), 'field/torn', '{"no":9,"revision":1,"docum');
my $torn = $api->api('GET', '/accounts/demo/definitions/field/torn');
is $torn->{status}, 503, 'one that was cut in Redis is told';
is $torn->{json}{error}{code}, 'unreadable', 'in JSON';
$redis->cmd('HSET', key('defs'), 'field/aged', '{"no":8,"document":{"kind":"field"}}');
$redis->cmd('HSET', key('defs'), 'field/bare', '{"no":7,"revision":1,"document":[]}');
my $list = $api->api('GET', '/accounts/demo/definitions/field')->{json};
is_deeply [map { $_->{id} } @{ $list->{definitions} }], [qw(birthday interests visits)],
    'a list has the others, by id';
is_deeply [map { $_->{id} } @{ $list->{unreadable} }], [qw(aged bare torn)],
    '... and names those that cannot be read';
is_deeply [map { $_->{reason} } @{ $list->{unreadable} }[0, 1]],
    ['has no revision', 'has no document'], '... with the reason';
like $list->{unreadable}[2]{reason}, qr/JSON/, '... of each';
is $api->api('GET', '/accounts/demo/definitions/field/bare')->{json}{error}{code}, 'unreadable',
    'alone, too';
$redis->cmd('HDEL', key('defs'), map {"field/$_"} qw(torn aged bare));
is_deeply $api->api('GET', '/accounts/demo/definitions/field')->{json}{unreadable}, [],
    'and says so when there is none';
my $page = $api->api('GET', '/accounts/demo/definitions/field?after=birthday&limit=1')->{json};
is_deeply [map { $_->{id} } @{ $page->{definitions} }], ['interests'], 'page by page';
is_deeply $api->api('GET', '/accounts/demo/definitions/field?after=visits')->{json}{definitions},
    [], '... to the end';
is $api->api('GET', "/accounts/demo/definitions/field?$_")->{status}, 400, "B67: $_ is refused"
    for 'limit=0', 'limit=501', 'after=', 'after=A';
$redis->cmd('HSET', key('defs'), map {
    ("survey/big-$_" => sprintf '{"no":%d,"revision":1,"document":{"kind":"survey","id":"big-%d",'
        . '"intro":"%s"}}', $_, $_, 'x' x 250_000)
} 1 .. 40);
my $big = $api->api('GET', '/accounts/demo/definitions/survey');
is $big->{status}, 500, 'more than an answer holds is told';
is $big->{json}{error}{code}, 'answer_too_large', '... in JSON';
is @{ $api->api('GET', '/accounts/demo/definitions/survey?limit=30')->{json}{definitions} }, 30,
    '... and fewer of them come';
$redis->cmd('HDEL', key('defs'), map {"survey/big-$_"} 1 .. 40);

my $put = '/accounts/demo/definitions/tag/vip';
is $api->api('PUT', $put, { kind => 'tag', id => 'other' })->{status}, 422,
    'B57: another id than the path is 422';

sub raw_put {
    my ($type, $body) = @_;
    return Tomo::Test::Http::request(
        $api->api_socket, 'PUT', "/api/v1$put",
        [
            Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            defined $type ? ('Content-Type' => $type) : ()
        ],
        $body
    )->{status};
}
is raw_put('text/plain',       '{}'), 415, 'B56: JSON as text/plain is refused';
is raw_put(undef,              '{}'), 415, 'B56: so is no type at all';
is raw_put('application/json', '{"a":1'), 400, 'B58: broken JSON';
is raw_put('application/json', '[]'), 400, 'B58: not an object';
is raw_put('application/json', '{"a":1,"a":2}'), 400, 'B58: a name twice';
is raw_put('application/json', '{"a":' . '[' x 99_999 . ']' x 99_999 . '}'), 400,
    'B58: depth';
is raw_put('application/json', '{"a":"' . 'x' x 300_000 . '"}'), 413, 'B58: size';

# --- commands ---------------------------------------------------------------

my $result = key('result');

sub put_begin {
    my $c = Tomo::Test::Http->connect($api->api_socket);
    my $body = '{"kind":"tag","id":"vip","name":"VIP"}';
    $c->send(Tomo::Test::Http::format_request('PUT', "/api/v1$put",
            [ Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            'Content-Type' => 'application/json' ], $body));
    return $c;
}

sub commands { return $redis->stream(key('in')) }

my $c = put_begin();
ok wait_for(sub { @{ commands() } == 1 }, 'the command in the stream', 5),
    'A4: a change is shipped as an event of its account';
my $entry = commands()->[0][1];
is $entry->{k}, 'command', 'its kind';
my $command = JSON::PP::decode_json($entry->{b});
is $command->{do}, 'definition.put', 'its name';
is_deeply $command->{document}, { kind => 'tag', id => 'vip', name => 'VIP' }, 'its document';
$redis->cmd('XADD', $result, '*', id => $command->{id}, status => 200, body => '{"revision":1}');
$r = $c->response;
is $r->{status}, 200, 'the answer comes when the owner committed it';
is $r->{body}, '{"revision":1}', '... with the owner\'s words';
is $api->api('GET', "/accounts/demo/commands/$command->{id}")->{json}{body}{revision}, 1,
    'it can be asked again';

$c = put_begin();
$r = $c->response;
is $r->{status}, 202, 'without a decision within 2 s: 202';
my $later = JSON::PP::decode_json($r->{body})->{id};
is $api->api('GET', "/accounts/demo/commands/$later")->{status}, 404, 'not known yet';
$redis->cmd('XADD', $result, '*',
    id => $later, status => 409, body => '{"error":{"code":"stale"}}');
is $api->api('GET', "/accounts/demo/commands/$later")->{json}{status}, 409, 'known later';

my @waiting = map { put_begin() } 1 .. 70;
my $answered = grep { $_->{status} == 202 } map { $_->response } @waiting;
is $answered, 70, '64 wait, the others are answered 202 once durable';
my %ids = map { JSON::PP::decode_json($_->[1]{b})->{id} => 1 } @{ commands() };
is keys %ids, 72, 'each is in the stream once';

# --- Redis away -------------------------------------------------------------

$redis->kill_now;
$c = put_begin();
is $c->response->{status}, 202, 'W2: Redis down: the change is durable and answered 202';
is $api->api('GET', '/accounts/demo/friends/1')->{status}, 503, 'a read says 503';
$redis->restart;
ok wait_for(sub { eval { @{ commands() } == 73 } }, 'the command shipped', 15),
    '... and shipped when Redis is back, once';

# --- the sandbox clock ------------------------------------------------------

$r = $api->api('GET', '/sandbox/clock');
ok abs($r->{json}{now_ms} - now_ms()) < 5000, 'the sandbox starts at real time';
is $r->{json}{zone}, 'Asia/Tokyo', 'its zone';
is $api->api('POST', '/sandbox/clock', { advance_s => $_ })->{status}, 400, "advance_s $_: 400"
    for -1, 'x', 1e12;

my $newest = $redis->cmd('XREVRANGE', key('in'), '+', '-', 'COUNT', 1)->[0][0];
$redis->cmd('HSET', key('cursor'), in => $newest, in_i => 0);
my $before = now_ms();
$r = $api->api('POST', '/sandbox/clock', { advance_s => 86400 });
is $r->{status}, 200, 'D9: a day passes';
ok $r->{json}{now_ms} >= $before + 86_400_000, '... and now is a day later';

$api->restart;
# rows that wait for the month's quota do not stop the clock (D8)
my $row = $redis->cmd('XADD', key('out'), '*', via => 'push', friend => 1);
$redis->cmd('HSET', key('meta'), 'pause', $before + 40 * 86_400_000);
is $api->api('POST', '/sandbox/clock', { advance_s => 60 })->{status}, 200,
    'D8: the clock goes on while counted sends wait for the quota';
$redis->cmd('XDEL', key('out'), $row);
$redis->cmd('HDEL', key('meta'), 'pause');
ok $api->api('GET', '/sandbox/clock')->{json}{now_ms} >= $before + 86_400_000,
    'the clock survives a restart';

# --- outside a sandbox ------------------------------------------------------

$api->stop;
my $plain = Tomo::Test::Worker->start(redis => $redis, role => 'api', name => 'plain');
is $plain->api('GET', '/sandbox/clock')->{status}, 404, 'outside a sandbox there is no clock';

is_deeply [sort keys %surprise], [], 'no answer that docs/openapi.yaml does not know';

done_testing;
