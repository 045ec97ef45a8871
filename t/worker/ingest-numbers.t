# The key `meta` holds the last number given to a friend.  Taken away, or put
# back older than the friends beside it, it must not give a number twice.
# DESIGN.md, decision 7: serials are never reused.  RELIABILITY.md B98.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;
my $meta  = $in->key('meta');
my $n     = 0;

sub hello {
    my ($user) = @_;
    $in->webhook($in->event('message', $user,
        message => { type => 'text', id => ++$n, text => "hello $n" }));
    return $in->settle(20);
}

sub with_meta_changed {
    my (@command) = @_;
    $in->worker->stop;
    my $log = length $in->worker->output;
    $redis->cmd(@$_) for @command;
    $in->worker->launch;
    return sub { return substr $in->worker->output, $log };
}

# every number once, and every record that of the person who leads to it
sub numbers_hold {
    my ($what, @users) = @_;
    my %of = map { $_ => $in->serial($_) } @users;
    my %seen;
    is scalar(grep { $seen{$_}++ } values %of), 0, "$what: no number twice"
        or diag(explain(\%of));
    is scalar(grep { $in->friend($_)->{uid} ne $in->user($_) } @users), 0,
        "$what: each record is its own person's";
    return;
}

ok !$redis->cmd('EXISTS', $meta) || !exists $redis->hash($meta)->{delivery}, 'nothing sent yet';
$in->greeted($_) for 1 .. 3;
ok hello(4), 'four friends';
is $redis->hash($meta)->{serial}, 4, '... numbered to 4';
my $feed = $redis->cmd('HGET', $in->key('feed'), 'version');

# --- gone --------------------------------------------------------------------

my $log = with_meta_changed(['RENAME', $meta, 'kept']);
ok hello(5), '`meta` is gone: ingest goes on';
numbers_hold('gone', 1 .. 5);
is $in->serial(5), 5, 'gone: the next number';
like $log->(), qr/demo .*`meta`.*number was 0.*goes on after 4.*restore/, 'gone: the log says so';
is $redis->hash($meta)->{serial}, 5, 'gone: written again';
cmp_ok $redis->cmd('HGET', $in->key('feed'), 'version'), '>', $feed,
    'gone: edges see a newer version of the feed, never an older';
ok hello(1), '... and an old friend';
is $in->timeline(1)->[0]{text}, "hello $n", '... is decided in the old record';
$in->greeted(6);
my ($row) = grep { $_->[1]{delivery} } reverse @{ $in->out };
cmp_ok $row->[1]{delivery}, '>', 65_536, 'gone: numbers of deliveries are not given again either';

# --- a deleted friend's number is not free -----------------------------------

is $in->command(do => 'friend.delete', friend => 0 + $in->serial(6))->{status}, 200,
    'the last goes';
$log = with_meta_changed(['DEL', $meta]);
ok hello(7), 'gone, and the last friend deleted: ingest goes on';
is $in->serial(7), 7, '... behind the number of the deleted';

# --- older than the friends --------------------------------------------------

$log = with_meta_changed(['HSET', $meta, 'serial', 2]);
ok hello(8), '`meta` is older than the friends: ingest goes on';
numbers_hold('older', 1 .. 5, 7, 8);
is $in->serial(8), 8, 'older: the next number';
like $log->(), qr/`meta`.*number was 2.*goes on after 7/, 'older: the log says so';

# --- a record that no user id leads to ---------------------------------------

$log = with_meta_changed(['HSET', $in->key('f:20'), 'uid', 'foreign']);
ok hello(9), 'a record further on is stepped over';
is $in->serial(9), 21, '... with the number behind it';

# --- no reason to say anything -----------------------------------------------

$log = with_meta_changed();
ok hello(10), 'started again on what is whole';
is $in->serial(10), 22, '... the next number';
unlike $log->(), qr/`meta`/, '... without a word';

# --- cannot be counted -------------------------------------------------------

my ($bucket) = @{ $redis->cmd('KEYS', $in->key('uid:*')) };
$redis->cmd('RENAME', $bucket, 'kept-bucket');
$log = with_meta_changed(['SET', $bucket, 'x'], ['DEL', $meta]);
$in->webhook($in->event('follow', 11, replyToken => 'r', follow => {}));
ok wait_for(sub { $log->() =~ /uid:\d+ is no hash.*move the key away/ }, 'a line', 20),
    'friends that cannot be counted: the log says what to do';
ok !$in->serial(11), '... and no number is given';
$redis->cmd('DEL', $bucket);
$redis->cmd('RENAME', 'kept-bucket', $bucket);
ok $in->settle(20), '... until it is put right';
is $in->serial(11), 23, '... and goes on by itself';

done_testing;
