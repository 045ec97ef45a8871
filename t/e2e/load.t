#!/usr/bin/perl

# The spine under load and under fire: webhooks arrive at a steady rate and new
# friends are greeted while Redis is killed, frozen and started again, and
# nginx's workers, ingest and dispatch are killed over and over. At the end,
# by the generators' own journals and the simulator's inboxes: nothing that was
# acknowledged is missing, nothing took effect twice, nothing was sent twice.
#
# TOMO_FULL=1: the full form (100 kills of each, at least 20,000 webhooks).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Sandbox;
use Tomo::Test::Load;
use JSON::PP ();
use Time::HiRes ();

my $FULL    = $ENV{TOMO_FULL};
my $KILLS   = $FULL ? 100 : 12;
my $ACKED   = $FULL ? 20_000 : 3_000;
my $FRIENDS = $FULL ? 800 : 250;     # a timeline keeps 200 rows
my $RATE    = 600;

my $box    = Tomo::Test::Sandbox->start;
my $secret = Tomo::Test::read_file($box->dir . '/channel-secret') =~ /(\S+)/ ? $1 : die;
my $bot    = Tomo::Test::read_file($box->dir . '/bot-user-id') =~ /(\S+)/ ? $1 : die;

# --- who is killed ----------------------------------------------------------

sub pids_of {
    my ($part) = @_;
    my ($leader, $pattern) =
        $part eq 'nginx' ? ('nginx.pid', qr/^nginx: worker process(?! is shutting)/)
                         : ('worker.pid', qr/--role[= \0]$part/);
    my ($master) = Tomo::Test::read_file($box->dir . "/$leader") =~ /(\d+)/ or return;
    return grep { Tomo::Test::read_file("/proc/$_/cmdline") =~ $pattern }
        Tomo::Test::Process::children($master);
}

Tomo::Test::Nginx->allow_alert(qr/exited on signal 9/);
my %killed = map { $_ => 0 } qw(nginx ingest dispatch redis frozen);

sub kill_one {
    my ($part) = @_;
    my @pids = pids_of($part) or return;
    $killed{$part}++ if kill 'KILL', $pids[ rand @pids ];
    return;
}

sub redis_pid { return Tomo::Test::read_file($box->dir . '/pids/redis') =~ /^(\d+)/ ? $1 : undef }

sub is_alive {
    my ($pid) = @_;
    return Tomo::Test::read_file("/proc/$pid/stat") =~ /\) [^ZX] /;
}

sub redis_restart {
    my $pid = redis_pid() or return;
    kill 'KILL', $pid;
    wait_for(sub { waitpid($pid, POSIX::WNOHANG()); !is_alive($pid) }, 'Redis gone', 5);
    $killed{redis}++;
    my $new = fork // die "fork: $!\n";
    if (!$new) {
        POSIX::setsid();
        chdir $box->dir;
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', 'logs/redis.log';
        open STDERR, '>&', \*STDOUT;
        exec 'redis-server', $box->dir . '/redis.conf' or POSIX::_exit(127);
    }
    my $start = (split / /, (split /\) /, Tomo::Test::read_file("/proc/$new/stat"))[1])[19];
    Tomo::Test::write_file($box->dir . '/pids/redis', "$new $start\n");
    return;
}

my $thaw_at = 0;

sub redis_freeze {
    kill 'STOP', redis_pid() or return;
    $killed{frozen}++;
    $thaw_at = Time::HiRes::time() + 1.5;
    return;
}

# --- load -------------------------------------------------------------------

my @texting = map { $box->add_friend("T$_") } 1 .. $FRIENDS;
my @loads = map {
    my $i = $_;
    Tomo::Test::Load->start(
        name => "g$i", port => $box->port, secret => $secret, destination => $bot,
        rate => $RATE / 4, users => [ @texting[ grep { $_ % 4 == $i } 0 .. $#texting ] ]
    );
} 0 .. 3;

my $began = Time::HiRes::time();
my $until = $began + ($FULL ? 400 : 90) * Tomo::Test::slow();
my (%next, %greeted, $round);

# each part again after a random while, Redis now and then
sub due {
    my ($what, $min, $spread) = @_;
    my $now = Time::HiRes::time();
    $next{$what} //= $now + $min;
    return 0 if $now < $next{$what};
    $next{$what} = $now + $min + rand $spread;
    return 1;
}

sub acknowledged {
    my $n = 0;
    for my $load (@loads) {
        open my $fh, '<', $load->{journal} or next;
        while (<$fh>) { $n++ if /^A/ }
    }
    return $n;
}

my $enough = 0;
while (!$enough && Time::HiRes::time() < $until) {
    kill_one('nginx')    if due('nginx',    0.3, 0.4) && $killed{nginx} < $KILLS;
    kill_one('ingest')   if due('ingest',   0.6, 0.6) && $killed{ingest} < $KILLS;
    kill_one('dispatch') if due('dispatch', 0.6, 0.6) && $killed{dispatch} < $KILLS;
    if ($thaw_at && Time::HiRes::time() > $thaw_at) {
        kill 'CONT', redis_pid();
        $thaw_at = 0;
    }
    if (!$thaw_at) {
        redis_restart() if due('redis', $FULL ? 15 : 6, 5);
        redis_freeze()  if due('frozen', $FULL ? 12 : 5, 5);
    }
    if (due('friend', 0.1, 0.1)) {
        my $name = 'N' . ++$round;
        my $user = eval { $box->add_friend($name) };
        $greeted{$user} = $name if $user;
    }
    $enough = 1
        if due('count', 1, 0)
        && !grep({ $killed{$_} < $KILLS } qw(nginx ingest dispatch))
        && $killed{redis} && $killed{frozen}
        && acknowledged() >= $ACKED;
    select undef, undef, undef, 0.01;
}
kill 'CONT', redis_pid() if $thaw_at;
my $seconds = Time::HiRes::time() - $began;
$_->stop for @loads;

# --- what was reached -------------------------------------------------------

my (%acked, %sent, @other);
for my $load (@loads) {
    my ($a, $s, $o) = $load->read_journal;
    %acked = (%acked, %$a);
    %sent  = (%sent,  %$s);
    push @other, @$o;
}
my $rate = int(keys(%acked) / $seconds);
diag sprintf '%d acknowledged in %.0f s (%d/s); killed: %s; %d new friends',
    scalar keys %acked, $seconds, $rate,
    join(', ', map { "$_ $killed{$_}" } sort keys %killed), scalar keys %greeted;
cmp_ok keys %acked, '>=', $ACKED, "W1: at least $ACKED acknowledged";
cmp_ok $rate, '>=', 500, 'W1: at 500 a second or more' if $FULL;
cmp_ok $killed{$_}, '>=', $KILLS, "W1: $_ killed $KILLS times" for qw(nginx ingest dispatch);
cmp_ok $killed{$_}, '>=', 1, "W2: Redis $_" for qw(redis frozen);
is_deeply \@other, [], 'W2: no answer but 200 (and resets by killed workers)';

# --- drained ----------------------------------------------------------------

sub state { return eval { $box->api('GET', '/accounts/demo/status')->{json} } || {} }

sub edge {
    return eval { JSON::PP::decode_json(http_get($box->port, '/tomo/status?format=json')->{body}) }
        || {};
}

ok wait_for(
    sub {
        my ($edge, $state) = (edge(), state());
        return ($edge->{waiting} // 1) == 0 && ($state->{waiting} // 1) == 0
            && ($state->{open} // 1) == 0;
    },
    'everything decided and sent', 120
), 'drained';

# --- nothing missing, nothing twice -----------------------------------------

my (%seen, $friends);
for my $user (@texting) {
    for my $row (@{ $box->timeline($user) }) {
        $seen{ $row->{id} }++ if $row->{kind} eq 'text';
    }
}
my @missing = grep { !$seen{$_} } keys %acked;
my @twice   = grep { $seen{$_} > 1 } keys %seen;
my @foreign = grep { !$sent{$_} } keys %seen;
is scalar @missing, 0, 'W1: acknowledged but missing = 0' or diag join "\n", @missing[ 0 .. 4 ];
is scalar @twice,   0, 'W7: effects per event id at most 1' or diag join "\n", @twice[ 0 .. 4 ];
is scalar @foreign, 0, 'nothing that was never sent';

my (%greetings, @ungreeted, @greeted_twice);
for my $user (@texting, keys %greeted) {
    my $n = grep { $_->{via} =~ /^(?:reply|push)$/ } @{ $box->inbox($user) };
    push @ungreeted,     $user if $n == 0;
    push @greeted_twice, $user if $n > 1;
}
is scalar @ungreeted,     0, 'D1: every new friend was greeted';
is scalar @greeted_twice, 0, 'D1: and once';
is $box->sim('GET', '/sim/state')->{retry_key_content_mismatch}, 0,
    'D1: a retry key never came with other content';

my $state = state();
is $state->{quarantined}, 0, 'nothing was set aside';
my $edge = edge();
is $edge->{received}, $edge->{shipped} + $edge->{waiting} + $edge->{quarantined},
    'the edge\'s counters balance';

# --- a day later, dispatch and ingest still being killed --------------------

my $clock = fork // die "fork: $!\n";
if (!$clock) {
    my $r = eval { $box->advance(86_400 * 2) };
    print STDERR '# ', $r ? "$r->{status} $r->{body}" : $@, "\n" if !$r || $r->{status} != 200;
    POSIX::_exit($r && $r->{status} == 200 ? 0 : 1);
}
my $done = 0;
my $ended = wait_for(
    sub {
        return 1 if waitpid($clock, POSIX::WNOHANG()) == $clock;
        kill_one('dispatch') if due('dispatch', 0.5, 0.5);
        kill_one('ingest')   if due('ingest',   0.7, 0.7);
        return 0;
    },
    'the clock moved', 120
);
ok $ended && $? == 0, 'D1: two days pass while roles are killed';

my @wrong = grep { @{ $box->inbox($_) } != 2 } @texting, keys %greeted;
is scalar @wrong, 0, 'D1: each friend got the next step, once';

ok $box->stop, 'stops';
is_deeply [ $box->processes ], [], 'no process is left';
done_testing;
