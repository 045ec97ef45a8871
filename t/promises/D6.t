# D6: An event that crashes or hangs the engine stops only itself: it is set
# aside after three tries alone, and everything around it goes on.
#
# The whole worker, with its supervisor, decides a load twice: without and with
# one poison event in its middle. One kind of poison crashes ingest, the other
# never comes to an end, until the engine's alarm (10 s of its own time; here 1 s) ends it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;

my $EVENTS  = pick(short => 3_000, full => 40_000);
my $FRIENDS = $EVENTS / 100;                    # a timeline keeps 200 rows
my $GROUP   = 20;

# Puts the load; the seconds until all of it is decided.
sub load {
    my ($in, $round, $poison) = @_;
    my @bodies;
    for my $i (1 .. $EVENTS / $GROUP) {
        my @events = map { $in->event('message', 1 + ($i * $GROUP + $_) % $FRIENDS,
            message => { type => 'text', id => "$round$i$_", text => "$round.$i.$_" }) }
            1 .. $GROUP;
        $events[7]{webhookEventId} = $poison if $poison && $i == int $EVENTS / $GROUP / 2;
        push @bodies, \@events;
    }
    my $from = Time::HiRes::time();
    $in->webhook(@$_) for @bodies;
    ok $in->settle(120), "$round: everything is decided or set aside";
    return Time::HiRes::time() - $from;
}

for my $kind ('crash', 'hang') {
    my $poison = sprintf '01JPOISON%017d', 1;
    my $in = Tomo::Test::Ingest->start(role => undef, sim => Tomo::Test::Sim->start, env => {
        TOMO_SANDBOX_POISON     => $kind eq 'hang' ? "hang:$poison" : $poison,
        TOMO_SANDBOX_WATCHDOG_S => 1,
    });
    my $plain = load($in, "$kind-without");
    is @{ $in->quarantine }, 0, "$kind: nothing is set aside without poison";
    my $with = load($in, "$kind-with", $poison);

    my @aside = @{ $in->quarantine };
    is scalar @aside, 1, "D6 $kind: one event is set aside";
    is $aside[0][1]{why}, 'poison', "D6 $kind: as poison";
    like $aside[0][1]{body}, qr/\Q$poison\E/, "D6 $kind: it is the one";
    my $signal = $kind eq 'hang' ? 26 : 6;
    my $ends = () = $in->worker->output =~ /ingest was ended by signal $signal/g;
    cmp_ok $ends, '>=', 3, "D6 $kind: it was tried three times";
    cmp_ok $ends, '<=', 4, "D6 $kind: alone after the first time";

    my %seen;
    for my $friend (1 .. $FRIENDS) {
        $seen{ $_->{text} }++
            for grep { $_->{kind} eq 'text' } @{ $in->timeline($friend) };
    }
    is scalar keys %seen, 2 * $EVENTS - 1, "D6 $kind: every other event has its effect";
    is scalar(grep { $_ != 1 } values %seen), 0, "D6 $kind: once";

    figure("$kind: events around it" => $EVENTS - 1);
    figure("$kind: ends of the process" => $ends);
    figure("$kind: seconds without and with it" => sprintf '%.1f and %.1f', $plain, $with);
    figure("$kind: throughput drop of the others, %" => sprintf '%.0f', 100 - 100 * $plain / $with);
    $_->stop for $in->worker, $in->redis;
}

done_testing;
