#!/usr/bin/env perl
# D1, D11: dispatch is killed again and again, with kill -9 and with TERM, and
# Redis too, while LINE lies; every message still goes out once and every row
# gets one verdict.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Dispatch ();

my $KILLS   = $ENV{TOMO_KILLS} // 36;
my $FRIENDS = 6;
my $PUSH    = '/v2/bot/message/push';
my $REPLY   = '/v2/bot/message/reply';

srand 20;
my $d = Tomo::Test::Dispatch->new(friends => $FRIENDS);
my %rows;    # stream id => { friend, text, via }
my $texts = 0;

sub add_rows {
    for my $friend (1 .. $FRIENDS) {
        $texts++;
        if (rand() < 0.3) {
            my $text = "reply$texts";
            my $id = $d->reply($friend, $d->reply_token($friend), $text);
            $rows{$id} = { friend => $friend, text => $text, via => 'reply' };
        } else {
            my $text = "push$texts";
            my $id = $d->push($friend, $text);
            $rows{$id} = { friend => $friend, text => $text, via => 'push' };
        }
    }
    return;
}

# Deletes settled rows as ingest does, some of them late.
sub settle_some {
    for my $v (@{ $d->verdicts }) {
        $d->redis->cmd('XDEL', 'tomo:{demo}:out', $v->{row}) if rand() < 0.5;
    }
    return;
}

$d->sim->faults(
    { path => $PUSH,  share => 0.10, kind => 'reset_after_accept', seed => 3 },
    { path => $PUSH,  share => 0.10, kind => '500', seed => 4 },
    { path => $PUSH,  share => 0.05, kind => '429', seed => 5 },
    { path => $REPLY, share => 0.10, kind => 'drop_after_accept', seed => 6 },
);

my $worker = $d->start;
my $slow_stops = 0;
for my $kill (1 .. $KILLS) {
    add_rows();
    # what is awaited: a number of requests, so that kills fall everywhere
    my $at = @{ $d->sim->requests(0) } + int rand 8;
    my $end = Time::HiRes::time() + 0.05 + rand 0.2;
    Time::HiRes::usleep(500)
        while Time::HiRes::time() < $end && @{ $d->sim->requests($at - 1) } < 1;
    if ($kill % 9 == 0) {
        $slow_stops++ if !$worker->stop('TERM', 8);
    } else {
        $worker->kill_now;
    }
    if ($kill % 12 == 6) {
        $d->redis->kill_now;
        $d->redis->restart;
    }
    settle_some() if $kill % 3 == 0;
    $worker->launch;
}
is $slow_stops, 0, 'D11: TERM ends it within 8 s';

$d->sim->faults;
ok wait_for(sub {
    my %done = map { ($_->{row} => 1) } @{ $d->verdicts };
    return !grep { !$done{$_} } keys %rows;
}, 'a verdict for each row', 30), "every row of $KILLS kills has a verdict";

my %verdicts;
$verdicts{ $_->{row} }{n}++ for @{ $d->verdicts };
$verdicts{ $_->{row} }{send} = $_->{send} for @{ $d->verdicts };
is scalar(grep { $verdicts{$_}{n} != 1 } keys %rows), 0, 'one verdict per row';
is scalar(keys %verdicts), scalar(keys %rows), 'no verdict without a row';

my %seen;
for my $friend (1 .. $FRIENDS) {
    my %last;
    my $disorder = 0;
    for my $text (@{ $d->texts($friend) }) {
        $seen{$text}++;
        my ($via, $number) = $text =~ /(\D+)(\d+)/;
        $disorder++ if $number < ($last{$via} // 0);
        $last{$via} = $number;
    }
    is $disorder, 0, "friend $friend: in order (a reply may pass a push that waits)";
}
is scalar(grep { $_ > 1 } values %seen), 0, 'nothing twice';

# A reply has no retry key: killed before it was asked, and its repeat cut off by
# the fault of another on the same connection, it may be "probably" and unseen.
my (@lost, @doubtful, %sends);
for my $id (keys %rows) {
    my $row = $rows{$id};
    my $send = $verdicts{$id}{send} // 'none';
    $sends{"$row->{via} $send"}++;
    next if ($seen{ $row->{text} } // 0) == ($send eq 'unusable' ? 0 : 1);
    push @{ "$row->{via} $send" eq 'reply probably' ? \@doubtful : \@lost },
        "$row->{via} $row->{text} $send";
}
is_deeply \@lost, [], 'nothing lost: what is not seen is reported as certainly not sent';
cmp_ok scalar(@doubtful), '<=', 2, 'replies without a known outcome are the exception';
diag join ', ', map {"$sends{$_} $_"} sort keys %sends;

# --- killed after LINE has accepted, before the answer came -----------------
$d->sim->faults({ path => $PUSH, share => 1, times => 1, kind => 'slow' });
my $before = @{ $d->sim->requests(0, $PUSH) };
my $id = $d->push(1, 'accepted unheard');
ok wait_for(sub { @{ $d->sim->requests(0, $PUSH) } > $before }, 'the request'), 'LINE has it';
$worker->kill_now;
$worker->launch;
is $d->verdict($id)->{status}, 409, 'killed before the answer: 409 to the same key';
is scalar(grep { $_ eq 'accepted unheard' } @{ $d->texts(1) }), 1, 'and seen once';

done_testing;
