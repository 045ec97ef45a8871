#!/usr/bin/env perl
# D11: dispatch is told to end while attempts are under way that never left: the
# next life knows that. A reply that LINE then refuses surely was not sent, and
# becomes a push; "probably sent" would lose it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Hold ();

my $PUSH = '/v2/bot/message/push';

my $d      = Tomo::Test::Dispatch->new(friends => 3);
my $hold   = Tomo::Test::Hold->new;
my $worker = $d->start(env => $hold->env);

# The signal, and what happens when so many seconds have gone by; then its end.
sub end_and {
    my ($seconds, $do) = @_;
    my $from = now_ms();
    $worker->signal('TERM');
    wait_for(sub { now_ms() - $from > 1000 * $seconds }, 'time', 60);
    $do->();
    ok $worker->stop, 'ends when told to';
    is $worker->exit_status, 0, 'with code 0';
    $worker->launch;
    return;
}

# --- its attempt was on the way to the disk ---------------------------------
$d->verdict($d->push(1, 'a token to begin with'));
$d->sim->faults({ path => $PUSH, kind => 'hang', share => 1, times => 1 });
my $calls = @{ $d->sim->requests(0, $PUSH) };
my $hung = $d->push(3, 'hangs');
ok wait_for(sub { @{ $d->sim->requests(0, $PUSH) } > $calls }, 'request'), 'one is under way';
$hold->on;
my $id = $d->reply(1, 'no token of anybody', 'held by the disk');
ok wait_for(sub { $hold->waits }, 'a sync'), 'the next one waits for the disk';
end_and(2.5, sub { $hold->off });
is $d->verdict($id, 20)->{send}, 'unusable', 'D11: it never left, and becomes a push';
is $d->verdict($hung, 20)->{send}, 'accepted', 'D11: what left is tried again, by its key';
is scalar(grep { $_ eq 'hangs' } @{ $d->texts(3) }), 1, 'and seen once';

# --- its connection never stood ---------------------------------------------
$worker->stop;
$d->sim->pause;
$id = $d->reply(2, 'nobody\'s either', 'not connected');
$worker->launch;
ok wait_for(sub {
    return grep { read_file($_) =~ /row=\Q$id\E/ }
        glob $worker->folder . '/journal/dispatch/*/*.seg';
}, 'the attempt on the disk'), 'an attempt begins while LINE cannot be reached';
$worker->signal('TERM');
ok wait_for(sub { !$worker->alive }, 'the end', 8), 'D11: ends within 8 s';
$d->sim->resume;
$worker->launch;
is $d->verdict($id, 20)->{send}, 'unusable', 'D11: it never left either';

done_testing;
