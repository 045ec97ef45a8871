# D2: A network that lies between us and LINE makes no message go out twice and
# loses none: every row is settled, and LINE accepted each key once.
#
# Rows come at a steady rate while the simulator accepts and then resets 10 % of
# the calls, answers 10 % with 500 and 10 % with 429 and lets 5 % hang (full
# form; a hang takes the 10 s of the time limit). What was accepted is read from
# the simulator's own record. A friend's next row waits for the one before: there
# are so many friends that the rows of those whose calls hang are few.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Dispatch ();

my $PUSH    = '/v2/bot/message/push';
my $RATE    = pick(short => 100, full => 200);
my $SECONDS = pick(short => 3, full => 300);
my $FRIENDS = pick(short => 300, full => 20_000);

my $d = Tomo::Test::Dispatch->new(friends => 3, sim_args => ['--no-rate-limits']);
my $worker = $d->start;
$d->sim->faults(
    { path => $PUSH, share => 0.10, kind => 'reset_after_accept', seed => 1 },
    { path => $PUSH, share => 0.10, kind => '500', seed => 2 },
    { path => $PUSH, share => 0.10, kind => '429', seed => 3 },
    full() ? { path => $PUSH, share => 0.05, kind => 'hang', seed => 4 } : (),
);

my (%due, $n);
my $from = Time::HiRes::time();
my $end  = $from + $SECONDS;
while ((my $now = Time::HiRes::time()) < $end) {
    my $want = int(($now - $from) * $RATE);
    while (($n // 0) < $want) {
        $n++;
        my $key = Tomo::Test::Dispatch::uuid("D2 $n");
        my $id = $d->row(via => 'push', friend => 1 + $n % $FRIENDS, to => $d->user(1 + $n % 3),
            key => $key, due => now_ms(), body => Tomo::Test::Dispatch::messages("row $n"));
        $due{$id} = $key;
    }
    Time::HiRes::usleep(5000);
}
figure('rows due' => scalar keys %due);
figure('rows a second' => sprintf '%.0f', keys(%due) / (Time::HiRes::time() - $from));

# The last rows are those that LINE refused ten times in a row: they wait minutes
# for their next attempt. A process that starts anew asks at once; what is told
# by then is deleted, as ingest does.
sub told {
    my $n = 0;
    $n += $d->redis->cmd('XLEN', "tomo:{demo}:$_") for qw(in bulk);
    return $n;
}

my $began = Time::HiRes::time();
my ($starts, $next) = (0, $began + 30);     # a call that hangs takes 10 s
wait_for(sub {
    return 1 if told() >= keys %due;
    return 0 if Time::HiRes::time() < $next;
    $worker->stop;
    $d->redis->pipeline(map { ['XDEL', 'tomo:{demo}:out', $_->{row}] }
        grep { $_->{row} } @{ $d->verdicts });
    $worker->launch;
    $starts++;
    $next = Time::HiRes::time() + 20;
    return 0;
}, 'every row has its verdict', 600);
ok $d->settled(scalar keys %due, 60), 'D2: all rows are settled';
figure('settled after the last was due' => sprintf '%.0f s, dispatch started anew %d times',
    Time::HiRes::time() - $began, $starts);

my (%settled, %send, $attempts);
for my $v (@{ $d->verdicts }) {
    next if !$v->{row};
    $settled{ $v->{row} }++;
    $send{ $v->{send} }++;
    $attempts += $v->{attempts};
}
my $keys = $d->accepted_keys;
my @once = grep { ($keys->{ $due{$_} } // 0) == 1 } keys %due;
figure('calls for a row, mean' => sprintf '%.2f', $attempts / keys %settled);
figure('verdicts' => join ', ', map {"$send{$_} $_"} sort keys %send);
is figure('due - settled' => keys(%due) - grep { $settled{$_} } keys %due), 0,
    'D2: due - settled = 0';
is figure('rows with two verdicts' => scalar grep { $_ > 1 } values %settled), 0,
    'D2: one verdict for each row';
is figure('accepted twice' => scalar grep { $_ > 1 } values %$keys), 0,
    'D2: nothing went out twice';
is figure('accepted once' => scalar @once), scalar keys %due, 'D2: everything went out';
is $d->sim->call('GET', '/sim/state')->{retry_key_content_mismatch}, 0,
    'D2: a repeat has the same content';

done_testing;
