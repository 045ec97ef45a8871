# The key `meta` holds the last number given to a friend and to a delivery.
# Taken away, or put back older than what it numbers, neither gives a number
# twice: `cursor` knows both, and where it does not, they are searched.
# DESIGN.md, decision 7: serials are never reused.  RELIABILITY.md B98.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max);
use Tomo::Test;
use Tomo::Test::Ingest;

my $in     = Tomo::Test::Ingest->start;
my $redis  = $in->redis;
my $meta   = $in->key('meta');
my @forget = (['HDEL', $in->key('cursor'), 'serial', 'delivery']);
my $n      = 0;

sub message {
    my ($user) = @_;
    return $in->event('message', $user,
        message => { type => 'text', id => ++$n, text => "hello $n" });
}

sub hello { $in->webhook(map { message($_) } @_); return $in->settle(20) }

# what the log says from now on
sub log_from {
    my $log = length $in->worker->output;
    return sub { return substr $in->worker->output, $log };
}

sub with_meta_changed {
    my (@command) = @_;
    $in->worker->stop;
    my $log = log_from();
    $redis->cmd(@$_) for @command;
    $in->worker->launch;
    return $log;
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

# the last delivery's number, by the messages themselves
sub delivery { return max(0, map { $_->[1]{delivery} || 0 } @{ $in->out }) }

# `meta` as it was before anything was sent
sub unsent {
    return ['HSET', $meta, 'delivery', 0],
        map { ['HDEL', $meta, $_] } grep {/^dl:/} keys %{ $redis->hash($meta) };
}

ok !$redis->cmd('EXISTS', $meta) || !exists $redis->hash($meta)->{delivery}, 'nothing sent yet';
$in->greeted($_) for 1 .. 3;
ok hello(4), 'four friends';
is $redis->hash($meta)->{serial}, 4, '... numbered to 4';
my $feed = $redis->cmd('HGET', $in->key('feed'), 'version');
my $last = delivery();
ok $last, 'deliveries have numbers';
is_deeply [@{ $in->cursor }{qw(serial delivery)}], [4, $last], '`cursor` has both numbers, too';

# --- gone --------------------------------------------------------------------

my $log = with_meta_changed(['RENAME', $meta, 'kept']);
ok hello(5), '`meta` is gone: ingest goes on';
numbers_hold('gone', 1 .. 5);
is $in->serial(5), 5, 'gone: the next number';
like $log->(), qr/demo .*`meta`.*number was 0.*goes on after 4.*restore/, 'gone: the log says so';
unlike $log->(), qr/looking for/, '... and nothing had to be searched';
is $redis->hash($meta)->{serial}, 5, 'gone: written again';
cmp_ok $redis->cmd('HGET', $in->key('feed'), 'version'), '>', $feed,
    'gone: edges see a newer version of the feed, never an older';
ok hello(1), '... and an old friend';
is $in->timeline(1)->[0]{text}, "hello $n", '... is decided in the old record';
$in->greeted(6);
is delivery(), $last + 1, 'gone: deliveries go on behind the last';

# --- a deleted friend's number is not free -----------------------------------

is $in->command(do => 'friend.delete', friend => 0 + $in->serial(6))->{status}, 200,
    'the last goes';
my $erase = $redis->hash($meta)->{erase};
$log = with_meta_changed(['DEL', $meta], @forget);
ok hello(7), 'gone, and the last friend deleted: ingest goes on';
is $in->serial(7), 7, '... behind the number of the deleted';
cmp_ok $redis->hash($meta)->{erase}, '>', $erase,
    '... and what was deleted is not taken for gone from the file of Redis';
is $in->command(do => 'friend.delete', friend => 7)->{status}, 200, 'the last goes again';
$log = with_meta_changed(['HSET', $meta, 'serial', 5], @forget);
ok hello(8), '`meta` is older than the deleted alone';
is $in->serial(8), 8, '... they are counted';

# --- nobody knows: searched ---------------------------------------------------

$last = delivery();
$log  = with_meta_changed(['DEL', $meta], @forget);
ok hello(9), '`meta` is gone, `cursor` knows nothing';
numbers_hold('searched', 1 .. 5, 8, 9);
is $in->serial(9), 9, 'searched: the next number';
like $log->(), qr/looking for the highest number.*number was 0.*goes on after 8/s,
    'searched: the log says so';
$in->greeted(10);
cmp_ok delivery(), '>', $last + 65_535,
    'searched: numbers of deliveries are not given again either';
cmp_ok delivery(), '>', (time - 60 - 1_767_225_600) / 60, '... nor should it come to it again';

# --- older than what it numbers -----------------------------------------------

$last = delivery();
$log  = with_meta_changed(['HSET', $meta, 'serial', 2]);
ok hello(11), '`meta` is older than the friends: ingest goes on';
numbers_hold('older', 1 .. 5, 8 .. 11);
is $in->serial(11), 11, 'older: the next number';
like $log->(), qr/`meta`.*number was 2.*goes on after 10/, 'older: the log says so';

$log = with_meta_changed(unsent());
$in->greeted(12);
cmp_ok delivery(), '>', $last, 'older than the deliveries alone: none is given twice';
like $log->(), qr/last delivery's was 0, and goes on after $last/, '... and the log says so';

$last = delivery();
$log  = with_meta_changed(unsent(), ['HSET', $meta, 'serial', 2], @forget);
$in->greeted(13);
numbers_hold('older, and nobody knows', 1 .. 5, 8 .. 13);
cmp_ok delivery(), '>', 65_535, 'older, and nobody knows: deliveries go on far behind';

# --- a record that no user id leads to ---------------------------------------

my $next = $in->serial(13);
$redis->cmd('HSET', $in->key('f:' . ($next + 9)), 'uid', 'foreign');
$redis->cmd('HSET', $in->key('f:' . ($next + 900)), 'uid', 'foreign');
$log = with_meta_changed(['DEL', $meta], @forget);
ok hello(14), 'records further on are stepped over';
is $in->serial(14), $next + 901, '... with the number behind the last';

# --- no reason to say anything -----------------------------------------------

$log = with_meta_changed();
ok hello(15), 'started again on what is whole';
is $in->serial(15), $next + 902, '... the next number';
unlike $log->(), qr/`meta`/, '... without a word';

# --- a record that nobody knew of, while it runs ------------------------------

$next = $in->serial(15);
my $foreign = $in->key('f:' . ($next + 1));
$redis->cmd('HSET', $foreign, 'uid', 'foreign');
$log = log_from();
ok hello(16), 'the record of the next number is there already: ingest goes on';
is_deeply $redis->hash($foreign), { uid => 'foreign' }, '... nobody writes into it';
$foreign = $in->key('f:' . ($in->serial(16) + 101));
$redis->cmd('HSET', $foreign, 'uid', 'foreign');
ok hello(1000 .. 1199), 'and another is in the middle of many new friends';
is_deeply $redis->hash($foreign), { uid => 'foreign' }, '... nor into that one';
numbers_hold('taken', 15, 16, 1000 .. 1199);
like $log->(), qr/refused: the key \S+:f:\d+ of a new friend is there already/,
    'taken: the log says so';

# --- the search is made in parts ----------------------------------------------

# Stopped on its way for longer than a lease goes without being renewed.
my $monitor = $redis->client;
my $caught;
ok wait_for(
    sub {
        $monitor = $redis->client;
        $monitor->cmd('MONITOR');
        $log = with_meta_changed(['DEL', $meta], @forget);
        wait_for(sub { $log->() =~ /looking for/ }, 'a search', 10) or return 0;
        $in->worker->pause;
        $caught = $log->() !~ /goes on after/;
        my $until = now_ms() + 3100;
        wait_for(sub { now_ms() > $until }, '3 s', 10);
        $in->worker->resume;
        hello(17);
        return $caught;
    }, 'a search caught on its way', 60), 'a search is stopped for 3 s on its way';
$redis->cmd('SET', 'monitor', 'end');
my ($line, @seen) = ('');
while ($line !~ /"monitor"/) {
    $line = $monitor->reply;
    my $what = $line =~ /"HGETALL" "[^"]*:uid:/ ? 'bucket'
        : $line =~ /"EVALSHA" "\w+" "1" "[^"]*:lease:ingest"/ ? 'lease' : next;
    push @seen, $what if !@seen || $seen[-1] ne $what;
}
like "@seen", qr/bucket lease bucket/, 'the lease is renewed before it goes on';
numbers_hold('in parts', 15 .. 17, 1000);

# --- cannot be counted -------------------------------------------------------

my ($bucket) = @{ $redis->cmd('KEYS', $in->key('uid:*')) };
$redis->cmd('RENAME', $bucket, 'kept-bucket');
$log = with_meta_changed(['SET', $bucket, 'x'], ['DEL', $meta], @forget);
$in->webhook($in->event('follow', 18, replyToken => 'r', follow => {}));
ok wait_for(sub { $log->() =~ /uid:\d+ is no hash.*move the key away/ }, 'a line', 20),
    'friends that cannot be counted: the log says what to do';
ok !$in->serial(18), '... and no number is given';
ok wait_for(sub { 2 <= (() = $log->() =~ /is no hash/g) }, 'another try', 20), '... looks again';
is scalar(() = $log->() =~ /looking for/g), 1, '... without saying again that it looks';
$redis->cmd('DEL', $bucket);
$redis->cmd('RENAME', 'kept-bucket', $bucket);
ok $in->settle(20), '... until it is put right';
is $in->serial(18), $in->serial(17) + 1, '... and goes on by itself';

# --- numbers that are none ------------------------------------------------------

$log = with_meta_changed(['HSET', $meta, 'delivery', 1 << 24]);
ok wait_for(sub { $log->() =~ /field delivery of .* is not what we write/ }, 'a line', 20),
    'a number that no link can hold: the log says so, and ingest waits';
$redis->cmd('HSET', $meta, 'delivery', $redis->hash($in->key('cursor'))->{delivery});
ok hello(19), '... until it is put right';

done_testing;
