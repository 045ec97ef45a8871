#!/usr/bin/env perl
# The watchdog sees a sync that never ends: the loop turns on beside it, but
# nothing is sent, and so no progress is reported.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Fcntl qw(F_SETFD F_SETFL O_NONBLOCK);
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Hold ();

my $PUSH = '/v2/bot/message/push';

# what the supervisor would read: R once it is ready, A while it gets on
pipe my $reports, my $to_report or die "pipe: $!\n";
fcntl $to_report, F_SETFD, 0;
fcntl $reports, F_SETFL, O_NONBLOCK;

sub reported {
    my $n = sysread $reports, my $words, 4096;
    return $n || 0;
}

my $d      = Tomo::Test::Dispatch->new(friends => 2);
my $hold   = Tomo::Test::Hold->new;
my $worker = $d->start(env => { %{ $hold->env }, TOMO_REPORT_FD => fileno $to_report });
$d->verdict($d->push(1, 'a token to begin with'));
ok wait_for(sub { reported() }, 'a report'), 'progress is reported';

# While a request is under way the loop goes on beside the disk; it ends after 10 s,
# and with it what is looked for here.
my ($told, @rows);
my $end = now_ms() + 60_000;
until ($told || now_ms() > $end) {
    $hold->off;
    $d->sim->faults({ path => $PUSH, kind => 'hang', share => 1, times => 1 });
    my $calls = @{ $d->sim->requests(0, $PUSH) };
    push @rows, $d->push(1, 'hangs');
    ok wait_for(sub { @{ $d->sim->requests(0, $PUSH) } > $calls }, 'request', 20),
        'one is under way';
    $hold->on;
    push @rows, $d->push(2, 'held by the disk');
    ok wait_for(sub { $hold->waits }, 'a sync'), 'the next one waits for the disk';
    reported();
    ok wait_for(sub { reported() }, 'reports go on'), 'a slow disk alone is no reason';
    $told = wait_for(
        sub { $worker->output =~ /journal's disk does not answer for 5 s/ }, 'a line', 9);
}
ok $told, 'one that does not answer is told';

reported();
my ($from, $n) = (now_ms(), 0);
wait_for(sub { $n += reported(); return now_ms() - $from > 1500 }, 'a while', 10);
is $n, 0, 'and no progress is reported any more';

$hold->off;
ok wait_for(sub { reported() }, 'a report', 15), 'it is again when the disk answers';
is $d->verdict($_, 20)->{send}, 'accepted', 'and all goes out' for @rows;

done_testing;
