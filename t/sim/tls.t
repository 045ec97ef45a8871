#!/usr/bin/env perl
# The LINE API on DIR/line.sock: TLS by the sandbox's own CA, HTTP/2 and 1.1.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;

my $t = SimTest->new;
my $dir = $t->{dir};
my $id = $t->friend;
my $token = $t->new_token;

# Returns (exit code, "version status", body).
sub curl {
    my ($host, $path, @more) = @_;
    open my $out, '-|', 'curl', '-sS', '--unix-socket', "$dir/line.sock",
        '-w', '\n%{http_version} %{http_code}', '-H',
        "Authorization: Bearer $token", @more, "https://$host$path"
        or die "curl: $!";
    my $text = do { local $/; <$out> } // '';
    close $out;
    my $code = $? >> 8;
    my ($body, $result) = $text =~ /\A(.*)\n(.*)\z/s;
    return ($code, $result, $body);
}

open my $stderr, '>&', \*STDERR or die $!;
open STDERR, '>', "$dir/curl.err" or die $!;

my @trust = ('--cacert', "$dir/ca.pem");
for (['--http2', '2'], ['--http1.1', '1.1']) {
    my ($option, $version) = @$_;
    for my $host ('api.line.me', 'api-data.line.me') {
        my ($code, $result) = curl($host, '/v2/bot/info', @trust, $option);
        is_deeply([$code, $result], [0, "$version 200"],
            "$host over HTTP/$version");
    }
}

my ($code, $result, $body) = curl('api.line.me', '/v2/bot/message/push',
    @trust, '--http2', '-H', 'Content-Type: application/json',
    '-d', qq({"to":"$id","messages":[{"type":"text","text":"h2"}]}));
is($result, '2 200', 'a push over HTTP/2');
is($t->inbox($id)->[0]{messages}[0]{text}, 'h2', 'arrived');
my $call = $t->sim('GET', 'requests')->[-1];
is($call->{headers}{host}, 'api.line.me', 'host in the log');
ok(!(grep { /^:/ } keys %{ $call->{headers} }), 'no pseudo headers');

($code) = curl('api.line.me', '/v2/bot/info');
isnt($code, 0, 'not trusted without the CA');
($code) = curl('example.com', '/v2/bot/info', @trust);
isnt($code, 0, 'good for LINE\'s hosts only');
($code, $result) = curl('api.line.me', '/sim/friends', @trust);
is($result, '2 404', 'no control API here');

# Faults on HTTP/2.
for my $kind ('reset', 'reset_after_accept', 'drop', 'drop_after_accept') {
    $t->sim('POST', 'faults', [{ path => '/v2/bot/info', kind => $kind,
        times => 1 }]);
    ($code) = curl('api.line.me', '/v2/bot/info', @trust, '--http2');
    isnt($code, 0, "$kind on HTTP/2");
}
is((curl('api.line.me', '/v2/bot/info', @trust, '--http2'))[1], '2 200',
    'and well again');
open STDERR, '>&', $stderr or die $!;

# The certificate stays over a restart.
my $ca = SimTest::slurp("$dir/ca.pem");
$t->stop;
ok(!-e "$dir/line.sock", 'a clean stop removes the socket');
ok(!-e "$dir/sim.pid", 'and the pid file');
$t->start;
is(SimTest::slurp("$dir/ca.pem"), $ca, 'the same CA');
is((curl('api.line.me', '/v2/bot/info', @trust))[0], 0, 'still good');
$t->stop('KILL');
ok(-e "$dir/line.sock", 'a kill leaves the socket');
$t->start;
is((curl('api.line.me', '/v2/bot/info', @trust))[0], 0, 'taken over');

done_testing();
