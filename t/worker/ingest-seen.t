# What is remembered of events by their ids: which, of what content, for how
# long.  RELIABILITY.md B20, W7, T39.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in    = Tomo::Test::Ingest->start;
my $redis = $in->redis;
my $today = int(now_ms() / 86_400_000);

sub conflicts { return $in->cursor->{conflicts} // 0 }

sub text {
    my ($event, $text, %more) = @_;
    return { %$event, message => { type => 'text', id => 1, text => $text }, %more };
}

# --- B20: the first wins, wherever the second comes -------------------------

my @ways = (
    ['in one body', sub { $in->webhook(@_) }],
    ['in two bodies', sub { $in->webhook($_) for @_ }],
    ['in two batches', sub { for (@_) { $in->webhook($_); $in->settle } }],
    ['with a restart between them', sub {
        $in->webhook(shift);
        $in->settle;
        $in->worker->restart;
        $in->webhook(@_);
    }],
    ['with a kill between them', sub {
        $in->webhook(shift);
        $in->settle;
        $in->worker->kill_now;
        $in->worker->launch;
        $in->webhook(@_);
    }],
);
my $copy = JSON::PP::true();
my $user = 0;
for my $way (@ways) {
    my ($where, $put) = @$way;
    my ($conflicts, $duplicates) = (conflicts(), $in->cursor->{duplicates} // 0);
    my $first = text($in->event('message', ++$user), 'first');
    $put->($first, text($first, 'second'));
    ok $in->settle, "B20 $where: decided";
    is join(' ', map { $_->{text} } @{ $in->timeline($user) }), 'first', "B20 $where: first wins";
    is conflicts() - $conflicts, 1, "B20 $where: the conflict is counted";

    my $again = text($in->event('message', ++$user), 'again');
    $put->($again, { %$again, deliveryContext => { isRedelivery => $copy, more => [{}] } });
    ok $in->settle, "W7 $where: decided";
    is @{ $in->timeline($user) }, 1, "W7 $where: a copy that says so has no effect";
    is conflicts() - $conflicts, 1, "W7 $where: and is no conflict";
    is $in->cursor->{duplicates} - $duplicates, 2, "W7 $where: both are counted as copies";
}

# --- a survey posted again by a second click ---------------------------------

$in->greeted(++$user);
my $before = conflicts();
my @post = (nonce => 'n' x 22, 'q.name' => 'Hanako');
$in->answer($user, 'profile', @post);
$in->settle;
$in->answer($user, 'profile', @post, at => $in->now + 5);
$in->settle;
is conflicts() - $before, 0, 'B49: the same answers under a nonce are no conflict';
$in->answer($user, 'profile', nonce => 'n' x 22, 'q.name' => 'Taro');
$in->settle;
is conflicts() - $before, 1, 'B49: others are';
is scalar(grep { $_->{kind} eq 'answer' } @{ $in->timeline($user) }), 1, 'B49: one answer';

# --- what an older Tomo left ------------------------------------------------

my $old = text($in->event('message', ++$user), 'old');
my $set = $in->key('seen:' . int($old->{timestamp} / 86_400_000));
$in->worker->stop;
$redis->cmd('SADD', $set, $old->{webhookEventId});
$in->worker->launch;
$in->webhook($old);
ok $in->settle, 'an id that an older Tomo remembered comes again';
is_deeply $in->timeline($user) // [], [], 'and has no effect';

# --- T39: days go away -------------------------------------------------------

for my $n (0, 7, 30, 33, 40, 300) {
    $redis->cmd('HSET', $in->key('met:' . ($today - $n)), 'id', 'digest');
    $redis->cmd('SADD', $in->key('seen:' . ($today - $n)), 'id');
}
$in->worker->restart;
for my $name ('met', 'seen') {
    ok wait_for(
        sub { !grep { $redis->cmd('EXISTS', $in->key("$name:" . ($today - $_))) } 33, 40, 300 },
        "old days of $name gone", 30
    ), "T39: days of `$name` over a month old are let go of";
    is $redis->cmd('EXISTS', $in->key("$name:" . ($today - $_))), 1,
        "T39: that of $_ days ago stays" for 0, 7, 30;
}

done_testing;
