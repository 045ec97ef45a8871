# Ingest that dies: by an event, by a signal, at any moment.  RELIABILITY.md
# D6, W7, B104; DESIGN.md, decision 4: run twice = run once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in = Tomo::Test::Ingest->start;
my $no = JSON::PP::false();
$in->greeted(1);
$in->greeted(2);

# --- D6: a poison event -----------------------------------------------------

$in->worker->stop;
my $poison = $in->event('message', 1, message => { type => 'text', id => '1', text => 'boom' });
$in->webhook($in->event('message', 1, message => { type => 'text', id => '2', text => 'before' }),
    $poison, $in->event('message', 2, message => { type => 'text', id => '3', text => 'after' }));
$in->worker->{env} = { TOMO_SANDBOX_POISON => $poison->{webhookEventId} };
my $starts = 0;
while ($starts++ < 8) {
    eval { $in->worker->launch };
    wait_for(sub { !$in->worker->alive || @{ $in->quarantine } }, 'an end', 10);
    last if @{ $in->quarantine };
    $in->worker->stop;
}
$in->settle;
my @q = @{ $in->quarantine };
is scalar @q, 1, 'D6: the poison event is set aside';
is $q[0][1]{why}, 'poison', 'D6: as poison';
cmp_ok $starts, '<=', 5, "D6: after 3 tries alone (starts: $starts)";
is $in->timeline(1)->[0]{text}, 'before', 'D6: its neighbour before is decided';
is $in->timeline(2)->[0]{text}, 'after', 'D6: and the one behind';
ok $in->worker->alive, 'D6: ingest lives';
my $cursor = $in->cursor;
is $cursor->{handled} + $cursor->{quarantined}, $in->{seq} + 2, 'every event is counted';
$in->worker->stop;
$in->worker->{env} = {};

# --- kill -9 at any moment --------------------------------------------------

my $KILLS = 30;
my %want;
my $n = 0;
my $child = sub {
    for (1 .. 8) {
        my $user = 1 + $n++ % 40;
        my $event = $in->event('message', 1000 + $user,
            message => { type => 'text', id => "$n", text => "m$n" });
        $want{$user}{"m$n"} = 1;
        $in->webhook($event);
        $in->webhook($event) if $n % 3 == 0;    # redelivered
        $in->click(1, 'catalog') if $n % 5 == 0;
    }
};
my $handled = $in->cursor->{handled};
my $clicks = 0;
for my $kill (1 .. $KILLS) {
    $in->worker->launch;
    $child->();
    Time::HiRes::usleep(int rand 12_000);
    $in->worker->kill_now;
}
$in->worker->launch;
ok $in->settle(30), "all decided after $KILLS kills";
my ($missing, $double) = (0, 0);
for my $user (sort keys %want) {
    my %seen;
    $seen{ $_->{text} }++ for grep { $_->{kind} eq 'text' } @{ $in->timeline(1000 + $user) };
    $missing += grep { !$seen{$_} } keys %{ $want{$user} };
    $double  += grep { $_ > 1 } values %seen;
}
is $missing, 0, "no event is missing ($n events)";
is $double, 0, 'none has an effect twice';
my $clicked = int $n / 5;
like $in->friend(1)->{'k:1'}, qr/^n=$clicked&/, "every click counts once ($clicked)";
my @serials = map { $in->serial(1000 + $_) } keys %want;
my %unique = map { $_ => 1 } @serials;
is scalar keys %unique, scalar @serials, 'serials are never given twice';
is $in->redis->cmd('HGET', $in->key('meta'), 'serial'), 2 + @serials, 'nor left out';
my @profiles = $in->rows('profile');
is scalar @profiles, scalar @serials, 'one profile row for each new friend';
$cursor = $in->cursor;
is $cursor->{handled} - $handled, $n + int($n / 3) + $clicked, 'the counters balance';

# --- Redis dies in the middle -----------------------------------------------

$in->webhook($in->event('message', 1, message => { type => 'text', id => '9',
    text => "r$_" })) for 1 .. 20;
$in->redis->restart;
$in->webhook($in->event('message', 1, message => { type => 'text', id => '9',
    text => "s$_" })) for 1 .. 20;
ok $in->settle(20), 'ingest goes on when Redis is back';
my %seen;
$seen{ $_->{text} }++ for grep { ($_->{text} // '') =~ /^[rs]\d/ } @{ $in->timeline(1) };
is scalar keys %seen, 40, 'with everything';
is scalar(grep { $_ != 1 } values %seen), 0, 'once';

# --- another process --------------------------------------------------------

my $before = $in->cursor;
$in->redis->cmd('SET', $in->key('lease:ingest'), 'somebody.1', 'PX', 2000);
$in->webhook($in->event('message', 1, message => { type => 'text', id => '9',
    text => 'fenced' }));
ok wait_for(sub { $in->worker->output =~ /another process/ }, 'refusal', 5),
    'a commit under a lost lease is refused';
is $in->timeline(1)->[0]{text}, 's20', 'and changes nothing';
ok $in->settle(15), 'when the lease runs out, it goes on';
is $in->timeline(1)->[0]{text}, 'fenced', 'with what was left';

done_testing;
