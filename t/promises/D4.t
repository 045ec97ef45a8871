#!/usr/bin/perl

# D4: When Redis goes back in time, nobody gets a message twice, nothing that was
# acknowledged is missing, and the rollback is noticed.
#
# Under load and while friends walk through a scenario, Redis (appendfsync
# everysec, durability relaxed) is killed while its syncs are slow, comes back
# with a file some seconds old, and is replaced by a replica that lagged. What
# arrived on which phone is the simulator's word, what was acknowledged that of
# the generator and of the test itself.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Load;
use Tomo::Test::Promise;
use Tomo::Test::Steps;
use Tomo::Test::Strace;
use Tomo::Test::Stream;

my $FRIENDS = pick(short => 6,  full => 100);    # who join in each phase
my $RATE    = pick(short => 40, full => 300);    # events a second besides
my $ROUNDS  = pick(short => 1,  full => 4);
my $OLD_S   = pick(short => 1.6, full => 5);     # age of the file put back

my %SETTINGS = (appendfsync => 'everysec', bind => '127.0.0.1', 'repl-diskless-sync' => 'no',
    'min-replicas-max-lag' => 10);
my $path = temp_dir() . '/r.sock';
my $number = 0;

sub new_redis {
    my (%more) = @_;
    return Tomo::Test::Redis->start(name => 'redis' . ++$number,
        set => { %SETTINGS, port => free_port(), %more });
}

sub lead_to {
    my ($redis) = @_;
    unlink "$path.new";
    symlink $redis->socket, "$path.new" or die "symlink: $!\n";
    rename "$path.new", $path or die "rename: $!\n";
    return $redis;
}

my $redis = lead_to(new_redis());
my $edge  = Tomo::Test::Nginx->start(redis => $path, journal => 'keep=1h max=1g segment=2m',
    redis_args => 'durability=relaxed timeout=800ms connect_timeout=300ms');
my $sim = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview', '--no-redelivery']);

# friends, their scenario and the clock are those of Tomo::Test::Steps
my $s = bless { redis => $redis, sim => $sim, offset => 0,
    in => bless({ redis => $redis, seq => 0 }, 'Tomo::Test::Ingest') }, 'Tomo::Test::Steps';
my $definitions = $s->write_definitions;
Tomo::Test::Files::path('clock');
my $worker = Tomo::Test::Worker->start(redis => $path, edge => $edge, sim => $sim, sandbox => 1,
    definitions => $definitions, ini => { redis => { durability => 'relaxed' } },
    undecided => 1);

sub use_redis {
    ($redis) = @_;
    $s->{redis} = $s->{in}{redis} = $redis;
    return;
}

ok wait_for(sub { $sim->call('POST', '/sim/verify', {})->{status} == 200 },
    'the edge knows the account', 15), 'the edge knows the account';

# --- who joins, and the load beside it ---------------------------------------

my (@users, @loads, $loads);

sub join_in {
    my ($n) = @_;
    push @users, map { $sim->add_friend('Friend') } 1 .. $n;
    return;
}

sub start_load {
    my @people = map { Tomo::Test::Webhook::user_id($_) } 1 .. 400;
    push @loads, Tomo::Test::Load->start(
        name => 'load' . ++$loads, port => $edge->port, users => \@people, rate => $RATE,
        secret => $Tomo::Test::Files::CHANNEL_SECRET,
        destination => $Tomo::Test::Files::BOT_USER_ID);
    return;
}

sub let_pass {
    my ($seconds) = @_;
    my $until = Time::HiRes::time() + $seconds;
    return wait_for(sub { Time::HiRes::time() > $until }, "$seconds s", $seconds + 5);
}

sub shipped_all { return Tomo::Test::Status::wait_shipped($edge, 60) }

# --- the three ways back in time ---------------------------------------------

my $seen_in_log = 'incident: it went back in time|was restarted, or another one took its place';

my %way = (
    # acknowledged, but not written: a sync that hangs holds the writes back
    'killed under slow syncs' => sub {
        my $trace = Tomo::Test::Strace->start(undef, pids => [ $redis->{pid} ],
            args => ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=1500000']);
        let_pass(0.5);
        join_in($FRIENDS);
        let_pass(1.2);
        $redis->kill_now;
        $trace->stop('INT');
        $redis->restart;
    },
    # an operator puts an older file back
    'a file of some seconds ago' => sub {
        my $old = "$redis->{folder}/old";
        system('cp', '-r', "$redis->{folder}/appendonlydir", $old) == 0 or die "cp failed\n";
        join_in($FRIENDS);
        let_pass($OLD_S);
        $redis->kill_now;
        File::Path::remove_tree("$redis->{folder}/appendonlydir");
        rename $old, "$redis->{folder}/appendonlydir" or die "rename: $!\n";
        $redis->restart;
    },
    # the replica has not seen the last second when it takes over
    'a failover' => sub {
        my $replica = new_redis();
        my $port = $redis->cmd('CONFIG', 'GET', 'port')->[1];
        $replica->cmd('REPLICAOF', '127.0.0.1', $port);
        ok wait_for(
            sub { $replica->cmd('INFO', 'replication') =~ /master_link_status:up/ },
            'replica', 20
        ), 'D4: a failover: the replica follows';
        $redis->cmd('CONFIG', 'SET', 'min-replicas-to-write', 1);
        let_pass(0.5);
        $replica->pause;
        join_in($FRIENDS);
        let_pass(1.2);
        $redis->kill_now;
        $replica->resume;
        $replica->cmd('REPLICAOF', 'NO', 'ONE');
        lead_to($replica);
        use_redis($replica);
    },
);

my ($worst, %noticed, %ways) = (0);
for my $round (1 .. $ROUNDS) {
    for my $name (grep { full() || $_ ne "a failover" } sort keys %way) {
        my $from = length $worker->output;
        start_load();
        join_in($FRIENDS);
        let_pass(pick(short => 0.3, full => 1));
        $way{$name}->();
        my $begin = Time::HiRes::time();
        my $ok = wait_for(sub { substr($worker->output, $from) =~ /$seen_in_log/ },
            'the rollback is noticed', 15);
        my $took = Time::HiRes::time() - $begin;
        $worst = $took if $took > $worst;
        ok $ok, sprintf 'D4: %s: noticed within %.1f s', $name, $took;
        $noticed{$name}++ if $ok;
        $ways{$name}++;
        join_in(2);
        let_pass(0.5);
        $loads[-1]->stop;
        ok shipped_all(), "D4: $name: the edge has shipped everything again";
        ok $s->settle("$name: settled"), "D4: $name: all is decided and sent";
    }
}
my @incidents = $worker->output =~ /(incident: it went back in time)/g;
cmp_ok scalar @incidents, '>=', $ROUNDS, 'D4: a lower watermark is an incident';
like $worker->output, qr/sending waits/, 'D4: sending waited';
like $worker->output, qr/sending goes on/, 'D4: and went on by itself';
cmp_ok Tomo::Test::Status::counter($edge, 'redis_rollbacks'), '>', 0,
    'D4: the edge tells it in its counters';

# --- everybody walks on to the end ---------------------------------------------

ok $s->walk, 'D4: every later step is decided and sent';
my $got = $s->arrived(@users);
my ($doubles, $missing) = (0, 0);
for my $user (@users) {
    for my $step (@Tomo::Test::Steps::STEPS) {
        my $n = $got->{$user}{$step};
        $doubles += $n - 1 if $n > 1;
        $missing++ if !$n;
        diag "friend $user, step $step: $n times" if $n != 1;
    }
}

# --- and what the load acknowledged is in the timelines, once --------------------

my (%texts, $acknowledged, $lost, $twice);
for my $key (@{ $redis->cmd('KEYS', 'tomo:{demo}:tl:*') }) {
    for my $line (@{ $redis->cmd('LRANGE', $key, 0, -1) }) {
        $texts{$1}++ if $line =~ /(?:^|&)text=(load\d+-\d+)(?:&|$)/;
    }
}
for my $load (@loads) {
    my ($acked) = $load->read_journal;
    for my $event (values %$acked) {
        my $n = $texts{ $event->[1] } // 0;
        $acknowledged++;
        $lost++ if !$n;
        $twice++ if $n > 1;
    }
}

figure('rollbacks' => join ', ', map {"$_: $ways{$_}"} sort keys %ways);
figure('friends, each with three steps' => scalar @users);
figure('doubles' => $doubles);
figure('steps missing' => $missing);
figure('events acknowledged' => $acknowledged);
figure('acknowledged but missing' => $lost // 0);
figure('decided twice' => $twice // 0);
figure('seconds to notice a rollback, at most' => sprintf '%.1f', $worst);
is $doubles, 0, 'D4: nobody got a step twice';
is $missing, 0, 'D4: nobody missed one';
is $lost // 0, 0, 'D4: no acknowledged event is missing';
is $twice // 0, 0, 'D4: none is decided twice';
is_deeply \%noticed, \%ways, 'D4: every rollback was noticed';

done_testing;
