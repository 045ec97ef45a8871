#!/usr/bin/perl

# The status page: HTML, JSON and Prometheus text say the same, count for all
# workers, and survive a reload.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Tomo::Test;
use Tomo::Test::Snapshot;
use Tomo::Test::Webhook;

my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock', workers => 2, server => <<'END');
location /guarded { tomo_status; deny all; }
END
write_snapshot($edge);
$edge->launch;

my $body = webhook_body(follow_event(user_id(1)));
is send_webhook($edge, $body)->{status}, 200, 'a webhook' for 1 .. 20;
is send_webhook($edge, $body, secret => 'x' x 32)->{status}, 401, 'a bad signature';

my $r = http_get($edge->port, '/tomo/status?format=json');
is $r->{status}, 200, 'JSON';
is $r->{headers}{'content-type'}, 'application/json', 'JSON: its type';
is $r->{headers}{'cache-control'}, 'no-store', 'JSON: never cached';
my $s = JSON::PP::decode_json($r->{body});
my ($nginx) = `nginx -v 2>&1` =~ m{nginx/([\d.]+)};
is $s->{nginx}, $nginx, 'the version of nginx';
like $s->{version}, qr/^\d+\.\d+\.\d+$/, 'and of the module';
like $s->{edge}, qr/^[0-9a-f]{16}$/, 'the id of this edge';
is $s->{generation}, 1, 'the snapshot is the first table';
is $s->{durability}, 'fsync', 'durability';
is $s->{redis}, 'down', 'Redis is down, and it says so';
is $s->{counters}{webhook_accepted}, 20, 'counted for all workers';
is $s->{counters}{webhook_signature_wrong}, 1, 'refusals by reason';
is $s->{counters}{journal_appended}, 20, 'records';
is "$s->{received} $s->{shipped} $s->{waiting} $s->{quarantined}", '20 0 20 0',
    'received = shipped + waiting + quarantined';
is scalar @{ $s->{journal}{writers} }, 2, 'one journal a worker';
is_deeply [sort map { $_->{pid} } @{ $s->{journal}{writers} }], [sort $edge->worker_pids],
    'with its pid';
my $sum = 0;
$sum += $_->{last_seq} for @{ $s->{journal}{writers} };
is $sum, 20, 'their sequences are the records';
cmp_ok $s->{journal}{bytes}, '>', 20 * length $body, 'their bytes';

my $text = http_get($edge->port, '/tomo/status?format=prometheus');
like $text->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'Prometheus: its type';
my (%help, %type, %value);
for (split /\n/, $text->{body}) {
    if    (/^# HELP (\w+) (.+)$/)               { $help{$1} = $2 }
    elsif (/^# TYPE (\w+) (counter|gauge)$/)    { $type{$1} = $2 }
    elsif (/^(\w+)(?:\{.*\})? (\d+)$/)          { $value{$1} = $2 }
    else                                        { fail "Prometheus: a strange line: $_" }
}
is_deeply [sort keys %value], [sort keys %help], 'Prometheus: HELP for each';
is_deeply [sort keys %value], [sort keys %type], 'Prometheus: TYPE for each';
ok !(grep { $type{$_} eq 'counter' && !/_total$/ } keys %type),
    'Prometheus: counters end in _total';
is $value{"tomo_${_}_total"}, $s->{counters}{$_}, "Prometheus: $_ is the same"
    for grep { !/journal_groups/ } sort keys %{ $s->{counters} };
is $value{tomo_records_waiting}, 20, 'Prometheus: waiting';
is $value{tomo_redis_up}, 0, 'Prometheus: Redis is down';

my $html = http_get($edge->port, '/tomo/status');
like $html->{headers}{'content-type'}, qr{^text/html; charset=utf-8}, 'HTML: its type';
like $html->{body}, qr{<td>webhook_accepted</td><td>20</td>}, 'HTML: counters';
like $html->{body}, qr{Redis is down}, 'HTML: Redis is down';
is http($edge->port, 'HEAD', '/tomo/status')->{body}, '', 'HEAD';
$r = http_post($edge->port, '/tomo/status', 'x');
is $r->{status}, 405, 'POST is refused';
is $r->{headers}{allow}, 'GET, HEAD', 'with Allow';
is http_get($edge->port, '/guarded')->{status}, 403, 'allow and deny are nginx\'s';

ok $edge->reload, 'reload';
my $after = Tomo::Test::Status::fetch($edge);
is $after->{edge}, $s->{edge}, 'the edge is the same after a reload';
is $after->{counters}{webhook_accepted}, 20, 'the counters went on';
is $after->{received}, 20, 'so did the balance';
is $after->{waiting}, 20, 'what waited still waits';
is send_webhook($edge, $body)->{status}, 200, 'the table is there without the snapshot read again';
is(Tomo::Test::Status::fetch($edge)->{received}, 21, 'and counts on');

done_testing;
