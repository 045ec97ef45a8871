#!/usr/bin/perl

# The module in an nginx that has other work: nchan before and after it, both
# with Redis at once; a shop with a proxy, limit_req and gzip; TLS and HTTP/2.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Uncompress::Gunzip ();
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Token;
use Tomo::Test::Webhook;

my $FORM   = 'application/x-www-form-urlencoded';
my $SURVEY = rec('survey', no => 3, rev => 2, id => 'profile', open => 1, title => 'Profile',
    submit => 'send', thanks => 'thanks')
    . rec('q', id => 'name', kind => 'text', label => 'name', required => 1, max => 10);
my $LINK = issue_token(kind => 'link', target => 1, friend => 7, delivery => 9, check => 5);
my $PAGE = issue_token(kind => 'survey', target => 3, friend => 7, delivery => 9, check => 5);
my %FEED = (surveys => { 3 => $SURVEY }, links => { 1 => 'https://example.com/' });

my $DOORS = <<'END';
location /line/webhook/ { tomo_webhook; }
location /r/ { tomo_redirect; }
location /s/ { tomo_survey; }
location = /tomo/status { tomo_status; }
END

sub webhook { return webhook_body(text_event(user_id(1), 'hello')) }

sub started {
    my ($edge, $redis) = @_;
    publish($redis, \%FEED);
    return wait_for(sub { (http_get($edge->port, "/r/$LINK") // {})->{status} == 302 },
        "$edge->{name}: the feed", 10);
}

sub kinds { return map { $_->[1]{k} } @{ $_[0]->stream('tomo:{demo}:in') } }

sub webhooks { return scalar grep { $_ eq 'webhook' } kinds($_[0]) }

sub shipped {
    my ($redis, $n) = @_;
    return wait_for(sub { webhooks($redis) == $n }, "$n webhooks in Redis", 10);
}

# --- nchan, which brings a hiredis of its own ------------------------------------

my $nchan = '/usr/lib/nginx/modules/ngx_nchan_module.so';
ok -f $nchan, 'nchan is installed' or die "apt-get install libnginx-mod-nchan\n";

my %order = (
    before => "%%MAIN%%\nload_module $nchan;",
    after  => "load_module $nchan;\n%%MAIN%%",
);
for my $where (sort keys %order) {
    my $load = $order{$where};
    my $own  = Tomo::Test::Redis->start(name => "tomo-$where");
    my $tcp  = Tomo::Test::free_port();
    my $its  = Tomo::Test::Redis->start(name => "nchan-$where", set => { port => $tcp },
        lines => "bind 127.0.0.1\n");
    my $edge = Tomo::Test::Nginx->start(name => "nginx-$where", redis => $own, conf => <<"END");
$load
events { }
http {
%%HTTP%%
%%EDGE%%
upstream nchan { nchan_redis_server redis://127.0.0.1:$tcp; }
server {
listen 127.0.0.1:%%PORT%%;
$DOORS
location = /pub { nchan_publisher; nchan_channel_id a; nchan_redis_pass nchan; }
location = /sub { nchan_subscriber longpoll; nchan_channel_id a; nchan_redis_pass nchan;
nchan_subscriber_first_message oldest; }
}
}
END
    my $name = "loaded $where nchan";
    ok started($edge, $own), "$name: the feed arrives";
    ok wait_for(sub { http_post($edge->port, '/pub', 'first')->{status} =~ /^20/ },
        'nchan connected', 10), "$name: nchan publishes through its Redis";
    my ($bad, $n) = (0, 40);
    for my $i (1 .. $n) {
        $bad++ if send_webhook($edge, webhook())->{status} != 200;
        $bad++ if http_post($edge->port, '/pub', "message $i")->{status} !~ /^20/;
        $bad++ if http_get($edge->port, "/r/$LINK")->{status} != 302;
    }
    is $bad, 0, "$name: webhooks, redirects and nchan's messages in turn";
    ok shipped($own, $n), "$name: every webhook is in our Redis, once";
    is http_get($edge->port, '/sub')->{status}, 200, "$name: nchan delivers";
    ok scalar(grep {/\{channel:/} @{ $its->cmd('KEYS', '*') }), "$name: out of its own Redis";
    ok !@{ $own->cmd('KEYS', '*channel*') }, "$name: nothing of it is in ours";
    is_deeply [grep { !/\{channel:/ && !/nchan/ } @{ $its->cmd('KEYS', '*') }], [],
        "$name: nothing of ours is in its";

    $own->kill_now;
    is send_webhook($edge, webhook())->{status}, 200, "$name: our Redis is gone, webhooks go on";
    like http_post($edge->port, '/pub', 'still')->{status}, qr/^20/, "$name: so does nchan";
    $own->restart;
    ok shipped($own, $n + 1), "$name: and ours is shipped when it is back";
    ok $edge->reload, "$name: reload";
    is send_webhook($edge, webhook())->{status}, 200, "$name: webhooks after it";
    ok $edge->quit, "$name: ends in time";
}

# --- a shop that was there first ----------------------------------------------------

my $redis   = Tomo::Test::Redis->start;
my $backend = Tomo::Test::free_port();
my $shop    = Tomo::Test::free_port();
my $edge    = Tomo::Test::Nginx->start(name => 'shop', redis => $redis, server => <<'END',
location = /tomo/metrics { proxy_pass http://backend/metrics; }
END
    http => <<"END");
gzip on;
gzip_min_length 1;
gzip_types text/plain application/json;
limit_req_zone \$binary_remote_addr zone=shop:1m rate=1r/m;
client_max_body_size 8k;
proxy_intercept_errors on;
add_header X-Shop yes;
upstream backend { server 127.0.0.1:$backend; keepalive 4; }
server {
listen 127.0.0.1:$backend;
location / { default_type text/plain; return 200 "backend \$request_uri \$host \$http_x_real_ip"; }
}
server {
listen 127.0.0.1:$shop;
server_name shop.example;
location / { proxy_pass http://backend; proxy_set_header Host \$host;
proxy_set_header X-Real-IP \$remote_addr; }
location /login { limit_req zone=shop burst=1 nodelay; proxy_pass http://backend; }
location /static { default_type text/plain; return 200 "static"; }
}
END
ok started($edge, $redis), 'beside a shop: the feed arrives';
my $r = http_get($shop, '/cart?x=1', Host => 'shop.example');
is $r->{body}, 'backend /cart?x=1 shop.example 127.0.0.1', "the shop's proxy works as before";
my @login = map { http_get($shop, '/login')->{status} } 1 .. 8;
is scalar(grep { $_ == 503 } @login), 6, "the shop's limit_req limits";
is scalar(grep { send_webhook($edge, webhook())->{status} == 200 } 1 .. 20), 20,
    'and does not reach webhooks';
my $large = webhook_body(text_event(user_id(1), 'x' x 20_000));
is send_webhook($edge, $large)->{status}, 200,
    'client_max_body_size of the site does not cut webhooks: tomo_max_body does';
ok shipped($redis, 21), 'all of them are shipped';
$r = http_get($edge->port, "/s/$PAGE", 'Accept-Encoding' => 'gzip');
is $r->{headers}{'content-encoding'}, 'gzip', 'gzip of the site packs a survey';
IO::Uncompress::Gunzip::gunzip(\$r->{body}, \my $html);
like $html, qr/name="q\.name"/, 'and it unpacks whole';
$r = http_get($edge->port, '/tomo/status?format=json', 'Accept-Encoding' => 'gzip');
is $r->{headers}{'content-encoding'}, 'gzip', 'and the status';
$r = http_get($edge->port, "/r/$LINK");
is $r->{headers}{location}, 'https://example.com/', 'a redirect leads on';
is $r->{headers}{'x-shop'}, 'yes', "the site's own headers stand on it";
is http_get($edge->port, '/r/nothing')->{status}, 404, 'the polite page is ours';
is http_get($shop, "/r/$LINK")->{body}, "backend /r/$LINK 127.0.0.1 127.0.0.1",
    "the shop's server block knows nothing of Tomo";
ok $edge->reload, 'reload with the shop';
is http_get($shop, '/static')->{body}, 'static', 'the shop serves on';

# --- TLS and HTTP/2 --------------------------------------------------------------------

my $dir = temp_dir();
my ($status, $said) = run_command('openssl', qw(req -x509 -newkey ec -pkeyopt
    ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=crm.example.jp),
    '-keyout', "$dir/tls.key", '-out', "$dir/tls.pem");
is $status, 0, 'a certificate' or diag($said);
my $own = Tomo::Test::Redis->start(name => 'tls-redis');
my $tls_port = Tomo::Test::free_port();
my $tls = Tomo::Test::Nginx->start(name => 'tls', redis => $own, http => <<"END");
server {
listen 127.0.0.1:$tls_port ssl http2;
server_name crm.example.jp;
ssl_certificate $dir/tls.pem;
ssl_certificate_key $dir/tls.key;
$DOORS
}
END
ok started($tls, $own), 'TLS: the feed arrives';

# (status and protocol version, headers, body) of one request over TLS
sub tls {
    my (@args) = @_;
    my ($code, $out) = run_command('sh', '-c', 'exec curl "$@" < "$0"', "$dir/webhook",
        '-sk', '--max-time', '60', '-D', "$dir/h", '-o', "$dir/b", '-w',
        '%{http_code} %{http_version}', '--resolve', "crm.example.jp:$tls_port:127.0.0.1", @args);
    return ($out, read_file("$dir/h"), read_file("$dir/b"));
}
my $base = "https://crm.example.jp:$tls_port";
my $taken = 0;
for my $version ('http2', 'http1.1') {
    my $says = $version eq 'http2' ? '2' : '1.1';
    my $body = write_file("$dir/webhook", webhook());
    my @signed = ('-H', 'x-line-signature: ' . sign(read_file($body)), '--data-binary', "\@$body");
    my ($is) = tls("--$version", @signed, "$base/line/webhook/demo");
    is $is, "200 $says", "$version over TLS: a webhook is taken";
    $taken++;
    ($is) = tls("--$version", @signed[0, 1], '-T', '-', '-X', 'POST', "$base/line/webhook/demo");
    is $is, "200 $says", "$version over TLS: one without a length, too";
    $taken++;
    ($is) = tls("--$version", '-H', 'x-line-signature: ' . sign('x'), '-d', 'y',
        "$base/line/webhook/demo");
    is $is, "401 $says", "$version over TLS: a forgery is not";
    ($is, my $h) = tls("--$version", "$base/r/$LINK");
    is $is, "302 $says", "$version over TLS: a redirect";
    like $h, qr{^location: https://example\.com/\r}mi, '... to its URL';
    ($is, undef, my $page) = tls("--$version", "$base/s/$PAGE");
    is $is, "200 $says", "$version over TLS: a survey";
    my ($nonce) = $page =~ /name="nonce" value="([\w-]{22})"/;
    ($is, $h) = tls("--$version", '-H', "Origin: $base", '-d', "nonce=$nonce", '-d', 'rev=2',
        '-d', 'hp=', '-d', 'q.name=Hana', "$base/s/$PAGE");
    is $is, "303 $says", "$version over TLS: its answer";
    my ($to) = $h =~ m{^location: (\S+)}mi;
    ($is, undef, $page) = tls("--$version", $to =~ m{^/} ? "$base$to" : $to);
    is $is, "200 $says", "$version over TLS: the thanks page";
    like $page, qr/thanks/, '... says it';
}
ok wait_for(sub {
    webhooks($own) == $taken && grep({ $_ eq 'answer' } kinds($own)) == 2;
}, 'all in Redis', 10), 'TLS: webhooks and answers are in Redis';

# many streams of one connection at once
my @many = map { ('-o', '/dev/null', "$base/r/$LINK") } 1 .. 50;
($status, $said) = run_command('curl', '-sk', '--http2', '--parallel', '--max-time', '60',
    '--resolve', "crm.example.jp:$tls_port:127.0.0.1", '-w', "answer=%{http_code}\n", @many);
is scalar(my @led = $said =~ /answer=302/g), 50, 'HTTP/2: fifty redirects on one connection';

done_testing;
