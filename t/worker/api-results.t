# The answers of changes, which the api reads from every account's `result`:
# one account whose key somebody spoilt is held alone, and a Redis that sends
# half an answer keeps nobody.  RELIABILITY.md B98, B106.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Tomo::Test;
use Tomo::Test::Files;
use Tomo::Test::Hostile;
use Tomo::Test::Http;

my $redis = Tomo::Test::Redis->start;
my $other = write_file(temp_dir() . '/other-bot', 'U' . '7' x 32 . "\n", 0600);
my $front = Tomo::Test::Hostile->start(redis => $redis);
my $api   = Tomo::Test::Worker->start(
    redis => $front->socket,
    role  => 'api',
    ini   => {
        redis => { Tomo::Test::Redis::login($redis, 'worker')
            ? (user => 'worker', password_file => "$redis->{folder}/worker.pw") : () },
        'account other' => {
            number => 2, channel_id => 2, zone => 'Asia/Tokyo',
            channel_secret_file => Tomo::Test::Files::path('channel-secret'),
            bot_user_id_file    => $other,
        },
    },
);

# The connection of a change, and its id once it stands in the stream.
sub change {
    my ($account) = @_;
    my $before = $redis->cmd('XLEN', "tomo:{$account}:in");
    my $c = Tomo::Test::Http->connect($api->api_socket);
    $c->send(Tomo::Test::Http::format_request('PUT',
            "/api/v1/accounts/$account/definitions/tag/vip",
            [ Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            'Content-Type' => 'application/json' ], '{"kind":"tag","id":"vip","name":"V"}'));
    ok wait_for(sub { $redis->cmd('XLEN', "tomo:{$account}:in") > $before }, 'shipped', 10),
        "a change of $account";
    my $entry = $redis->cmd('XREVRANGE', "tomo:{$account}:in", '+', '-', 'COUNT', 1);
    my %field = @{ $entry->[0][1] };
    return ($c, JSON::PP::decode_json($field{b})->{id});
}

# ... and its answer, as the owner would give it; the status
sub answered {
    my ($account) = @_;
    my ($c, $id) = change($account);
    $redis->cmd('XADD', "tomo:{$account}:result", '*', id => $id, status => 200, body => '{}');
    return $c->response->{status};
}

sub lines { my ($pattern) = @_; return scalar(() = $api->output =~ /$pattern/g) }

is answered('demo'),  200, 'an account is answered';
is answered('other'), 200, '... another one too';

# --- one account's key is of another type -------------------------------------

$redis->cmd('RENAME', 'tomo:{other}:result', 'kept');
$redis->cmd('SET', 'tomo:{other}:result', 'somebody was here');
ok wait_for(sub { lines(qr/other its key `result` cannot be read: WRONGTYPE/) }, 'a line', 15),
    'B98: the key of one account is a string: the log says so';
is answered('demo'), 200, 'B98: the other account is answered' for 1 .. 3;
my ($c) = change('other');
is $c->response->{status}, 202, 'B98: its own changes are taken: 202';
is lines(qr/api results connection is down/), 0, 'B98: no connection was lost';
is lines(qr/`result` cannot be read/), 1, 'B98: said once';
$redis->cmd('RENAME', 'kept', 'tomo:{other}:result');
ok wait_for(sub { lines(qr/other its key `result` can be read again/) }, 'a line', 15),
    'B98: put right: noticed by itself';
is answered('other'), 200, 'B98: ... and answered again';

# --- half an answer -------------------------------------------------------------

$front->be('only:XREAD:trickle');
my $from = now_ms();
($c) = change('demo');
ok wait_for(sub { $front->met }, 'a byte now and then', 5), 'Redis answers byte by byte';
is $c->response->{status}, 202, 'B106: the change gets its 202';
cmp_ok now_ms() - $from, '<', 6000 * Tomo::Test::slow(), '... in time';
ok wait_for(sub { lines(qr/cannot be read: it comes without an end/) }, 'a line', 30),
    'B106: the log says so';
$front->be('pass');
ok wait_for(sub { lines(qr/demo its key `result` can be read again/) }, 'a line', 30),
    'B106: the whole truth again: noticed by itself';
is answered('demo'), 200, 'B106: and answered again';
ok $api->stop('TERM', 9), 'it ends';

done_testing;
