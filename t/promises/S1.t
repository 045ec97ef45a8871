#!/usr/bin/perl

# S1: No secret, token, message text or user id reaches a log, a metric, a
# command line, an environment or a status page.
#
# A journey with canary values, errors included; then every artefact is searched
# for each of them. The access log has the format of conf/log_format.conf.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Promise;

my $friends = pick(short => 2, full => 50);
my $format  = read_file(top_dir() . '/conf/log_format.conf');
my $redis   = Tomo::Test::Redis->start;
my $tomo    = temp_dir() . '/tomo.log';
my $edge    = Tomo::Test::Nginx->start(redis => $redis, log => 'info', http => $format,
    server => "access_log $tomo tomo;");
my $sim = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview']);
my $worker = Tomo::Test::Worker->start(redis => $redis, edge => $edge, sim => $sim);
my $PHONE  = 'Mozilla/5.0 (iPhone) Line/14';

ok wait_for(sub { ($sim->call('POST', '/sim/verify', {})->{status} // 0) == 200 }, 'feed', 10),
    'the edge knows the account';

my %canary = (
    'channel secret' => $Tomo::Test::Files::CHANNEL_SECRET,
    'API token'      => $Tomo::Test::Files::API_TOKEN,
    'edge key'       => read_file(Tomo::Test::Files::path('edge.key')) =~ /:(\w+)/,
    'worker key'     => read_file(Tomo::Test::Files::path('worker.key')) =~ /:(\w+)/,
    'edge password'  => 'password-of-edge',
    'worker password' => 'password-of-worker',
);

# --- the journey, with errors ------------------------------------------------

for my $n (1 .. $friends) {
    my $user = $sim->add_friend("NameCanary$n");
    $sim->say($user, "TextCanary$n");
    wait_for(sub { @{ $sim->inbox($user) } }, 'greeted', 20);
    my $text = join ' ', map { $_->{text} // '' } @{ $sim->inbox($user)->[0]{messages} };
    my ($link)   = $text =~ m{/r/([\w-]{39})};
    my ($survey) = $text =~ m{/s/([\w-]{39})};
    @canary{"user id $n", "name $n", "text $n", "link $n", "survey $n"}
        = ($user, "NameCanary$n", "TextCanary$n", $link, $survey);
    my @ua = ('User-Agent' => $PHONE);
    is http_get($edge->port, "/r/$link", @ua)->{status}, 302, 'a tap';
    is http_get($edge->port, "/s/$survey", @ua)->{status}, 200, 'a survey';
    is http_get($edge->port, "/r/${link}x", @ua)->{status}, 404, 'a link that was damaged';
    is http_post($edge->port, "/s/$survey", "q.name=AnswerCanary$n&nonce=x", @ua,
        'Content-Type' => 'application/x-www-form-urlencoded')->{status}, 400,
        'an answer to no form of ours';
    is http_post($edge->port, "/r/$link", 'x', @ua)->{status}, 405, 'a method that is none';
    my $body = qq({"events":[{"source":{"userId":"$user"},"message":{"text":"BodyCanary$n"}}]});
    @canary{"answer $n", "body $n"} = ("AnswerCanary$n", "BodyCanary$n");
    is http_post($edge->port, '/line/webhook/demo', $body, 'x-line-signature' => 'SignCanary')
        ->{status}, 401, 'a forgery';
    http_post($edge->port, '/line/webhook/demo', $body,
        'x-line-signature' => Tomo::Test::Webhook::sign($body));
    $worker->api('GET', "/accounts/demo/friends?user_id=$user");
    $worker->api('GET', "/accounts/demo/friends?user_id=$user&after=x");
}
$canary{signature} = 'SignCanary';
is http($worker->api_socket, 'GET', '/api/v1/accounts', [Authorization => 'Bearer WrongCanary'])
    ->{status}, 401, 'a wrong API token';
$canary{'wrong token'} = 'WrongCanary';
$sim->faults({ path => '/v2/bot/message/push', share => 1, kind => '401' });
$sim->say($sim->add_friend('Refused'), 'x');
$sim->faults();
$redis->restart;
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{redis} eq 'up' }, 'Redis is back', 20),
    'Redis went and came back';
my ($access) = map { ($_->{headers}{authorization} // '') =~ /^Bearer (\S+)/ } @{ $sim->requests };
ok $canary{'access token'} = $access, 'LINE gave an access token';

# --- what there is to read ----------------------------------------------------

my %artefact = (
    'error.log'   => $edge->error_log,
    'access log'  => read_file($tomo),
    'worker log'  => $worker->output,
    'Redis log'   => $redis->output,
    'metrics'     => http($worker->api_socket, 'GET', '/metrics')->{body},
    'status'      => http_get($edge->port, '/tomo/status')->{body},
    'status json' => http_get($edge->port, '/tomo/status?format=json')->{body},
    'prometheus'  => http_get($edge->port, '/tomo/status?format=prometheus')->{body},
    'configuration' => ($worker->check('--print-config'))[1],
);
for my $master ($edge->{pid}, $worker->{pid}, $redis->{pid}) {
    for my $pid ($master, Tomo::Test::Process::children($master)) {
        $artefact{"$_ of $pid"} = read_file("/proc/$pid/$_") for qw(cmdline environ);
    }
}
cmp_ok length $artefact{$_}, '>', 100, "there is a $_" for 'error.log', 'access log', 'worker log';
like read_file(top_dir() . '/conf/systemd/tomo-worker.service'), qr/^LimitCORE=0$/m,
    'no core is written by the unit';

my @hits;
for my $name (sort keys %artefact) {
    for my $what (sort keys %canary) {
        my $value = $canary{$what} // '';
        if (!length $value) { fail("$what is known"); next }
        push @hits, "$what in $name" if index($artefact{$name}, $value) >= 0;
    }
}
is_deeply \@hits, [], 'S1: no canary in any artefact';
figure('hits'      => scalar @hits);
figure('canaries'  => scalar keys %canary);
figure('artefacts' => scalar keys %artefact);

done_testing;
