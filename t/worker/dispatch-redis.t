#!/usr/bin/env perl
# Redis goes away, hangs, dies and loses everything under dispatch (D4, X3).

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();

my $PUSH = '/v2/bot/message/push';

my $d = Tomo::Test::Dispatch->new(friends => 3);
my $worker = $d->start;
my $calls = sub { scalar @{ $d->sim->requests(0, $PUSH) } };

# --- gone while an answer is awaited ----------------------------------------
$d->sim->faults({ path => $PUSH, share => 1, times => 1, kind => 'slow' });
my $id = $d->push(1, 'answered meanwhile');
ok wait_for(sub { $calls->() == 1 }, 'the request'), 'LINE has the request';
$d->redis->kill_now;
ok wait_for(sub { $worker->output =~ /connection is down/ }, 'notice'), 'the loss is logged';
$d->redis->restart;
is $d->verdict($id, 15)->{send}, 'accepted', 'Redis killed: the verdict comes afterwards';
is $calls->(), 1, 'Redis killed: one request';
is scalar(() = $worker->output =~ /dispatch connection is down/g), 1, 'one line for the outage';
ok wait_for(sub { $worker->output =~ /dispatch connection is back/ }, 'notice'),
    'and one for its end';

# --- hangs ------------------------------------------------------------------
$d->redis->pause;
Time::HiRes::usleep(100_000);
$d->redis->resume;
is $d->verdict($d->push(1, 'after a hang'))->{send}, 'accepted', 'Redis hung: sending goes on';

# --- refuses writes ---------------------------------------------------------
$d->redis->cmd('CONFIG', 'SET', 'min-replicas-to-write', 1);
$d->sim->faults;
my $before = $calls->();
my $row = eval { $d->push(1, 'x') };
is $row, undef, 'NOREPLICAS: Redis takes no rows';
$d->redis->cmd('CONFIG', 'SET', 'min-replicas-to-write', 0);
is $d->verdict($d->push(1, 'taken again'), 15)->{send}, 'accepted', 'B102: writes are back';

# --- scripts flushed --------------------------------------------------------
$d->redis->cmd('SCRIPT', 'FLUSH');
is $d->verdict($d->push(1, 'without scripts'), 15)->{send}, 'accepted', 'B102: NOSCRIPT is healed';

# --- wrong types (B98) ------------------------------------------------------
$d->redis->cmd('SET', 'tomo:{demo}:f:2', 'a string');
my $wrong = $d->push(2, 'wrong type');
is $d->verdict($d->push(3, 'a neighbour'))->{send}, 'accepted', 'B98: others go on';
is_deeply $d->verdicts_of($wrong), [], 'B98: the row waits';
$d->redis->cmd('DEL', 'tomo:{demo}:f:2');
is $d->verdict($wrong)->{send}, 'accepted', 'B98: until the key is right';
like $worker->output, qr/rows cannot be taken: Redis answered WRONGTYPE/, 'B98: and it is logged';

# --- everything is lost -----------------------------------------------------
my %old = map { $_->{key} => $_->{row} } @{ $d->verdicts };
my $total = @{ $d->verdicts };
$before = $calls->();
$d->redis->restart_empty;
ok wait_for(sub { @{ $d->verdicts } == $total }, 'shipped again', 15),
    'D4: all verdicts of the journal are shipped again';
is scalar(grep { $old{ $_->{key} } ne $_->{row} } @{ $d->verdicts }), 0, 'D4: the same ones';
my $mark = $d->redis->hash('tomo:{demo}:ship');
is scalar(keys %$mark), 1, 'D4: with their mark';

# Rows decided again come with the same keys.
my @again = map { $d->push(1, 'decided again', key => $_) } sort grep {$_} keys %old;
is $d->verdict($_)->{send}, 'accepted', 'D4: a row decided again is settled' for @again;
is $calls->(), $before, 'D4: and LINE was not asked once';
is_deeply [grep { $_ eq 'decided again' } @{ $d->texts(1) }], [], 'D4: nobody got anything twice';

# --- the settings change under us (X1) --------------------------------------
ok $worker->stop, 'stops';
is $worker->exit_status, 0, 'with code 0';

# --- a dead writer's records are shipped by the next one --------------------
$worker->launch;
$d->sim->faults({ path => $PUSH, share => 1, times => 1, kind => 'slow' });
$before = $calls->();
$id = $d->push(3, 'verdict on disk only');
ok wait_for(sub { $calls->() > $before }, 'the request'), 'LINE has the request';
$d->redis->pause;    # the answer comes while Redis takes nothing
ok wait_for(sub { $worker->output =~ /connection is down: (?!.*is back)/s }, 'outage', 20),
    'Redis does not answer';
$worker->kill_now;
$d->redis->resume;
$worker->launch;
my $v = $d->verdict($id);
is $v->{send}, 'accepted', 'killed with a verdict on disk: the next process ships it';
is scalar @{ $d->verdicts_of($id) }, 1, 'once';
is scalar(grep { $_ eq 'verdict on disk only' } @{ $d->texts(3) }), 1, 'and nothing twice';

done_testing;
