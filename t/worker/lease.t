#!/usr/bin/env perl
# One owner: two dispatchers on one Redis, as on two machines (D5, decision 3).

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();

my $LEASE = 'tomo:{demo}:lease:dispatch';

my $d = Tomo::Test::Dispatch->new(friends => 2);
my $one = $d->start(name => 'one');
my $lease = wait_for(sub { $d->redis->cmd('GET', $LEASE) }, 'a lease');
like $lease, qr/^[0-9a-f]{16}\.1$/, 'the lease holds id and generation';
my $left = $d->redis->cmd('PTTL', $LEASE);
ok $left > 9000 && $left <= 15000, 'for 15 s';

my $two = $d->start(name => 'two');
is $d->verdict($d->push(1, 'a'))->{send}, 'accepted', 'two dispatchers: it is sent';
is $d->redis->cmd('GET', $LEASE), $lease, 'the second one does not take the lease';

# --- handed over when the first one stops -----------------------------------
ok $one->stop, 'the first one stops';
my $other = wait_for(sub {
    my $now = $d->redis->cmd('GET', $LEASE);
    return defined $now && $now ne $lease && $now;
}, 'taken over', 3);
ok $other, 'the lease is given up, the second one has it within 3 s';
is $d->verdict($d->push(1, 'b'))->{send}, 'accepted', 'and sends';

# --- the same process started again takes over at once ----------------------
my $generation = sub { return +($d->redis->cmd('GET', $LEASE) // '') =~ /\.(\d+)$/ ? $1 : 0 };
is $generation->(), 1, 'its first life';
$two->kill_now;
my $from = now_ms();
$two->launch;
ok wait_for(sub { $generation->() == 2 }, 'generation 2', 3),
    'killed and started: the next generation';
cmp_ok now_ms() - $from, '<', 5000 * Tomo::Test::slow(),
    'at once, not after the 15 s: its former self is surely dead';

# --- D5: frozen past its lease ----------------------------------------------
$two->pause;
my $frozen = $d->push(1, 'while frozen');
$d->redis->cmd('DEL', $LEASE);    # as the time limit does
$one->launch;
is $d->verdict($frozen)->{send}, 'accepted', 'D5: another takes over and sends';
$d->push(2, "x$_") for 1 .. 20;
my $last = $d->push(2, 'x21');
$two->resume;
$d->verdict($last);
ok wait_for(sub { $two->output =~ /is sent for by another process now/ }, 'notice', 5),
    'D5: the frozen one notices';
is_deeply $d->texts(1), ['a', 'b', 'while frozen'], 'D5: nothing twice';
is_deeply $d->texts(2), [map {"x$_"} 1 .. 21], 'D5: nothing twice, in order';

# --- killed while it writes down who it is -----------------------------------
my ($id) = read_file($two->folder . '/dispatch.lock') =~ /^(\w+)\./;
my $lost = 0;
$two->stop;
for my $call (1 .. 8) {
    my $life = Tomo::Test::Process->start(name => 'life', command => [
        build_path('tools/killat', 'TOMO_KILLAT'), $call, temp_dir() . '/count',
        Tomo::Test::Worker::binary(), '--config', $two->ini_path, '--role=dispatch',
    ], env => { ASAN_OPTIONS => 'detect_leaks=0' });
    wait_for(sub { !$life->alive }, 'killed', 10);
    $lost++ if read_file($two->folder . '/dispatch.lock') !~ /^\Q$id\E\.\d+ /;
}
is $lost, 0, 'wherever a life is killed, the next one knows the ID';
$two->launch;

# --- a second process on the same run_dir -----------------------------------
my ($code, $text) = $one->check('--role=dispatch');
isnt $code, 0, 'a second process with the same run_dir does not run';
like $text, qr/is held by another process/, 'and is told why';

done_testing;
