#!/usr/bin/perl

# The other drill of docs/backup.md: the machine is gone with everything on it. The
# backup is put onto an empty one: another folder, another Redis, another nginx on
# another port, another worker with journals of its own. Friends, timers and links
# in old messages work, and nothing is sent a second time.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Steps;

my $scripts = top_dir() . '/scripts';

sub script {
    my ($name, @args) = @_;
    return run_command("$scripts/$name", @args);
}

# --- the old machine -----------------------------------------------------------

my $redis = Tomo::Test::Redis->start(name => 'redis-old');
my $edge  = Tomo::Test::Nginx->start(name => 'edge-old', redis => $redis);
my $sim = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview', '--no-redelivery']);
my $worker = Tomo::Test::Worker->start(name => 'worker-old', redis => $redis, edge => $edge,
    sim => $sim, sandbox => 1);
ok wait_for(sub { $sim->call('POST', '/sim/verify', {})->{status} == 200 },
    'the edge knows the account', 15), 'the edge knows the account';
my @users = map { $sim->add_friend("Friend $_") } 1 .. 5;

sub texts {
    my ($user) = @_;
    return map { $_->{text} // $_->{altText} // '' } map { @{ $_->{messages} } }
        @{ $sim->inbox($user) };
}

# messages that LINE was asked to send, how many
sub sends { return scalar grep { $_->{path} =~ m{^/v2/bot/message/} } @{ $sim->requests(0) } }

sub friend_of {
    my ($user) = @_;
    return $worker->api('GET', "/accounts/demo/friends?user_id=$user")->{json}{friends}[0];
}

ok wait_for(sub { !grep { !texts($_) } @users }, 'greetings', 30), 'everybody was greeted';
my %token;
for my $user (@users) {
    ($token{$user}) = join(' ', texts($user)) =~ m{/r/([A-Za-z0-9_-]{39})};
}
is scalar(grep {defined} values %token), 5, 'with a link each';

# as LINE's browser does it: others may be robots
sub tap {
    my ($at, $user) = @_;
    return Tomo::Test::Http::request($at->port, 'GET', "/r/$token{$user}",
        ['User-Agent' => 'Mozilla/5.0 (iPhone) Safari Line/15.1.0'])->{status};
}
is tap($edge, $users[0]), 302, 'one taps it';

# as in backup.t: its settle and walk look into Redis and move the clock
sub steps_on {
    my ($on) = @_;
    return bless { redis => $on, sim => $sim, offset => 0,
        in => bless({ redis => $on, seq => 0 }, 'Tomo::Test::Ingest') }, 'Tomo::Test::Steps';
}
my $old = steps_on($redis);
ok wait_for(sub { grep { $_ eq 'saw-catalog' } @{ friend_of($users[0])->{tags} } }, 'the tag', 15),
    '... and has the tag';
ok $old->settle('settled'), 'nothing is open';
my %before = map { $_ => friend_of($_) } @users;
my $due    = $redis->cmd('ZRANGE', 'tomo:{demo}:sched', 0, -1, 'WITHSCORES');
cmp_ok scalar(@$due), '>=', 10, 'everybody waits for the next step';

my $dir = temp_dir() . '/backup';
my ($code, $text) = script('backup', $dir, '--config', $worker->ini_path, '--edge',
    $edge->journal, '--admin', "$redis->{folder}/admin.pw");
is $code, 0, 'a backup' or diag $text;

$worker->stop;
$edge->stop;
$redis->kill_now;
my $sent = sends();

# --- the new one ------------------------------------------------------------------

my $new = Tomo::Test::Redis->start(name => 'redis-new');
$new->stop;
my $there = Tomo::Test::Nginx->new(name => 'edge-new', redis => $new);
$worker = Tomo::Test::Worker->new(name => 'worker-new', redis => $new, edge => $there,
    sim => $sim, sandbox => 1);
isnt $there->port, $edge->port, 'another port';
($code, $text) = script('restore', $dir, '--redis', $new->{folder}, '--config',
    $worker->ini_path, '--edge', $there->journal, '--replace');
is $code, 0, 'restored onto an empty machine' or diag $text;
ok -e $worker->folder . '/journal/hold', 'sending will wait';
$new->restart;
$there->launch;
$worker->launch;
ok wait_for(sub { $worker->output =~ /sending waits: Redis was restored from a backup/ },
    'held', 15), 'and waits';
ok Tomo::Test::Status::wait_shipped($there, 30), 'what the old nginx had is shipped';
my $steps = steps_on($new);

# the old nginx was heard of a moment ago and never comes back: the operator knows
($code, $text) = $worker->check('--release');
is $code, 0, 'the operator knows that nothing more comes';
($code, $text) = script('restore', 'check', '--config', $worker->ini_path, '--admin',
    "$new->{folder}/admin.pw");
is $code, 0, 'the check ends well' or diag $text;
like $text, qr/^restore: every event is accounted for$/m, 'every event is accounted for';
ok $steps->settle('settled'), 'nothing is open';

# --- what works there ---------------------------------------------------------------

is_deeply { map { $_ => friend_of($_) } @users }, \%before, 'every friend is as before';
is_deeply $new->cmd('ZRANGE', 'tomo:{demo}:sched', 0, -1, 'WITHSCORES'), $due,
    'and waits for the same moment';
is sends(), $sent, 'nothing was sent again';
for my $user (@users) {
    is tap($there, $user), 302, 'a link in an old message leads on';
}
ok wait_for(sub {
    !grep { my $u = $_; !grep { $_ eq 'saw-catalog' } @{ friend_of($u)->{tags} } } @users;
}, 'tags', 20), 'and is known as its friend\'s';
ok $steps->walk, 'the moments come';
my %times;
for my $user (@users) {
    my %n;
    $n{$_}++ for texts($user);
    push @{ $times{ $n{$_} } }, "$user: $_" for keys %n;
}
is_deeply [keys %times], [1], 'every step came once, to each' or diag(explain(\%times));
cmp_ok sends(), '>', $sent, 'later steps were sent';

done_testing;
