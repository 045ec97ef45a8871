#!/usr/bin/perl

# W5: A power cut loses no webhook and no survey answer that was acknowledged.
#
# Every write and every sync of the workers is written down under load. The
# journal is built again as the disk held it between a write and its sync: without
# all that no sync had covered, or with a torn part of it. An edge that finds such a
# folder ships it; what had been acknowledged before the moment must be there.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::PowerCut;
use Tomo::Test::Promise;
use Tomo::Test::Stage;
use Tomo::Test::Stream;

my $CUTS    = pick(short => 3, full => 40);
my $SECONDS = pick(short => 1.5, full => 20);
my $SHARE   = pick(short => 0.1, full => 0.3);    # strace slows the disk's side down

my $stage = Tomo::Test::Stage->start(alone => 1, edge => { name => 'before' });
my $cut   = Tomo::Test::PowerCut->watch($stage->edge);
my $load  = $stage->load(Tomo::Test::Stage::l1($SHARE), pad => 4000, connections => 8);
my $began = Time::HiRes::time();
wait_for(sub { $load->acknowledged('webhook') > 20 && Time::HiRes::time() > $began + $SECONDS },
    'load', $SECONDS + 30);
my $seen  = $load->stop;
$cut->stop;
ok $stage->edge->quit, 'W5: QUIT';

my $acked_by = sub {
    my ($time) = @_;
    return { map {
            my $kind = $_;
            $kind => { map { $_->[0] => 1 } grep { $_->[1] <= $time } @{ $seen->{$kind}{when} } }
        } qw(webhook answer) };
};

my $redis = Tomo::Test::Redis->start;
my ($missing, $checked, $dropped, $tails, $unacked, $bad) = (0, 0, 0, 0, 0, 0);
for my $n (1 .. $CUTS) {
    my $moment = $n == 1 ? $cut->end : $cut->moment;
    my $time   = $moment->[1];
    my $edge = Tomo::Test::Nginx->new(redis => $redis, name => "after$n", workers => 1);
    File::Path::remove_tree($edge->journal);
    $dropped += $cut->rebuild($moment, $edge->journal, torn => $n % 2 == 0);
    $redis->cmd('FLUSHALL');
    Tomo::Test::Feed::publish($redis, { version => 1 });
    $edge->launch;
    my $acked = $acked_by->($time);
    my ($found, %gone);
    wait_for(
        sub {
            $found = read_stream($redis);
            $gone{webhook} = [ grep { !$found->{ids}{$_} } keys %{ $acked->{webhook} } ];
            $gone{answer}  = [ grep { !$found->{answers}{$_} } keys %{ $acked->{answer} } ];
            return !@{ $gone{webhook} } && !@{ $gone{answer} };
        },
        "cut $n: all that was acknowledged", 15
    );
    Tomo::Test::Status::wait_shipped($edge);
    my $lost = @{ $gone{webhook} } + @{ $gone{answer} };
    is $lost, 0, sprintf 'W5: a cut after %.2f s: all of %d events and %d answers are there',
        $time - $began, scalar keys %{ $acked->{webhook} }, scalar keys %{ $acked->{answer} };
    $missing += $lost;
    $checked += keys(%{ $acked->{webhook} }) + keys %{ $acked->{answer} };
    $unacked += grep { !$acked->{webhook}{$_} } keys %{ $found->{ids} };
    $tails   += () = $edge->error_log =~ /a tail was cut/g;
    $bad     += Tomo::Test::Status::counter($edge, 'ship_quarantined');
    $edge->quit;
}

figure('power cuts' => $CUTS);
figure('acknowledged, checked at the cuts' => $checked);
figure('writes not synced, dropped or torn' => $dropped);
figure('tails cut off by the checksum' => $tails);
figure('not yet acknowledged, there all the same' => $unacked);
is figure('acknowledged but missing' => $missing), 0, 'W5: nothing acknowledged is missing';
figure('tails with a hole before a later write' => $bad);    # none of it acknowledged
cmp_ok $checked, '>', 100 * Tomo::Test::slow() ** -1, 'W5: the load was a load';

done_testing;
