# The schedule: members of friends that are gone, a timer that ends the
# process, what fell due while nobody was there.  RELIABILITY.md B103, D6.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;
my $sched = $in->key('sched');

$in->greeted($_) for 1 .. 3;
is scalar keys %{ $in->due }, 3, 'three friends wait for day 1';

# --- B103 -------------------------------------------------------------------

my $past = now_ms() - 1000;
$redis->cmd('ZADD', $sched, $past, '999:s:1', $past, '1:s:77', $past, '2:x:1', $past, 'garbage',
    '-inf', '3:p:0');
ok wait_for(sub { keys %{ $in->due } == 3 }, 'cleaned', 5),
    'B103: members of nobody and nothing go away';
is_deeply [sort keys %{ $in->due }], ['1:s:1', '2:s:1', '3:s:1'], 'B103: the good ones stay';
ok $in->worker->alive, 'B103: ingest lives';
is scalar(grep { $_->{kind} eq 'step' } @{ $in->timeline(1) }), 0, 'B103: nothing on a timeline';

# --- what fell due during an outage -----------------------------------------

$redis->cmd('DEL', $in->key('out'));
$in->worker->stop;
my $due = $in->due;
$in->advance(5 * 86_400);
$in->worker->launch;
ok wait_for(sub { !keys %{ $in->due } }, 'all decided', 10),
    'five days later everything due is decided';
my @rows = @{ $in->out };
is scalar @rows, 6, 'two steps for each of three friends';
my %order;
push @{ $order{ $_->[1]{friend} } }, $_->[1]{step} for @rows;
is_deeply \%order, { map { $_ => ['day1', 'day3'] } 1 .. 3 }, 'in their order';
is scalar(grep { $_->[1]{due} == $due->{'1:s:1'} } @rows), 3, 'each with its own due moment';
my %keys = map { $_->[1]{key} => 1 } @rows;
is scalar keys %keys, 6, 'and a retry key of its own';

# --- D6: a timer that ends the process --------------------------------------

$redis->cmd('DEL', $in->key('out'));
$in->advance(-$in->{offset} / 1000);
$in->greeted($_) for 11 .. 12;
$due = $in->due;
my ($first) = sort keys %$due;
my $at = $due->{$first};
$in->worker->stop;
$in->worker->{env} = { TOMO_SANDBOX_POISON => "timer:$first:$at" };
$in->advance(2 * 86_400);
for my $start (1 .. 8) {
    eval { $in->worker->launch };
    wait_for(sub { !$in->worker->alive || @{ $in->quarantine } }, 'an end', 10);
    last if @{ $in->quarantine };
    $in->worker->stop;
}
is scalar @{ $in->quarantine }, 1, 'D6: a poison timer is set aside';
is $in->quarantine->[0][1]{kind}, 'timer', 'D6: named as what it was';
ok wait_for(sub { !exists $in->due->{$first} }, 'gone', 5), 'D6: it is off the schedule';
ok wait_for(sub { grep { $_->[1]{step} eq 'day1' } @{ $in->out } }, 'the other', 5),
    'D6: the other friend has the step';

done_testing;
