#!/usr/bin/perl

# Runs every unit test binary (t/unit/NAME.c) and takes over its results.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $folder = build_path('unit', 'TOMO_UNIT_DIR');
my @names  = sort map {m{([^/]+)\.c$}} glob top_dir() . '/t/unit/*.c';

for my $name (@names) {
    my $process = Tomo::Test::Process->start(
        name    => "unit-$name",
        command => ["$folder/$name"],
        env     => { CMOCKA_MESSAGE_OUTPUT => 'TAP', TOMO_TOP => top_dir() },
    );
    my $ended = wait_for(sub { !$process->alive }, "unit/$name ended", 120);
    my $output = $process->output;
    my ($planned, $seen, $failed) = (0, 0, 0);
    for my $line (split /\n/, $output) {
        $planned += $1 if $line =~ /^1\.\.(\d+)/;
        next if $line !~ /^(not )?ok \d+ - (.*)/;
        $seen++;
        $failed++ if $1;
        ok !$1, "unit/$name: $2";
    }
    ok $ended && $process->exit_status == 0 && $planned > 0 && $planned == $seen,
        "unit/$name ran all its tests and ended well"
        or diag("planned $planned, ran $seen, exit status "
            . ($process->exit_status // 'none') . "\n$output");
}
ok @names == grep({ -x "$folder/$_" } @names), 'every t/unit/*.c is built';

done_testing;
