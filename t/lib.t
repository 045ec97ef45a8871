#!/usr/bin/perl

# The harness itself: what every other test relies on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;
use Tomo::Test::Webhook;

# Redis: client and life cycle.

my $redis = Tomo::Test::Redis->start;
is $redis->cmd('SET', 'k', "a\r\nb"), 'OK', 'redis: status reply';
is $redis->cmd('GET', 'k'), "a\r\nb", 'redis: bulk reply keeps its bytes';
is $redis->cmd('GET', 'none'), undef, 'redis: nil is undef';
is $redis->cmd('INCR', 'n'), 1, 'redis: integer';
$redis->cmd('XADD', 's', '*', 'a', 'b');
is $redis->stream('s')->[0][1]{a}, 'b', 'redis: nested arrays';
ok !eval { $redis->cmd('LPUSH', 'k', 1); 1 }, 'redis: an error dies';
like $@, qr/^WRONGTYPE/, 'redis: with its text';
is $redis->cmd('CONFIG', 'GET', 'appendfsync')->[1], 'always', 'redis: as Tomo wants it';
$redis->pause;
ok !eval { my $c = $redis->client; $c->send_command('PING'); $c->reply(0.05); 1 },
    'redis: silent while stopped';
$redis->resume;
is $redis->cmd('PING'), 'PONG', 'redis: back after CONT';
$redis->kill_now;
ok !eval { $redis->cmd('PING'); 1 }, 'redis: gone after KILL';
$redis->restart;
is $redis->cmd('GET', 'k'), "a\r\nb", 'redis: data survive a restart';
$redis->restart_empty;
is $redis->cmd('DBSIZE'), 0, 'redis: restarted empty';

# nginx without the edge's directives: life cycle and the HTTP client.

my $nginx = Tomo::Test::Nginx->start(
    no_module => 1,
    server => 'location /x { return 200 "hello"; } location /204 { return 204; }');
my $r = http_get($nginx->port, '/x');
is $r->{status}, 200, 'http: status';
is $r->{body}, 'hello', 'http: body';
my $c = Tomo::Test::Http->connect($nginx->port);
$c->send("GET /x HT");
ok $c->send("TP/1.1\r\nHost: a\r\n\r\n"), 'http: a request in parts';
is $c->response->{body}, 'hello', 'http: its answer';
is $c->ask('GET', '/204')->{status}, 204, 'http: the same connection again';
is $c->ask('HEAD', '/x')->{status}, 200, 'http: HEAD';
$c->reset;

is scalar(() = $nginx->worker_pids), 2, 'nginx: two workers';
my %old = map { $_ => 1 } $nginx->worker_pids;
ok $nginx->reload, 'nginx: reload ends';
ok !(grep { $old{$_} } $nginx->worker_pids), 'nginx: with new workers';
ok $nginx->quit, 'nginx: QUIT ends it in time';
$nginx->launch;
is http_get($nginx->port, '/x')->{body}, 'hello', 'nginx: started again';

my $daemon = Tomo::Test::Nginx->start(
    no_module => 1, daemon => 1, server => 'location /x { return 200 "hello"; }');
my $master = $daemon->pid;
ok $daemon->upgrade, 'nginx: binary upgrade ends';
isnt $daemon->pid, $master, 'nginx: with a new master';
is http_get($daemon->port, '/x')->{body}, 'hello', 'nginx: which serves';

my $bad = Tomo::Test::Nginx->new(no_module => 1, http => 'nonsense;');
my ($status, $text) = $bad->test_conf;
isnt $status, 0, 'nginx: -t refuses a wrong conf';
like $text, qr/unknown directive "nonsense"/, 'nginx: and says why';

# A server that does not start fails the test.

ok !eval { $bad->launch; 1 }, 'a server that does not start dies';
like $@, qr/did not start.*unknown directive/s, 'with its own words';
$bad->allow_alert(qr/unknown directive "nonsense"/);

# The simulator.

my $sim  = Tomo::Test::Sim->start(edge => $nginx);
my $user = $sim->add_friend('Hanako');
like $user, qr/^U[0-9a-f]{32}$/, 'simulator: a friend is added';
is ref $sim->inbox($user), 'ARRAY', 'simulator: has an inbox';
ok -S $sim->line_socket && -s $sim->ca_file, 'simulator: socket and certificate';

# Webhooks: the vectors of LINE's documentation and of our own.

is sign('{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}',
    '8c570fa6dd201bb328f1c1eac23a96d8'),
    'GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=', 'webhook: signature';
my $event = text_event(user_id(1), "\x{3053}");
like webhook_body($event), qr/"text":"\xe3\x81\x93"/, 'webhook: body is UTF-8';
like $event->{webhookEventId}, qr/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'webhook: event id';

# Ports are never given twice.

my %ports = map { free_port() => 1 } 1 .. 20;
is scalar(keys %ports), 20, 'ports differ';

# Sanitizer reports are found where sanitizers leave them.

my $probe = temp_dir() . '/probe';
mkdir $probe;
write_file("$probe/a.san.1", "==1==ERROR: AddressSanitizer: heap-use-after-free\n");
write_file("$probe/b.log", "x.c:3:5: runtime error: signed integer overflow\n");
write_file("$probe/c.log", "nothing\n");
is scalar(() = Tomo::Test::Process::sanitizer_reports($probe)), 2, 'reports are found';

done_testing;
