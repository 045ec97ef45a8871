#!/usr/bin/env perl
# D5: A lease that lapsed and came back between a row's taking and its going: what
# was taken under the older one is asked for again. Another process sent it
# meanwhile: nobody gets it twice, not even a reply, which has no retry key.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Hold ();

my $PUSH  = '/v2/bot/message/push';
my $REPLY = '/v2/bot/message/reply';
my $LEASE = 'tomo:{demo}:lease:dispatch';

my $d      = Tomo::Test::Dispatch->new(friends => 3);
my $hold   = Tomo::Test::Hold->new;
my $frozen = $d->start(name => 'frozen', env => $hold->env);
my $other;

sub owns {
    my ($worker) = @_;
    my ($own) = read_file($worker->folder . '/dispatch.lock') =~ /^(\S+)/;
    return ($d->redis->cmd('GET', $LEASE) // '') eq ($own // 'none');
}

# Replies to friends 1 and 2 are taken and wait for the disk; the process stands
# still meanwhile and its lease goes to another one, which sends them and ends.
# Their ids, and whether the lease was back before the disk was.
sub lapse {
    # what a former round left is over; while a request is under way the loop goes on
    # beside the disk
    $d->verdict($d->push(3, 'before'), 30);
    $d->sim->faults({ path => $PUSH, kind => 'hang', share => 1, times => 1 });
    my $calls = @{ $d->sim->requests(0, $PUSH) };
    $d->push(3, 'hangs');
    wait_for(sub { @{ $d->sim->requests(0, $PUSH) } > $calls }, 'a request under way');
    my @tokens = map { $d->reply_token($_) } 1, 2;
    $hold->on;
    my @replies = $d->rows(map { {
        via => 'reply', friend => $_, to => $d->user($_), token => $tokens[ $_ - 1 ],
        token_at => now_ms(), body => Tomo::Test::Dispatch::messages("to $tokens[ $_ - 1 ]")
    } } 1, 2);
    wait_for(sub { $hold->waits }, 'a sync that waits');
    my $since = now_ms();
    $frozen->pause;
    $d->redis->cmd('DEL', $LEASE);
    if ($other) {
        $other->launch;
    } else {
        $other = $d->start(name => 'other');
    }
    $d->verdict($replies[0]);
    wait_for(sub { @{ $d->verdicts_of($replies[1]) } }, 'the second reply');
    $other->stop;
    $frozen->resume;
    my $back = wait_for(sub { owns($frozen) }, 'the lease is back', 8);
    # too late for this round: then at least its time has to be up
    wait_for(sub { $back || now_ms() - $since > 16_000 }, 'the end of the lease', 20);
    $hold->off;
    return [@replies, $back];
}

# A hanging request ends after 10 s, and with it what is looked for here.
my ($end, $back, @replies) = (now_ms() + 60_000);
while (!$back && now_ms() < $end) {
    my $round = lapse();
    $back = pop @$round;
    push @replies, $round;
}
ok $back, 'the lease lapsed and came back while rows waited for the disk';

for my $round (@replies) {
    wait_for(sub { @{ $d->verdicts_of($round->[1]) } > 1 }, 'a second verdict', 20);
    my @sends = map { $_->{send} } @{ $d->verdicts_of($round->[1]) };
    is_deeply \@sends, ['accepted', 'probably'],
        'D5: what still stands is tried again, and LINE\'s no is no reason to push it';
    is_deeply [map { $_->{send} } @{ $d->verdicts_of($round->[0]) }], ['accepted'],
        'D5: what was settled meanwhile does not go';
}
my %calls;
$calls{ $_->{body}{replyToken} // '' }++ for @{ $d->sim->requests(0, $REPLY) };
is scalar(grep { $_ == 1 } values %calls), scalar @replies, 'D5: one request for it';
for my $friend (1, 2) {
    my %seen;
    $seen{$_}++ for @{ $d->texts($friend) };
    is_deeply [values %seen], [(1) x @replies], "friend $friend got each once";
}
ok wait_for(sub { $frozen->output =~ /attempts were held back/ }, 'a line', 10),
    'D5: and the log tells of it';

# --- whoever sent before is dead ---------------------------------------------
# LINE took the reply and the answer did not come any more: who goes on for that
# process does not have its journal.
$frozen->stop;
$other->launch;
$d->sim->faults({ path => $REPLY, kind => 'slow', share => 1, times => 1 });
my $heir = $d->start(name => 'heir');
$d->verdict($d->push(3, 'sends'), 20);
my $taken = @{ $d->sim->requests(0, $REPLY) };
my $reply = $d->reply(2, $d->reply_token(2), 'the last words');
ok wait_for(sub { @{ $d->sim->requests(0, $REPLY) } > $taken }, 'the reply'), 'LINE has it';
$other->kill_now;
$d->redis->cmd('DEL', $LEASE);
is $d->verdict($reply, 20)->{send}, 'probably', 'D5: its heir is refused, and pushes nothing';
is scalar(grep { $_ eq 'the last words' } @{ $d->texts(2) }), 1, 'D5: seen once';
is $d->verdict($d->reply(1, 'no token of anybody', 'later'))->{send}, 'unusable',
    'D5: what came later is its own: refused is not sent';

done_testing;
