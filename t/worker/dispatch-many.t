#!/usr/bin/env perl
# D8: more pushes wait for quota than fit into memory: a reply and a profile go
# all the same, and in the end every push goes once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();

my $N    = 20_300;    # OUTBOX_PASS and some
my $ROWS = <<'END';
for i = 1, tonumber(ARGV[1]) do
    redis.call('XADD', KEYS[1], '*', 'via', 'push', 'friend', i, 'to', ARGV[2], 'token', '',
        'key', string.format('00000007-0000-4000-a000-%012d', i),
        'body', '[{"type":"text","text":"x"}]')
end
return 1
END

my $d = Tomo::Test::Dispatch->new(friends => 2, rate => 10_000, sim_args => ['--no-rate-limits']);
$d->redis->cmd('HSET', 'tomo:{demo}:meta', pause => now_ms() + 3_600_000);
$d->redis->cmd('EVAL', $ROWS, 1, 'tomo:{demo}:out', $N, $d->user(1));
my $worker = $d->start;
is $d->verdict($d->profile(2), 30)->{send}, 'accepted', "D8: a profile goes while $N pushes wait";
is $d->verdict($d->reply(2, $d->reply_token(2), 'free'), 30)->{send}, 'accepted',
    'D8: and a reply';
is $d->sim->call('GET', '/sim/state')->{accepted}, 1, 'D8: and no push';

$d->redis->cmd('HDEL', 'tomo:{demo}:meta', 'pause');
Tomo::Test::Files::set_clock(2 * 3_600_000);
ok wait_for(sub { $d->redis->cmd('XLEN', 'tomo:{demo}:in') >= $N + 2 }, 'all', 100),
    'D8: all are settled when there is quota';
is $d->sim->call('GET', '/sim/state')->{accepted}, $N + 1, 'D8: each went out once';

done_testing;
