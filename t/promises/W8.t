# W8: What a friend's record says depends on when things happened, not on the
# order in which they arrived.
#
# All 720 orders of six events (follow, message, unfollow, twice), each for a
# friend of its own, and each friend a second time with every event in a body
# of its own, so that no batch holds them together. One state must come out.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;

my @KINDS  = ('follow', 'message', 'unfollow', 'follow', 'message', 'unfollow');
my @FIELDS = qw(st st_at fu life_at add_at add_n);
my $APART  = pick(short => 60, full => 720);    # orders sent event by event

my $in   = Tomo::Test::Ingest->start(undecided => 1);
my $base = now_ms() - 60_000;

sub permutations {
    my ($done, @rest) = @_;
    return [@$done] if !@rest;
    return map { my $i = $_; permutations([@$done, $rest[$i]],
        @rest[grep { $_ != $i } 0 .. $#rest]) } 0 .. $#rest;
}

sub events {
    my ($user, $order) = @_;
    return map {
        $in->event($KINDS[$_], $user, timestamp => $base + 1000 * $_,
            $KINDS[$_] eq 'message' ? (message => { type => 'text', id => "$user$_",
                text => 'x' }) : (),
            $KINDS[$_] eq 'follow' ? (follow => { isUnblocked => JSON::PP::false() }) : ())
    } @$order;
}

my @orders = permutations([], 0 .. $#KINDS);
my $user   = 0;
my %order;
for my $order (@orders) {
    $order{ ++$user } = "@$order";
    $in->webhook(events($user, $order));
}
ok $in->settle(60), 'all orders are decided, each in one body';
my $stride = @orders / $APART;
for my $i (0 .. $APART - 1) {
    my $order = $orders[ $i * $stride ];
    $order{ ++$user } = "@$order";
    for my $event (events($user, $order)) {
        $in->webhook($event);
        $in->settle if $i % 10 == 0;            # one by one, commit by commit
    }
}
ok $in->settle(60), 'and again, each event in a body of its own';

my %uid;
for my $serial (1 .. $in->redis->cmd('HGET', $in->key('meta'), 'serial')) {
    my $f = $in->redis->hash($in->key("f:$serial"));
    push @{ $uid{ join ' ', map { "$_=" . ($f->{$_} // '') } @FIELDS } }, $f->{uid};
}
figure('orders of six events' => scalar @orders);
figure('friends' => $user);
figure('distinct final states' => scalar keys %uid);
is scalar(map {@$_} values %uid), $user, 'each friend has a record';
is scalar @orders, 720, 'W8: 720 orders';
is scalar keys %uid, 1, 'W8: one final state' or diag join "\n", keys %uid;
like +(keys %uid)[0], qr/^st=blocked /, 'W8: the newest event decides';
like +(keys %uid)[0], qr/ add_n=2$/, 'W8: and every follow counts';
is $in->cursor->{quarantined}, 0, 'nothing was set aside';

done_testing;
