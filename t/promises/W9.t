# W9: A body that LINE signed long ago changes nothing when it comes again.
#
# Real bodies with real signatures go through the real edge: those older than
# the memory of ids (7 days) are set aside whole, those younger are recognised.
# What a friend's record, timeline and schedule hold is compared before and
# after, and what was sent.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;

my $BODIES = pick(short => 200, full => 5_000);
my $DAY    = 86_400_000;

my $in   = Tomo::Test::Ingest->start;
my $edge = Tomo::Test::Nginx->start(redis => $in->redis, clock => Tomo::Test::Files::path('clock'));
my @kinds = (
    sub { ('message', message => { type => 'text', id => "$_[0]", text => "t$_[0]" }) },
    sub { ('follow', follow => { isUnblocked => JSON::PP::false() }) },
    sub { ('unfollow') },
    sub { ('postback', postback => { data => "d$_[0]" }) },
    sub { ('unsend', unsend => { messageId => "$_[0]" }) },
);

sub bodies {
    my ($count, $age) = @_;
    return map {
        my ($kind, %more) = $kinds[ $_ % @kinds ]->($_);
        $in->{ulid}++;
        Tomo::Test::Webhook::webhook_body($in->event($kind, 1 + $_ % 20,
            timestamp => $in->now - $age - $_, %more));
    } 1 .. $count;
}

my %content = (
    hash   => sub { my $h = $in->redis->hash($_[0]); map {"$_=$h->{$_}"} sort keys %$h },
    list   => sub { @{ $in->redis->cmd('LRANGE', $_[0], 0, -1) } },
    zset   => sub { @{ $in->redis->cmd('ZRANGE', $_[0], 0, -1, 'WITHSCORES') } },
    set    => sub { sort @{ $in->redis->cmd('SMEMBERS', $_[0]) } },
    stream => sub { map { $_->[0] } @{ $in->redis->stream($_[0]) } },
    string => sub { $in->redis->cmd('GET', $_[0]) },
);

# All that friends, sets, outbox and schedule hold, as one text; what counts
# and remembers events is left out.
sub picture {
    my @all;
    for my $key (sort @{ $in->redis->cmd('KEYS', $in->key('*')) }) {
        next if $key =~ /:(?:in|bulk|ship|cursor|quarantine|lease:\w+|feed|met:\d+)$/;
        push @all, join ' ', $key, $content{ $in->redis->cmd('TYPE', $key) }->($key);
    }
    return join "\n", @all;
}

# Time passes, and what falls due by it is decided.
sub elapse {
    my ($s) = @_;
    $in->advance($s);
    return wait_for(sub {
        !$in->redis->cmd('ZCOUNT', $in->key('sched'), '-inf', $in->now);
    }, "$s s later nothing is due", 30) && $in->settle;
}

sub send_all {
    my $bad = 0;
    for my $body (@_) {
        my $r = Tomo::Test::Webhook::send_webhook($edge, $body);
        $bad++ if !$r || $r->{status} != 200;
    }
    wait_for(sub {
        my $r = http_get($edge->port, '/tomo/status?format=json') or return;
        return eval { JSON::PP::decode_json($r->{body})->{waiting} == 0 };
    }, 'all shipped', 30);
    $in->settle(60);
    return $bad;
}

ok wait_for(sub {
    my $r = Tomo::Test::Webhook::send_webhook($edge, Tomo::Test::Webhook::webhook_body());
    return $r && $r->{status} == 200;
}, 'the edge knows the account', 10), 'the edge takes webhooks';

my @fresh = bodies(100, 5_000);
is send_all(@fresh), 0, 'fresh bodies are taken';
ok elapse(10), 'and greetings no longer wait for a profile';
my $before = picture();
like $before, qr/ t5\b|text=t5\b/, 'and have effects';

# --- never seen, older than the memory --------------------------------------

my $cursor = $in->cursor;
my @old = bodies($BODIES, 7 * $DAY + 60_000);
is send_all(@old), 0, 'old bodies are taken too: LINE must not send them for ever';
my $after = $in->cursor;
my $aside = $after->{quarantined} - $cursor->{quarantined};
is picture(), $before, 'W9: they change nothing';
is $aside, $BODIES, 'W9: each is set aside';
is_deeply [grep { $_ ne 'too_old' } map { $_->[1]{why} } @{ $in->quarantine }], [],
    'W9: because of its age';

# --- seen, within the memory and beyond it ----------------------------------

$cursor = $in->cursor;
send_all(@fresh);
is picture(), $before, 'W9: a body captured today changes nothing today';
is $in->cursor->{duplicates} - $cursor->{duplicates}, 100, 'W9: each is known';
ok elapse(6 * 86_400), 'six days pass';
my $later = picture();
send_all(@fresh);
is picture(), $later, 'W9: nor six days later';
ok elapse(2 * 86_400), 'two more';
$later = picture();
send_all(@fresh);
is picture(), $later, 'W9: nor eight days later, when its id is too old to ask for';
ok elapse(40 * 86_400), 'forty more';
$later = picture();
send_all(@fresh);
is picture(), $later, 'W9: nor when its id is forgotten';

figure('bodies older than the memory of ids' => $BODIES);
figure('set aside' => $aside);
figure('effects'   => picture() eq $later ? 0 : 'some');

done_testing;
