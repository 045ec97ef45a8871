#!/usr/bin/perl

# Replays the fuzz corpus (t/fuzz/corpus/NAME/*) through each target
# (t/fuzz/NAME.c), as built for the tests: with gcc, plain or sanitized.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $folder = build_path('fuzz', 'TOMO_FUZZ_DIR');

for my $source (sort glob top_dir() . '/t/fuzz/*.c') {
    my ($name) = $source =~ m{([^/]+)\.c$};
    next if $name eq 'replay';
    my @inputs = grep { -f } glob top_dir() . "/t/fuzz/corpus/$name/*";
    ok scalar @inputs, "fuzz/$name has a corpus"
        or diag("put samples into t/fuzz/corpus/$name/");
    my $process = Tomo::Test::Process->start(
        name    => "fuzz-$name",
        command => ["$folder/$name", @inputs],
    );
    wait_for(sub { !$process->alive }, "fuzz/$name ended", 120);
    is $process->exit_status, 0, "fuzz/$name: replay of " . @inputs . ' inputs'
        or diag(substr $process->output, -3000);
}

done_testing;
