package Tomo::Fresh::Packages;

# The Debian packages of this repository's last commit.
#
#   my $packages = Tomo::Fresh::Packages->new($folder);
#   $packages->fetch;                        # a clone, $folder/tomo
#   my ($status, $output) = $packages->build;
#   my @files = $packages->files($packages->version);

use strict;
use warnings;
use File::Basename ();
use File::Path ();
use Tomo::Fresh;

our @NAMES = qw(libnginx-mod-http-tomo tomo-worker);

sub new {
    my ($class, $folder) = @_;
    return bless { folder => $folder }, $class;
}

sub version {
    my ($version) = slurp("$Tomo::Fresh::TOP/core/tomo_version.h") =~ /TOMO_VERSION\s+"([\d.]+)"/;
    return $version;
}

sub source { return "$_[0]{folder}/tomo" }

sub fetch {
    my ($self) = @_;
    must(qw(git clone -q --no-hardlinks), $Tomo::Fresh::TOP, $self->source);
    return;
}

sub build {
    my ($self, @options) = @_;
    $ENV{JOBS} //= 2;
    return run_limited(3600, 'sh', '-c', 'cd "$0" && exec dpkg-buildpackage -us -uc "$@"',
        $self->source, '-b', "-j$ENV{JOBS}", @options);
}

sub files {
    my ($self, $version) = @_;
    chomp(my $architecture = `dpkg --print-architecture`);
    return map {"$self->{folder}/${_}_${version}_$architecture.deb"} @NAMES;
}

# Copies them to $to, a folder of the bare Debian $root; their paths inside.
sub bring {
    my ($self, $version, $root, $to) = @_;
    my @files = $self->files($version);
    File::Path::make_path($root . $to);
    must('cp', @files, $root . $to);
    return map { "$to/" . File::Basename::basename($_) } @files;
}

1;
