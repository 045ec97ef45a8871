#!/usr/bin/env perl
# The way to LINE: HTTP/1.1 works too; no redirect, no proxy, no wrong
# certificate takes a token away (D10, B94).

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();

my $d   = Tomo::Test::Dispatch->new(friends => 2);
my $dir = temp_dir();
my $sim = $d->sim->{folder};

# Another server with the simulator's certificate.
sub server {
    my ($name, $push, $http2) = @_;
    my $temp = join '', map {"${_}_temp_path $dir/$name.$_;"}
        qw(client_body proxy fastcgi uwsgi scgi);
    my $conf = write_file("$dir/$name.conf", <<"END");
daemon off;
worker_processes 1;
pid $dir/$name.pid;
error_log $dir/$name.err warn;
events { worker_connections 512; }
http {
    $temp
    log_format seen '\$server_protocol \$request_method \$uri \$http_authorization';
    access_log $dir/$name.access seen;
    server {
        listen unix:$dir/$name.sock ssl$http2;
        ssl_certificate $sim/sim/line.crt;
        ssl_certificate_key $sim/sim/line.key;
        location /oauth2/ {
            return 200 '{"access_token":"secret-bearer","expires_in":900,"token_type":"Bearer"}';
        }
        location / { $push }
    }
}
END
    my $process = Tomo::Test::Process->start(
        name => $name, command => ['/usr/sbin/nginx', '-c', $conf], stop => 'QUIT'
    );
    wait_for(sub { -S "$dir/$name.sock" }, "$name listens");
    return $process;
}

my $access = sub { read_file("$dir/$_[0].access") };
my $answer = q(return 200 '{"sentMessages":[{"id":461230966842064897}]}';);

# --- HTTP/1.1, and many at a time -------------------------------------------
my $old = server('http1', $answer, '');
my $worker = $d->start(name => 'over1', ini => { line => { unix_socket => "$dir/http1.sock" } });
my @ids = map { $d->push($_, 'x', friend => $_) } (1) x 300;
my $n = 10;
@ids = map { $d->row(via => 'push', friend => $n++, to => $d->user(1), body => '[]',
    key => Tomo::Test::Dispatch::uuid("w$n")) } 1 .. 300;
my $v = $d->verdict($ids[-1], 20);
is $v->{send}, 'accepted', 'HTTP/1.1: accepted';
is_deeply $v->{sent}, ['461230966842064897'], 'B88: an id that is a number beyond 2^53';
ok wait_for(sub { @{ $d->verdicts } == 600 }, 'all', 20), 'HTTP/1.1: all six hundred';
like $access->('http1'), qr{^HTTP/1\.1 POST /v2/bot/message/push Bearer secret-bearer$}m,
    'HTTP/1.1: it was that';
$worker->stop;

# --- HTTP/2 -----------------------------------------------------------------
$d->redis->cmd('DEL', 'tomo:{demo}:out');    # another journal would send all again
server('http2', $answer, ' http2');
$worker = $d->start(name => 'over2', ini => { line => { unix_socket => "$dir/http2.sock" } });
is $d->verdict($d->push(1, 'x'))->{send}, 'accepted', 'HTTP/2: accepted';
like $access->('http2'), qr{^HTTP/2\.0 POST /v2/bot/message/push}m, 'HTTP/2: it was that';
$worker->stop;

# --- several accounts, their rows mixed -------------------------------------
my %accounts = map {
    ("account shop$_" => {
        number => 1 + $_, channel_id => 77 + $_,
        channel_secret_file => Tomo::Test::Files::path('channel-secret'),
        bot_user_id_file => write_file("$dir/bot$_", 'U' . sprintf('%032x', 99 + $_), 0600),
    })
} 1 .. 3;
$worker = $d->start(name => 'shops',
    ini => { line => { unix_socket => "$dir/http2.sock" }, %accounts });
for my $i (1 .. 90) {
    my $key = Tomo::Test::Dispatch::uuid("shop $i");
    $d->redis->cmd('XADD', 'tomo:{shop' . (1 + $i % 3) . '}:out', '*', via => 'push',
        friend => $i, to => $d->user(1), key => $key, body => '[]', token => '');
    if ($i % 30 == 0) {
        $worker->kill_now;
        $worker->launch;
    }
}
for my $shop (1 .. 3) {
    my $in = "tomo:{shop$shop}:in";
    ok wait_for(sub { $d->redis->cmd('XLEN', $in) >= 30 }, 'verdicts', 20),
        "shop $shop: every row has a verdict";
    my %origin = map { ($_->[1]{o} => 1) } @{ $d->redis->stream($in) };
    my %row = map { $_->[1]{b} =~ /\brow=([^&]+)/ ? ($1 => 1) : () } @{ $d->redis->stream($in) };
    is $d->redis->cmd('XLEN', $in), 30, "shop $shop: one each";
    is keys %origin, 30, "shop $shop: shipped once";
    is keys %row, 30, "shop $shop: of its own rows";
}
$worker->stop;

# --- a redirect is no answer ------------------------------------------------
server('elsewhere', $answer, '');
server('redirects', 'return 301 https://elsewhere.example/take;', '');
$worker = $d->start(name => 'redirected',
    ini => { line => { unix_socket => "$dir/redirects.sock" } });
my $id = $d->push(2, 'x');
ok wait_for(sub { 2 <= (() = $access->('redirects') =~ m{POST /v2/bot/message/push}g) },
    'a repeat', 15), 'B94: 301 is tried again, nothing more';
is_deeply $d->verdicts_of($id), [], 'B94: it settles nothing';
unlike $access->('redirects'), qr{/take}, 'B94: nobody went there';
$worker->stop;

# --- the environment's proxy is not used ------------------------------------
my $proxy = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 8);
my $url = 'http://127.0.0.1:' . $proxy->sockport;
$worker = $d->start(name => 'proxied',
    env => { HTTPS_PROXY => $url, https_proxy => $url, ALL_PROXY => $url });
is $d->verdict($id, 15)->{send}, 'accepted', 'D10: with a proxy in the environment: accepted';
$proxy->blocking(0);
ok !$proxy->accept, 'D10: the proxy saw nobody';
$worker->stop;

# --- a certificate that nobody we trust has signed --------------------------
my $other = Tomo::Test::Sim->start(name => 'other', args => ['--no-preview', '--no-redelivery']);
my $seen = sub { scalar @{ $d->sim->requests(0) } };
my $before = $seen->();
$d->redis->cmd('DEL', 'tomo:{demo}:access');
$worker = $d->start(name => 'mistrusting', ini => { line => { ca_file => $other->ca_file } });
$id = $d->push(2, 'y');
ok wait_for(sub { $worker->output =~ /gets no access token: .*(?:certificate|SSL)/ },
    'refusal', 15), 'D10: an unknown certificate is refused and named';
is $seen->(), $before, 'D10: not one request was made';
$worker->stop;

done_testing;
