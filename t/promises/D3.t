# D3: Nothing is sent again 23 hours after its first attempt, because LINE
# forgets a key after 24: what may have gone out is parked for a person.
#
# Attempts of unknown outcome are outstanding when everything stands still for
# 25 hours; then Redis is restored from backups 5 and 30 hours old, with the send
# journal and without it. The simulator's table of keys forgets after 24 hours,
# as LINE's does, so whatever is repeated too late would be seen twice.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();

my $PUSH  = '/v2/bot/message/push';
my $HOUR  = 3_600_000;
my $ROWS  = pick(short => 10, full => 1000);
my $clock = 0;

my $d = Tomo::Test::Dispatch->new(friends => 3, sim_args => ['--no-rate-limits']);
my $worker = $d->start;
my ($parked, $doubles) = (0, 0);
my $n = 0;

sub later {
    $clock += $_[0] * $HOUR;
    return Tomo::Test::Files::set_clock($clock);
}

sub add {
    my ($count) = @_;
    return map {
        $n++;
        $d->row(via => 'push', friend => 100 + $n, to => $d->user(1), due => now_ms() + $clock,
            key => Tomo::Test::Dispatch::uuid("D3 $n"),
            body => Tomo::Test::Dispatch::messages("row $n"))
    } 1 .. $count;
}

sub calls { return scalar @{ $d->sim->requests(0, $PUSH) } }

# How the rows ended: { accepted => 3, … }, each row once.
sub ends {
    my ($rows, $seconds) = @_;
    my (%end, %of);
    wait_for(sub {
        %of = map { ($_->{row} // '' => $_) } @{ $d->verdicts };
        return !grep { !$of{$_} } @$rows;
    }, 'verdicts', $seconds // 60);
    $end{ $of{$_}{send} // 'none' }++ for @$rows;
    $parked += $end{parked} // 0;
    return \%end;
}

# A copy of Redis' files as of now, and Redis as of then.
sub backup {
    my ($name) = @_;
    my $folder = $d->redis->{folder};
    $d->redis->stop;
    run_command('cp', '-a', "$folder/appendonlydir", "$folder/$name");
    $d->redis->restart;
    return;
}

sub restore {
    my ($name) = @_;
    my $folder = $d->redis->{folder};
    $worker->stop;
    $d->redis->stop;
    run_command('rm', '-rf', "$folder/appendonlydir");
    run_command('cp', '-a', "$folder/$name", "$folder/appendonlydir");
    $d->redis->restart;
    return;
}

sub lose_journal {
    $worker->stop;
    run_command('rm', '-rf', $worker->folder . '/journal/dispatch');
    return;
}

# --- an outage of 25 hours with unknown outcomes outstanding --------------------
$d->sim->faults(
    { path => $PUSH, kind => '500_after_accept', share => 0.5, seed => 1 },
    { path => $PUSH, kind => '503' },
);
my @unknown = add($ROWS);
ok wait_for(sub { calls() >= $ROWS }, 'first attempts', 60), 'each row was tried';
$worker->stop;
later(25);
$d->sim->faults;
my $calls = calls();
$worker->launch;
is_deeply ends(\@unknown), { parked => $ROWS }, 'D3: after 25 hours all are parked';
is calls(), $calls, 'D3: without a call';
$d->redis->cmd('XDEL', 'tomo:{demo}:out', @unknown);

# --- Redis as it was before the sends: rows stand there as if never tried --------
$worker->stop;
my @sent = add($ROWS);
backup('before');
$worker->launch;
is_deeply ends(\@sent), { accepted => $ROWS }, 'the rows go out';
$calls = calls();

sub restored_with_journal {
    my ($hours) = @_;
    restore('before');
    $worker->launch;
    is_deeply ends(\@sent), { accepted => $ROWS },
        "D3: a backup of $hours hours ago, with the journal: settled";
    is calls(), $calls, "D3: $hours hours, with it: from the journal alone";
    return;
}

later(5);
restored_with_journal(5);

restore('before');
lose_journal();
$worker->launch;
is_deeply ends(\@sent), { accepted => $ROWS },
    'D3: 5 hours, without the journal: LINE knows the keys';
my @repeats = @{ $d->sim->requests(0, $PUSH) }[$calls .. calls() - 1];
is scalar(grep { $_->{status} != 409 } @repeats), 0, 'D3: 5 hours, without it: 409 to every call';
$calls = calls();

later(25);
restored_with_journal(30);

restore('before');
lose_journal();
$worker->launch;
is_deeply ends(\@sent), { parked => $ROWS }, 'D3: 30 hours, without the journal: parked';
is calls(), $calls, 'D3: 30 hours, without it: no call';

# --- what the simulator saw --------------------------------------------------------
my (%first, %late);
for my $call (@{ $d->sim->requests(0, $PUSH) }) {
    my $key = $call->{headers}{'x-line-retry-key'};
    $first{$key} //= $call->{at};
    $late{$key}++ if $call->{at} - $first{$key} >= 23 * $HOUR;
}
$doubles = grep { $_ > 1 } values %{ $d->accepted_keys };
figure('rows' => $n);
is figure('sends with a key of 23 h or more' => scalar keys %late), 0, 'D3: no key is used so late';
is figure('doubles' => $doubles), 0, 'D3: nothing went out twice';
is figure('parked' => $parked), 2 * $ROWS, 'D3: what nobody can know is parked';

done_testing;
