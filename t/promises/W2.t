#!/usr/bin/perl

# W2: Redis being down does not show at the edge: webhooks, taps and survey posts
# are answered as ever, and all of it is in the stream afterwards.
#
# Under load Redis is stopped, refuses connections, freezes, and says LOADING,
# OOM, MISCONF, READONLY and NOAUTH, one after the other.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Hostile;
use Tomo::Test::Promise;
use Tomo::Test::Stage;

my $SECONDS = pick(short => 0.5, full => 60);    # of each fault
my $SHARE   = pick(short => 0.1, full => 1);

# The edge's Redis is whatever this link leads to.
my $path  = temp_dir() . '/r.sock';
my $redis = Tomo::Test::Redis->start(
    set   => { 'maxmemory' => pick(short => '512mb', full => '4gb') },
    lines => "enable-protected-configs yes\nenable-debug-command yes\n"
);
my $loading = Tomo::Test::Hostile->start(kind => 'LOADING');

sub lead_to {
    my ($socket) = @_;
    unlink "$path.new";
    symlink $socket, "$path.new" or die "symlink: $!\n";
    rename "$path.new", $path or die "rename: $!\n";
    eval { $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') };
    return;
}

sub redis { my @words = @_; return sub { $redis->cmd(@words) } }

lead_to($redis->socket);
my $stage = bless { redis => $redis }, 'Tomo::Test::Stage';
Tomo::Test::Feed::publish($redis, { version => 1, links => { 1 => $Tomo::Test::Stage::URL },
        surveys => { 3 => $Tomo::Test::Stage::FORM } });
my $edge = $stage->{edge} = Tomo::Test::Nginx->start(
    redis => $path, redis_args => 'timeout=500ms connect_timeout=300ms',
    journal => 'keep=1h max=4g segment=8m');
ok Tomo::Test::Feed::wait_served($redis, 1), 'W2: the edge serves the feed';

my @faults = (
    [ stopped => sub { $redis->stop },     sub { $redis->restart } ],
    [ refused => sub { $redis->kill_now }, sub { $redis->restart } ],
    [ frozen  => sub { $redis->pause },    sub { $redis->resume } ],
    [ LOADING => sub { lead_to($loading->socket) }, sub { lead_to($redis->socket) } ],
    [ OOM => redis('CONFIG', 'SET', 'maxmemory', '1'),
        redis('CONFIG', 'SET', 'maxmemory', '4gb') ],
    [ READONLY => redis('REPLICAOF', '127.0.0.1', '1'), redis('REPLICAOF', 'NO', 'ONE') ],
    [
        NOAUTH => sub {
            my $client = $redis->client;
            $client->cmd('CONFIG', 'SET', 'requirepass', 'secret');
            $client->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
            $redis->{admin} = $client;
        },
        sub {
            $redis->{admin}->cmd('CONFIG', 'SET', 'requirepass', '');
            delete @$redis{qw(admin client)};
        }
    ],
    [
        MISCONF => sub {
            mkdir "$redis->{folder}/taken";
            write_file("$redis->{folder}/taken/x", '');
            $redis->cmd('CONFIG', 'SET', 'dbfilename', 'taken');
            $redis->cmd('CONFIG', 'SET', 'save', '3600 1000000');
            $redis->cmd('BGSAVE');
        },
        redis('CONFIG', 'SET', 'save', '', 'stop-writes-on-bgsave-error', 'no')
    ],
);

sub waiting { return Tomo::Test::Status::fetch($edge)->{waiting} }

sub let_pass {
    my ($seconds) = @_;
    my $until = Time::HiRes::time() + $seconds;
    return wait_for(sub { Time::HiRes::time() > $until }, "$seconds s", $seconds + 5);
}

my $load = $stage->load(Tomo::Test::Stage::l1($SHARE));
ok wait_for(sub { $load->acknowledged('webhook') > 10 }, 'load', 20), 'W2: load comes in';
my (%span, %drain, @well);
for my $fault (@faults) {
    my ($name, $break, $mend) = @$fault;
    my $from = Time::HiRes::time();
    let_pass(pick(short => 0.2, full => 5));
    push @well, [ $from, Time::HiRes::time() ];
    $break->();
    $from = Time::HiRes::time();
    let_pass($SECONDS);
    my $n = 40 * $SHARE;
    ok wait_for(sub { waiting() > $n }, "$name: records wait", 20), "W2: $name: records wait";
    $span{$name} = [ $from, Time::HiRes::time() ];
    $mend->();
    $from = Time::HiRes::time();
    ok wait_for(sub { waiting() < 30 * $SHARE + 3 }, 'drained', 120), "W2: $name: drains";
    $drain{$name} = Time::HiRes::time() - $from;
}
my $seen = $load->stop;
my $found;
ok $found = $stage->drained(60, $seen), 'W2: all journals are shipped';

# --- what was seen from outside -----------------------------------------------
my $posts = $seen->{webhook};
my $p99   = sub {
    my $list = Tomo::Test::Generator::between($posts, @{ $_[0] });
    return Tomo::Test::Generator::quantile($list, 0.99) // 0;
};
my ($base) = sort { $b <=> $a } map { $p99->($_) } @well;
my ($worst, $which) = (0, '');
for my $fault (@faults) {
    my $name = $fault->[0];
    my $ms   = $p99->($span{$name});
    figure("$name" => sprintf 'p99 %.2f ms, drained in %.2f s', $ms, $drain{$name});
    ($worst, $which) = ($ms, $name) if $ms > $worst;
}
figure('seconds of each fault'   => $SECONDS);
figure('acknowledged webhooks'   => scalar @{ $posts->{ms} });
figure('webhook latency'         => Tomo::Test::Generator::latency($posts->{ms}));
figure('redirect latency'        => Tomo::Test::Generator::latency($seen->{click}{ms}));
figure('p99 with Redis well'     => sprintf '%.2f ms', $base);
figure('worst p99 with Redis down' => sprintf '%.2f ms (%s)', $worst, $which);
is figure('answers other than 200, 302, 303' => $stage->refusals($seen)), 'none',
    'W2: nobody is refused';

# A machine that is shared has pauses of its own; the bound is for one that is not.
my $bound = full() ? 1.5 * $base + 3 : 250 * Tomo::Test::slow() + 10 * $base;
cmp_ok $worst, '<=', $bound, sprintf 'W2: p99 within 1.5 times that with Redis well (%.1f ms)',
    $bound;

# --- and what came of it --------------------------------------------------------
is figure('acknowledged but missing' => $stage->missing($seen, $found)), 0,
    'W2: nothing acknowledged is missing';
is figure('taps missing' => $stage->missing($seen, $found, 'click')), 0,
    'W2: no tap is missing';
is figure('records appended twice' => scalar @{ $found->{twice} }), 0, 'W2: nothing twice';
is scalar @{ $found->{disorder} }, 0, 'W2: each writer\'s records in their order';
is Tomo::Test::Status::counter($edge, $_), 0, "W2: $_ = 0"
    for qw(ship_quarantined ship_incidents click_dropped);

done_testing;
