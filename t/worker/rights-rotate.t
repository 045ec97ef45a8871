#!/usr/bin/perl

# Every secret is changed under light load, with one command each, and nothing
# is refused meanwhile: keys of links and seals, the worker's key, the API's
# token, the channel secret (B7).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use MIME::Base64 ();
use Tomo::Test;

my $redis = Tomo::Test::Redis->start;
my $edge  = Tomo::Test::Nginx->start(redis => $redis);
my $sim   = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview']);
my $worker = Tomo::Test::Worker->start(redis => $redis, edge => $edge, sim => $sim);
my $PHONE = 'Mozilla/5.0 (iPhone) Line/14';

sub status_of {
    my ($r) = @_;
    return $r ? $r->{status} : 'none';
}
sub tap { return status_of(http($edge->port, 'GET', $_[0], ['User-Agent' => $PHONE])) }

# a new friend's link: (path, id of the key that made it)
sub link_of_new {
    my ($name) = @_;
    my $user = $sim->add_friend($name);
    wait_for(sub { @{ $sim->inbox($user) } }, "$name greeted", 15) or return ('/r/none', -1);
    my ($path, $token) = $sim->inbox($user)->[0]{messages}[0]{text} =~ m{(/r/([\w-]{39}))};
    return ($path // '/r/none', ord(MIME::Base64::decode_base64url($token // 'AA')) & 15);
}

sub rotate {
    my (@args) = @_;
    my ($code, $said) = $worker->check('--rotate', @args);
    is $code, 0, "--rotate @args" or diag($said);
    unlike $said, qr/[0-9a-f]{32}/, '... prints no secret';
    return $said;
}

sub reload_worker {
    my %old = reverse %{ $worker->roles };
    $worker->signal('HUP');
    return wait_for(sub {
        my $now = $worker->roles;
        return 3 == keys %$now && !grep({ $old{$_} } values %$now)
            && http($worker->api_socket, 'GET', '/metrics');
    }, 'roles replaced', 30);
}

ok wait_for(sub { ($sim->call('POST', '/sim/verify', {})->{status} // 0) == 200 }, 'feed', 10),
    'the edge knows the account';
my ($old, $old_id) = link_of_new('Before');
is tap($old), 302, 'a link of before';

# --- light load: taps and webhooks, all along ---------------------------------

my $report = temp_dir() . '/load';
my $stop   = temp_dir() . '/load.stop';
my $pid = fork // die "fork: $!\n";
if (!$pid) {
    my %seen;
    until (-e $stop) {
        my $body = '{"destination":"' . $Tomo::Test::Files::BOT_USER_ID . '","events":[]}';
        my $r = http_post($edge->port, '/line/webhook/demo', $body,
            'x-line-signature' => Tomo::Test::Webhook::sign($body));
        $seen{ 'webhook ' . status_of($r) }++;
        $seen{ 'tap ' . tap($old) }++;
        Time::HiRes::usleep(20_000);
    }
    write_file($report, join "\n", map {"$_ $seen{$_}"} sort keys %seen);
    POSIX::_exit(0);
}

# --- the key of links and seals -----------------------------------------------

my $said = rotate('edge-key');
like $said, qr/reload nginx/, '... says what comes next';
like read_file(Tomo::Test::Files::path('edge.key')), qr/^\d+:\w{64}\n$old_id:\w{64}\n\z/,
    '... the new key first, the old one second';
is +(stat Tomo::Test::Files::path('edge.key'))[2] & 0777, 0600, '... and as private as before';
ok reload_worker(), 'the worker knows it, the edge not yet';
my ($between, $between_id) = link_of_new('Between');
is $between_id, $old_id, 'links are made with the key that the edge has';
is tap($between), 302, '... and lead on';
ok $edge->reload, 'nginx is reloaded';
ok wait_for(sub { $worker->output =~ /key (?!$old_id )\d+ issues links now/ }, 'key in use', 10),
    'now the new key is used';
my ($new, $new_id) = link_of_new('After');
isnt $new_id, $old_id, 'a new link has the new key';
is tap($new), 302, '... and leads on';
is tap($old), 302, 'an old link still does';

# --- the worker's own key ------------------------------------------------------

my $victim = $sim->add_friend('Victim');
ok wait_for(sub { @{ $sim->inbox($victim) } }, 'greeted', 15), 'a friend';
my $body = JSON::PP::encode_json({ destination => $Tomo::Test::Files::BOT_USER_ID, events => [
    Tomo::Test::Webhook::event('message', $victim,
        message => { type => 'text', id => '5', text => 'old' })] });
my $id = $worker->api('GET', "/accounts/demo/friends?user_id=$victim")->{json}{friends}[0]{id};
is $worker->api('DELETE', "/accounts/demo/friends/$id")->{status}, 200, '... is deleted';
my $access = $redis->cmd('HGET', 'tomo:{demo}:access', 'token');
for my $round (1 .. 2) {
    rotate('worker-key');
    like read_file(Tomo::Test::Files::path('worker.key')),
        qr/^(?:\d+:\w{64}\n){2}retry-key:\w{64}\ntombstone:\w{64}\n\z/,
        '... names of sends and of deleted persons stay what they were';
    ok reload_worker(), 'the worker is reloaded';
}
isnt +(link_of_new('Later'))[1], -1, 'messages go on';
http_post($edge->port, '/line/webhook/demo', $body,
    'x-line-signature' => Tomo::Test::Webhook::sign($body));
ok wait_for(sub { ($redis->hash('tomo:{demo}:cursor')->{erased} // 0) > 0 }, 'dropped', 10),
    'S2: after two rotations the deleted person\'s events are still dropped';

# --- the API's token -----------------------------------------------------------

sub api_with {
    my ($token) = @_;
    return status_of(http($worker->api_socket, 'GET', '/api/v1/accounts',
        [Authorization => "Bearer $token"]));
}
my $before = $Tomo::Test::Files::API_TOKEN;
rotate('api-token');
ok reload_worker(), 'the worker is reloaded';
my ($fresh) = read_file(Tomo::Test::Files::path('api-token')) =~ /^(\S+)\n/;
isnt $fresh, $before, 'there is a new token';
is api_with($fresh),  200, '... which counts';
is api_with($before), 200, '... and the old one as well';
is api_with('x' x 48), 401, '... but no other';

# --- the channel secret (B7) ---------------------------------------------------

my $next = '1234567890abcdef' x 2;
write_file(temp_dir() . '/next-secret', "$next\n", 0600);
$worker->write_ini('account demo' => { next_secret_file => temp_dir() . '/next-secret' });
ok reload_worker(), 'a second secret is configured';
my $empty = '{"destination":"' . $Tomo::Test::Files::BOT_USER_ID . '","events":[]}';
sub signed {
    my (@secret) = @_;
    return status_of(http_post($edge->port, '/line/webhook/demo', $empty,
        'x-line-signature' => Tomo::Test::Webhook::sign($empty, @secret)));
}
ok wait_for(sub { signed($next) == 200 }, 'second secret', 10), 'B7: the new secret counts';
is signed(), 200, 'B7: ... and the old one';
is signed('f' x 32), 401, 'B7: ... but no third';
cmp_ok Tomo::Test::Status::counter($edge, 'webhook_verified'), '>', 0,
    'B7: counted by secret: the first';
cmp_ok Tomo::Test::Status::counter($edge, 'webhook_verified_next'), '>', 0, 'B7: ... the second';

# --- the load saw nothing of all that ------------------------------------------

write_file($stop, '');
waitpid $pid, 0;
my %seen = map { /^(.*) (\d+)$/ ? ($1 => $2) : () } split /\n/, read_file($report);
cmp_ok $seen{'tap 302'}     // 0, '>', 50, 'light load: ' . ($seen{'tap 302'} // 0) . ' taps';
cmp_ok $seen{'webhook 200'} // 0, '>', 50, '... ' . ($seen{'webhook 200'} // 0) . ' webhooks';
is_deeply [grep { !/^tap 302$|^webhook 200$/ } sort keys %seen], [],
    'no request was refused or lost while all secrets changed';

# --- the old ones go ------------------------------------------------------------

rotate('edge-key',  '--finish');
rotate('api-token', '--finish');
ok $edge->reload, 'nginx is reloaded';
ok reload_worker(), '... and the worker';
is tap($old), 404, 'a link of the old key leads nowhere';
is tap($new), 302, '... of the new one it does';
is api_with($fresh),  200, 'the new token counts';
is api_with($before), 401, '... the old one no more';

done_testing;
