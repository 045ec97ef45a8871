#!/usr/bin/perl

# scripts/run: two sandboxes side by side, nobody holding the caller's output,
# stop without a process left, data kept, also after the worst.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Sandbox;

my $run = Tomo::Test::Sandbox::run_script();

sub greeted {
    my ($box, $name) = @_;
    my $user = $box->add_friend($name);
    ok wait_for(sub { @{ $box->inbox($user) } }, "$name greeted", 10), "$name is greeted";
    return $user;
}

sub none_left {
    my ($box, $when) = @_;
    my @left = $box->processes;
    ok !@left, "no process is left $when" or diag("@left");
    return;
}

# --- detached: returns, and lets go of every descriptor ----------------------

my $two;
my $one = bless { dir => temp_dir() . '/one', port => Tomo::Test::Ports::free_ports(2) },
    'Tomo::Test::Sandbox';
pipe my $read, my $write or die "pipe: $!\n";
my $pid = fork // die "fork: $!\n";
if (!$pid) {
    open STDOUT, '>&', $write;
    open STDERR, '>&', $write;
    $^F = 20;
    open my $more, '>&', $write;    # a descriptor above 2, which is passed on
    exec($run, '--detach', '--no-install', '--dir', $one->{dir}, '--port', $one->{port})
        or POSIX::_exit(127);
}
close $write;
my $output = do { local $/; <$read> };    # to the end: nobody holds it any more
waitpid $pid, 0;
is $?, 0, 'scripts/run --detach' or diag($output);
like $output, qr{http://127\.0\.0\.1:$one->{port}/tomo/status}, 'tells the status page';

sub stopped {
    my ($box) = @_;
    my ($status, $text) = run_command($run, 'stop', '--dir', $box->{dir});
    return $status == 0 || !diag($text);
}

END {
    my $status = $?;
    stopped($_) for grep {defined} $one, $two;    # also what died half-way
    $? = $status;
}

is http_get($one->port, '/tomo/status')->{status}, 200, 'healthy when it returns';
ok stopped($one), 'stop';
none_left($one, 'after the first stop');
$one->launch;
$two = Tomo::Test::Sandbox->start(name => 'two');
my $hanako = greeted($one, 'Hanako');
greeted($two, 'Jiro');
ok $one->friend($hanako), 'the API knows Hanako';
ok !$two->friend($hanako), 'the other sandbox does not';

is +(stat $one->{dir})[2] & 07777, 0700, 'the folder is private';
for my $name (qw(api-token channel-secret bot-user-id edge.key worker.key)) {
    is +(stat "$one->{dir}/$name")[2] & 0777, 0600, "$name is private";
}
my $pid_file = read_file("$one->{dir}/nginx.pid");
like read_file('/proc/' . $pid_file * 1 . '/cmdline'), qr/master/, 'nginx.pid is the master\'s';
ok kill(0, read_file("$one->{dir}/worker.pid")), 'worker.pid lives';
is $one->redis->cmd('PING'), 'PONG', 'redis.sock is for whoever may open it';
like $one->redis->cmd('ACL', 'LIST')->[$_], qr/^user (?:admin|api|default|edge|metrics|worker) on /,
    'a user of its own for each part' for 0 .. 5;

# --- refusals ----------------------------------------------------------------

sub refused {
    my ($words, @args) = @_;
    my ($status, $text) = run_command($run, '--no-install', '--detach', @args);
    isnt $status, 0, "refused: @args";
    like $text, $words, '  and says why';
    return;
}

my $free = Tomo::Test::Ports::free_ports(2);
refused(qr/already running/, '--dir', $one->{dir}, '--port', $free);
refused(qr/listens on 127\.0\.0\.1:$two->{port}/, '--dir', temp_dir() . '/three',
    '--port', $two->{port});
refused(qr/a unix socket's path may/, '--dir', temp_dir() . '/' . 'x' x 100, '--port', $free);
refused(qr/choose another --dir/, '--dir', temp_dir() . '/a;b', '--port', $free);
refused(qr/--port must be/, '--dir', temp_dir() . '/three', '--port', 'http');

# --- stop, start, and stop after a crash -------------------------------------

ok $one->stop, 'stop';
none_left($one, 'of the first');
is $two->api('GET', '/sandbox/clock')->{status}, 200, 'the second goes on';
$one->launch;
ok $one->friend($hanako), 'started again: Hanako is still known';
is @{ $one->inbox($hanako) }, 1, 'and was not greeted twice';

kill 'KILL', read_file("$one->{dir}/nginx.pid"), read_file("$one->{dir}/worker.pid");
ok $one->stop, 'stop after nginx\'s master and the supervisor were killed';
none_left($one, 'of them');
$one->launch;
greeted($one, 'Kenta');
ok $one->stop, 'and it starts again';
ok $two->stop, 'stop of the second';
none_left($two, 'of the second');

# --- foreground --------------------------------------------------------------

sub foreground {
    my ($log) = @_;
    unlink $log;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp;
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>',  $log;
        open STDERR, '>&', \*STDOUT;
        exec($run, '--no-install', '--dir', $two->{dir}, '--port', $two->{port})
            or POSIX::_exit(127);
    }
    ok wait_for(sub { read_file($log) =~ /Ctrl-C/ }, 'running', 60), 'runs in the foreground'
        or diag(read_file($log));
    return $pid;
}

sub ended {
    my ($pid) = @_;
    my $status;
    wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid && defined($status = $?) },
        'ended', 40);
    return $status;
}

my $log = temp_dir() . '/foreground.log';
$pid = foreground($log);
kill 'INT', -$pid;
is ended($pid), 0, 'Ctrl-C stops it';
none_left($two, 'after Ctrl-C');

$pid = foreground($log);
kill 'KILL', read_file("$two->{dir}/sim.pid");
is ended($pid), 1 << 8, 'ends when a part ends';
like read_file($log), qr/simulator ended/, 'names the part';
none_left($two, 'then');

done_testing();
