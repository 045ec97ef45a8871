package Tomo::Test::Bench;

# The parts of scripts/bench: a sandbox whose nginx has one worker on a core of
# its own, load by wrk, pairs of runs, medians.

use strict;
use warnings;
use Digest::SHA ();
use Fcntl ();
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes ();
use Tomo::Test ();
use Tomo::Test::Peers ();
use Tomo::Test::Profile ();
use Tomo::Test::Survey ();

my $SYS_FDATASYNC = 75;     # x86_64; measured by fsync elsewhere
my $FRIENDS       = 500;    # each request of a row is another's
my $TICKS_PER_S   = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# what LINE's in-app browser sends
my $AGENT = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) '
    . 'AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/15.12.1';
my $JSON          = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, %o) = @_;
    return bless {%o}, $class;
}

sub dir { return $_[0]{box}->dir }

# The two peers, on the core of nginx, their Redis on the other's.
sub peers {
    my ($self, $url) = @_;
    my ($secret) = Tomo::Test::read_file($self->dir . '/channel-secret') =~ /(\S+)/;
    my $peers = Tomo::Test::Peers->new(
        secret => $secret, links => $self->{links}, url => $url);
    _pin(1, $peers->redis_pid);
    return $peers;
}

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
            my $r   = Tomo::Test::http_get($self->{box}->port, '/bench/200/');
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
    ($self->{nginx}) = Tomo::Test::Process::children($master);
    my %nginx = map { $_ => 1 } $master, $self->{nginx};
    _pin(0, keys %nginx);
    _pin(1, grep { !$nginx{$_} } $self->{box}->processes);
    return;
}

# The generator shares a core with what decides; it goes first there, on both
# sides of a pair, so that nginx is measured and not who gets that core.
my @GENERATOR = ($> == 0 ? qw(nice -n -15) : (), qw(taskset -c 1));

sub where {
    my ($self) = @_;
    return "core 0: nginx, 1 worker; core 1: Redis, worker, simulator, and wrk before them "
        . "(@GENERATOR)\n"
        . "$self->{connections} connections, requests of $FRIENDS friends in turn, "
        . "$self->{seconds} s a run, medians of $self->{pairs} alternating pairs\n"
        . "cpu: time of nginx's worker and its threads on either core, from the run's "
        . 'start until all it journalled was shipped, per request';
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

# A row's requests, one for each friend: { script }. Both sides of a row are
# made ahead and sent the same way, so that wrk's own cost is the same.
sub _script {
    my ($self, $name, $method, $headers, @requests) = @_;
    my $lua = "wrk.method = '$method'\n"
        . join('', map { "wrk.headers['$_'] = '$headers->{$_}'\n" } sort keys %$headers)
        . "local what = {\n";
    for my $r (@requests) {
        my ($path, $body, %more) = @$r;
        my $more = join ', ', map { "['$_'] = '$more{$_}'" } sort keys %more;
        $lua .= "{'$path', " . (defined $body ? "[==[$body]==]" : 'nil') . ", {$more}},\n";
    }
    $lua .= <<'END';
}
local ready, i = {}, 0
init = function()
    for k, w in ipairs(what) do
        local headers = {}
        for name, value in pairs(wrk.headers) do headers[name] = value end
        for name, value in pairs(w[3]) do headers[name] = value end
        ready[k] = wrk.format(nil, w[1], headers, w[2])
    end
end
request = function()
    i = i % #ready + 1
    return ready[i]
end
END
    my $path = $self->dir . "/bench-$name.lua";
    Tomo::Test::write_file($path, $lua);
    return { name => $name, script => $path };
}

# Friends as they come: each has the greeting with its own tokens.
sub add_friends {
    my ($self) = @_;
    my $box = $self->{box};
    my %user = map { $_ => 1 } map { $box->add_friend("Bench $_") } 1 .. $FRIENDS;
    $self->{user} = (keys %user)[0];
    Tomo::Test::wait_for(
        sub {
            for my $user (keys %user) {
                my $text = JSON::PP->new->encode($box->inbox($user));
                my ($link)   = $text =~ m{/r/([\w-]{39})} or return;
                my ($survey) = $text =~ m{/s/([\w-]{39})} or return;
                push @{ $self->{links} },   $link;
                push @{ $self->{surveys} }, $survey;
                delete $user{$user};
            }
            return !%user;
        },
        'greetings with tracked URLs',
        60
    ) or die "bench: not every friend was greeted\n";
    return;
}

# as many paths below $prefix as there are friends, as long as the real ones
sub get {
    my ($self, $name, $prefix) = @_;
    return $self->_script($name, 'GET', { 'User-Agent' => $AGENT },
        map { ["$prefix$_"] } @{ $self->{links} });
}

sub redirect { return $_[0]->get('redirect', '/r/') }

sub survey_page {
    my ($self) = @_;
    return $self->_script('survey-page', 'GET', { 'User-Agent' => $AGENT },
        map { ["/s/$_"] } @{ $self->{surveys} });
}

# files of the survey page's size, one for each friend
sub static_page {
    my ($self) = @_;
    my $r = Tomo::Test::http_get($self->{box}->port, "/s/$self->{surveys}[0]");
    my $folder = $self->dir . '/bench';
    mkdir $folder or die "bench: $folder: $!\n";
    Tomo::Test::write_file("$folder/$_", $r->{body}) for @{ $self->{links} };
    return $self->get('static', '/bench/page/');
}

# the demo account's form, filled in, with a nonce of its own each
sub survey_post {
    my ($self) = @_;
    my $box  = $self->{box};
    my @sign = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_');
    my @posts;
    for my $token (@{ $self->{surveys} }) {
        my $page = $self->{page} //= Tomo::Test::Survey->open($box->port, "/s/$token");
        my $nonce = join '', (map { $sign[ rand @sign ] } 1 .. 21), 'A';
        my @pairs = (
            (map { $_->[0] eq 'nonce' ? [ nonce => $nonce ] : $_ } @{ $page->{fixed} }),
            [ 'q.name' => 'Bench' ],
            [ 'q.sex'  => 'female' ],
            [ 'q.interests' => 'coffee' ],
        );
        push @posts,
            [
            "/s/$token",
            join '&',
            map { Tomo::Test::Survey::encode($_->[0]) . '=' . Tomo::Test::Survey::encode($_->[1]) }
                @pairs
            ];
    }
    return $self->_script(
        'survey-post',
        'POST',
        {
            'User-Agent'   => $AGENT,
            'Content-Type' => 'application/x-www-form-urlencoded',
            'Origin'       => 'http://127.0.0.1:' . $box->port
        },
        @posts
    );
}

# bodies of 1 KB, each with an event and a signature of its own
sub _bodies {
    my ($self) = @_;
    my ($secret) = Tomo::Test::read_file($self->dir . '/channel-secret') =~ /(\S+)/;
    my ($bot)    = Tomo::Test::read_file($self->dir . '/bot-user-id')    =~ /(\S+)/;
    my @bodies;
    for my $i (1 .. $FRIENDS) {
        my $event = Tomo::Test::Webhook::text_event($self->{user}, "bench $i");
        delete $event->{replyToken};
        my $body = $JSON->encode({ destination => $bot, events => [$event] });
        $event->{message}{text} .= ' ' . 'x' x (1023 - length $body);
        $body = $JSON->encode({ destination => $bot, events => [$event] });
        my $mac = MIME::Base64::encode_base64(Digest::SHA::hmac_sha256($body, $secret), '');
        push @bodies, [ $body, 'x-line-signature' => $mac ];
    }
    return \@bodies;
}

# signed webhooks, to $path: the edge, or a location that only answers
sub webhook {
    my ($self, $name, $path) = @_;
    $self->{bodies} //= $self->_bodies;
    return $self->_script($name, 'POST', { 'Content-Type' => 'application/json' },
        map { [ $path, @$_ ] } @{ $self->{bodies} });
}

# --- runs -----------------------------------------------------------------------

# seconds of CPU that the process which answers, and its threads, have used
sub _cpu_s {
    my ($pid) = @_;
    my $stat = Tomo::Test::read_file("/proc/$pid/stat");
    my @field = split ' ', $stat =~ s/^.*\) //sr;
    return ($field[11] + $field[12]) / $TICKS_PER_S;
}

sub _edge {
    my ($self) = @_;
    my $r = Tomo::Test::http_get($self->{box}->port, '/tomo/status?format=json');
    return JSON::PP::decode_json($r->{body});
}

# The same requests to somebody else: { port, pid } as Peers tells them.
sub at {
    my ($self, $what, $peer) = @_;
    _pin(0, $peer->{process}->pid, $peer->{pid});
    return { %$what, %$peer };
}

# one run: { rate, p99_ms, cpu_us }
sub run {
    my ($self, $what) = @_;
    my $pid    = $what->{pid} // $self->{nginx};
    my $before = _cpu_s($pid);
    my ($status, $text) = Tomo::Test::run_command(
        $self->{sample} ? Tomo::Test::Profile::command($self->{sample}, $pid) : (),
        @GENERATOR, 'wrk', '-t1', '-c', $self->{connections}, "-d$self->{seconds}s",
        '--latency', '-s', $what->{script},
        'http://127.0.0.1:' . ($what->{port} // $self->{box}->port)
    );
    die "bench: wrk failed:\n$text" if $status;
    Tomo::Test::wait_for(sub { $self->_edge->{waiting} == 0 }, 'the journal shipped', 120)
        or die "bench: the edge does not ship what it journalled\n";
    my ($rate) = $text =~ m{Requests/sec:\s+([\d.]+)} or die "bench: no rate in:\n$text";
    my ($n)    = $text =~ /(\d+) requests in/         or die "bench: no count in:\n$text";
    my ($p99, $unit) = $text =~ /99%\s+([\d.]+)(us|ms|s)/ or die "bench: no p99 in:\n$text";
    my ($bad) = $text =~ /Non-2xx or 3xx responses: (\d+)/;
    die "bench: $bad answers of $what->{name} were errors\n" if $bad;
    my ($socket) = $text =~ /(Socket errors:.*)/;
    die "bench: $socket\n" if $socket;
    return {
        rate   => $rate,
        p99_ms => $p99 * { us => 0.001, ms => 1, s => 1000 }->{$unit},
        cpu_us => 1e6 * (_cpu_s($pid) - $before) / $n,
    };
}

# the median of one figure over runs
sub _of {
    my ($figure, @runs) = @_;
    return median(map { $_->{$figure} } @runs);
}

sub _budget {
    my ($row) = @_;
    return sprintf('at least %.0f/s', $row->{floor}) if $row->{floor};
    return "at least $row->{budget}" . ($row->{p99} ? ", p99 at most $row->{p99} x" : '');
}

# One row of the table; false when its budget is missed.
sub row {
    my ($self, $row) = @_;
    my (@tested, @limit);
    $row->{before}->() if $row->{before};
    for (1 .. $self->{pairs}) {
        push @limit,  $self->run($row->{limit});
        push @tested, $self->run($row->{tested});
    }
    my $ratio = median(map { $tested[$_]{rate} / $limit[$_]{rate} } 0 .. $#tested);
    my $ok = $row->{floor} ? _of('rate', @tested) >= $row->{floor} : $ratio >= $row->{budget};
    $ok &&= _of('p99_ms', @tested) <= $row->{p99} * _of('p99_ms', @limit) if $row->{p99};
    printf "%s\n", $row->{name};
    for my $side ([ 'Tomo', @tested ], [ $row->{of}, @limit ]) {
        my ($name, @runs) = @$side;
        printf "  %-12s %8.0f/s  p99 %7.2f ms  cpu %6.2f us\n", $name,
            map { _of($_, @runs) } qw(rate p99_ms cpu_us);
    }
    printf "  ratio %.2f (%s: %s)  by cpu %.2f\n", $ratio, _budget($row), $ok ? 'met' : 'MISSED',
        median(map { $limit[$_]{cpu_us} / ($tested[$_]{cpu_us} || 1e-9) } 0 .. $#tested);
    return $ok;
}

# From a tap to the next message at the simulator, with nothing else to do.
sub latency {
    my ($self, $row) = @_;
    my $top = Tomo::Test::top_dir();
    my (undef, $text) =
        Tomo::Test::run_command("$top/t/harness", '--verbose', "$top/t/e2e/latency.t");
    my ($p50, $taps, $worst) = $text =~ /p50 ([\d.]+) ms, worst of (\d+) ([\d.]+) ms/
        or die "bench: t/e2e/latency.t told no figure:\n$text";
    my $ok = $worst <= $row->{budget};
    printf "%s\n  p50 %.1f ms, worst of %d %.1f ms (at most %d ms: %s)\n", $row->{name}, $p50,
        $taps, $worst, $row->{budget}, $ok ? 'met' : 'MISSED';
    return $ok;
}

# Where nginx spends its time in one more run of a row.
sub profile {
    my ($self, $row) = @_;
    local $self->{sample} = $self->dir . '/bench.perf';
    $self->run($row->{tested});
    Tomo::Test::Profile::show($self->{sample});
    return;
}

# Clicks that were not journalled: none may be lost below the journal's limit.
sub dropped {
    my ($self) = @_;
    my $n = $self->_edge->{counters}{click_dropped};
    printf "clicks dropped: %d\n", $n;
    return $n;
}

# How long until all that was taken is decided: nothing is left behind.
sub drained {
    my ($self) = @_;
    my $start = Time::HiRes::time();
    my $ok = Tomo::Test::wait_for(
        sub {
            my $edge = eval { $self->_edge } or return;
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
