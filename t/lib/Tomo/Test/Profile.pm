package Tomo::Test::Profile;

# Where a process spends its CPU time, by `perf` (Debian's linux-perf): samples
# of one run, summed up by object (the kernel, nginx, our module, a library).

use strict;
use warnings;
use Tomo::Test ();

my $HERTZ = 997;

# The words to put before a command: samples process $pid until it ends.
sub command {
    my ($file, $pid) = @_;
    return ('perf', 'record', '-q', '-F', $HERTZ, '-o', $file, '-p', $pid, '--');
}

# The percentages of a sample file by `dso` or `symbol`, largest first:
# [[name, percent], ...], those of at least $least percent.
sub shares {
    my ($file, $by, $least) = @_;
    my ($status, $text) = Tomo::Test::run_command('perf', 'report', '-i', $file, '--stdio',
        '--sort', $by);
    die "profile: perf report: $text\n" if $status;
    my @shares;
    for my $line (split /\n/, $text) {
        my ($percent, $name) = $line =~ /^\s+([\d.]+)%\s+(?:\[[.k]\] )?(\S.*?)[\s-]*$/ or next;
        push @shares, [ $name, $percent ] if $percent >= $least;
    }
    return @shares;
}

# Prints both, each on a line of its own.
sub show {
    my ($file) = @_;
    for my $what ([ 'objects', 'dso', 1 ], [ 'functions', 'symbol', 1.5 ]) {
        my ($name, $by, $least) = @$what;
        printf "  %-10s %s\n", $name, join ', ', map {"$_->[0] $_->[1] %"}
            shares($file, $by, $least);
    }
    return;
}

1;
