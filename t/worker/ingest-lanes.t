# Two lanes: however much stands in `bulk`, `in` is decided at once.  DESIGN.md,
# decision 1.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Ingest;

my $ENTRIES = 20_000;
my $REPLIES = 40;

my $in = Tomo::Test::Ingest->start(undecided => 1);
$in->greeted($_) for 1 .. 3;
$in->worker->stop;

# verdicts on multicasts as they go on: ten friends and ten rows an entry
my $people = Tomo::Test::Ingest::rec(do => 'many', send => 'accepted', at => 1, id => 'v',
    def => 'scenario/welcome', step => 'x', gen => 1, due => 1, delivery => 1, links => 0,
    body => '[{"type":"text","text":"' . 'x' x 200 . '"}]',
    to      => join(',', map { $in->user($_) } 1 .. 10),
    serials => join(',', 1001 .. 1010), event => join(',', map {"e$_"} 1 .. 10));
$in->redis->cmd('EVAL', <<'LUA', 1, $in->key('bulk'), $ENTRIES, $people, $in->now);
for i = 1, ARGV[1] do
    redis.call('XADD', KEYS[1], '*', 'v', '1', 'k', 'follow_up', 't', ARGV[3],
        'o', '00000000000000aa-' .. i, 'b', ARGV[2])
end
LUA
$in->worker->launch;
ok wait_for(sub { ($in->cursor->{bulk} // '0-0') ne '0-0' }, 'bulk has begun', 10),
    "$ENTRIES entries in bulk";

my $client = $in->redis->client;
my @ms;
for my $n (1 .. $REPLIES) {
    my $from = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
    $in->redis->cmd('DEL', $in->key('out'));
    $in->webhook($in->event('follow', 10 + $n, replyToken => "r$n"));
    my $answer = $client->cmd('XREAD', 'BLOCK', 5000, 'STREAMS', $in->key('out'), '0-0');
    push @ms, 1000 * (Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - $from);
    last if !$answer;
}
my $length = $in->redis->cmd('XLEN', $in->key('bulk'));
cmp_ok $length, '>', 1, "bulk was still under way ($length entries)";
is scalar @ms, $REPLIES, 'every event of the first lane was decided meanwhile';
@ms = sort { $a <=> $b } @ms;
diag sprintf 'row in the outbox after: p50 %.1f ms, worst %.1f ms', $ms[$REPLIES / 2], $ms[-1];
cmp_ok $ms[-1], '<=', 500 * Tomo::Test::slow(), 'none waited for more than 500 ms';

my $from = Time::HiRes::time();
my $before = $in->redis->cmd('XLEN', $in->key('bulk'));
ok wait_for(sub { $in->redis->cmd('XLEN', $in->key('bulk')) <= 1 }, 'bulk is done', 120),
    'and bulk is decided to its end';
diag sprintf '%.0f entries/s in bulk', $before / (Time::HiRes::time() - $from + 0.001);
is scalar @{ $in->quarantine }, 0, 'nothing was set aside';

done_testing;
