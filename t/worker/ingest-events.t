# What webhooks may bring: duplicates, other orders, old copies, odd content.
# RELIABILITY.md W7, W8, W9 and B6, B14-B26.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in = Tomo::Test::Ingest->start;
my $no = JSON::PP::false();
my $quarantined = 0;

sub encode { return JSON::PP->new->canonical->utf8->encode($_[0]) }

sub body { return encode({ destination => $Tomo::Test::Files::BOT_USER_ID, events => [@_] }) }

# puts a raw body; the quarantine must grow by one entry with this reason
sub refused {
    my ($why, $what, $body) = @_;
    $in->add('webhook', $body);
    $in->settle;
    my @q = @{ $in->quarantine };
    $quarantined++;
    is scalar @q, $quarantined, "$what: set aside";
    is $q[-1][1]{why}, $why, "$what: $why";
    return $q[-1][1];
}

# --- W7: one effect per id --------------------------------------------------

my @events = map { $in->event('message', 100 + $_, message => { type => 'text', id => "$_",
    text => "hi $_" }) } 1 .. 50;
for my $round (1 .. 3) {
    local $in->{round} = $round;
    $_->{deliveryContext}{isRedelivery} = $round > 1 ? JSON::PP::true() : $no for @events;
    $in->webhook(@events[0 .. 24]);
    $in->webhook($events[$_]) for 25 .. 49;
}
$in->settle;
my @rows = map { scalar grep { $_->{kind} eq 'text' } @{ $in->timeline(100 + $_) } } 1 .. 50;
is_deeply \@rows, [(1) x 50], 'W7: every event has one effect, three copies or not';
my $cursor = $in->cursor;
is $cursor->{handled}, 150, 'W7: all are counted';
is $cursor->{duplicates}, 100, 'W7: copies as duplicates';

$in->worker->restart;
$in->webhook(@events);
$in->settle;
is scalar @{ $in->timeline(101) }, 1, 'W7: after a restart too';

my $twice = $in->event('message', 1, message => { type => 'text', id => 1, text => 'first' });
$in->webhook($twice, { %$twice, message => { type => 'text', id => 1, text => 'second' } });
$in->settle;
is $in->timeline(1)->[0]{text}, 'first', 'B20: same id twice in one body: the first wins';
is $in->cursor->{conflicts}, 1, 'B20: the conflict is counted';

my $copied = $in->event('message', 1, message => { type => 'text', id => 3, text => 'third' });
$in->webhook($copied, { %$copied, deliveryContext => { isRedelivery => JSON::PP::true() } });
$in->settle;
is $in->cursor->{conflicts}, 1, 'W7: a copy that says so is no conflict in the same batch';

$in->webhook($in->event('message', 2, deliveryContext => { isRedelivery => JSON::PP::true() },
    message => { type => 'text', id => 2, text => 'late' }));
$in->settle;
is $in->timeline(2)->[0]{text}, 'late', 'B21: a redelivery never seen before is processed';

# --- W8: the order of arrival does not matter -------------------------------

sub permutations {
    my ($done, @rest) = @_;
    return [@$done] if !@rest;
    return map { my $i = $_; permutations([@$done, $rest[$i]],
        @rest[grep { $_ != $i } 0 .. $#rest]) } 0 .. $#rest;
}

my $base = now_ms() - 60_000;
my @kinds = ('follow', 'message', 'unfollow', 'follow', 'message', 'unfollow');
my $user  = 10_000;
for my $order (permutations([], 0 .. 5)) {
    $user++;
    $in->webhook(map {
        $in->event($kinds[$_], $user, timestamp => $base + 1000 * $_,
            $kinds[$_] eq 'message' ? (message => { type => 'text', id => "$user$_",
                text => 'x' }) : (),
            $kinds[$_] eq 'follow' ? (follow => { isUnblocked => $no }) : ())
    } @$order);
}
$in->settle(60);
my %states;
for my $n (10_001 .. $user) {
    my $f = $in->redis->hash($in->key('f:' . ($in->redis->cmd('HGET',
        $in->key('uid:' . bucket($in->user($n))), $in->user($n)))));
    $states{ join ' ', map { "$_=" . ($f->{$_} // '') } qw(st st_at fu life_at add_at add_n) }++;
}
is $user - 10_000, 720, 'W8: 720 orders';
is scalar keys %states, 1, 'W8: one final state' or diag explain \%states;
like +(keys %states)[0], qr/^st=blocked /, 'W8: the newest event decides';

sub bucket {
    my ($uid) = @_;
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $uid) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    }
    return ($crc ^ 0xffffffff) & 0xffff;
}

# --- W9 ---------------------------------------------------------------------

$quarantined = @{ $in->quarantine };
refused('too_old', 'W9: a body replayed after the dedupe memory',
    body($in->event('message', 3, timestamp => now_ms() - 8 * 86_400_000,
        message => { type => 'text', id => 1, text => 'old' })));
ok !defined $in->serial(3), 'W9: it changes nothing';

# --- odd bodies -------------------------------------------------------------

refused('destination_of_another_bot', 'B6', encode({ destination => 'U' . 'f' x 32,
    events => [] }));
refused('not_json', 'B14 truncated', substr body($in->event('follow', 4)), 0, 100);
refused('not_json', 'B14 two documents', body() . body());
refused('not_an_object', 'B14 an array', '[]');
refused('not_an_object', 'B14 a string', '"x"');
refused('not_an_object', 'B14 a number', '1');
refused('not_a_webhook', 'B14 an empty object', '{}');
refused('not_json', 'B13 a byte order mark', "\xef\xbb\xbf" . body());
refused('too_deep', 'B15 a million brackets', '{"x":' . '[' x 1_000_000);
refused('too_deep', 'B15 deep in an event',
    body() =~ s/\[\]/'[{"a":' . '[' x 40 . ']' x 40 . '}]'/er);
refused('not_utf8', 'B17 overlong', body($in->event('follow', "4")) =~ s/follow/fol\xc0\xaflow/r);
refused('not_utf8', 'B17 surrogate bytes', body($in->event('follow',
    4)) =~ s/follow/fol\xed\xa0\x80low/r);

my $event = $in->event('follow', 4, follow => { isUnblocked => $no });
my $text  = body($event);
refused('duplicate_member', 'B16 type twice',
    $text =~ s/"type":"follow"/"type":"follow","type":"follow"/r);
refused('duplicate_member', 'B16 userId twice', $text =~ s/"userId":/"userId":"x","userId":/r);
refused('user_id_odd', 'B17 NUL in userId', $text =~ s/"userId":"U0000/"userId":"U\\u00000000/r);
refused('event_id_odd', 'B17 NUL in the id', $text =~ s/01JTEST/01JT\\u0000EST/r);
for my $stamp ('"1"', '-1', '1e999', '9223372036854775808', '9007199254740993', '7258118400000') {
    refused($stamp eq '"1"' ? 'member_of_other_kind' : 'timestamp_odd', "B18 timestamp $stamp",
        $text =~ s/"timestamp":\d+/"timestamp":$stamp/r);
}
for my $id ('', 'SHORT', lc $event->{webhookEventId}, 'A' x 1024, "01JTEST\r\n0000000000000001") {
    my $row = refused(length $id > 64 ? 'member_too_long' : 'event_id_odd',
        'B19 id ' . substr(encode([$id]), 0, 20),
        body({ %$event, webhookEventId => $id }));
    like $row->{id}, qr/^q-[0-9a-f]{16}\.0$/, 'B19: a synthetic id';
}
my %none = %$event;
delete $none{webhookEventId};
refused('event_id_odd', 'B19 no id', body(\%none));
is $in->serial(4), undef, 'nothing of all this made a friend';

# one odd event does not take its neighbours with it
$in->webhook($in->event('message', 5, message => { type => 'text', id => 1, text => 'a' }),
    { %$event, timestamp => -1 },
    $in->event('message', 5, message => { type => 'text', id => 2, text => 'b' }));
$in->settle;
$quarantined++;
is join(' ', map { $_->{text} } @{ $in->timeline(5) }), 'b a', 'neighbours of an odd event go on';

# --- B22-B26 ----------------------------------------------------------------

my @many = map { $in->event('message', 6, message => { type => 'text', id => $_,
    text => "n$_" }) } 1 .. 3000;
$in->webhook(@many);
$in->settle(30);
is $in->timeline(6)->[0]{text}, 'n3000', 'B22: thousands of events in one body';
is scalar @{ $in->timeline(6) }, 200, 'B22: the timeline keeps 200 rows';
$in->webhook($in->event('message', 7, message => { type => 'text', id => 1,
    text => 'x' x 60_000 }));
$in->settle;
cmp_ok length $in->timeline(7)->[0]{text}, '<=', 20_000, 'B22: a long text is cut';

my $before = $in->cursor->{skipped};
my %source = (type => 'group', groupId => 'C' . '0' x 32);
$in->webhook(
    $in->event('message', 8, source => \%source, message => { type => 'text', id => 1,
        text => 'g' }),
    $in->event('message', 8, source => { type => 'newkind', userId => $in->user(8) },
        message => { type => 'text', id => 1, text => 'g' }),
    $in->event('join', 8, source => \%source),
    { %{ $in->event('delivery', 8) }, source => undef });
$in->settle;
is $in->cursor->{skipped} - $before, 4, 'B23: groups, unknown sources and none are counted';
ok !defined $in->serial(8), 'B23: and make no friend';
$in->webhook($in->event('shinyNewKind', 5, extra => { a => [1, { b => 2 }] }),
    $in->event('message', 5, message => { type => 'hologram', id => 9, data => [1] }));
$in->settle;
is $in->timeline(5)->[1]{why}, 'shinyNewKind',
    'B23: an unknown event of a friend is on the timeline';
is $in->timeline(5)->[0]{why}, 'hologram', 'B23: an unknown message too';

my $rows = @{ $in->out };
$in->webhook($in->event('follow', 9, mode => 'standby', follow => { isUnblocked => $no }),
    $in->event('message', 9, mode => 'standby', message => { type => 'text', id => 1,
        text => 's' }));
$in->settle;
is $in->friend(9)->{st}, 'following', 'B24: standby is recorded';
is @{ $in->out } - $rows, 0, 'B24: but nothing is sent';

$in->webhook($in->event('unsend', 12, unsend => { messageId => '404' }), $in->event('unfollow',
    13),
    $in->event('unfollow', 13), $in->event('follow', 13, timestamp => now_ms() + 5,
        follow => { isUnblocked => JSON::PP::true() }));
$in->settle;
is $in->friend(13)->{st}, 'following', 'B25: unfollow of nobody we know, then a return';
$in->webhook($in->event('postback', 5,
    postback => { data => 'tag=vip&{"do":"tag.add","tag":"saw-catalog"}' }));
$in->settle;
is $in->tags(5), '', 'B26: postback data is data';
is $in->timeline(5)->[0]{text}, 'tag=vip&{"do":"tag.add","tag":"saw-catalog"}',
    'B26: kept as it came';

# friends from before installation
is $in->friend(5)->{st}, 'unknown', 'who writes without a follow is recorded, not greeted';
is scalar grep({ $_->[1]{via} eq 'reply' } @{ $in->out }), 0, 'no greeting went to any of them';
is scalar @{ $in->quarantine }, $quarantined, 'nothing else was set aside';
ok $in->worker->alive, 'and ingest never fell';
unlike $in->worker->output, qr/U0000|hi 1/, 'no user id and no text in the log';

done_testing;
