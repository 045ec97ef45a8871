package Tomo::Test;

# The harness of every test: a temp folder per file, processes that are always
# ended, deadlines instead of sleeps, and three more tests at the end of each
# file (no alert, no sanitizer report, counters balance).
#
#   use FindBin;
#   use lib "$FindBin::Bin/../lib";
#   use Tomo::Test;                      # exports Test::More as well
#
#   my $redis = Tomo::Test::Redis->start;
#   my $edge  = Tomo::Test::Nginx->start(redis => $redis);
#   my $r = http_get($edge->port, '/tomo/status');
#   is $r->{status}, 200, 'B1: status answers';
#   ok wait_for(sub { $redis->cmd('XLEN', 'k') }, 'entry in Redis', 5), 'B2';
#   done_testing;                        # ours: the three more tests
#
# Environment: TOMO_BUILD (default build), and to choose single binaries
# TOMO_NGINX, TOMO_MODULE, TOMO_WORKER, TOMO_UNIT_DIR; TOMO_PRELOAD is put in
# front of nginx (libasan); TOMO_SLOW multiplies every deadline.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Basename ();
use File::Path ();
use File::Temp ();
use Test::More ();
use Time::HiRes ();

our @EXPORT = (
    @Test::More::EXPORT, qw(
        temp_dir top_dir build_path wait_for free_port write_file read_file now_ms
        http http_get http_post run_command
    )
);

# Test::More's done_testing is replaced by ours; everything else is its own.
{
    no strict 'refs';
    for my $name (@Test::More::EXPORT) {
        next if $name eq 'done_testing' || $name =~ /^[\$\@%]/;
        *{$name} = \&{"Test::More::$name"};
    }
}

our ($DIR, $PASSED_ALL);
my $PID = $$;    # END also runs in children that die before their exec

sub top_dir { return Cwd::realpath(File::Basename::dirname(__FILE__) . '/../../..') }

# The test's own folder: removed on success, kept and named on failure.
sub temp_dir {
    if (!defined $DIR) {
        $DIR = File::Temp::tempdir('tomo-t-XXXXXX', TMPDIR => 1, CLEANUP => 0);
        chmod 0755, $DIR;
    }
    return $DIR;
}

# Path of something built: build_path('tomo-worker', 'TOMO_WORKER').
sub build_path {
    my ($name, $variable) = @_;
    return $ENV{$variable} if $variable && defined $ENV{$variable};
    my $build = $ENV{TOMO_BUILD} // 'build';
    return ($build =~ m{^/} ? $build : top_dir() . "/$build") . "/$name";
}

sub slow { return $ENV{TOMO_SLOW} || 1 }

sub now_ms { return int(Time::HiRes::time() * 1000) }

# Calls $sub until it returns something true, at most $seconds (times
# TOMO_SLOW); returns that value, or undef after a diagnostic.
sub wait_for {
    my ($sub, $what, $seconds) = @_;
    my $left = ($seconds // 5) * slow();
    my $from = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
    for (;;) {
        my $value = $sub->();
        return $value if $value;
        my $waited = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - $from;
        last if $waited > $left;
        # asking costs the other tests' time: less often the longer it takes
        Time::HiRes::sleep($waited < 0.25 ? 0.005 : $waited < 2.5 ? $waited / 50 : 0.05);
    }
    Test::More::diag("no success within $left s: $what");
    return;
}

sub write_file {
    my ($path, $text, $mode) = @_;
    open my $fh, '>:raw', $path or die "cannot write $path: $!\n";
    print {$fh} $text or die "cannot write $path: $!\n";
    close $fh or die "cannot write $path: $!\n";
    chmod $mode, $path if defined $mode;
    return $path;
}

sub read_file {
    my ($path) = @_;
    open my $fh, '<:raw', $path or return '';
    local $/;
    my $text = <$fh>;
    return $text // '';
}

# Runs a command to its end; returns (exit status, stdout and stderr together).
sub run_command {
    my @command = @_;
    my $out = temp_dir() . '/command.out';
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, read_file($out));
}

# The end of every test file.
sub done_testing {
    my $builder = Test::More->builder;
    Tomo::Test::Status::check_all();
    Tomo::Test::Process::stop_all();
    Tomo::Test::Nginx::check_logs();
    my @reports = Tomo::Test::Process::sanitizer_reports(temp_dir());
    Test::More::ok(!@reports, 'no sanitizer report')
        or Test::More::diag(substr join("\n", @reports), 0, 6000);
    Test::More::done_testing(@_);
    $PASSED_ALL = $builder->is_passing;
    return 1;
}

require POSIX;
require Tomo::Test::Process;
require Tomo::Test::Ports;
require Tomo::Test::Http;
require Tomo::Test::Redis;
require Tomo::Test::Status;
require Tomo::Test::Nginx;
require Tomo::Test::Worker;
require Tomo::Test::Sim;
require Tomo::Test::Webhook;

*free_port = \&Tomo::Test::Ports::free_port;
*http      = \&Tomo::Test::Http::request;
*http_get  = \&Tomo::Test::Http::get;
*http_post = \&Tomo::Test::Http::post;

$SIG{$_} = sub { die "ended by a signal\n" } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

END {
    if ($$ == $PID) {
        my $status = $?;
        Tomo::Test::Process::stop_all();
        if (defined $DIR) {
            if ($PASSED_ALL && $status == 0) {
                File::Path::remove_tree($DIR, { safe => 0 });
            } else {
                Test::More::diag("logs and data of this test are kept in $DIR");
            }
        }
        $? = $status;
    }
}

1;
