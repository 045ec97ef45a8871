#!/usr/bin/env perl
# The supervisor: roles are processes that come back alone, take their
# accounts back at once, and end with it.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();

my $d = Tomo::Test::Dispatch->new(friends => 1);
my $worker = Tomo::Test::Worker->start(
    redis => $d->redis, sim => $d->sim, sandbox => 1,
    env   => { WATCHDOG_USEC => 900_000 },
);

sub text_arrives {
    my ($text, $within, $what) = @_;
    my $from = now_ms();
    $d->push(1, $text);
    ok wait_for(sub { grep { $_ eq $text } @{ $d->texts(1) } }, $text, $within), $what;
    return now_ms() - $from;
}

sub gone { my ($pid) = @_; return sub { !kill 0, $pid } }

# The role's new process, once it is another than $old.
sub other {
    my ($role, $old) = @_;
    return wait_for(sub {
        my $pid = $worker->roles->{$role};
        return $pid && $pid != $old && $pid;
    }, "a new $role", 5);
}

my $pid_file = $worker->folder . '/worker.pid';
is read_file($pid_file), $worker->pid . "\n", 'worker.pid holds the supervisor';
my $roles = $worker->roles;
is_deeply [sort keys %$roles], [qw(api dispatch ingest)], 'three roles, each its own process';
is read_file("/proc/$roles->{$_}/comm"), "tomo-$_\n", "... $_ by its name" for sort keys %$roles;
text_arrives('one', 5, 'and sending works');
ok wait_for(sub { $worker->told(qr/^WATCHDOG=1$/m) }, 'watchdog', 5), 'the watchdog is fed';

# --- a role is killed -------------------------------------------------------
for my $role (qw(dispatch ingest api)) {
    kill 'KILL', $roles->{$role};
    my $pid = other($role, $roles->{$role});
    ok $pid, "$role killed: started again";
    my $now = $worker->roles;
    is_deeply [map { $now->{$_} } grep { $_ ne $role } sort keys %$now],
        [map { $roles->{$_} } grep { $_ ne $role } sort keys %$roles],
        "$role killed: the others were left alone";
    $roles = $now;
    my $ms = text_arrives("after $role", 5, "$role killed: sending goes on");
    cmp_ok $ms, '<', 5000 * Tomo::Test::slow(), "$role killed: soon ($ms ms), not after 15 s";
}

# --- again and again: slower, but it comes back -----------------------------
for (1 .. 4) {
    my $old = $worker->roles->{dispatch} or last;
    kill 'KILL', $old;
    other('dispatch', $old);
}
text_arrives('after a crash loop', 8, 'a role that keeps dying comes back');
like $worker->output, qr/dispatch was ended by signal 9: starting it again in [1-9]\d* ms/,
    'after repeated crashes it waits';

# --- reload -----------------------------------------------------------------
$roles = $worker->roles;
my $ini = read_file($worker->ini_path);
write_file($worker->ini_path, "$ini\n[nonsense]\na = b\n", 0600);
$worker->signal('HUP');
ok wait_for(sub { $worker->output =~ /was not loaded: it has the faults above/ }, 'refusal'),
    'B85: a broken file is refused';
is_deeply $worker->roles, $roles, 'B85: the roles go on with the old one';
write_file($worker->ini_path, $ini, 0600);
$worker->signal('HUP');
for my $role (sort keys %$roles) {
    ok other($role, $roles->{$role}), "reload: $role is replaced";
}
text_arrives('after reload', 8, 'reload: sending goes on');

# --- a second one on the same folder ----------------------------------------
my ($code, $text) = run_command(Tomo::Test::Worker::binary(), '--config', $worker->ini_path);
is $code, 78, 'a second supervisor on the same run_dir is refused';
like $text, qr/already runs with this run_dir/, 'and told why';

# --- the supervisor is killed -----------------------------------------------
$roles = $worker->roles;
$worker->kill_now;
ok wait_for(gone($roles->{$_}), "$_ gone", 5), "supervisor killed: $_ ends too"
    for sort keys %$roles;
$worker->launch;
my $ms = text_arrives('after the supervisor', 10, 'supervisor killed: started again');
cmp_ok $ms, '<', 5000 * Tomo::Test::slow(), "its accounts at once ($ms ms)";

# --- stop -------------------------------------------------------------------
$worker->told(qr/nothing/);    # makes room in the socket's queue
$roles = $worker->roles;
my $from = now_ms();
ok $worker->stop('TERM', 9), 'D11: TERM ends it';
cmp_ok now_ms() - $from, '<', 8000 * Tomo::Test::slow(), 'D11: within 8 s';
is $worker->exit_status, 0, 'D11: with code 0';
ok $worker->told(qr/^STOPPING=1$/m), 'systemd is told';
ok !-e $pid_file, 'worker.pid is removed';
is scalar(grep { kill 0, $_ } values %$roles), 0, 'no process is left';

done_testing;
