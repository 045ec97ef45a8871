#!/usr/bin/env perl
# Friends, inboxes, retry keys, reply tokens and usage survive a stop and a
# kill; a torn last line is dropped.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;

my $t = SimTest->new;
my ($a, $b) = map { $t->friend(display_name => $_) } 'あ', 'い';
my %key = ('x-line-retry-key' => '00000000-0000-4000-8000-000000000001');
my ($status, $first) = $t->push_text($a, 'kept', %key);
is($status, 200, 'pushed');
$t->sim('POST', "friends/$b/block", {});
$t->sim('POST', "friends/$a/text", { text => 'hi' });
my $reply = { replyToken => $t->last_event->{replyToken},
    messages => [SimTest::text('re')] };
my $people = $t->sim('GET', 'friends');
my $inbox = $t->inbox($a);

sub same_as_before {
    my ($how) = @_;
    is_deeply($t->sim('GET', 'friends'), $people, "$how: people");
    is_deeply($t->inbox($a), $inbox, "$how: inbox");
    is($t->sim('GET', 'state')->{quota}{used}, 1, "$how: usage");
    my ($status, $body) = $t->push_text($a, 'kept', %key);
    is_deeply([$status, $body->{sentMessages}],
        [409, $first->{sentMessages}], "$how: retry key");
}

is($t->stop, 0, 'exits with 0 on TERM');
$t->start;
same_as_before('stop');
$t->stop('KILL');
$t->start;
same_as_before('kill');

$t->stop('KILL');
open my $log, '>>', "$t->{dir}/sim/log.jsonl" or die $!;
print $log '{"k":"send","via":"pu';
close $log;
$t->start;
same_as_before('torn line');

is(($t->line('POST', '/v2/bot/message/reply', $reply))[0], 200,
    'a reply token from before');
$t->stop('KILL');
$t->start;
is(($t->line('POST', '/v2/bot/message/reply', $reply))[0], 400,
    'is not used twice');

done_testing();
