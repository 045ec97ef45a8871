# D8: The rate set for a channel is exceeded in no second at no endpoint, and a
# month's quota that is used up stops the channel, not each message.
#
# Five times the rate is offered. The simulator counts the calls of each path in
# windows of a second; it may stand still itself, and calls that come late come
# close together: a window shorter by how long it stood still holds what was
# sent within a second.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Dispatch ();

my $PUSH    = '/v2/bot/message/push';
my $RATE    = 100;
my $SECONDS = pick(short => 3, full => 60);
my $OFFERED = 5 * $RATE * $SECONDS;

my %limit = (
    $PUSH                        => $RATE,
    '/v2/bot/message/multicast'  => $RATE / 10,
    '/v2/bot/profile/*'          => $RATE,
);
my $d = Tomo::Test::Dispatch->new(friends => 3, rate => $RATE, sim_args => ['--no-rate-limits']);

# A window that holds only what was sent within a second.
sub window {
    my ($seen) = @_;
    my ($longest) = grep { $_ <= 1000 - $seen->{stall_ms} } 1000, 900, 750, 500;
    return $longest // 250;
}

my $n = 0;
my $body = Tomo::Test::Dispatch::messages('x');
for (1 .. $OFFERED) {
    $n++;
    $d->row(via => 'push', friend => 10 + $n, to => $d->user(1), due => now_ms(),
        key => Tomo::Test::Dispatch::uuid("D8 $n"), body => $body);
    $d->row(via => 'profile', friend => 0, to => $d->user(2)) if $n % 4 == 0;
    $d->row(via => 'multicast', friend => 0, to => $d->user(3), serials => 3, due => now_ms(),
        key => Tomo::Test::Dispatch::uuid("D8 m$n"), body => $body) if $n % 10 == 0;
}
my $worker = $d->start;
my $rates = sub { $d->sim->call('GET', '/sim/state')->{rates} };
my $calls = sub { $rates->()->{paths}{ $_[0] // $PUSH }{calls} // 0 };
ok wait_for(sub { $calls->() >= 0.8 * $RATE * $SECONDS }, 'sends', 4 * $SECONDS + 10),
    'D8: sending goes on';
my $of_rate = $rates->();
my $window = window($of_rate);
figure('rate set' => $RATE);
figure('offered' => $OFFERED / $SECONDS . ' a second');
figure('the simulator stood still for' => "$of_rate->{stall_ms} ms at most");
for my $path (sort keys %limit) {
    my $seen = $of_rate->{paths}{$path} // { calls => 0, most => {} };
    cmp_ok $seen->{calls}, '>', 0, "D8: $path was called";
    figure("$path: most in any 1000 ms" => "$seen->{most}{1000} of $limit{$path}");
    cmp_ok figure("$path: most in any $window ms" => $seen->{most}{$window}), '<=', $limit{$path},
        "D8: $path: no second has more than its rate";
}

# A process that begins anew does not begin with a burst of its own.
$d->sim->call('POST', '/sim/rates', {});
for my $start (1 .. pick(short => 2, full => 20)) {
    my $had = $calls->();
    $worker->kill_now;
    $worker->launch;
    wait_for(sub { $calls->() > $had + 5 }, 'sends');
}
$of_rate = $rates->();
$window = window($of_rate);
cmp_ok figure("over restarts, most in any $window ms" => $of_rate->{paths}{$PUSH}{most}{$window}),
    '<=', $RATE, 'D8: nor do restarts exceed it';

# The quota is used up.
$d->sim->call('POST', '/sim/quota', { value => 0 });
ok wait_for(sub { grep { $_->{send} eq 'pause' } @{ $d->verdicts } }, 'pause', 20),
    'D8: the channel pauses';
my $before  = $calls->();
my $waiting = $OFFERED - @{ $d->accepted };
my $asked   = $calls->('/v2/bot/profile/*');
$d->row(via => 'profile', friend => 0, to => $d->user(2)) for 1 .. $RATE;
ok wait_for(sub { $calls->('/v2/bot/profile/*') >= $asked + $RATE }, 'profiles', 30),
    'D8: what LINE does not count goes on';
is figure('calls during the pause' => $calls->() - $before), 0, 'D8: no call during the pause';
cmp_ok figure('rows that wait meanwhile' => $waiting), '>', 0, 'D8: though rows wait';

done_testing;
