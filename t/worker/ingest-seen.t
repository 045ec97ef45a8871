# Sets of seen ids do not pile up: those that no event can ask for go away.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;
my $today = int(now_ms() / 86_400_000);

sub set { return $in->key("seen:$_[0]") }

$redis->cmd('SADD', set($today - $_), 'id') for 0, 7, 31, 33, 40, 300;
$in->worker->restart;
ok wait_for(
    sub { !grep { $redis->cmd('EXISTS', set($today - $_)) } 33, 40, 300 },
    'old sets gone', 15
), 'T39: sets over a month old are let go of';
is $redis->cmd('EXISTS', set($today - $_)), 1, "T39: that of $_ days ago stays" for 0, 7, 31;

done_testing;
