package Tomo::Fresh::Units;

# What systemd tells of units in a booted machine (Tomo::Fresh::Boot).
#
#   my $units = Tomo::Fresh::Units->new($machine, 'nginx', 'tomo-worker');
#   $units->show('nginx', 'ActiveState')->{ActiveState};
#   my %pid_of = $units->processes('tomo-worker');     # by name

use strict;
use warnings;
use File::Path ();
use JSON::PP ();
use Test::More ();
use Tomo::Fresh;

sub new {
    my ($class, $machine, @units) = @_;
    return bless { machine => $machine, units => \@units }, $class;
}

sub show {
    my ($self, $unit, @names) = @_;
    my (undef, $text) = $self->{machine}->inside(30, 'systemctl', 'show', $unit,
        '-p', join ',', @names);
    return { $text =~ /^(\w+)=(.*)$/mg };
}

# Name => process id; of several with one name, NAME, NAME 2 …
sub processes {
    my ($self, $unit) = @_;
    my (undef, $list) = $self->{machine}->inside(30, 'sh', '-c',
        'for f in /sys/fs/cgroup/system.slice/$0.service/cgroup.procs'
            . ' /sys/fs/cgroup/*/system.slice/$0.service/cgroup.procs; do'
            . ' [ ! -e $f ] || cat $f; done | sort -un | while read pid; do'
            . ' echo "$pid $(cat /proc/$pid/comm)"; done', $unit);
    my (%processes, %n);
    while ($list =~ /^(\d+) (.+)$/mg) {
        my ($pid, $name) = ($1, $2);
        $processes{ ++$n{$name} > 1 ? "$name $n{$name}" : $name } = $pid;
    }
    return %processes;
}

# /proc/PID/status
sub status_of {
    my ($self, $pid) = @_;
    my (undef, $text) = $self->{machine}->inside(10, 'cat', "/proc/$pid/status");
    return { $text =~ /^(\w+):\s*(.*)$/mg };
}

# The number of a user, or of a group.
sub id_of {
    my ($self, $name, $what) = @_;
    my ($status, $line) = $self->{machine}->inside(10, 'getent', $what // 'passwd', $name);
    return (split /:/, $line)[2];
}

# An addition that lasts until the next boot; without text it goes.
sub drop_in {
    my ($self, $unit, $text) = @_;
    my $folder = "/run/systemd/system/$unit.service.d";
    $self->{machine}->inside(10, 'sh', '-c',
        'mkdir -p "$0" && printf %s "$1" > "$0/zz-test.conf"', $folder, $text // '');
    $self->{machine}->inside(30, qw(systemctl daemon-reload));
    return;
}

# --- rights -----------------------------------------------------------------------

# What the role's own mount namespace lets even root do.
sub sealed {
    my ($self, $pid) = @_;
    my $machine = $self->{machine};
    for my $folder (qw(/usr /etc/tomo /var/lib /var/spool/tomo /var/spool/tomo/edge /srv /boot)) {
        my ($status, $said) = $machine->seen_by($pid, 'touch', "$folder/x");
        Test::More::like($said, qr/Read-only file system/, "$folder cannot be written");
    }
    for my $folder (qw(/var/spool/tomo/worker /run/tomo /tmp)) {
        my ($status, $said) = $machine->seen_by($pid, 'touch', "$folder/x");
        Test::More::is($status, 0, "$folder can") or Test::More::diag($said);
        $machine->seen_by($pid, 'rm', "$folder/x");
    }
    $machine->seen_by($pid, 'touch', '/tmp/x');
    Test::More::isnt(($machine->inside(10, qw(test -e /tmp/x)))[0], 0, '... which is its own');
    my ($status) = $machine->seen_by($pid, 'cat', '/home/secret');
    Test::More::isnt($status, 0, '/home is not seen');
    my (undef, $others) = $machine->seen_by($pid,
        qw(setpriv --reuid tomo --regid tomo --clear-groups ls /proc));
    Test::More::unlike($others, qr/^1$/m, 'nor processes of others');
    return;
}

# --- the journal --------------------------------------------------------------------

# All lines of our units in this boot, and what systemd says of them.
sub journal {
    my ($self) = @_;
    my (undef, $text) = $self->{machine}->inside(60, qw(journalctl -b --no-pager -o short-precise),
        map { ('-u', $_) } @{ $self->{units} });
    return $text;
}

# Entries of the journal as documents, oldest first.
sub entries {
    my ($self, $unit, @more) = @_;
    my (undef, $text) = $self->{machine}->inside(60, qw(journalctl -b --no-pager -o json -u),
        $unit, @more);
    return map { JSON::PP::decode_json($_) } grep {/^\{/} split /\n/, $text;
}

# The unit has failed for good with this code, and a line says why.
sub failed {
    my ($self, $unit, $code, $line) = @_;
    my $state = $self->show($unit, qw(ActiveState ExecMainStatus NRestarts));
    Test::More::is("$state->{ActiveState} $state->{ExecMainStatus}", "failed $code",
        "... it has failed with $code and is not started again");
    Test::More::like($self->journal, $line, '... and a line says what to do');
    return;
}

1;
