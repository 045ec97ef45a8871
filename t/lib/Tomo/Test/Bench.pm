package Tomo::Test::Bench;

# The parts of scripts/bench: a sandbox whose nginx has one worker on a core of
# its own, load by wrk, pairs of runs, medians.

use strict;
use warnings;
use Digest::SHA ();
use Fcntl ();
use JSON::PP ();
use MIME::Base64 ();
use Time::HiRes ();
use Tomo::Test ();

my $SYS_FDATASYNC = 75;     # x86_64; measured by fsync elsewhere
my $BODIES        = 500;
my $JSON          = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, %o) = @_;
    return bless {%o}, $class;
}

sub dir { return $_[0]{box}->dir }

# Adds locations to the sandbox's nginx and gives it one worker.
sub extend_nginx {
    my ($self, @locations) = @_;
    my $path = $self->dir . '/nginx.conf';
    my $conf = Tomo::Test::read_file($path);
    my $more = join "\n", map { "        $_" } @locations;
    $conf =~ s/^(\s*)(location\s[^\n]*tomo_webhook)/$more\n$1$2/m
        or die "bench: no tomo_webhook location in $path\n";
    $conf =~ s/^worker_processes[^;]*;//m;
    Tomo::Test::write_file($path, "worker_processes 1;\n$conf");
    my ($master) = Tomo::Test::read_file($self->dir . '/nginx.pid') =~ /(\d+)/;
    my @old = Tomo::Test::Process::children($master);
    kill 'HUP', $master;
    Tomo::Test::wait_for(
        sub {
            my @now = Tomo::Test::Process::children($master);
            my $r   = Tomo::Test::http_get($self->{box}->port, '/bench/200');
            return @now == 1 && $now[0] != $old[0] && $r && $r->{status} == 200;
        },
        'nginx with the reference locations', 20
    ) or die "bench: nginx did not take the reference locations\n";
    return;
}

sub _pin {
    my ($core, @pids) = @_;
    for my $pid (@pids) {
        my ($status, $text) = Tomo::Test::run_command('taskset', '-acp', $core, $pid);
        die "bench: taskset: $text" if $status && -d "/proc/$pid";
    }
    return;
}

# nginx on core 0, everything else of the sandbox on core 1
sub pin {
    my ($self) = @_;
    my ($master) = Tomo::Test::read_file($self->dir . '/nginx.pid') =~ /(\d+)/;
    my %nginx = map { $_ => 1 } $master, Tomo::Test::Process::children($master);
    _pin(0, keys %nginx);
    _pin(1, grep { !$nginx{$_} } $self->{box}->processes);
    return;
}

sub where {
    my ($self) = @_;
    return "core 0: nginx, 1 worker; core 1: Redis, worker, simulator, wrk "
        . "($self->{connections} connections, $self->{seconds} s a run, "
        . "medians of $self->{pairs} alternating pairs)";
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle] : ($sorted[ $middle - 1 ] + $sorted[$middle]) / 2;
}

# 1 KB appended to a zero-filled file on the journal's file system
sub fdatasync_p50_ms {
    my ($self) = @_;
    my ($path, $n) = ($self->dir . '/journal/bench.tmp', 1000);
    sysopen my $fh, $path, Fcntl::O_RDWR() | Fcntl::O_CREAT(), 0600 or die "$path: $!\n";
    syswrite $fh, "\0" x 1_048_576;
    $fh->sync;
    my @ms;
    for my $i (0 .. $n - 1) {
        my $start = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
        sysseek $fh, $i * 1024, 0;
        syswrite $fh, 'x' x 1024;
        syscall($SYS_FDATASYNC, fileno $fh) == 0 or die "fdatasync: $!\n";
        push @ms, 1000 * (Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - $start);
    }
    unlink $path;
    return median(@ms);
}

# --- what is asked ------------------------------------------------------------

sub get { return { path => $_[1] } }

# a tracked URL as a friend has it
sub redirect {
    my ($self) = @_;
    my $box  = $self->{box};
    my $user = $box->add_friend('Bench');
    my $url  = Tomo::Test::wait_for(
        sub {
            my $text = JSON::PP->new->encode($box->inbox($user));
            return $text =~ m{http://127\.0\.0\.1:\d+(/r/[\w-]{39})} ? $1 : undef;
        },
        'the greeting with a tracked URL', 10
    ) or die "bench: no tracked URL came\n";
    return { path => $url, want => 302 };
}

# signed bodies of 1 KB: each with an event of its own
sub webhook {
    my ($self) = @_;
    my ($secret) = Tomo::Test::read_file($self->dir . '/channel-secret') =~ /(\S+)/;
    my ($bot)    = Tomo::Test::read_file($self->dir . '/bot-user-id')    =~ /(\S+)/;
    my $user     = $self->{box}->add_friend('Bench2');
    my $lua      = "local b = {\n";
    for my $i (1 .. $BODIES) {
        my $event = Tomo::Test::Webhook::text_event($user, "bench $i");
        delete $event->{replyToken};
        my $body = $JSON->encode({ destination => $bot, events => [$event] });
        $event->{message}{text} .= ' ' . 'x' x (1023 - length $body);
        $body = $JSON->encode({ destination => $bot, events => [$event] });
        my $mac = MIME::Base64::encode_base64(Digest::SHA::hmac_sha256($body, $secret), '');
        $lua .= "{[==[$body]==], '$mac'},\n";
    }
    $lua .= <<'END';
}
local i = 0
request = function()
    i = i % #b + 1
    return wrk.format('POST', nil, {['Content-Type'] = 'application/json',
        ['x-line-signature'] = b[i][2]}, b[i][1])
end
END
    my $path = $self->dir . '/bench.lua';
    Tomo::Test::write_file($path, $lua);
    return { path => '/line/webhook/demo', script => $path, want => 200 };
}

# --- runs -----------------------------------------------------------------------

# one run: { rate, p99_ms }
sub run {
    my ($self, $what) = @_;
    my ($status, $text) = Tomo::Test::run_command(
        'taskset', '-c', '1', 'wrk', '-t1', '-c', $self->{connections}, "-d$self->{seconds}s",
        '--latency', $what->{script} ? ('-s', $what->{script}) : (),
        'http://127.0.0.1:' . $self->{box}->port . $what->{path}
    );
    die "bench: wrk failed:\n$text" if $status;
    my ($rate) = $text =~ m{Requests/sec:\s+([\d.]+)} or die "bench: no rate in:\n$text";
    my ($p99, $unit) = $text =~ /99%\s+([\d.]+)(us|ms|s)/ or die "bench: no p99 in:\n$text";
    my ($bad) = $text =~ /Non-2xx or 3xx responses: (\d+)/;
    die "bench: $bad answers of $what->{path} were errors\n" if $bad;
    my ($socket) = $text =~ /(Socket errors:.*)/;
    die "bench: $socket\n" if $socket;
    return { rate => $rate, p99_ms => $p99 * { us => 0.001, ms => 1, s => 1000 }->{$unit} };
}

# One row of the table; false when its budget is missed.
sub row {
    my ($self, $row) = @_;
    my (@tested, @limit);
    for (1 .. $self->{pairs}) {
        push @limit,  $self->run($row->{limit});
        push @tested, $self->run($row->{tested});
    }
    my ($rate, $limit) = (median(map { $_->{rate} } @tested), median(map { $_->{rate} } @limit));
    my ($p99, $p99_limit) =
        (median(map { $_->{p99_ms} } @tested), median(map { $_->{p99_ms} } @limit));
    my $ratio = median(map { $tested[$_]{rate} / $limit[$_]{rate} } 0 .. $#tested);
    my $ok = $row->{floor} ? $rate >= $row->{floor} : $ratio >= $row->{budget};
    $ok &&= $p99 <= $row->{p99} * $p99_limit if $row->{p99};
    printf "%-24s %8.0f/s  p99 %7.2f ms   %-10s %8.0f/s  p99 %7.2f ms   ratio %.2f   %s: %s\n",
        $row->{name}, $rate, $p99, $row->{of}, $limit, $p99_limit, $ratio,
        ($row->{floor}
        ? sprintf 'at least %.0f/s', $row->{floor}
        : "at least $row->{budget}" . ($row->{p99} ? ", p99 at most $row->{p99} x" : '')),
        $ok ? 'met' : 'MISSED';
    return $ok;
}

# How long until all that was taken is decided: nothing is left behind.
sub drained {
    my ($self) = @_;
    my $start = Time::HiRes::time();
    my $ok = Tomo::Test::wait_for(
        sub {
            my $edge = eval {
                JSON::PP::decode_json(
                    Tomo::Test::http_get($self->{box}->port, '/tomo/status?format=json')->{body});
            } or return;
            my $state = $self->{box}->api('GET', '/accounts/demo/status')->{json} or return;
            return $edge->{waiting} == 0 && ($state->{waiting} // 1) == 0;
        },
        'everything decided', 600
    );
    printf "drained %s %.1f s after the last run\n", $ok ? 'within' : 'NOT within',
        Time::HiRes::time() - $start;
    return $ok;
}

1;
