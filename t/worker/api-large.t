# What the api answers about accounts that are large, old or odd: lists go on
# behind gaps, what it holds at once has a bound, and no answer says what nobody
# knows. The test writes to Redis what ingest would have written, and what only
# somebody else would.  DESIGN.md 6, RELIABILITY.md B67, B98, B106.

use strict;
use warnings;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Files;
use Tomo::Test::Http;

my $redis = Tomo::Test::Redis->start;
my $api   = Tomo::Test::Worker->start(redis => $redis, role => 'api', undecided => 1,
    unaccounted => 1);

sub key { return "tomo:{demo}:$_[0]" }
sub get { return $api->api('GET', "/accounts/demo/$_[0]") }

# how often a command was called since the last CONFIG RESETSTAT
sub calls {
    my ($command) = @_;
    return $redis->cmd('INFO', 'commandstats') =~ /^cmdstat_$command:calls=(\d+)/m ? $1 : 0;
}

# --- friends: behind gaps -----------------------------------------------------

sub befriend { $redis->pipeline(map { ['HSET', key("f:$_"), uid => "U$_"] } @_); return }
sub ids { return [map { $_->{id} } @{ $_[0]{json}{friends} }] }

befriend(1, 2, 900 .. 905, 30_000);
$redis->cmd('HSET', key('meta'), 'serial', 30_000);
is_deeply ids(get('friends?limit=1')), [1], 'a page of one';
my $page = get('friends?limit=3');
is_deeply ids($page), [1, 2, 900], 'deleted friends in between do not end the list';
is $page->{json}{next}, 900, '... which says where it goes on';
my (@all, $after);
for (1 .. 10) {
    $page = get('friends?limit=4' . ($after ? "&after=$after" : ''));
    push @all, @{ ids($page) };
    $after = $page->{json}{next} or last;
}
is_deeply \@all, [1, 2, 900 .. 905, 30_000], 'page by page each comes once, to the last';
ok !$after, '... and the last page says that it is the last';
$redis->cmd('CONFIG', 'RESETSTAT');
$page = get('friends?after=905&limit=1');
is_deeply ids($page), [], 'a gap of thousands is not looked through in one call';
cmp_ok calls('hgetall'), '<=', 10_000, '... but 10,000 numbers at most';
is $page->{json}{next}, 10_905, '... and says where it goes on';

$redis->cmd('SET', key('f:3'), 'somebody was here');
$page = get('friends?limit=3');
is_deeply ids($page), [1, 2, 900], 'B98: a record that is none does not hide the others';
is_deeply $page->{json}{unreadable}, [{ id => 3, reason => 'is no hash' }], '... and is named';
is get('friends/3')->{json}{error}{code}, 'unreadable', '... alone, too';
$redis->cmd('DEL', key('f:3'));

# --- a friend with much to tell -------------------------------------------------

$redis->cmd('HSET', key('defs'), map {
    ("field/f$_" => qq({"no":$_,"revision":1,"document":{"kind":"field","id":"f$_",)
        . '"type":"long_text"}}')
} 1 .. 30);
$redis->cmd('HINCRBY', key('meta'), 'defs', 1);
$redis->cmd('HSET', key('f:2'), map { ("d:$_" => "\x{1}" x 100 . 'x' x 8000) } 1 .. 30);
$page = get('friends/2');
is $page->{status}, 200, 'a friend with 240 KB of fields is told';
is length $page->{json}{fields}{f30}, 8100, '... wholly';
is @{ ids(get('friends?limit=3')) }, 3, '... in a list, too';

$redis->cmd('LPUSH', key('tl:2'), 'id=E1&at=1&kind=text&text=' . '%01' x 20_000);
$page = get('friends/2/timeline');
is $page->{status}, 200, 'a text of nothing but control characters is told';
is length $page->{json}[0]{text}, 20_000, '... wholly';

# --- deletions ------------------------------------------------------------------

sub tombstones {
    $redis->pipeline(map { ['HSET', key('gone'), sprintf('%032x', $_),
            "friend=$_&at=$_&complete=9"] } @_);
    return;
}
tombstones(10 .. 809);
$redis->cmd('HSET', key('meta'), erase => 7, erased => 5);
$redis->cmd('CONFIG', 'RESETSTAT');
$page = get('friends/700');
is $page->{status}, 410, 'one of many deleted friends';
is_deeply $page->{json},
    { id => 700, deleted_at => 700, complete_at => 9, rewritten => JSON::PP::false() },
    '... is told';
cmp_ok calls('hgetall') + calls('hmget') + calls('hget'), '<', 10,
    '... without asking Redis for each';
is get("friends/$_")->{status}, 404, "friends/$_ is nobody, not some deleted friend" for 0, 'x';
is @{ get('deletions')->{json}{deletions} }, 800, 'all of them';
is_deeply get('deletions')->{json}{unreadable}, [], '... can be read';
$redis->cmd('HSET', key('gone'), '"f' x 40, 'friend=1');
$page = get('deletions');
is @{ $page->{json}{deletions} }, 800, 'a tombstone that somebody spoilt hides no others';
is_deeply $page->{json}{unreadable}, [{ id => '"f' x 40, reason => 'is no tombstone' }],
    '... and is named';
$redis->cmd('RENAME', key('meta'), 'kept');
$redis->cmd('SET', key('meta'), 'somebody was here');
is get('deletions')->{status}, 503, 'B98: whether the file was written anew nobody knows: 503';
$redis->cmd('RENAME', 'kept', key('meta'));

# --- streams ----------------------------------------------------------------------

$redis->pipeline(map { ['XADD', key('in'), "1-$_", k => 'click', b => 'x'] } 1 .. 10_100);
$redis->cmd('HSET', key('cursor'), in => '1-3', in_i => 0);
is get('status')->{json}{waiting}, 10_097, 'more than 10,000 entries that wait are counted';
$redis->cmd('SET', key('sched'), 'somebody was here');
is get('status')->{status}, 503, 'B98: what cannot be counted is not told as 0';
$redis->cmd('DEL', key('sched'));

my $body = 'x' x (1 << 20);
$redis->cmd('XADD', key('quarantine'), "1-$_", why => "word$_", kind => 'webhook', at => $_,
    body => $body) for 1 .. 60;
$page = get('quarantine?limit=50');
is_deeply [map { $_->{reason} } @{ $page->{json} }], [map {"word$_"} reverse 11 .. 60],
    'a quarantine with large bodies, newest first';
my ($most) = $redis->cmd('INFO', 'clients') =~ /^client_recent_max_output_buffer:(\d+)/m;
cmp_ok $most, '<', 20 << 20, '... is read a few at a time';
is @{ get('quarantine?limit=500')->{json} }, 60, '... to its end';
is @{ get('quarantine?limit=8')->{json} }, 8, '... or to the limit';

# --- what may be sent ----------------------------------------------------------------

sub put {
    my ($type, $depth) = @_;
    my $open = '{"a":' x ($depth - 1) . '{}' . '}' x ($depth - 1);
    return Tomo::Test::Http::request($api->api_socket, 'PUT',
        '/api/v1/accounts/demo/definitions/tag/vip',
        [Authorization => "Bearer $Tomo::Test::Files::API_TOKEN", 'Content-Type' => $type], $open)
        ->{status};
}
is put('application/json', 32), 400,
    'B58: as deep as cannot be decided any more is refused, not taken';
is put('application/json', 31), 202, '... and less is taken';
is put('Application/JSON; charset=utf-8', 2), 202, 'a media type in other letters is the same';
is put('application/jsonx', 2), 415, '... a longer one is another';

done_testing;
