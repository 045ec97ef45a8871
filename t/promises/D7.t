# D7: After an unfollow is processed no message goes out to that friend, and a
# channel in standby sends nothing.
#
# Rows are due and wait while their friends leave; then all go on. In a second
# part friends leave at any moment of the sending: what is on its way then may
# still arrive, and the figure tells how long after. Then events of a channel in
# standby go through ingest and dispatch.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();
use Tomo::Test::Ingest ();

my $N     = pick(short => 200, full => 20_000);    # every second one leaves
my $LATER = pick(short => 200, full => 5000);
my $SLACK = 5000;    # ms from the last look to the simulator's log, at most
my @PATHS = map {"/v2/bot/message/$_"} qw(push multicast);

my $d = Tomo::Test::Dispatch->new(friends => 1, sim_args => ['--no-rate-limits']);
my $worker = $d->start;

sub user   { return sprintf 'U%032x', 7_000_000 + $_[0] }
sub friend { return "tomo:{demo}:f:$_[0]" }

# Everybody is known to the simulator: what goes out to them is accepted.
$d->sim->call('POST', '/sim/friends', { display_name => "F$_", user_id => user($_) })
    for 1 .. $N + $LATER;
$d->redis->pipeline(map { ['HSET', friend($_), uid => user($_), st => 'following'] }
    1 .. $N + $LATER);

sub push_to {
    my ($serial) = @_;
    return { via => 'push', friend => $serial, to => user($serial), due => now_ms(),
        key => Tomo::Test::Dispatch::uuid("D7 $serial"),
        body => Tomo::Test::Dispatch::messages("to $serial") };
}

# user id => when the simulator was last asked to send to her, ms
sub asked {
    my %at;
    for my $call (map { @{ $d->sim->requests(0, $_) } } @PATHS) {
        my $to = $call->{body}{to};
        $at{$_} = $call->{real_at} for ref $to ? @$to : $to;
    }
    return \%at;
}

# --- due, then gone, then sent ----------------------------------------------------
$d->redis->cmd('HSET', 'tomo:{demo}:meta', pause => now_ms() + 3_600_000);
my %row;
@row{ $d->rows(map { push_to($_) } 1 .. $N) } = 1 .. $N;
my $chunk = 50;
for (my $from = 1; $from <= $N; $from += $chunk) {
    my @serials = $from .. $from + $chunk - 1;
    $d->row(via => 'multicast', friend => 0, to => join(',', map { user($_) } @serials),
        serials => join(',', @serials), key => Tomo::Test::Dispatch::uuid("D7 m$from"),
        due => now_ms(), body => Tomo::Test::Dispatch::messages('to many'));
}
my %gone = map { ($_ => 1) } grep { $_ % 2 } 1 .. $N;
$d->redis->pipeline(map { ['HSET', friend($_), st => 'blocked'] } keys %gone);
$d->redis->cmd('HDEL', 'tomo:{demo}:meta', 'pause');
Tomo::Test::Files::set_clock(2 * 3_600_000);    # the pause is over for dispatch, too
ok $d->settled($N + $N / $chunk, pick(short => 60, full => 600)), 'D7: all rows are settled';
my %send;
for my $v (@{ $d->verdicts }) {
    my $serial = $row{ $v->{row} // '' } // next;
    $send{ ($gone{$serial} ? 'gone ' : 'here ') . $v->{send} }++;
}
is_deeply \%send, { 'gone cancelled' => $N / 2, 'here accepted' => $N / 2 },
    'D7: rows of those who left are cancelled, the others accepted';
my $asked = asked();
figure('unfollows between due and send' => scalar keys %gone);
is figure('violations' => scalar grep { $asked->{ user($_) } } keys %gone), 0,
    'D7: LINE was not asked once for them';
is scalar(grep { !$asked->{ user($_) } } grep { !$gone{$_} } 1 .. $N), 0,
    'D7: and for all the others';

# --- at any moment -------------------------------------------------------------------
my %left_at;
for my $serial ($N + 1 .. $N + $LATER) {
    $d->row(%{ push_to($serial) });
    if ($serial % 3 == 0) {
        my $who = $serial - int rand 40;
        if ($who > $N && !$left_at{$who}) {
            $d->redis->cmd('HSET', friend($who), st => 'blocked');
            $left_at{$who} = now_ms();
        }
    }
}
ok $d->settled($N + $LATER + $N / $chunk, pick(short => 60, full => 600)),
    'D7: all are settled again';
$asked = asked();
my @after = map { $asked->{ user($_) } - $left_at{$_} }
    grep { ($asked->{ user($_) } // 0) > $left_at{$_} } keys %left_at;
my ($latest) = sort { $b <=> $a } @after, 0;
figure('unfollows at any moment' => scalar keys %left_at);
figure('of these on their way already' => scalar @after);
cmp_ok figure('latest call after the unfollow' => $latest), '<', $SLACK * Tomo::Test::slow(),
    'D7: what was on its way arrives at once or never';
ok $worker->stop, 'dispatch stops';

# --- standby ---------------------------------------------------------------------------
my $i = Tomo::Test::Ingest->start;
my $sender = Tomo::Test::Worker->start(role => 'dispatch', redis => $i->redis, sim => $d->sim,
    sandbox => 1, name => 'standby', undecided => 1);
my $before = @{ $d->sim->requests(0) };
my $events = pick(short => 40, full => 2000);
for my $k (1 .. $events) {
    my %standby = (mode => 'standby');
    $i->webhook($i->event('follow', 9_000_000 + $k, %standby));
    $i->webhook($i->event('message', 9_000_000 + $k, %standby,
        message => { type => 'text', id => $k, text => 'hello' }));
}
ok wait_for(sub { ($i->redis->hash('tomo:{demo}:cursor')->{handled} // 0) >= 2 * $events },
    'decided', 60), 'D7: events in standby are decided';
figure('events in standby' => 2 * $events);
is figure('rows they caused' => $i->redis->cmd('XLEN', 'tomo:{demo}:out')), 0,
    'D7: nothing is to be sent';
is scalar(grep { $_->{path} =~ /message/ } @{ $d->sim->requests($before) }), 0,
    'D7: nothing was sent';

done_testing;
