# D5: A worker that was frozen past its lease and wakes up sends nothing twice:
# what others took over meanwhile is theirs.
#
# Two workers, each with a journal of its own, send for one account. Whoever
# holds the lease is stopped at any moment of its work until the other has taken
# over and sent; then it wakes up. In the short form the lease is removed as if
# its time were up, in the full form it runs out, once after five minutes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Dispatch ();

my $FREEZES = pick(short => 6, full => 12);
my $BATCH   = pick(short => 60, full => 400);
my $PUSH    = '/v2/bot/message/push';
my $LEASE   = 'tomo:{demo}:lease:dispatch';

srand 5;
my $d = Tomo::Test::Dispatch->new(friends => 3, sim_args => ['--no-rate-limits']);
my @workers = map { $d->start(name => "worker$_") } 1, 2;
my (%key, $n);

sub add {
    for (1 .. $BATCH) {
        my $key = Tomo::Test::Dispatch::uuid('D5 ' . ++$n);
        $key{ $d->row(via => 'push', friend => $n, to => $d->user(1 + $n % 3), due => now_ms(),
            key => $key, body => Tomo::Test::Dispatch::messages("row $n")) } = $key;
    }
    return;
}

# 0 or 1: who holds the lease; undef: nobody
sub holder {
    my $nonce = $d->redis->cmd('GET', $LEASE) // return;
    for my $i (0, 1) {
        my ($own) = read_file($workers[$i]->folder . '/dispatch.lock') =~ /^(\S+)/;
        return $i if $nonce eq ($own // '');
    }
    return;
}

sub calls { return $d->sim->call('GET', '/sim/state')->{rates}{paths}{$PUSH}{calls} // 0 }

my ($taken, $longest) = (0, 0);
my %noticed = map { ($_ => 0) } @workers;
for my $freeze (1 .. $FREEZES) {
    my $of = wait_for(sub { my $h = holder(); defined $h && [$h] }, 'a holder', 30) or last;
    my $frozen = $workers[ $of->[0] ];
    my $before = calls();
    add();
    wait_for(sub { calls() > $before + rand 20 }, 'sending', 20);
    Time::HiRes::usleep(int rand 3000);
    $frozen->pause;
    my $since = Time::HiRes::time();
    $d->redis->cmd('DEL', $LEASE) if !full();
    my $other = wait_for(sub { my $h = holder(); defined $h && $h != $of->[0] }, 'takeover', 40);
    $taken++ if $other;
    add();
    my $end = full() && $freeze == $FREEZES ? $since + 320 : $since;
    my %done;
    wait_for(sub {
        $done{ $_->{row} // '' } = 1 for @{ $d->verdicts };
        return Time::HiRes::time() > $end && $BATCH / 2 < grep { $done{$_} } keys %key;
    }, 'the other sends', 400);
    my $stood = Time::HiRes::time() - $since;
    $longest = $stood if $stood > $longest;
    $frozen->resume;
    wait_for(sub { $noticed{$frozen} < (() = $frozen->output =~ /by another process now/g) },
        'the awakened notices', 20);
    $noticed{$frozen} = () = $frozen->output =~ /by another process now/g;
}
is figure('takeovers' => $taken), figure('freezes' => $FREEZES), 'D5: each time another took over';
figure('longest freeze' => sprintf '%.1f s', $longest);

my %told;
ok wait_for(sub { %told = map { ($_->{row} // '' => 1) } @{ $d->verdicts };
    return !grep { !$told{$_} } keys %key }, 'all settled', 60), 'D5: every row is settled';
my $keys = $d->accepted_keys;
my $fenced = 0;
for my $worker (@workers) {
    $fenced += $_ for $worker->output =~ /(\d+) attempts were held back/g;
}
figure('rows' => scalar keys %key);
figure('fenced attempts' => $fenced);
is figure('doubles' => scalar grep { $_ > 1 } values %$keys), 0, 'D5: nothing went out twice';
is figure('lost' => scalar grep { !$keys->{$_} } values %key), 0, 'D5: nothing was lost';
my $again = $d->sim->call('GET', '/sim/state');
is $again->{retry_key_content_mismatch}, 0, 'D5: who asked again asked the same';

done_testing;
