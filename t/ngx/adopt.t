#!/usr/bin/perl

# W1, W7 (short): workers are killed again and again under load; what they had
# acknowledged is shipped by others, once, in order.  E10: folders that are not
# ours are left alone.  T33: what is no segment is set aside.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Stream;

my $redis = Tomo::Test::Redis->start;
publish($redis, { version => 1 });
my $edge = Tomo::Test::Nginx->start(redis => $redis);
ok wait_served($redis, 1), 'R5: the edge serves the feed';
$edge->allow_alert(qr/worker process \d+ exited on signal 9/);

sub counter { return Tomo::Test::Status::counter($edge, $_[0]) // 0 }

my @loads = start_loads($edge, 2, 150);

my $kills = 40;
for my $n (1 .. $kills) {
    my @pids = wait_for(sub { my @p = $edge->worker_pids; @p >= 2 && \@p }, 'workers', 10);
    my $acked = (stat $loads[0]{journal})[7];
    wait_for(sub { (stat $loads[0]{journal})[7] > $acked + 1500 }, 'more load', 10);
    my @now = $edge->worker_pids;
    kill 'KILL', $now[ $n % @now ];
}
is $kills, 40, "W1: $kills workers killed";

# Whose journal is locked belongs to a worker that lives.
sub orphans {
    my %locked = map { /:(\d+) \d+ \w+$/ ? ($1 => 1) : () } split /\n/, read_file('/proc/locks');
    return grep { !$locked{ (stat)[1] // 0 } } glob $edge->journal . '/*/lock';
}

$_->stop for @loads;
ok wait_for(sub { counter('ship_adopted') >= $kills * 0.7 && !orphans() }, 'adopted', 30),
    'W1: the journals of the dead are taken over: ' . counter('ship_adopted');
ok Tomo::Test::Status::wait_shipped($edge, 30), 'W1: the journals drain';
complete_ok(read_stream($redis), \@loads, 'W1');
is counter('ship_quarantined'), 0, 'W1: nothing was set aside';

# --- a restart of all takes everything over, and sends nothing again ------------
my $n = $redis->cmd('XLEN', 'tomo:{demo}:in');
$edge->restart;
ok Tomo::Test::Status::wait_shipped($edge, 20), 'W7: after a restart all is known as shipped';
ok wait_for(sub { counter('ship_adopted') >= 2 }, 'adopted', 20),
    'W7: the journals of before are taken over';
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{shipped} >= $n }, 'shipped', 20),
    'W7: their records count as shipped';
is $redis->cmd('XLEN', 'tomo:{demo}:in'), $n, 'W7: nothing was appended twice';

# --- and an empty Redis gets all of it again -------------------------------------
$redis->restart_empty;
ok wait_for(sub { ($redis->cmd('XLEN', 'tomo:{demo}:in') || 0) == $n }, 'all again', 30),
    'W2: dead writers\' records are shipped again to an empty Redis';
complete_ok(read_stream($redis), \@loads, 'W2');

# --- what is not ours --------------------------------------------------------------
my $journal = $edge->journal;
my $fake    = "$journal/00000000000000aa";
mkdir $fake, 0700;
write_file("$fake/lock",                 '',                 0600);
write_file("$fake/0000000000000001.seg", 'no segment' x 100, 0600);
utime time - 60, time - 60, $fake;
ok wait_for(sub { -e "$fake/0000000000000001.seg.bad" }, 'set aside', 10),
    'T33: a file that is no segment is set aside';

my $open = "$journal/00000000000000bb";
mkdir $open, 0700;
write_file("$open/lock",                 '',  0600);
write_file("$open/0000000000000001.seg", 'x', 0600);
chmod 0777, $open;
my $outside = temp_dir() . '/outside';
mkdir $outside;
write_file("$outside/lock",                 '',  0600);
write_file("$outside/0000000000000001.seg", 'x', 0600);
symlink $outside, "$journal/00000000000000cc";
utime time - 60, time - 60, $open, $outside;
my $third = "$journal/00000000000000dd";
mkdir $third, 0700;
write_file("$third/lock", '', 0600);
utime time - 60, time - 60, $third;
ok wait_for(sub { !-e $third }, 'removed', 10), 'T33: an empty folder is removed';
ok -e "$open/0000000000000001.seg", 'E10: a folder others can write is left alone';
ok -e "$outside/0000000000000001.seg", 'E10: a link is not followed';

done_testing;
