package Tomo::Fresh;

# A bare Debian 12 in a folder, for scripts/test-fresh, scripts/test-packages and
# scripts/test-units (which also boots it: Tomo::Fresh::Boot).
#
#   use Tomo::Fresh;
#   Tomo::Fresh::own_namespace();           # first: mounts and processes end with us
#   my $fresh = Tomo::Fresh->new;           # debootstrap once, kept in build/fresh
#   my ($status, $output) = $fresh->inside(60, 'dpkg', '-l');
#   $fresh->leave;
#
# Needs root. build/fresh/base.tar is the bare Debian, build/fresh/archives the
# packages that were installed in it; both are made when missing.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Basename ();
use File::Path ();
use File::Temp ();
use Test::More ();
use Time::HiRes qw(time usleep);

our @EXPORT = qw(must run_limited spew slurp wait_until free_pair);

our $TOP   = Cwd::realpath(File::Basename::dirname(__FILE__) . '/../../..');
our $CACHE = "$TOP/build/fresh";

# Starts this script again in a mount and process namespace of its own. Its first
# process is a shell that waits: it collects the dead that daemons leave behind.
sub own_namespace {
    die "$0: needs root, for chroot and mounts\n" if $> != 0;
    return if $ENV{TOMO_FRESH_INSIDE};
    $ENV{TOMO_FRESH_INSIDE} = 1;
    exec qw(unshare --mount --mount-proc --pid --fork --kill-child --propagation private --),
        'sh', '-c', '"$@"; exit $?', 'sh', $^X, $0, @ARGV
        or die "$0: unshare: $!\n";
}

# A command that must work; its output is shown only when it does not.
sub must {
    my (@command) = @_;
    my ($status, $output) = run_limited(1800, @command);
    return $output if $status == 0;
    die "failed ($status): @command\n$output\n";
}

# (exit status, output). Reads until every holder of the output has let go, so
# a command that leaves such a holder behind runs into the limit.
sub run_limited {
    my ($limit_s, @command) = @_;
    my $pid = open my $out, '-|' or do {
        open STDIN,  '<',  '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or exit 127;
    };
    my $text = '';
    my $ok   = eval {
        local $SIG{ALRM} = sub { die "limit\n" };
        alarm $limit_s;
        local $/;
        $text = <$out> // '';
        alarm 0;
        1;
    };
    if (!$ok) {
        kill 'KILL', $pid;
        return (124, "no end within $limit_s s");
    }
    close $out;
    return ($? >> 8, $text);
}

sub spew {
    my ($path, $text) = @_;
    open my $fh, '>', $path or die "$path: $!\n";
    print {$fh} $text;
    close $fh or die "$path: $!\n";
    return;
}

sub slurp {
    my ($path) = @_;
    open my $fh, '<:raw', $path or return;
    local $/;
    return <$fh>;
}

sub wait_until {
    my ($limit_s, $ask) = @_;
    my $end = time + $limit_s;
    for (;;) {
        my $value = $ask->();
        return $value if $value || time > $end;
        usleep(50_000);
    }
}

# Two ports in a row that nobody has, and that stay ours: minutes may pass before
# they are used.
sub free_pair {
    require Tomo::Test::Ports;
    return Tomo::Test::Ports::free_ports(2);
}

# Where this machine has Debian from: ( release => address ).
sub _mirrors {
    my @lines = `apt-get indextargets --format '\$(ORIGIN) \$(RELEASE) \$(REPO_URI)' \\
        'Created-By: Packages' 'Component: main'`;
    return map { /^Debian (\S+) (\S+)$/ ? ($1, $2) : () } @lines;
}

sub _base_tarball {
    my $tar = "$CACHE/base.tar";
    return $tar if -s $tar;
    my $root = File::Temp::tempdir('base-XXXXXX', DIR => $CACHE);
    chmod 0755, $root;
    Test::More::diag('making a bare Debian 12 with debootstrap');
    my %mirror = _mirrors();
    my $main = $mirror{bookworm}
        // die "this machine has no Debian 12 among its package sources: apt-get update?\n";
    must(qw(debootstrap --variant=minbase bookworm), $root, $main);
    spew("$root/etc/apt/sources.list",
        join '', map {"deb $mirror{$_} $_ main\n"} sort keys %mirror);
    must('tar', '-C', $root, '-cf', "$tar.new", '.');
    rename "$tar.new", $tar or die "$tar: $!\n";
    File::Path::remove_tree($root);
    return $tar;
}

# root: the folder, which is made when it is missing; else a new one.
sub new {
    my ($class, %o) = @_;
    File::Path::make_path("$CACHE/archives/partial");
    my $tar  = _base_tarball();
    my $root = $o{root} // File::Temp::tempdir('root-XXXXXX', DIR => $CACHE);
    mkdir $root;
    chmod 0755, $root;
    must('tar', '-C', $root, '-xf', $tar);
    must(qw(cp /etc/resolv.conf /etc/hosts), "$root/etc/");
    must(qw(mount -t proc proc),      "$root/proc");
    must(qw(mount --rbind /dev),      "$root/dev");
    must(qw(mount --bind), "$CACHE/archives", "$root/var/cache/apt/archives");
    return bless { root => $root }, $class;
}

sub root { return $_[0]{root} }

# A command in the bare Debian, with nothing of our environment.
sub inside {
    my ($self, $limit_s, @command) = @_;
    my $path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    return run_limited($limit_s, '/usr/bin/env', '-i', "PATH=$path", 'HOME=/root',
        'DEBIAN_FRONTEND=noninteractive', 'chroot', $self->{root}, @command);
}

# Makes it fit to be booted, which brings /proc and /dev of its own.
sub detach {
    my ($self) = @_;
    must(qw(umount -R), "$self->{root}/$_") for qw(proc dev);
    return;
}

sub leave {
    my ($self) = @_;
    $self->detach;
    must(qw(umount -R), "$self->{root}/var/cache/apt/archives");
    File::Path::remove_tree($self->{root}, { safe => 0 });
    return;
}

# Living processes whose root is the bare Debian: "pid command".
sub processes {
    my ($self) = @_;
    my @found;
    for my $proc (glob '/proc/[0-9]*') {
        my $where = readlink "$proc/root" or next;
        next if $where ne $self->{root};
        my $command = slurp("$proc/cmdline") // '';
        push @found, File::Basename::basename($proc) . ' ' . $command =~ tr/\0/ /r if $command;
    }
    return @found;
}

1;
