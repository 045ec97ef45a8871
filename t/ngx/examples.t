#!/usr/bin/perl

# The examples of conf/ and of the READMEs are loaded as they stand, only with
# folders, names and ports of this test put in: `nginx -t`, `--check`, and then
# all of them together as one running installation.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use File::Path 'make_path';

my $top = top_dir();
my $dir = temp_dir() . '/site';
my @USERS = qw(admin edge worker api metrics);
my $file  = \&Tomo::Test::Files::path;

make_path(map {"$dir/$_"} qw(etc ssl spool/worker spool2 lib/edge run run2 redis nginx));
chmod 0700, "$dir/spool", "$dir/spool/worker", "$dir/spool2";

# an example with this test's places
sub placed {
    my ($text) = @_;
    $text =~ s{/etc/tomo/}{$dir/etc/}g;
    $text =~ s{/etc/ssl/}{$dir/ssl/}g;
    $text =~ s{/var/spool/tomo}{$dir/spool}g;
    $text =~ s{/var/lib/tomo}{$dir/lib}g;
    $text =~ s{/run/redis/}{$dir/redis/}g;
    $text =~ s{/run/tomo}{$dir/run}g;
    $text =~ s{/usr/share/tomo/}{$top/}g;
    $text =~ s{listen (?:127\.0\.0\.1:)?(?:443|80|8080)\b}{listen 127.0.0.1:%%PORT%%}g;
    return $text;
}

sub example { return read_file("$top/conf/$_[0]") }

# --- what the examples name ---------------------------------------------------

my %password = map { $_ => "password-of-$_" } @USERS;
write_file("$dir/etc/$_.pw", "$password{$_}\n", 0600) for @USERS;
write_file("$dir/etc/$_", read_file($file->($_)), 0600) for qw(edge.key worker.key api-token);
write_file("$dir/etc/shop.secret", read_file($file->('channel-secret')), 0600);
write_file("$dir/etc/shop.bot", read_file($file->('bot-user-id')), 0644);

my ($status, $said) = run_command('openssl', qw(req -x509 -newkey ec -pkeyopt
    ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=crm.example.jp),
    '-keyout', "$dir/ssl/crm.example.jp.key", '-out', "$dir/ssl/crm.example.jp.pem");
is $status, 0, 'a certificate for the example' or diag($said);

# --- Redis with the example's settings and users ------------------------------

my %want;
for my $line (split /\n/, example('redis.conf')) {
    next if $line =~ /^(?:#|\s*$|aclfile|unixsocket|port|dir)/;
    my ($name, $value) = split ' ', $line, 2;
    $want{$name} = $value;
}
my $acl = example('redis-users.acl');
$acl =~ s/>(\w+)_PASSWORD/'>' . $password{lc $1}/ge;
$want{aclfile} = write_file("$dir/etc/redis-users.acl", $acl, 0600);
my $redis = Tomo::Test::Redis->start(set => \%want, own_users => 1);
symlink $redis->socket, "$dir/redis/redis.sock";

sub as {
    my ($user) = @_;
    my $client = $redis->client;
    is $client->cmd('AUTH', $user, $password{$user}), 'OK', "$user may log in";
    return $client;
}

sub denied {
    my ($client, $what, @words) = @_;
    ok !eval { $client->cmd(@words); 1 }, "$what is denied";
    like $@, qr/^(?:NOPERM|NOAUTH)/, "... by NOPERM: @words[0 .. ($#words > 1 ? 1 : $#words)]";
}

$redis->cmd('AUTH', 'admin', $password{admin});
denied($redis->client, 'a stranger', 'GET', 'tomo:probe');

# --- nginx ---------------------------------------------------------------------

my $http = placed(example('nginx-site.conf') . example('log_format.conf'))
    . "access_log $dir/nginx/tomo.log tomo;\n";
my $load = example('nginx-module.conf');
my $module = Tomo::Test::Nginx::module_path();
ok $load =~ s{modules/ngx_http_tomo_module\.so}{$module}, 'nginx-module.conf loads the module';
my $main = "%%MAIN%%\n";
my $edge = Tomo::Test::Nginx->new(no_module => 1,
    conf => "$load\n$main\nevents {}\nhttp {\n%%HTTP%%\n$http\n}\n");
($status, $said) = $edge->test_conf;
is $status, 0, 'nginx-site.conf and log_format.conf pass nginx -t' or diag($said);
unlike $said, qr/\[(?:warn|emerg)\]/, '... without a warning' if $said !~ /overlay/;

my %synopsis;
for my $name (qw(README.md README.ja.md)) {
    ($synopsis{$name}) = read_file("$top/$name") =~ /```nginx\n(.*?)```/s;
    ok defined $synopsis{$name}, "$name has a synopsis" or next;
}
is $synopsis{'README.ja.md'}, $synopsis{'README.md'}, 'the same in both';
my $whole = placed($synopsis{'README.md'} // '');
$whole =~ s{modules/ngx_http_tomo_module\.so}{$module};
$whole =~ s{^http \{}{pid %%DIR%%/nginx.pid;\nhttp \{\n%%HTTP%%}m;
my $short = Tomo::Test::Nginx->new(name => 'synopsis', conf => $whole);
($status, $said) = $short->test_conf;
is $status, 0, 'the synopsis of the READMEs passes nginx -t' or diag($said);

# --- tomo-worker ----------------------------------------------------------------

my $ini = write_file("$dir/etc/worker.ini", placed(example('tomo.ini')), 0600);
my $binary = build_path('tomo-worker', 'TOMO_WORKER');
($status, $said) = run_command($binary, '--config', $ini, '--check');
is $status, 0, 'tomo.ini passes --check' or diag($said);

($status) = run_command('sh', '-c', 'command -v systemd-analyze');
if ($status == 0) {
    my $unit = example('systemd/tomo-worker.service');
    $unit =~ s{/usr/sbin/tomo-worker}{/bin/true}g;
    ($status, $said) = run_command('systemd-analyze', 'verify', '--man=no',
        write_file("$dir/tomo-worker.service", $unit));
    is $status, 0, 'the unit passes systemd-analyze verify' or diag($said);
    unlike $said, qr/Unknown|Failed to parse/, '... and has no unknown settings' or diag($said);
}

# --- together --------------------------------------------------------------------

my $process = Tomo::Test::Process->start(
    name => 'worker', command => [$binary, '--config', $ini], stop => 'TERM');
ok wait_for(sub { $process->output =~ /worker is ready/ }, 'the worker is ready', 20),
    'tomo-worker takes this Redis and starts' or diag($process->output);

my $reader = Tomo::Test::Process->start(
    name => 'api-alone', stop => 'TERM', command => [
        $binary, '--role', 'api', '--config',
        write_file("$dir/etc/api.ini", do {
            my $text = placed(example('tomo.ini'));
            $text =~ s/^user = worker/user = api/m;
            $text =~ s{worker\.pw}{api.pw};
            $text =~ s{\Q$dir\E/run}{$dir/run2}g;
            $text =~ s{\Q$dir\E/spool/worker}{$dir/spool2}g;
            $text;
        }, 0600)
    ]);

$edge->launch;
my $body = '{"destination":"' . $Tomo::Test::Files::BOT_USER_ID . '","events":[]}';
ok wait_for(sub {
    my ($s, $out) = run_command('curl', '-sk', '-o', '/dev/null', '-w', '%{http_code}',
        '-H', 'x-line-signature: ' . Tomo::Test::Webhook::sign($body), '-d', $body,
        "https://127.0.0.1:$edge->{port}/line/webhook/shop");
    $out eq '200';
}, 'a webhook is taken', 20), 'as user edge: the feed arrives, a webhook is taken';
ok wait_for(sub { $redis->cmd('HLEN', 'tomo:{shop}:ship') > 0 }, 'shipped', 10),
    '... and shipped';
ok wait_for(sub { $redis->hash('tomo:{shop}:cursor')->{in} ne '0-0' }, 'decided', 10),
    'as user worker: it is decided';

ok wait_for(sub { -S "$dir/run2/api.sock" }, 'api socket', 10),
    'as user api: the role starts alone';
my @token = (Authorization => "Bearer $Tomo::Test::Files::API_TOKEN");
my $r = http("$dir/run2/api.sock", 'GET', '/api/v1/accounts/shop/definitions/tag', [@token]);
is $r->{status}, 200, '... reads';
$r = http("$dir/run2/api.sock", 'PUT', '/api/v1/accounts/shop/definitions/tag/vip',
    [@token, 'Content-Type' => 'application/json'],
    '{"kind":"tag","id":"vip","name":"VIP"}');
is $r->{status}, 200, '... and a change is decided';

like wait_for(sub { my $l = read_file("$dir/nginx/tomo.log"); $l =~ /accepted/ && $l }, 'log', 5),
    qr/"account":"shop","verdict":"accepted"/, 'the access log says what became of it';
my @refused = map { { @$_ } } @{ $redis->cmd('ACL', 'LOG') };
is_deeply [map {"$_->{username} $_->{object}"} grep { $_->{username} ne 'default' } @refused], [],
    'no right is missing';

# --- and no more than that ---------------------------------------------------------

my $client = as('edge');
denied($client, 'reading the stream', 'XRANGE', 'tomo:{shop}:in', '-', '+');
denied($client, 'a friend',           'HGETALL', 'tomo:{shop}:f:1');
denied($client, 'another stream',     'XADD', 'tomo:{shop}:bulk', '*', 'v', '1');
denied($client, 'writing the feed',   'HSET', 'tomo:{shop}:feed', 'version', '9');
denied($client, 'a script',           'EVAL', 'return 1', '0');
$client = as('metrics');
is $client->cmd('XLEN', 'tomo:{shop}:quarantine'), 0, 'metrics counts';
denied($client, 'content', 'XRANGE', 'tomo:{shop}:in', '-', '+');
$client = as('api');
denied($client, 'deciding', 'HSET', 'tomo:{shop}:cursor', 'n', '0');
$client = as('worker');
denied($client, 'settings', 'CONFIG', 'SET', 'appendfsync', 'no');
denied($client, 'a flush',  'FLUSHALL');
denied($client, 'other keys', 'SET', 'other', '1');

done_testing;
