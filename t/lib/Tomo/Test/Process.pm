package Tomo::Test::Process;

# Starting and ending processes. Every process is the leader of its own group,
# so that what it forked ends with it, and gets SIGTERM from the kernel should
# the test itself be killed.

use strict;
use warnings;
use POSIX ();
use Test::More ();
use Time::HiRes ();

my @STARTED;

# start(name => 'redis', command => [...], env => {...}, stop => 'TERM',
#       leaks => 1)
# stdout and stderr go to DIR/NAME.log. `stop` is the signal that asks for a
# clean end. Returns the object; does not wait for readiness.
sub start {
    my ($class, %o) = @_;
    my $dir = Tomo::Test::temp_dir();
    my $self = bless { stop => 'TERM', leaks => 1, %o, log => "$dir/$o{name}.log" }, $class;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        _become($self, $dir);
        POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    push @STARTED, $self;
    return $self;
}

# Something else with a `stop`, to be stopped in its turn at the end.
sub register {
    my ($thing) = @_;
    push @STARTED, $thing;
    return;
}

# The options that make a sanitizer report into DIR/NAME.san.PID. nginx and
# each module have their own ngx_module_names: no ODR check.
sub sanitizer_options {
    my ($name, $leaks) = @_;
    my $where = 'log_path=' . Tomo::Test::temp_dir() . "/$name.san";
    my $asan  = join ':', $where, 'detect_leaks=' . ($leaks ? 1 : 0),
        'detect_odr_violation=0', 'detect_stack_use_after_return=1';
    return (ASAN_OPTIONS => $asan, UBSAN_OPTIONS => "$where:print_stacktrace=1");
}

sub _become {
    my ($self, $dir) = @_;
    setpgrp 0, 0;
    # prctl(PR_SET_PDEATHSIG, SIGTERM)
    my %prctl = (x86_64 => 157, aarch64 => 167);
    my $number = $prctl{ (POSIX::uname())[4] };
    syscall $number, 1, 15 if $number;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
    my $env = { sanitizer_options($self->{name}, $self->{leaks}), %{ $self->{env} || {} } };
    while (my ($k, $v) = each %$env) {
        if (defined $v) { $ENV{$k} = $v } else { delete $ENV{$k} }
    }
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', $self->{log};
    open STDERR, '>&', \*STDOUT;
    my @command = @{ $self->{command} };
    exec { $command[0] } @command or print STDERR "cannot run $command[0]: $!\n";
}

sub pid { return $_[0]{pid} }

# True while the process runs; notes its exit status when it ended.
sub alive {
    my ($self) = @_;
    return 0 if !$self->{pid} || defined $self->{status};
    return kill 0, $self->{pid} if $self->{foreign};
    my $got = waitpid $self->{pid}, POSIX::WNOHANG();
    if ($got == $self->{pid}) {
        $self->{status} = $?;
        return 0;
    }
    return $got == 0;
}

# Exit status as a shell shows it, undef while it runs.
sub exit_status {
    my ($self) = @_;
    return if $self->alive;
    my $status = $self->{status} // 0;
    return $status & 127 ? 128 + ($status & 127) : $status >> 8;
}

sub signal {
    my ($self, $signal) = @_;
    return $self->alive && kill $signal, $self->{pid};
}

sub output { return Tomo::Test::read_file($_[0]{log}) }

# Waits until $ready->() is true; a server that does not start fails the test.
sub ready_or_die {
    my ($self, $ready, $seconds) = @_;
    my $dead;
    my $ok = Tomo::Test::wait_for(
        sub { $ready->() || ($dead = !$self->alive) },
        "$self->{name} ready", $seconds // 10
    );
    return $self if $ok && !$dead;
    my $dir = Tomo::Test::temp_dir();
    my $said = join '', $self->output,
        map { Tomo::Test::read_file($_) } glob "$dir/$self->{name}.san.*";
    die "$self->{name} did not start:\n" . substr($said, -4000) . "\n";
}

# Ends the process: $signal (or its own), then KILL to the whole group.
# Returns true if it ended by itself within $seconds.
sub stop {
    my ($self, $signal, $seconds) = @_;
    return 1 if !$self->{pid} || $self->{swept};
    my $clean = 1;
    if ($self->alive) {
        kill $signal // $self->{stop}, $self->{pid};
        kill 'CONT', $self->{pid};
        $clean = Tomo::Test::wait_for(sub { !$self->alive }, "$self->{name} ended",
            $seconds // 10);
    }
    kill 'KILL', -($self->{group} // $self->{pid});
    Tomo::Test::wait_for(sub { !$self->alive }, "$self->{name} killed", 5);
    $self->{swept} = 1;
    return $clean ? 1 : 0;
}

sub kill_now {
    my ($self) = @_;
    kill 'KILL', $self->{pid} if $self->alive;
    Tomo::Test::wait_for(sub { !$self->alive }, "$self->{name} killed", 5);
    return;
}

sub pause  { return $_[0]->signal('STOP') }
sub resume { return $_[0]->signal('CONT') }

# Pids of a process's children.
sub children {
    my ($pid) = @_;
    my @pids;
    for my $file (glob '/proc/[0-9]*/stat') {
        my $stat = Tomo::Test::read_file($file);
        push @pids, $1 if $stat =~ /^(\d+) \(.*\) \S (\d+)/s && $2 == $pid;
    }
    return @pids;
}

# Last started first.
sub stop_all {
    while (my $process = pop @STARTED) {
        $process->stop;
    }
    return;
}

# The object that stands for the process started last is `$self` from now on.
sub replace_last {
    my ($self) = @_;
    pop @STARTED;
    @STARTED = grep { $_ != $self } @STARTED;
    push @STARTED, $self;
    return;
}

# Reports of AddressSanitizer, LeakSanitizer and UBSan under a folder.
sub sanitizer_reports {
    my ($dir) = @_;
    my @reports;
    for my $file (glob "$dir/*.san.*") {
        push @reports, "$file:\n" . Tomo::Test::read_file($file);
    }
    for my $file (glob("$dir/*.log"), glob("$dir/*/error.log"), glob("$dir/*/logs/*.log")) {
        my $text = Tomo::Test::read_file($file);
        push @reports, "$file:\n$1"
            if $text =~ /^(.*(?:ERROR: \w+Sanitizer|: runtime error: ).*(?:\n.*){0,30})/m;
    }
    return @reports;
}

1;
