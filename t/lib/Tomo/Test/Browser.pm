package Tomo::Test::Browser;

# Runs a script of t/browser in Node: its TAP becomes results of this test.

use strict;
use warnings;
use Exporter 'import';
use Test::More ();
use Tomo::Test ();

our @EXPORT = qw(run_browser);

my $LIMIT_S = 420;

sub run_browser {
    my ($script, @arguments) = @_;
    my $process = Tomo::Test::Process->start(
        name    => "browser-$script",
        command => ['node', Tomo::Test::top_dir() . "/t/browser/$script", @arguments],
    );
    my $ended  = Tomo::Test::wait_for(sub { !$process->alive }, "$script ended", $LIMIT_S);
    my $output = $process->output;
    utf8::decode($output);
    my ($planned, $seen) = (0, 0);
    for my $line (split /\n/, $output) {
        $planned = $1 if $line =~ /^1\.\.(\d+)/;
        next if $line !~ /^(not )?ok \d+ - (.*)/;
        $seen++;
        Test::More::ok(!$1, $2);
    }
    my $good = Test::More::ok(
        $ended && ($process->exit_status // 1) == 0 && $planned > 0 && $planned == $seen,
        "$script ran all its tests (missing parts: scripts/test installs them)"
    );
    Test::More::diag($output) if !$good || $output =~ /^not ok/m;
    return;
}

1;
