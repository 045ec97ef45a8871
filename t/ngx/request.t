#!/usr/bin/perl

# Requests as no browser sends them (B37), pipelining, and keepalive through
# every kind of answer.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Snapshot;
use Tomo::Test::Webhook;
use Tomo::Journal;

my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock', workers => 1,
    server => 'large_client_header_buffers 16 16k;');
write_snapshot($edge);
$edge->launch;

my $url  = '/line/webhook/demo';
my $body = webhook_body(follow_event(user_id(1)));
my $sign = sign($body);
my $len  = length $body;

sub raw {
    my ($bytes) = @_;
    my $c = Tomo::Test::Http->connect($edge->port);
    $c->send($bytes);
    return $c->response;
}
my $kept = 0;
sub journal_is {
    my ($what) = @_;
    my @bodies = map { $_->{body} } Tomo::Journal::records($edge->journal);
    is scalar @bodies, $kept, $what;
    ok !(grep { $_ ne $body } @bodies), 'and all are whole';
    return;
}

is raw('GET /' . 'x' x 32768 . " HTTP/1.1\r\nHost: a\r\n\r\n")->{status}, 414,
    'B37: a 32 KB request line';
is raw("POST /line/webhook/" . 'x' x 12000 . " HTTP/1.1\r\nHost: a\r\nContent-Length: $len\r\n"
    . "x-line-signature: $sign\r\n\r\n$body")->{status}, 401, 'B37: a 12 KB account';
my $many = join '', map { "X-Header-$_: value\r\n" } 1 .. 900;
is raw("POST $url HTTP/1.1\r\nHost: a\r\n${many}Content-Length: $len\r\nx-line-signature: $sign\r\n"
    . "\r\n$body")->{status}, 200, 'B37: 900 headers';
$kept++;
# Debian's nginx counts header lines, upstream's of that version does not.
my $r = raw("POST $url HTTP/1.1\r\nHost: a\r\n$many${many}Content-Length: $len\r\n"
    . "x-line-signature: $sign\r\n\r\n$body");
like $r->{status}, qr/^(?:200|4\d\d)$/, 'B37: 1,800 headers are taken, or refused';
$kept++ if $r->{status} == 200;
$r = raw("POST $url HTTP/1.0\r\nContent-Length: $len\r\nx-line-signature: $sign\r\n\r\n$body");
is $r->{status}, 200, 'B37: HTTP/1.0';
$kept++;
is raw("POST http://other.example$url HTTP/1.1\r\nHost: a\r\nContent-Length: $len\r\n"
    . "x-line-signature: $sign\r\n\r\n$body")->{status}, 200, 'B37: an absolute URI';
$kept++;
is raw("POST /line/../line//webhook/./demo?account=other#x HTTP/1.1\r\nHost: a\r\n"
    . "Content-Length: $len\r\nx-line-signature: $sign\r\n\r\n$body")->{status}, 200,
    'B37: a path in many words, and arguments that count for nothing';
$kept++;
is raw("POST $url HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: $len\r\n"
    . "x-line-signature: $sign\r\n\r\n$body")->{status}, 200, 'Expect: 100-continue';
$kept++;
is raw("POST $url HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n")->{status}, 400,
    'a negative length';
is raw("POST $url HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n")->{status},
    400,    'a length beyond numbers';
is raw("POST $url HTTP/1.1\r\nHost: a\r\nx-line-signature: $sign\r\n\r\n")->{status}, 401,
    'no body at all: another signature';
is raw("POST $url HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n"
    . "x-line-signature: $sign\r\n\r\n0\r\n\r\n")->{status}, 501, 'an unknown transfer encoding';
journal_is('the journal has the good ones');

# One connection: requests sent at once are answered in order.
my $c   = Tomo::Test::Http->connect($edge->port);
my $one = Tomo::Test::Http::format_request('POST', $url, ['x-line-signature' => $sign], $body);
my $bad = Tomo::Test::Http::format_request('POST', $url, ['x-line-signature' => 'x'], $body);
my $get = Tomo::Test::Http::format_request('GET', '/tomo/status', [], undef);
$c->send($one . $bad . $one . $get . $one);
my @got = map { ($c->response || { status => 0 })->{status} } 1 .. 5;
is_deeply \@got, [200, 401, 200, 200, 200], 'pipelined requests are answered in order';
$kept += 3;
journal_is('and those that were good are kept');

# The same connection, many times: nothing is left over from the one before.
for (1 .. 200) {
    my $answer = $c->ask('POST', $url, ['x-line-signature' => $sign], $body);
    $answer && $answer->{status} == 200 or last;
    $kept++;
}
journal_is('200 more on one connection');

# A client that half closes, or goes while its record is on the way.
for my $way (qw(close reset)) {
    for (1 .. 50) {
        my $leaver = Tomo::Test::Http->connect($edge->port);
        $leaver->send($one);
        $leaver->$way;
    }
}
is send_webhook($edge, $body)->{status}, 200, 'T8: leaving clients do no harm';
my @bodies = map { $_->{body} } Tomo::Journal::records($edge->journal);
ok !(grep { $_ ne $body } @bodies), 'T8: no half record';
my $counters = Tomo::Test::Status::fetch($edge)->{counters};
cmp_ok $counters->{webhook_accepted} + $counters->{webhook_abandoned}, '<=', scalar @bodies,
    'T8: every record is one that was answered, or whose client left';

ok $edge->quit, 'QUIT';
done_testing;
