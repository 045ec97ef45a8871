#!/usr/bin/perl

# Bodies stay in memory (W4, B10, B12): whatever their size and framing, a
# webhook or a posted survey needs no temporary file, so that neither a missing
# folder nor a lack of descriptors makes nginx answer 500.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Snapshot;
use Tomo::Test::Strace;
use Tomo::Test::Token;
use Tomo::Test::Webhook;

my $h2   = Tomo::Test::free_port();
my $edge = Tomo::Test::Nginx->new(
    redis => '/nowhere.sock', workers => 1, http => <<"HTTP", server => <<'SERVER');
server { listen 127.0.0.1:$h2 http2; location / { tomo_webhook; } }
HTTP
location /file/ { tomo_webhook; client_body_in_file_only on; client_body_buffer_size 1k; }
location /mirrored/ { tomo_webhook; mirror /copy; client_body_buffer_size 1k; }
location = /copy { internal; return 204; }
SERVER
my $form = rec('survey', no => 3, rev => 2, id => 'long', open => 1, title => 't', intro => 'i',
    submit => 's', thanks => 't')
    . join '', map { rec('q', id => "q$_", kind => 'long_text', label => 'n', max => 5_000) }
    1 .. 12;
write_snapshot($edge, { id => 'demo', number => 1,
    secrets => [$Tomo::Test::Files::CHANNEL_SECRET], surveys => { 3 => $form } });
$edge->launch;

# Never the same twice.
my $salt = 0;

sub bytes {
    my ($n) = @_;
    $salt++;
    my $part = join '', map { chr(($_ * 7 + $n) % 256) } 1 .. 1024;
    return substr "$salt " . $part x ($n / 1024 + 1), 0, $n;
}

# These bytes, in one piece, in a file of the journal.
sub kept {
    my ($bytes) = @_;
    return scalar grep { index(read_file($_), $bytes) >= 0 } glob $edge->journal . '/*/*.seg';
}

sub chunks {
    my ($size, $bytes) = @_;
    my $out = '';
    for (my $at = 0; $at < length $bytes; $at += $size) {
        my $part = substr $bytes, $at, $size;
        $out .= sprintf "%x\r\n%s\r\n", length $part, $part;
    }
    return "${out}0\r\n\r\n";
}

# One webhook on a connection that stands, as it is or in chunks of that size;
# its bytes go out in two parts.
sub webhook {
    my ($c, $bytes, $chunk, $path) = @_;
    my @headers = ('x-line-signature' => sign($bytes));
    push @headers, $chunk ? ('Transfer-Encoding' => 'chunked')
        : ('Content-Length' => length $bytes);
    my $sent = $chunk ? chunks($chunk, $bytes) : $bytes;
    $c->send(Tomo::Test::Http::format_request(
        'POST', $path // '/line/webhook/demo', \@headers, undef));
    $c->send(substr $sent, 0, 30_001);
    $c->send(substr $sent, 30_001) if length $sent > 30_001;
    return $c->response // { status => 0 };
}

# --- no folder for temporary files ---------------------------------------------
my $folder = $edge->folder . '/tmp_client_body';
my $owner  = (stat $folder)[4];
ok rmdir $folder, 'the folder of temporary files is gone';
my $client = Tomo::Test::Http->connect($edge->port);
my @sizes  = (1_000, 60_000, 1_048_576);
for my $size (@sizes) {
    for my $chunk (0, 7, 1_000, 100_000) {
        next if $chunk == 7 && $size > 100_000;
        my $bytes = bytes($size);
        my $what = "W4: $size bytes" . ($chunk ? " in chunks of $chunk" : '');
        is webhook($client, $bytes, $chunk)->{status}, 200, $what;
        ok kept($bytes), "$what: the same bytes in the journal";
    }
}
my $bytes = bytes(60_000);
is webhook($client, $bytes, 0, '/file/demo')->{status}, 200,
    'W4: client_body_in_file_only does not bring the file back';
ok kept($bytes), 'W4: the same bytes in the journal';
is webhook($client, bytes(1_048_577), 1_000)->{status}, 413, 'B10: chunked, one byte too many';

# Two requests behind each other on one connection: none takes the other's bytes.
$client = Tomo::Test::Http->connect($edge->port);
my @pair = (bytes(40_000), bytes(50_000));
$client->send(
    join '',
    map {
        Tomo::Test::Http::format_request('POST', '/line/webhook/demo',
            ['x-line-signature' => sign($_), 'Transfer-Encoding' => 'chunked'],
            chunks(3_000, $_))
    } @pair
);
is $client->response->{status}, 200, "B10: pipelined: $_" for 'the first', 'the second';
ok kept($pair[0]) && kept($pair[1]), 'B10: pipelined: each its own bytes';

# HTTP/2, with and without a length.
my $script = temp_dir() . '/h2.mjs';
write_file($script, <<'NODE');
import http2 from 'node:http2';
import fs from 'node:fs';
const [port, file, signature, length] = process.argv.slice(2);
const body = fs.readFileSync(file);
const client = http2.connect(`http://127.0.0.1:${port}`);
const headers = { ':method': 'POST', ':path': '/demo', 'x-line-signature': signature };
if (length === '1') headers['content-length'] = body.length;
const stream = client.request(headers);
stream.on('response', (h) => { console.log(h[':status']); });
stream.on('close', () => client.close());
stream.resume();
stream.end(body);
NODE
for my $size (@sizes[1, 2]) {
    for my $length (0, 1) {
        my $body = bytes($size);
        my $file = temp_dir() . "/h2.$size";
        write_file($file, $body);
        my $what = "W4: HTTP/2, $size bytes, " . ($length ? 'with' : 'without') . ' a length';
        my ($status, $out) = run_command('node', $script, $h2, $file, sign($body), $length);
        like $out, qr/^200$/m, $what;
        ok kept($body), "$what: the same bytes in the journal";
    }
}

# A posted form of 60 KB.
my $path = '/s/' . issue_token(kind => 'survey', target => 3, friend => 7, delivery => 9,
    check => 5);
for my $chunk (0, 500) {
    my $text   = join '', map { ('a' .. 'z')[rand 26] } 1 .. 5_000;
    my $posted = 'nonce=' . 'A' x 22 . '&rev=2&hp=' . join '', map {"&q.q$_=$text"} 1 .. 12;
    $client = Tomo::Test::Http->connect($edge->port);
    $client->send(Tomo::Test::Http::format_request('POST', $path,
        ['Content-Type' => 'application/x-www-form-urlencoded',
            $chunk ? ('Transfer-Encoding' => 'chunked') : ('Content-Length' => length $posted)],
        undef) . ($chunk ? chunks($chunk, $posted) : $posted));
    is $client->response->{status}, 303, 'W4: a form of 60 KB' . ($chunk ? ' in chunks' : '');
    ok kept($text), 'W4: the answer is in the journal';
}
unlike $edge->error_log, qr/temporary file/, 'W4: nginx opened no temporary file';

# What another module read before us may lie in a file: it is read from there.
ok mkdir($folder, 0700) && chown($owner, -1, $folder), 'the folder is back';
is webhook(Tomo::Test::Http->connect($edge->port), $bytes, 0, '/mirrored/demo')->{status}, 200,
    'B12: a body that mirror put into a file';
ok kept($bytes), 'B12: the same bytes in the journal';
ok rmdir $folder, 'and left none behind';

# --- no descriptor left ----------------------------------------------------------
$client = Tomo::Test::Http->connect($edge->port);
is webhook($client, bytes(100))->{status}, 200, 'a connection that stands';
my ($pid) = $edge->worker_pids;
my ($soft, $hard) = read_file("/proc/$pid/limits") =~ /^Max open files +(\d+) +(\d+)/m;
my $free = 0;
$free++ while -l "/proc/$pid/fd/$free";
is system('prlimit', '--pid', $pid, "--nofile=$free:$hard"), 0, 'all descriptors are taken';
for my $size (@sizes[1, 2]) {
    for my $chunk (0, 7, 1_000) {
        next if $chunk == 7 && $size > 100_000;
        like webhook($client, bytes($size), $chunk)->{status}, qr/^(?:200|503)$/,
            "W4: no descriptor left: $size bytes" . ($chunk ? " in chunks of $chunk" : '');
    }
}
is system('prlimit', '--pid', $pid, "--nofile=0:$hard"), 0, 'whichever is closed meanwhile';
my $trace = Tomo::Test::Strace->start($edge, args => [ '-e', 'trace=socket' ]);
ok wait_for(sub { (() = read_file($trace->{trace}) =~ /EMFILE/g) >= 2 },
    'redis tried without a descriptor', 30), 'redis is tried meanwhile, and again';
$trace->stop;
is system('prlimit', '--pid', $pid, "--nofile=$soft:$hard"), 0, 'descriptors again';
ok wait_for(sub { webhook($client, $bytes)->{status} == 200 }, '200 again', 20),
    'W4: 200 again';
unlike $edge->error_log, qr/tmp_client_body\/\d+" failed/, 'W4: nor was a file tried';
is scalar(() = $edge->error_log =~ /redis \S+ lost: /g), 1, 'the lack of redis is told once';
like $edge->error_log, qr/redis \S+ lost: connect failed: .*\(\d+: \w/, 'with the reason';

done_testing;
