#!/usr/bin/perl

# A test that dies, is ended or is killed leaves no process behind; its folder
# is kept and named, and a test that passes removes it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $lib = top_dir() . '/t/lib';

# Runs a test file of its own: servers, then what $end says.
sub inner {
    my ($name, $end) = @_;
    my $file = write_file(temp_dir() . "/$name.pl", <<"END");
use strict;
use warnings;
use lib '$lib';
use Tomo::Test;
my \$redis = Tomo::Test::Redis->start;
my \$nginx = Tomo::Test::Nginx->start(no_module => 1);
diag join ' ', 'pids', \$redis->pid, \$nginx->pid, \$nginx->worker_pids;
diag 'folder ' . temp_dir();
ok 1;
$end
END
    my $process = Tomo::Test::Process->start(
        name    => $name,
        command => [$^X, $file],
        env     => { TMPDIR => temp_dir() },
    );
    $process->ready_or_die(sub { $process->output =~ /folder \S+\n/ }, 30);
    my ($pids)   = $process->output =~ /pids ([\d ]+)/;
    my ($folder) = $process->output =~ /folder (\S+)/;
    return ($process, $folder, split ' ', $pids);
}

sub all_gone {
    my @pids = @_;
    return wait_for(sub { !grep { kill 0, $_ } @pids }, "processes @pids ended", 20);
}

my ($process, $folder, @pids) = inner('passes', 'done_testing;');
ok all_gone(@pids), 'passed: no process is left';
ok wait_for(sub { defined $process->exit_status }, 'its end', 10), 'passed: it ends';
is $process->exit_status, 0, 'passed: with 0';
ok !-e $folder, 'passed: its folder is removed';
like $process->output, qr/^1\.\.4$/m, 'passed: three tests were added';

($process, $folder, @pids) = inner('fails', 'ok 0; done_testing;');
ok all_gone(@pids), 'failed: no process is left';
wait_for(sub { defined $process->exit_status }, 'its end', 10);
isnt $process->exit_status, 0, 'failed: it says so';
ok -d $folder, 'failed: its folder is kept';
like $process->output, qr/kept in \Q$folder\E/, 'failed: and named';

($process, $folder, @pids) = inner('dies', 'die "oops\n";');
ok all_gone(@pids), 'died: no process is left';
wait_for(sub { defined $process->exit_status }, 'its end', 10);
isnt $process->exit_status, 0, 'died: it says so';

for my $signal (qw(TERM INT KILL)) {
    ($process, $folder, @pids) = inner("got-$signal", '1 while wait_for(sub { 0 }, "end", 60);');
    is scalar @pids, 4, "$signal: Redis, master and two workers run";
    kill $signal, $process->pid;
    ok all_gone(@pids), "$signal: no process is left";
}

done_testing;
