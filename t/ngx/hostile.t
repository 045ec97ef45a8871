#!/usr/bin/perl

# B98–B106 at the edge: a Redis that answers with wrong types, cut replies,
# replies nobody asked for, garbage, silence and lies.  Nothing is lost, the
# edge goes on accepting, and a true Redis afterwards has all of it once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Hostile;
use Tomo::Test::Snapshot;
use Tomo::Test::Stream;

my $path = temp_dir() . '/r.sock';

my $edge = Tomo::Test::Nginx->new(
    redis      => $path,
    redis_args => 'timeout=400ms connect_timeout=200ms',
);
write_snapshot($edge);
$edge->allow_alert(qr/exited on signal/);
$edge->launch;
my @loads = start_loads($edge, 1, 100);
my @pids  = sort $edge->worker_pids;
my $redis = Tomo::Test::Redis->start;

sub counter { return Tomo::Test::Status::counter($edge, $_[0]) }
sub shipped { return Tomo::Test::Status::fetch($edge)->{shipped} }

# From now on the edge's Redis is the one that listens there.
sub point_at {
    my ($socket) = @_;
    unlink "$path.new";
    symlink $socket, "$path.new" or die "symlink: $!\n";
    rename "$path.new", $path or die "rename: $!\n";
    return;
}

# With a true Redis in between, so that each false one is asked soon.
for my $kind (Tomo::Test::Hostile::kinds()) {
    my $false = Tomo::Test::Hostile->start(path => "$path.$kind", kind => $kind);
    point_at($false->socket);
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal');
    ok wait_for(sub { $false->met }, "$kind is asked", 10), "$kind is asked";
    my $before = counter('webhook_accepted');
    ok wait_for(sub { counter('webhook_accepted') > $before + 30 }, "webhooks during $kind", 10),
        "B106: $kind: webhooks are accepted";
    point_at($redis->socket);
    $false->stop;
    my $shipped = shipped();
    ok wait_for(sub { shipped() > $shipped }, "shipped after $kind", 10),
        "B106: $kind: and shipped to a true Redis afterwards";
}
is join(' ', sort $edge->worker_pids), "@pids", 'B106: no worker had to be replaced';
cmp_ok counter('redis_surprises'), '>', 5, 'surprises are counted';

$_->stop for @loads;
my $s;
wait_for(
    sub {
        $s = read_stream($redis);
        my ($acked) = $loads[0]->read_journal;
        return !grep { !$s->{ids}{$_} } keys %$acked;
    },
    'all in the true Redis', 30
);
complete_ok($s, \@loads, 'B106', 1);
ok Tomo::Test::Status::wait_shipped($edge), 'B106: the journal is drained';

done_testing;
