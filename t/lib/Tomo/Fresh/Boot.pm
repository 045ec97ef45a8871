package Tomo::Fresh::Boot;

# A bare Debian 12 booted with systemd-nspawn, for scripts/test-units.
#
#   use Tomo::Fresh::Boot;
#   my $dir = Tomo::Fresh::Boot::own_machine(keep => 0);   # first, as root
#   ...                                  # makes "$dir/root", with the network
#   Tomo::Fresh::Boot::own_network();
#   my $machine = Tomo::Fresh::Boot->new("$dir/root", "$dir/console.log");
#   $machine->boot;
#   my ($status, $output) = $machine->inside(60, 'systemctl', 'status');
#   $machine->poweroff;
#
# The machine lives in mount, process and network namespaces and a control group
# of its own. The process that made them waits outside; whichever way this script
# ends, it ends what is left, and removes the group and the folder.

use strict;
use warnings;
use File::Find ();
use File::Path ();
use File::Temp ();
use Tomo::Fresh;

my $CONTROL = '/sys/fs/cgroup';

# Returns the folder in a child that lives in namespaces of its own; ends the
# process that called when that child has ended.
sub own_machine {
    my (%o) = @_;
    if (!$ENV{TOMO_BOOT_DIR}) {
        cannot('needs root, for namespaces and mounts') if $> != 0;
        File::Path::make_path($Tomo::Fresh::CACHE);
        $ENV{TOMO_BOOT_DIR} = File::Temp::tempdir('boot-XXXXXX', DIR => $Tomo::Fresh::CACHE);
        chmod 0755, $ENV{TOMO_BOOT_DIR};
        _guard($ENV{TOMO_BOOT_DIR}, $o{keep});
    }
    Tomo::Fresh::own_namespace();
    spew("$ENV{TOMO_BOOT_DIR}/entered", '');
    return $ENV{TOMO_BOOT_DIR};
}

# In the same namespaces, starts this script again without any network but lo.
sub own_network {
    return if $ENV{TOMO_BOOT_NETWORK};
    $ENV{TOMO_BOOT_NETWORK} = 1;
    exec qw(unshare --net -- sh -c), 'ip link set lo up && exec "$@"', 'sh', $^X, $0, @ARGV
        or die "$0: unshare: $!\n";
}

# Nothing was tried: that is no success.
sub cannot {
    my ($why) = @_;
    print STDERR "$0: this machine cannot do it: $why\n";
    print "0 passed, 1 failed\n";
    exit 2;
}

# --- the process outside ----------------------------------------------------------

sub _guard {
    my ($dir, $keep) = @_;
    my $group = "tomo-boot-$$";
    my $pid   = fork // die "fork: $!\n";
    if (!$pid) {
        my @first = -d '/run/systemd/system'
            ? qw(systemd-run --scope --quiet --property=Delegate=yes --) : ();
        _join($group) if !@first;
        exec @first, qw(setpriv --pdeathsig KILL --), $^X, $0, @ARGV or exit 127;
    }
    # whoever ends us ends unshare, and with it every process of the machine
    local @SIG{qw(INT TERM HUP)} = (sub { kill 'KILL', $pid }) x 3;
    1 while waitpid($pid, 0) < 0 && $!{EINTR};
    my $status = $?;
    my $entered = -e "$dir/entered";
    wait_until(10, sub { _leave($group) })
        or print STDERR "$0: its control groups are still there: $CONTROL/*/$group\n";
    _remove($dir) if !$keep;
    cannot('it gives us no namespaces of our own: run it as root with all capabilities')
        if !$entered;
    exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
}

sub _groups {
    my ($name) = @_;
    return map {"$_/$name"} grep { -e "$_/cgroup.procs" }
        map {"$CONTROL$_"} "", "/systemd", "/unified";
}

sub _join {
    my ($name) = @_;
    for my $group (_groups($name)) {
        mkdir $group and eval { spew("$group/cgroup.procs", "0\n"); 1 }
            or print STDERR "$0: $group: $!\n";
    }
    return;
}

sub _leave {
    my ($name) = @_;
    for my $group (grep {-d} _groups($name)) {
        File::Find::finddepth({ no_chdir => 1, wanted => sub { rmdir if -d } }, $group);
        return 0 if -d $group;
    }
    return 1;
}

# Never beneath a mount: all of them were in the namespace that has ended.
sub _remove {
    my ($dir) = @_;
    if (index(slurp('/proc/self/mounts'), " $dir/") >= 0) {
        print STDERR "$0: something is still mounted in $dir: left as it is\n";
        return;
    }
    File::Path::remove_tree($dir, { safe => 0 });
    return;
}

# --- the machine ---------------------------------------------------------------------

sub new {
    my ($class, $root, $console) = @_;
    # where nspawn keeps what it shows its machines
    File::Path::make_path('/run/systemd/nspawn');
    must(qw(mount -t tmpfs tmpfs /run/systemd/nspawn));
    return bless { root => $root, console => $console }, $class;
}

# True when it runs; false when this machine cannot boot one.
sub boot {
    my ($self) = @_;
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', $self->{console};
        open STDERR, '>&', \*STDOUT;
        exec qw(systemd-nspawn --quiet --boot --register=no --keep-unit --machine=tomo
            --resolv-conf=off --timezone=off --link-journal=no -D), $self->{root}
            or exit 127;
    }
    my $ended;
    wait_until(60, sub {
        $ended = waitpid($self->{pid}, 1) == $self->{pid};
        return $ended || ($self->{init} = $self->_init);
    });
    if ($ended) {
        delete @$self{qw(pid init)};
    }
    return 0 if !$self->{init};
    wait_until(120, sub { $self->state =~ /^(?:running|degraded)$/ });
    return $self->state =~ /^(?:running|degraded)$/;
}

# Its process 1, seen from here: nspawn's child that has become systemd.
sub _init {
    my ($self) = @_;
    for my $proc (glob '/proc/[0-9]*') {
        my ($parent) = (slurp("$proc/stat") // '') =~ /^\d+ \(systemd\) \S (\d+) /;
        return substr $proc, 6 if ($parent // 0) == $self->{pid};
    }
    return;
}

sub state {
    my ($self) = @_;
    my (undef, $said) = $self->inside(30, qw(systemctl is-system-running));
    chomp $said;
    return $said;
}

# A command in the machine, as a shell there would start it.
sub inside {
    my ($self, $limit_s, @command) = @_;
    my $path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    return run_limited($limit_s, qw(nsenter --all --target), $self->{init}, '--',
        '/usr/bin/env', '-i', "PATH=$path", 'HOME=/root', 'LC_ALL=C.UTF-8',
        'DEBIAN_FRONTEND=noninteractive', @command);
}

# A command of this machine that sees the files as process $pid of that one does.
sub seen_by {
    my ($self, $pid, @command) = @_;
    return $self->inside(10, qw(nsenter --mount --target), $pid, '--', @command);
}

# How many seconds it took; undef: it did not end.
sub poweroff {
    my ($self, $limit_s) = @_;
    my $from = time;
    $self->inside(30, 'systemctl', 'poweroff');
    my $ended = wait_until($limit_s, sub { waitpid($self->{pid}, 1) == $self->{pid} });
    if (!$ended) {
        kill 'KILL', $self->{init}, $self->{pid};
        waitpid $self->{pid}, 0;
    }
    delete @$self{qw(pid init)};
    return $ended ? time - $from : undef;
}

sub up { return defined $_[0]{init} }

1;
