# What webhooks may bring: odd bodies and events.  RELIABILITY.md B6, B13-B26.
# Copies are in ingest-seen.t and t/promises/W7.t, orders and old bodies in W8.t
# and W9.t there.

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

$in->webhook($in->event('message', 2, deliveryContext => { isRedelivery => JSON::PP::true() },
    message => { type => 'text', id => 2, text => 'come late' }));
$in->settle;
is $in->timeline(2)->[0]{text}, 'come late', 'B21: a redelivery never seen before is processed';

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
unlike $in->worker->output, qr/U0000|come late/, 'no user id and no text in the log';

done_testing;
