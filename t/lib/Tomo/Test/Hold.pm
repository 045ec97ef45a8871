package Tomo::Test::Hold;

# A disk that keeps a journal's syncs waiting as long as a test wants
# (t/tools/shim/hold.c).
#
#   my $hold = Tomo::Test::Hold->new;
#   my $worker = $d->start(env => $hold->env);
#   $hold->on;  wait_for(sub { $hold->waits }, 'a sync');  $hold->off;

use strict;
use warnings;
use Tomo::Test ();

my $COUNT = 0;

sub new {
    my ($class) = @_;
    my $self = bless { file => Tomo::Test::temp_dir() . '/hold' . ++$COUNT }, $class;
    $self->{shim} = "$self->{file}.so";
    my ($status, $said) = Tomo::Test::run_command('cc', '-shared', '-fPIC', '-O1', '-o',
        $self->{shim}, Tomo::Test::top_dir() . '/t/tools/shim/hold.c');
    die "t/tools/shim/hold.c: $said\n" if $status;
    return $self;
}

# What the process needs in its environment.
sub env {
    my ($self) = @_;
    chomp(my $asan = ($ENV{TOMO_BUILD} // '') =~ /asan/ ? `gcc -print-file-name=libasan.so` : '');
    return {
        LD_PRELOAD => join(' ', grep {$_} $asan, $self->{shim}),
        TOMO_HOLD  => $self->{file},
    };
}

sub on {
    my ($self) = @_;
    unlink "$self->{file}.on";
    return Tomo::Test::write_file($self->{file}, '');
}

sub off   { return unlink $_[0]{file} }
sub waits { return -e "$_[0]{file}.on" }

1;
