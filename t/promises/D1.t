# D1: A step message is accepted by LINE once, never twice and never not at
# all, wherever the process that decides it or the one that sends it is killed.
#
# The kill matrix: 20 friends walk through three steps while one role is killed
# on entering its K-th system call (t/tools/killat.c, all calls of all threads
# counted from the role's lock on) and started again, as the supervisor would.
# One run is one K. The full form takes every K that a run reaches, the short
# one a spread over them. In every third run of the full form the role started
# again is killed once more. What arrived is asked of the simulator.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util ();
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Steps;

my $FRIENDS = 20;
my $KILLS   = pick(short => 6, full => 1_000_000);     # of each role
my $EPOCH   = 100;                                     # runs on one Redis

my $count = temp_dir() . '/count';
my %other = (ingest => 'dispatch', dispatch => 'ingest');

# One run; returns (calls made, [min, max] of each (friend, step), killed).
sub run {
    my ($s, $name, $k, $again) = @_;
    my $role = $s->role($name);
    unlink $count;
    my @prefix = (build_path('tools/killat', 'TOMO_KILLAT'));
    my ($kills, $calls) = (0);
    $role->{env}    = { ASAN_OPTIONS => 'detect_leaks=0' };    # not below ptrace
    $role->{prefix} = [@prefix, $k, $count];
    eval { $role->launch };
    my $watch = sub {
        return if $role->alive;
        $kills++;
        ($calls) = split / /, read_file($count) if $kills == 1;
        $role->{prefix} = $again && $kills == 1 ? [@prefix, $again, $count] : [];
        eval { $role->launch };
    };
    my @users = $s->follow($FRIENDS);
    my $ok  = $s->walk($watch);
    $role->stop if $role->alive;
    ($calls) = split / /, read_file($count) if !$kills;
    my $got = $s->arrived(@users);
    my @n = sort { $a <=> $b } map { my $steps = $_; map { $steps->{$_} } sort keys %$steps }
        values %$got;
    return { ok => $ok, calls => $calls, kills => $kills, min => $n[0], max => $n[-1],
        parked => $s->{in}->cursor->{send_parked} // 0 };
}

sub epoch {
    my ($name, $old) = @_;
    if ($old) { $_->stop for $old->role($other{$name}), $old->sim, $old->redis }
    return Tomo::Test::Steps->new(roles => [$other{$name}]);
}

# In full there are many runs, and most of a run is waiting: each role's are dealt
# out to several processes of their own, side by side. Their figures are one.
my %SHARDS = (ingest => 4, dispatch => 2);
my %JOIN = (
    (map { $_ => sub { List::Util::sum(@_) } } 'runs', 'kills', 'parked'),
    'least sends per friend and step' => sub { List::Util::min(@_) },
);
my ($only, $shard, $shards) = split m{[ /]}, $ENV{TOMO_D1_PART} // '';

if (full() && !$only) {
    my @parts = map {
        my $role = $_;
        map { "$role $_/$SHARDS{$role}" } 0 .. $SHARDS{$role} - 1;
    } sort keys %other;
    my @running = map { Tomo::Test::Process->start(name => tr{ /}{-}r, command => [$^X, $0],
        env => { TOMO_D1_PART => $_, TOMO_SLOW => 3 * Tomo::Test::slow() }) } @parts;
    wait_for(sub { !grep { $_->alive } @running }, 'all parts', 4 * 3600);
    my (%all, @order);
    for my $part (@running) {
        is $part->exit_status, 0, "D1: $part->{name} killed at every call";
        for my $line (split /\n/, $part->output) {
            diag $line if $line =~ /^not ok|^# \w+, killed at call/;
            my ($name, $value) = $line =~ /^# figure: (.*?) = (.*)/ or next;
            push @order, $name if !$all{$name};
            push @{ $all{$name} }, $value;
        }
    }
    for my $name (@order) {
        my $join = $JOIN{ $name =~ s/^\w+: //r } // sub { List::Util::max(@_) };
        figure($name => $join->(@{ $all{$name} }));
    }
    done_testing;
    exit;
}

for my $name (sort keys %other) {
    next if ($only // $name) ne $name;
    my $s = epoch($name);
    my $calls = run($s, $name, 0)->{calls};
    cmp_ok $calls, '>', 500, "$name: a run makes system calls";

    my $stride = $calls > $KILLS ? $calls / $KILLS : $shards // 1;
    my $from   = $calls > $KILLS ? rand $stride : 1 + ($shard // 0);
    note sprintf '%s: every %.1f-th of %d calls, from %.1f', $name, $stride, $calls, $from;
    my ($min, $max, $parked, $runs, $killed, $last) = ($FRIENDS, 0, 0, 0, 0, 0);
    my @stuck;
    for (my $k = $from;; $k += $stride) {
        $s = epoch($name, $s) if $runs && $runs % $EPOCH == 0;
        my $at  = int $k || 1;
        my $run = run($s, $name, $at, full() && $at % 3 == 0 ? 1 + int rand 400 : 0);
        $runs++;
        last if !$run->{kills} && $at > $calls;        # it was over before
        $killed += $run->{kills};
        $last = $at if $run->{kills};
        $min  = $run->{min} if $run->{min} < $min;
        $max  = $run->{max} if $run->{max} > $max;
        $parked += $run->{parked};
        push @stuck, $at if !$run->{ok} || $run->{min} != 1 || $run->{max} != 1;
        diag "$name, killed at call $at: $run->{min} to $run->{max} of each step arrived"
            if @stuck && $stuck[-1] == $at;
        last if $at >= $calls && $calls > $KILLS;
    }
    $s->role($other{$name})->stop;
    is_deeply \@stuck, [], "$name: every run came to its end with each step once";
    figure("$name: system calls of a run, K" => $calls);
    figure("$name: runs" => $runs);
    figure("$name: kills" => $killed);
    figure("$name: last call killed at" => $last);
    figure("$name: least sends per friend and step" => $min);
    figure("$name: most sends per friend and step" => $max);
    figure("$name: parked" => $parked);
    is $min, 1, "D1: $name killed at any call: nothing is lost";
    is $max, 1, "D1: $name killed at any call: nothing comes twice";
    is $parked, 0, "D1: $name killed at any call: nothing is left for a person";
}

done_testing;
