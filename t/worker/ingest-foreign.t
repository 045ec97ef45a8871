# Streams in which somebody else has been: odd entries, entries taken away, ids
# of another year, and a Redis that was emptied.  RELIABILITY.md B99, B100,
# B101, B105.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in = Tomo::Test::Ingest->start(unaccounted => 1);
my $redis = $in->redis;
my $n = 0;

sub hello {
    my ($user) = @_;
    return $in->webhook($in->event('message', $user,
        message => { type => 'text', id => ++$n, text => "hello $n" }));
}

sub newest { return ($in->timeline($_[0]) // [])->[0]{text} // '' }

# --- B99 --------------------------------------------------------------------

my @odd = (
    ['without our fields', x => 'y'],
    ['of an unknown version', v => 99, k => 'webhook', t => 1, o => '00000000000000aa-1',
        b => '{}'],
    ['of an unknown kind', v => 1, k => "no\0kind", t => 1, o => '00000000000000aa-1', b => '{}'],
    ['without a time', v => 1, k => 'webhook', t => '', o => '00000000000000aa-1', b => '{}'],
    ['of another role', v => 1, k => 'attempt', t => 1, o => '00000000000000aa-1', b => 'x'],
    ['of 40 fields', map { ("f$_" => $_) } 1 .. 40],
    ['of 30 MB', v => 1, k => 'webhook', t => 1, o => '00000000000000aa-1', b => 'x' x 30_000_000],
);
for my $case (@odd) {
    my ($what, @fields) = @$case;
    my $aside = @{ $in->quarantine };
    hello(1);
    $redis->cmd('XADD', $in->key('in'), '*', @fields);
    hello(2);
    ok $in->settle(30), "B99: an entry $what: the stream goes on";
    is @{ $in->quarantine } - $aside, 1, 'B99: it is set aside';
    is_deeply [newest(1), newest(2)], ['hello ' . ($n - 1), "hello $n"],
        'B99: its neighbours are decided';
}
ok $in->worker->alive, 'B99: ingest lives';

# --- B100: an entry that is gone before it was decided -----------------------

my $passed = $in->cursor->{entries};
my $added  = { @{ $redis->cmd('XINFO', 'STREAM', $in->key('in')) } }->{'entries-added'};
$in->worker->stop;
hello(1);
$redis->cmd('XDEL', $in->key('in'), hello(2));
hello(3);
$in->worker->launch;
ok $in->settle, 'B100: an entry was taken away: those beside it are decided';
my $lost = { @{ $redis->cmd('XINFO', 'STREAM', $in->key('in')) } }->{'entries-added'} - $added
    - ($in->cursor->{entries} - $passed);
is $lost, 1, 'B100: added and passed differ by it, which status and metrics show';

# --- B105: a clock that was in 2033 -----------------------------------------

my $id = $redis->cmd('XADD', $in->key('in'), '2000000000000-0', 'v', 1, 'k', 'webhook', 't',
    $in->now, 'o', '00000000000000bb-1', 'b', '{"destination":"x","events":[]}');
hello(1);
ok $in->settle, 'B105: an id of the year 2033 is passed';
is newest(1), "hello $n", 'B105: what comes behind it is decided';
hello($_) for 1, 2;
$in->worker->restart;
hello(3);
ok $in->settle, 'B105: after a restart too';
is newest(3), "hello $n", 'B105: and the stream goes on';
is $redis->cmd('XLEN', $in->key('in')), 1, 'B105: it is trimmed behind the cursor as ever';

# --- B101: a Redis that was emptied -----------------------------------------

$redis->cmd('FLUSHALL');
hello(7);
ok wait_for(sub { $in->serial(7) && newest(7) eq "hello $n" }, 'decided', 30),
    'B101: a Redis that was emptied: ingest begins at 0 by itself';
is $in->serial(7), 1, 'B101: with the first friend';
ok defined $in->no('scenario', 'welcome'), 'B101: and the definitions of its folder';

done_testing;
