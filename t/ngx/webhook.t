#!/usr/bin/perl

# Webhooks at the edge: what is taken, byte for byte, and what is refused
# (RELIABILITY.md B1-B15, W1, W6), without Redis.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Snapshot;
use Tomo::Test::Webhook;
use Tomo::Journal;

my $SECRET = $Tomo::Test::Files::CHANNEL_SECRET;
my $OTHER  = 'ffffffffffffffffffffffffffffffff';
my $NEXT   = '00112233445566778899aabbccddeeff';

my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock', workers => 1, server => <<'END');
location /small/ { tomo_webhook; tomo_max_body 4k; }
location /spill/ { tomo_webhook; client_body_buffer_size 1k; client_body_in_file_only clean; }
location /parts/ { tomo_webhook; client_body_buffer_size 2k; }
END
write_snapshot(
    $edge,
    { id => 'demo',  number => 1, secrets => [$SECRET, $NEXT] },
    { id => 'other', number => 2, secrets => [$OTHER] },
    { id => 'empty', number => 3 },
);
$edge->launch;
my $port = $edge->port;

sub journal  { return Tomo::Journal::records($edge->journal) }
sub bodies   { return map { $_->{body} } journal() }
sub counters { return Tomo::Test::Status::fetch($edge)->{counters} }

# Posts with exactly these headers besides Host and Content-Length.
sub post { my ($path, $body, @headers) = @_; return http_post($port, $path, $body, @headers) }
sub signed { my ($body, @secret) = @_; return ('x-line-signature' => sign($body, @secret)) }

# --- taken -------------------------------------------------------------------
my $body = webhook_body(follow_event(user_id(1)));
my $r = post('/line/webhook/demo', $body, signed($body));
is $r->{status}, 200, 'W1: a signed webhook is taken';
is $r->{body}, '{}', 'with an empty object';
is $r->{headers}{'cache-control'}, 'no-store', 'never cached';
my ($record) = journal();
is $record->{body}, $body, 'the body is in the journal, byte for byte';
is "$record->{account} $record->{kind} $record->{lane} $record->{events} $record->{seq}",
    'demo 1 0 1 1', 'as a webhook of its account';
ok abs($record->{at_ms} - now_ms()) < 10_000, 'with the time of its arrival';

for my $name (qw(X-Line-Signature x-line-signature X-LINE-SIGNATURE)) {
    is post('/line/webhook/demo', $body, $name => sign($body))->{status}, 200, "B3: $name";
}
is post('/line/webhook/demo', $body, signed($body, $NEXT))->{status}, 200, 'B7: the next secret';
is counters()->{webhook_verified}, 4, 'B7: counted with the first';
is counters()->{webhook_verified_next}, 1, 'B7: and with the next secret';

my $empty = '{"destination":"U0000000000000000000000000000000","events":[]}';
is post('/line/webhook/demo', $empty, signed($empty))->{status}, 200, 'B8: no events';

for my $case (
    [B13 => 'a byte order mark',        "\xEF\xBB\xBF{\"events\":[]}"],
    [B13 => 'UTF-16',                   join '', map { "$_\0" } split //, '{"events":[]}'],
    [B14 => 'two documents',            '{"events":[]}{"events":[]}'],
    [B14 => 'truncated JSON',           '{"events":['],
    [B14 => 'a number',                 '7'],
    [B15 => '100,000 nested brackets',  '[' x 100_000],
    [B14 => 'zero bytes',               "a\0b\0\0"],
    [B14 => 'an empty body',            ''],
) {
    my ($id, $what, $bytes) = @$case;
    is post('/line/webhook/demo', $bytes, signed($bytes))->{status}, 200,
        "$id: $what, signed, is taken as it is";
    is((bodies())[-1], $bytes, "$id: and kept byte for byte") if length $bytes;
}

for my $size (1, 1023, 1024, 5000, 70_000, 1_048_576) {
    my $bytes = join '', map { chr(($_ * 7 + $size) % 256) } 1 .. $size;
    my @paths = ('/spill/demo', $size > 300_000 ? () : ('/line/webhook/demo', '/parts/demo'));
    for my $path (@paths) {
        my $c = Tomo::Test::Http->connect($port);
        $c->send(Tomo::Test::Http::format_request('POST', $path, [signed($bytes),
            'Content-Length' => $size], undef));
        $c->send(substr $bytes, 0, int($size / 3));
        $c->send(substr $bytes, int($size / 3));
        is $c->response->{status}, 200, "B12: $size bytes at $path";
        ok((bodies())[-1] eq $bytes, "B12: the same bytes in the journal");
    }
}

# --- refused -----------------------------------------------------------------
my @before = bodies();
my $refusal;

sub refused {
    my ($what, $reason, $status, @request) = @_;
    my $counter = "webhook_$reason";
    my $was = counters()->{$counter};
    my $answer = post(@request);
    is $answer->{status}, $status, $what;
    $refusal //= $answer->{body} if $status == 401;
    is $answer->{body}, $refusal, "$what: the same words" if $status == 401;
    is counters()->{$counter}, $was + 1, "$what: counted as $reason";
    return $answer;
}

my $url = '/line/webhook/demo';
my $sign = sign($body);
refused('B1: no signature', 'signature_missing', 401, $url, $body);
refused('B1: an empty signature', 'signature_missing', 401, $url, $body, 'x-line-signature' => '');
refused('B2: two signatures, one good', 'signature_malformed', 401, $url, $body,
    signed($body), 'X-Line-Signature' => sign('other'));
refused('B2: the same signature twice', 'signature_malformed', 401, $url, $body,
    signed($body), signed($body));

(my $urlsafe = $sign) =~ tr{+/}{-_};
my $flat = sign($body . 'x');
for (0 .. 200) { last if $flat =~ m{[+/]}; $flat = sign($body . 'x' x $_) }
(my $flat_url = $flat) =~ tr{+/}{-_};
my %alphabet = map { $_ => 1 } split //, 'AEIMQUYcgkosw048';
my $trailing = $sign;
substr $trailing, 42, 1, (grep { !$alphabet{$_} } split //, 'BCDFGH')[0];
for my $case (
    ['no padding',     $sign =~ s/=+$//r],
    ['URL alphabet',   $flat_url],
    ['a space inside', substr($sign, 0, 20) . ' ' . substr $sign, 21],
    ['trailing bits',  $trailing],
    ['31 bytes',       MIME::Base64::encode_base64('x' x 31, '')],
    ['33 bytes',       MIME::Base64::encode_base64('x' x 33, '')],
    ['6 KB',           'A' x 6144],
) {
    refused("B4: $case->[0]", 'signature_malformed', 401, $url, $body,
        'x-line-signature' => $case->[1]);
}
refused('B5: another channel\'s secret', 'signature_wrong', 401, $url, $body,
    signed($body, $OTHER));
refused('W6: one bit of the body differs', 'signature_wrong', 401, $url, $body . ' ',
    signed($body));
refused('an account without a secret', 'signature_wrong', 401, '/line/webhook/empty', $body,
    signed($body));
for my $id ('nobody', 'DEMO', '', 'demo%2F..x', 'x' x 400) {
    refused('unknown account ' . substr($id, 0, 9), 'account_unknown', 401,
        "/line/webhook/$id", $body, signed($body));
}
refused('B13: Content-Encoding', 'encoded', 415, $url, $body, signed($body),
    'Content-Encoding' => 'gzip');

for my $method (qw(GET HEAD PUT OPTIONS DELETE PATCH)) {
    my $was = counters()->{webhook_method};
    my $answer = http($port, $method, $url, [signed($body)],
        $method =~ /PUT|PATCH/ ? $body : undef);
    is $answer->{status}, 405, "B9: $method";
    is $answer->{headers}{allow}, 'POST', "B9: $method: Allow";
    is counters()->{webhook_method}, $was + 1, "B9: $method is counted";
}

# --- B10: sizes and framing ----------------------------------------------------
my $big = 'b' x 4097;
refused('B10: over the limit', 'too_large', 413, '/small/demo', $big, signed($big));
my $fits = 'b' x 4096;
is post('/small/demo', $fits, signed($fits))->{status}, 200, 'B10: at the limit';
push @before, $fits;

sub chunked {
    my ($path, $bytes) = @_;
    my $c = Tomo::Test::Http->connect($port);
    $c->send("POST $path HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        . "x-line-signature: " . sign($bytes) . "\r\n\r\n");
    $c->send(sprintf "%x\r\n%s\r\n", length, $_) for $bytes =~ /(.{1,1000})/gs;
    $c->send("0\r\n\r\n");
    return $c->response;
}
is chunked('/small/demo', 'c' x 4000)->{status}, 200, 'B10: chunked, without a length';
push @before, 'c' x 4000;
my $too = chunked('/small/demo', 'c' x 9000);
ok !$too || $too->{status} == 413, 'B10: chunked over the limit';

my $smuggle = http($port, 'POST', $url, [signed($body), 'Content-Length' => length $body,
    'Transfer-Encoding' => 'chunked'], "0\r\n\r\n");
is $smuggle->{status}, 400, 'B10: both framings are refused';
my $lying = Tomo::Test::Http->connect($port);
$lying->send("POST $url HTTP/1.1\r\nHost: a\r\nContent-Length: " . (length($body) + 5)
    . "\r\nx-line-signature: $sign\r\n\r\n$body");
shutdown $lying->{sock}, 1;
ok !defined $lying->response || 1, 'B10: a length that lies';
is_deeply [bodies()], \@before, 'nothing of all this is in the journal';

# --- B11: slow and leaving clients ---------------------------------------------
my $slow = Tomo::Test::Http->connect($port);
$slow->send("POST $url HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nx-line-signature: "
    . sign('slow!') . "\r\n\r\n");
$slow->send($_) for split //, 'slow!';
is $slow->response->{status}, 200, 'B11: byte by byte';
push @before, 'slow!';
for my $part (0, 1, length($body) - 1) {
    my $c = Tomo::Test::Http->connect($port);
    $c->send("POST $url HTTP/1.1\r\nHost: a\r\nContent-Length: " . length($body)
        . "\r\nx-line-signature: $sign\r\n\r\n" . substr $body, 0, $part);
    $c->reset;
}
is_deeply [bodies()], \@before, 'B11: a reset within the body leaves no half record';
for (1 .. 100) {
    my $c = Tomo::Test::Http->connect($port);
    $c->send(Tomo::Test::Http::format_request('POST', $url, [signed($body)], $body));
    $c->reset;
}
is post($url, $empty, signed($empty))->{status}, 200, 'T8: resets behind the last byte do no harm';
ok !(grep { $_ ne $body } splice @{[bodies()]}, scalar @before, -1),
    'B11: what was kept of them is whole';

my @told = grep { !/\[(?:info|notice)\]/ } split /\n/, $edge->error_log;
ok !(grep { /\Q$sign\E|userId|"POST/ } @told),
    'T13: no signature, body or request line in error.log';
like $edge->error_log, qr/tomo: webhook refused: signature_missing: compare .*, tomo: webhook$/m,
    'but the reason, and what to do';
my $refused = () = $edge->error_log =~ /webhook refused/g;
post($url, 'x') for 1 .. 200;
my $now = () = $edge->error_log =~ /webhook refused/g;
cmp_ok $now - $refused, '<=', 100, 'W6: a stranger cannot fill the log';
ok counters()->{log_limited} > 0, 'W6: what is left out is counted';

ok $edge->quit, 'T3: QUIT ends it';
done_testing;
