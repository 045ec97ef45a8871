# What ingest finds in Redis may be foreign, and what it writes is one script.
# RELIABILITY.md B98, B104, X3; DESIGN.md, decision 4: run twice = run once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;

sub say_hello {
    my ($user, $text) = @_;
    return $in->event('message', $user, message => { type => 'text', id => '1', text => $text });
}

$in->greeted($_) for 1 .. 3;
is $in->friend(3)->{st}, 'following', 'three friends';

# --- keys of a wrong type ---------------------------------------------------

for my $case (['f:2', 'the record'], ['tl:2', 'the timeline']) {
    my ($key, $what) = @$case;
    my $before = @{ $in->quarantine };
    $redis->cmd('RENAME', $in->key($key), 'kept');
    $redis->cmd('SET', $in->key($key), 'somebody was here');
    $in->webhook(say_hello(1, "a $key"), say_hello(2, "b $key"), say_hello(3, "c $key"));
    ok $in->settle(15), "B98: $what of a friend is a string: the stream goes on";
    is $in->timeline(1)->[0]{text}, "a $key", 'B98: a neighbour is decided';
    is $in->timeline(3)->[0]{text}, "c $key", 'B98: the other one too';
    my @q = @{ $in->quarantine };
    is @q - $before, 1, 'B98: the event itself is set aside';
    is $q[-1][1]{why}, 'key_of_wrong_type', 'B98: and says why';
    $redis->cmd('RENAME', 'kept', $in->key($key));
}

my $new = 50;
for my $key ('sched', 'out', 'quarantine', 'meta', 'cursor') {
    my $lost = $redis->cmd('EXISTS', $in->key($key));
    $redis->cmd('RENAME', $in->key($key), "kept:$key") if $lost;
    $redis->cmd('SET', $in->key($key), 'somebody was here');
    my $log = length $in->worker->output;
    $in->webhook({ %{ say_hello($new++, "d $key") },
        $key eq 'quarantine' ? (timestamp => -1) : () });
    ok wait_for(sub { substr($in->worker->output, $log) =~ /move\s+the\s+key|no hash/ },
        'a line in the log', 15),
        "B98: `$key` is a string: the log says so";
    ok $in->worker->alive, 'B98: ingest lives';
    # in one go: what ingest writes in between would be lost
    $redis->cmd($lost ? ('RENAME', "kept:$key", $in->key($key)) : ('DEL', $in->key($key)));
    ok $in->settle(20), 'B98: and goes on by itself when it is put right';
}

# --- the script by itself ---------------------------------------------------

my $text = read_file(top_dir() . '/worker/ingest/commit.lua');
my @keys = ('{x}lease', '{x}cursor', '{x}hash', '{x}set', '{x}list', '{x}stream', '{x}zset');
sub commit { return $redis->cmd('EVAL', $text, scalar @keys, @keys, @_) }

$redis->cmd('SET', '{x}lease', 'me.1');
my @ops = (
    h => 3, 3, 'field', 'value',
    l => 3, 5, 3, 'row',
    x => 3, 6, 'k', 'v',
    i => 2, 4, 7,
    z => 3, 7, 5, 'm',
    h => 3, 2, 'n', 1
);
is commit('me.1', 0, @ops), 'OK', 'a commit';
is_deeply commit('me.1', 0, @ops), ['cursor'], 'run twice = run once';
is $redis->cmd('XLEN', '{x}stream'), 1, 'one row';
is $redis->cmd('LLEN', '{x}list'), 1, 'one line';
is_deeply commit('you.1', 1, @ops), ['lease'], 'not under a foreign lease';
$redis->cmd('SET', '{x}list', 1, 'XX') if $redis->cmd('DEL', '{x}list');
$redis->cmd('SET', '{x}list', 1);
is_deeply commit('me.1', 1, h => 3, 3, 'field', 'other', l => 3, 5, 3, 'row'), ['type {x}list'],
    'types are checked first';
is $redis->cmd('HGET', '{x}hash', 'field'), 'value', 'and nothing was written';

my $n = 1;

sub next_commit {
    my $answer = commit('me.1', $n, @_, h => 3, 2, 'n', $n + 1);
    $n++;
    return is $answer, 'OK', "commit $n";
}

for my $from (map { $_ * 1000 } 0 .. 16) {
    next_commit((map { ('i', 2, 4, $from + $_) } 1 .. ($from < 16_000 ? 1000 : 384)));
}
is $redis->cmd('OBJECT', 'ENCODING', '{x}set'), 'intset', '16,384 members: an intset';
is $redis->cmd('SCARD', '{x}set'), 16_384, 'all of them';
next_commit(i => 2, 4, 900_000);
is $redis->cmd('TYPE', '{x}set'), 'string', 'one more: a bitmap';
is $redis->cmd('BITCOUNT', '{x}set'), 16_385, 'of all of them';
next_commit(i => 2, 4, 900_000, j => 2, 4, 7, i => 2, 4, 17_000);
is $redis->cmd('BITCOUNT', '{x}set'), 16_385, 'one out, one in';
is $redis->cmd('GETBIT', '{x}set', 7), 0, 'the one that left';

done_testing;
