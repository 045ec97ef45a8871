#!/usr/bin/perl

# The edge's journal: 200 only after the sync, nothing acknowledged is lost,
# and a disk that fails is answered 503 and heals (W1, W3-W5, T29-T33).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Snapshot;
use Tomo::Test::Webhook;
use Tomo::Journal;
use Time::HiRes ();

# An edge that never reaches Redis, with one worker unless said otherwise.
sub edge {
    my (%o) = @_;
    my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock', workers => 1, %o);
    write_snapshot($edge);
    return $edge->launch;
}

sub bodies { return map { $_->{body} } Tomo::Journal::records($_[0]->journal) }

my $posted = 0;
sub body { return sprintf '{"events":[],"n":"body-%06d-%s"}', ++$posted, $_[0] // '' }

# strace on a worker until stop(): its log is in $trace->{trace}.
sub strace {
    my ($edge, @args) = @_;
    my ($pid) = $edge->worker_pids;
    my $file = temp_dir() . '/strace.' . ++$posted;
    my $trace = Tomo::Test::Process->start(
        name => "strace$posted", stop => 'INT',
        command => ['strace', '-f', '-ttt', '-o', $file, '-p', $pid, @args],
    );
    $trace->{trace} = $file;
    wait_for(sub { read_file("/proc/$pid/status") =~ /TracerPid:\s*[1-9]/ }, 'strace attached', 10)
        or die "strace cannot attach\n";
    # all threads of the pool too
    wait_for(
        sub { !grep { read_file("$_/status") =~ /TracerPid:\s*0\b/ } glob "/proc/$pid/task/*" },
        'strace on all threads', 10);
    return $trace;
}

# --- W1: the order of write, sync and answer ------------------------------------
my $edge = edge();
my $trace = strace($edge, '-s', 65536, '-e', 'trace=pwrite64,fdatasync,writev,sendto');
my (@kids, @sent);
for my $kid (1 .. 6) {
    my @mine = map { body("k$kid") } 1 .. 20;
    push @sent, @mine;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $c = Tomo::Test::Http->connect($edge->port);
        for (@mine) {
            my $r = $c->ask('POST', '/line/webhook/demo', ['x-line-signature' => sign($_)], $_);
            POSIX::_exit(1) if !$r || $r->{status} != 200;
        }
        POSIX::_exit(0);
    }
    push @kids, $pid;
}
my @bad = grep { waitpid $_, 0; $? } @kids;
ok !@bad, 'W1: 120 webhooks on 6 connections are taken';
$trace->stop('INT');

my ($syncs, $answers, $early) = (0, 0, 0);
my (%durable, %pending);
for my $line (split /\n/, read_file($trace->{trace})) {
    my ($thread, $time, $call) = $line =~ /^(\d+) +(\S+) (.*)/ or next;
    if ($call =~ /^pwrite64\(/) {
        my @found = $call =~ /body-(\d{6})/g;
        push @{ $pending{$thread} }, @found;
    }
    elsif ($call =~ /fdatasync(?:\(| resumed)/ && $call =~ /= 0$/) {
        $syncs++;
        $durable{$_} = 1 for @{ delete $pending{$thread} || [] };
    }
    elsif ($call =~ /^(?:writev|sendto)\(.*HTTP\/1\.1 200/) {
        $answers++;
        $early++ if keys %durable < $answers;
    }
}
is $answers, 120, 'W1: strace saw 120 answers';
is $early, 0, 'W1: at every answer at least as many records were synced as answered';
is keys %durable, 120, 'W1: all records went through a sync';
cmp_ok $syncs, '<', 120, 'T29: webhooks that arrive during a sync share the next one';
is_deeply [sort(bodies($edge))], [sort @sent], 'W1: the journal holds them all, once';
my @seqs = map { $_->{seq} } Tomo::Journal::records($edge->journal);
is_deeply \@seqs, [1 .. 120], 'sequences have no gap';

# --- T31: rolling over segments ---------------------------------------------------
my @large = map { body('x' x 300_000) } 1 .. 20;
is send_webhook($edge, $_)->{status}, 200, 'a large webhook' for @large;
my @segments = Tomo::Journal::segments((grep { /[0-9a-f]{16}$/ } glob $edge->journal . '/*')[0]);
cmp_ok @segments, '>=', 3, 'T31: several segments';
is_deeply [map { $_->{number} } @segments], [1 .. @segments], 'T31: numbered from 1';
is_deeply [(bodies($edge))[120 .. 139]], \@large, 'T31: nothing is lost between them';
ok !(grep { $_->{size} != 2 * 1024 * 1024 } @segments), 'T31: all of the set size, made ahead';
ok $edge->quit, 'QUIT';

# --- W5: the name of a segment comes after its header is on disk -----------------------
{
    my $e = edge(name => 'header');
    my $t = strace($e, '-e', 'trace=pwrite64,fdatasync,rename');
    is send_webhook($e, body())->{status}, 200, 'W5: the first webhook opens a segment';
    $t->stop('INT');
    my ($named) = grep { /rename\(.*\.seg"/ } split /\n/, read_file($t->{trace});
    my ($thread) = $named =~ /^(\d+)/;
    my $before = '';
    for (split /\n/, read_file($t->{trace})) {
        last if $_ eq $named;
        $before .= "$1 " if /^$thread .*\b(pwrite64|fdatasync)(?:\(| resumed)/;
    }
    like $before, qr/pwrite64 fdatasync $/, 'W5: its header was synced before it got its name';
    ok $e->quit, 'W5: QUIT';
}

# --- T30: EIO ------------------------------------------------------------------------
sub fails {
    my ($id, $what, @inject) = @_;
    my $e = edge(name => "fail$id$posted");
    my @kept = (body());
    is send_webhook($e, $kept[0])->{status}, 200, "$id: well before";
    my $t = strace($e, @inject);
    my ($r, %refused);
    for (1 .. 5) {
        my $b = body('refused');
        $refused{$b} = 1;
        my $at = Time::HiRes::time();
        $r = send_webhook($e, $b);
        is $r->{status}, 503, "$id: $what: 503";
        is $r->{headers}{'retry-after'}, 1, "$id: with Retry-After";
        cmp_ok Time::HiRes::time() - $at, '<', 1.0 * Tomo::Test::slow(), "$id: within a second";
    }
    $t->stop('INT');
    my $at = Time::HiRes::time();
    my $healed = wait_for(
        sub {
            my $b = body('healed');
            my $is_well = send_webhook($e, $b)->{status} == 200;
            $is_well ? push @kept, $b : $refused{$b}++;
            return $is_well;
        },
        'a 200 again', 10);
    ok $healed, sprintf '%s: heals by itself, after %.1f s', $id, Time::HiRes::time() - $at;
    push @kept, body();
    is send_webhook($e, $kept[-1])->{status}, 200, "$id: and stays well";
    my @records = Tomo::Journal::records($e->journal);
    is_deeply [map { $_->{seq} } @records], [1 .. @records], "$id: sequences without a gap";
    is_deeply [grep { !$refused{$_} } map { $_->{body} } @records], [@kept],
        "$id: what was answered 200 is there, once, in order";
    like $e->error_log, qr/\[crit\].*tomo: journal .* cannot be written: webhooks get 503/,
        "$id: the operator is told";
    like $e->error_log, qr/\[notice\].*can be written again/, "$id: and told that it is over";
    my $c = Tomo::Test::Status::fetch($e)->{counters};
    cmp_ok $c->{journal_errors}, '>=', 1, "$id: errors are counted";
    is $c->{webhook_unavailable}, scalar keys %refused, "$id: every 503 is counted";
    ok $e->quit, "$id: QUIT";
    return;
}
fails('T30', 'EIO on fdatasync', '-e', 'inject=fdatasync:error=EIO');
fails('W4', 'ENOSPC on write', '-e', 'inject=pwrite64:error=ENOSPC');
fails('W4', 'a read-only disk', '-e', 'inject=pwrite64,fdatasync,openat,rename:error=EROFS');

# --- W3: a disk that hangs --------------------------------------------------------------
{
    my $e = edge(name => 'slow');
    is send_webhook($e, body())->{status}, 200, 'W3: well before';
    my $t = strace($e, '-e', 'inject=fdatasync:delay_enter=1500000');
    for (1 .. 3) {
        my $at = Time::HiRes::time();
        my $r = send_webhook($e, body('late'));
        my $took = Time::HiRes::time() - $at;
        is $r->{status}, 503, sprintf 'W3: 503 after %.3f s', $took;
        cmp_ok $took, '<', 1.0 * Tomo::Test::slow(), 'W3: no webhook waits longer than a second';
    }
    $t->stop('INT');
    ok wait_for(sub { send_webhook($e, body())->{status} == 200 }, 'a 200 again', 10), 'W3: heals';
    my $c = Tomo::Test::Status::fetch($e)->{counters};
    cmp_ok $c->{webhook_late}, '>=', 1, 'W3: late ones are counted';
    is scalar(grep { /late/ } bodies($e)), $c->{webhook_late},
        'W3: those that were written late are in the journal, harmless';
    ok $e->quit, 'W3: QUIT';
}

# --- T1: leaving with requests parked ------------------------------------------------------
{
    my $e = edge(name => 'leaving');
    is send_webhook($e, body())->{status}, 200, 'T1: well before';
    my $t = strace($e, '-e', 'inject=fdatasync:delay_enter=400000');
    my $b = body('parked');
    my $c = Tomo::Test::Http->connect($e->port);
    $c->send(Tomo::Test::Http::format_request('POST', '/line/webhook/demo',
        ['x-line-signature' => sign($b)], $b));
    ok wait_for(sub { grep { $_ eq $b } bodies($e) }, 'the record written', 5),
        'T1: written, its sync is on the way';
    $e->signal('QUIT');
    is(($c->response || {})->{status}, 200, 'T1: a worker that leaves answers who waits');
    ok $e->quit, 'T1: and then it goes';
    $t->stop('INT');
}

# --- W4: max ------------------------------------------------------------------------------
{
    my $e = edge(name => 'full', journal => 'keep=1h max=4m segment=2m');
    my ($taken, $r) = (0);
    while ($taken < 100) {
        $r = send_webhook($e, body('x' x 100_000));
        last if $r->{status} != 200;
        $taken++;
    }
    is $r->{status}, 503, "W4: full after $taken webhooks of 100 KB";
    is $r->{headers}{'retry-after'}, 1, 'W4: with Retry-After';
    cmp_ok $taken, '>=', 38, 'W4: but not before max';
    cmp_ok $taken, '<=', 42, 'W4: nor behind it';
    like $e->error_log, qr/\[crit\].*journal is full \(max=4194304\)/,
        'W4: the operator is told once';
    is scalar(bodies($e)), $taken, 'W4: what was taken is there';
    ok $e->quit, 'W4: QUIT';
}

# --- W4: no journal at the start of a worker -------------------------------------
if ($> == 0) {
    my $e = edge(name => 'late', user => 'www-data');
    $e->allow_alert(qr/exited on signal 9/);
    my ($pid) = $e->worker_pids;
    chown 0, 0, $e->journal;
    chmod 0755, $e->journal;
    kill 'KILL', $pid;
    ok wait_for(sub { my ($now) = $e->worker_pids; $now && $now != $pid }, 'a new worker', 10),
        'T6: a killed worker is replaced';
    ok wait_for(sub { $e->error_log =~ /journal ".*" cannot be made/ }, 'the complaint', 10),
        'W4: the folder cannot be made, the operator is told';
    my $r = send_webhook($e, body());
    is $r->{status}, 503, 'W4: 503';
    is $r->{headers}{'retry-after'}, 1, 'W4: with Retry-After';
    chown scalar(getpwnam 'www-data'), 0, $e->journal;
    ok wait_for(sub { send_webhook($e, body('kept'))->{status} == 200 }, 'a 200', 10),
        'W4: made as soon as it can be, without a reload';
    is scalar(grep { /kept/ } bodies($e)), 1, 'W4: and it keeps what it took';
    ok $e->quit, 'W4: QUIT';
}

# --- W1, T6: SIGKILL ---------------------------------------------------------------------------
{
    my $e = edge(name => 'killed', workers => 2);
    $e->allow_alert(qr/exited on signal 9/);
    my @pids;
    for my $kid (1 .. 4) {
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            open my $log, '>', temp_dir() . "/acked.$kid" or POSIX::_exit(1);
            $log->autoflush(1);
            my $n = 0;
            my $end = Time::HiRes::time() + 4;
            while (Time::HiRes::time() < $end) {
                my $c = Tomo::Test::Http->connect($e->port) or next;
                for (1 .. 50) {
                    my $b = "kid-$kid-" . ++$n;
                    my $r = $c->ask('POST', '/line/webhook/demo',
                        ['x-line-signature' => sign($b)], $b)
                        or last;
                    print {$log} "$b\n" if $r->{status} == 200;
                }
            }
            POSIX::_exit(0);
        }
        push @pids, $pid;
    }
    my ($kills, $end) = (0, Time::HiRes::time() + 3.5);
    while (Time::HiRes::time() < $end) {
        my @workers = $e->worker_pids;
        next if @workers < 2;
        Time::HiRes::usleep(1000 * int rand 60);
        kill 'KILL', $workers[rand @workers] and $kills++;
    }
    waitpid $_, 0 for @pids;
    my @acked = map { split /\n/, read_file(temp_dir() . "/acked.$_") } 1 .. 4;
    my %have;
    $have{ $_->{body} }++ for Tomo::Journal::records($e->journal);
    cmp_ok $kills, '>=', 5, "T6: $kills workers killed while they wrote";
    cmp_ok @acked, '>=', 50, 'W1: ' . @acked . ' webhooks acknowledged meanwhile';
    is scalar(grep { !$have{$_} } @acked), 0, 'W1: acknowledged but missing: none';
    is scalar(grep { $have{$_} > 1 } @acked), 0, 'W1: none is there twice';
    is send_webhook($e, body())->{status}, 200, 'T6: and the edge still serves';
    ok Tomo::Test::Status::balanced(Tomo::Test::Status::fetch($e)), 'T6: the counters balance';
}

done_testing;
