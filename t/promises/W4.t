#!/usr/bin/perl

# W4: A webhook that cannot be written is answered 503 with Retry-After and never
# 200, and the edge heals by itself once the disk takes writes again.
#
# Under load: EIO on fdatasync, no space, a read-only file system, and no file
# descriptor left for the next segment. The full form fills a real file system.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Promise;
use Tomo::Test::Stage;
use Tomo::Test::Strace;

my $SECONDS = pick(short => 0.4, full => 10);    # of each fault
my $SHARE   = pick(short => 0.1, full => 1);

# --- the faults ------------------------------------------------------------------

# Each breaks the disk of an edge and returns what mends it.
sub injected {
    my @args = @_;
    return sub {
        my ($edge) = @_;
        my $trace = Tomo::Test::Strace->start($edge, pool => 1, args => \@args);
        return sub { $trace->stop('INT') };
    };
}

# Those below the limit are all open, so that there is none for a new one.
sub no_descriptors {
    my ($edge) = @_;
    my %limit;
    for my $pid ($edge->worker_pids) {
        my ($soft, $hard) = read_file("/proc/$pid/limits") =~ /^Max open files +(\d+) +(\d+)/m;
        $limit{$pid} = "$soft:$hard";
        my $free = 0;
        $free++ while -l "/proc/$pid/fd/$free";
        system('prlimit', '--pid', $pid, "--nofile=$free:$hard") == 0 or die "prlimit failed\n";
    }
    return sub { system('prlimit', '--pid', $_, "--nofile=$limit{$_}") for keys %limit };
}

# The file system of `full` below; its ballast goes when it is mended.
sub no_space {
    my ($edge) = @_;
    my $ballast = $edge->journal . '/ballast';
    open my $out, '>:raw', $ballast or die "$ballast: $!\n";
    my $bytes = 'x' x 65_536;
    1 while syswrite $out, $bytes;
    close $out;
    return sub { unlink $ballast };
}

my @faults = (
    [ 'EIO on fdatasync', injected('-e', 'inject=fdatasync:error=EIO') ],
    [ 'ENOSPC on write', injected('-e', 'inject=pwrite64:error=ENOSPC') ],
    [ 'a read-only disk', injected('-e', 'inject=pwrite64,fdatasync,openat,rename:error=EROFS') ],
    [ 'no descriptors', \&no_descriptors, pad => 60_000, may_serve => 1 ],
);
push @faults, [ 'a full file system', \&no_space, pad => 10_000, mount => 1 ] if full();

# A file system of 64 MB in a file, mounted at the journal's place.
my @mounted;

sub mount_at {
    my ($folder) = @_;
    my $image = temp_dir() . '/disk.img';
    for my $command (
        [ 'truncate', '-s', '64M', $image ],
        [ 'mkfs.ext4', '-q', '-F', '-m', '0', $image ],
        [ 'mount', '-o', 'loop', $image, $folder ],
        [ 'chmod', '0700', $folder ]
        )
    {
        system(@$command) == 0 or die "@$command failed: the full form needs root\n";
    }
    push @mounted, $folder;
    return;
}

END { system 'umount', '-l', $_ for @mounted }

# --- one after the other -----------------------------------------------------------

my ($false, $bare, $worst, $strange) = (0, 0, 0, '');
for my $fault (@faults) {
    my ($name, $break, %o) = @$fault;
    (my $word = $name) =~ s/\W+/-/g;
    my $redis = Tomo::Test::Redis->start(name => "redis-$word");
    Tomo::Test::Feed::publish($redis, { version => 1 });
    my $edge = Tomo::Test::Nginx->new(
        redis => $redis, name => $word, journal => 'keep=1h max=1g segment=2m');
    mount_at($edge->journal) if $o{mount};
    $edge->launch;
    Tomo::Test::Feed::wait_served($redis, 1) or die "the edge does not serve its feed\n";
    my $stage = bless { edge => $edge, redis => $redis }, 'Tomo::Test::Stage';
    my $load  = $stage->load(webhooks => 500 * $SHARE, events => 1, pad => $o{pad} // 0);
    ok wait_for(sub { $load->acknowledged('webhook') > 10 }, 'load', 20), "W4: $name: well before";
    my $mend = $break->($edge);
    my $refused = sub { (Tomo::Test::Status::counter($edge, 'webhook_unavailable') // 0) > 3 };
    ok wait_for($refused, 'refusals', 30), "W4: $name: webhooks are refused"
        if !$o{may_serve};        # nor could that one be asked
    my $until = Time::HiRes::time() + $SECONDS + ($o{may_serve} ? 1 : 0);
    wait_for(sub { Time::HiRes::time() > $until }, 'the fault', $SECONDS + 10);
    $mend->();
    my $mended = Time::HiRes::time();
    ok $stage->serves_on($load, 20, 30), "W4: $name: 200 again, without a restart";
    my $seen  = $load->stop;
    my $found = $stage->drained(30, $seen);
    ok $found, "W4: $name: shipped";
    my $posts = $seen->{webhook};
    my ($first) = sort { $a <=> $b } grep { $_ > $mended } map { $_->[0] } @{ $posts->{points} };
    my $missing = $stage->missing($seen, $found);
    $false += $missing;
    $bare  += $posts->{bare};
    $worst = $first - $mended if $first - $mended > $worst;
    $strange .= "$_ " for grep { $_ != 503 } keys %{ $posts->{status} };
    figure($name => sprintf '%d answered 200, %d 503; first 200 after %.2f s',
        scalar @{ $posts->{ms} }, $posts->{status}{503} // 0, $first - $mended);
    is $missing, 0, "W4: $name: what was answered 200 is there";
    ok $edge->quit, "W4: $name: QUIT";
    $redis->stop;
    next if $o{may_serve};
    cmp_ok $posts->{status}{503} // 0, '>', 0, "W4: $name: 503 was answered";
    like $edge->error_log, qr/\[crit\].*tomo: journal/, "W4: $name: the operator is told";
}
figure('seconds of each fault' => $SECONDS);
is figure('false 200' => $false), 0, 'W4: no 200 was false';
is figure('503 without Retry-After' => $bare), 0, 'W4: every 503 says when to come again';
is figure('other answers' => $strange || 'none'), 'none', 'W4: nothing but 200 and 503';
cmp_ok figure('longest from mended to the first 200, s' => sprintf '%.2f', $worst), '<',
    10 * Tomo::Test::slow(), 'W4: heals within seconds';

done_testing;
