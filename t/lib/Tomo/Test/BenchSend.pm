package Tomo::Test::BenchSend;

# The row `dispatch` of scripts/bench: dispatch with its cap lifted beside a
# bare libcurl multi loop (t/tools/multiloop.c), both towards one nginx that
# answers `return 200` over HTTP/2 and TLS; and what dispatch costs at the rate
# that LINE allows.

use strict;
use warnings;
use POSIX ();
use Time::HiRes ();
use Tomo::Test ();

my $COUNT  = 20_000;
my $FLYING = 400;       # WIRE_FLYING_MAX
my $LINE_S = 2000;      # pushes a second that LINE allows
my $CAP_S  = 2200;      # dispatch keeps a twentieth below its cap, so that no second exceeds it
my $BUSY   = 0.5;       # of a core, for those
my $TICKS  = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# Rows as ingest writes them, all in one step, each to a friend of its own.
my $ROWS = <<'END';
for i = 1, tonumber(ARGV[1]) do
    redis.call('XADD', KEYS[1], '*', 'via', 'push', 'friend', i, 'to', ARGV[3],
        'key', string.format('%08x-0000-4000-a000-%012d', ARGV[2], i), 'token', '',
        'body', '[{"type":"text","text":"bench"}]', 'medium', 'line')
end
return 1
END

# new(box => sandbox, pairs => N): everything but the roles
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, dir => Tomo::Test::temp_dir(), run => 0 }, $class;
    $self->{redis} = Tomo::Test::Redis->start(name => 'bench-redis');
    $self->_nginx;
    return $self;
}

# `return` alone answers before it has read the body, and then resets the
# stream; a mirror reads it first.
sub _nginx {
    my ($self) = @_;
    my ($dir, $box) = ($self->{dir}, $self->{box}->dir);
    my $temp = join '', map {"${_}_temp_path $dir/bench.$_;"}
        qw(client_body proxy fastcgi uwsgi scgi);
    my $conf = Tomo::Test::write_file("$dir/bench-line.conf", <<"END");
daemon off;
worker_processes 1;
pid $dir/bench-line.pid;
error_log $dir/bench-line.err warn;
events { worker_connections 2048; }
http {
    $temp
    access_log off;
    log_not_found off;
    root $dir;
    keepalive_requests 100000000;
    server {
        listen unix:$dir/bench-line.sock ssl http2;
        ssl_certificate $box/sim/line.crt;
        ssl_certificate_key $box/sim/line.key;
        location /oauth2/ {
            return 200 '{"access_token":"bench","expires_in":900,"token_type":"Bearer"}';
        }
        location / { mirror /read; error_page 404 405 =200 \@sent; }
        location = /read { internal; return 204; }
        location \@sent { return 200 '{"sentMessages":[{"id":"461230966842064897"}]}'; }
    }
}
END
    Tomo::Test::Process->start(
        name => 'bench-line', command => ['/usr/sbin/nginx', '-c', $conf], stop => 'QUIT');
    Tomo::Test::wait_for(sub { -S "$dir/bench-line.sock" }, 'nginx in the place of LINE')
        or die "bench: nginx in the place of LINE did not start\n";
    return;
}

# seconds of CPU of a process
sub _cpu_s {
    my ($pid) = @_;
    my @field = split ' ', Tomo::Test::read_file("/proc/$pid/stat") =~ s/^.*\) //sr;
    return ($field[11] + $field[12]) / $TICKS;
}

sub _loop {
    my ($self) = @_;
    my ($status, $text) = Tomo::Test::run_command(Tomo::Test::build_path('tools/multiloop'),
        "$self->{dir}/bench-line.sock", $self->{box}->dir . '/ca.pem', $COUNT, $FLYING);
    my ($s, $cpu) = $text =~ /^([\d.]+) ([\d.]+)$/m;
    die "bench: multiloop failed:\n$text" if $status || !$s;
    return { rate => $COUNT / $s, cpu_us => 1e6 * $cpu / $COUNT };
}

# One run of dispatch at that rate: { rate, cpu_us, busy: share of a core }
sub _dispatch {
    my ($self, $rate, $count) = @_;
    my $redis  = $self->{redis};
    my $worker = Tomo::Test::Worker->start(
        role => 'dispatch', redis => $redis, name => 'send' . ++$self->{run}, undecided => 1,
        unaccounted => 1,
        ini => { line => { unix_socket => "$self->{dir}/bench-line.sock", rate_per_s => $rate,
            ca_file => $self->{box}->dir . '/ca.pem' } },
    );
    $redis->cmd('DEL', map {"tomo:{demo}:$_"} qw(out in));
    Tomo::Test::wait_for(sub { $redis->cmd('EXISTS', 'tomo:{demo}:access') }, 'an access token', 10)
        or die "bench: dispatch has no access token\n";
    $redis->cmd('EVAL', $ROWS, 1, 'tomo:{demo}:out', $count, $self->{run}, 'U' . 'a' x 32);
    my ($from, $cpu) = (Time::HiRes::time(), _cpu_s($worker->pid));
    my $had = $redis->cmd('XLEN', 'tomo:{demo}:in');
    Tomo::Test::wait_for(sub { $redis->cmd('XLEN', 'tomo:{demo}:in') >= $count }, 'verdicts', 120)
        or die "bench: dispatch did not settle $count rows\n";
    my $s = Time::HiRes::time() - $from;
    $cpu = _cpu_s($worker->pid) - $cpu;
    $worker->stop;
    $redis->cmd('DEL', map {"tomo:{demo}:$_"} qw(out in access lease:dispatch ship));
    return { rate => ($count - $had) / $s, cpu_us => 1e6 * $cpu / ($count - $had),
        busy => $cpu / $s };
}

sub _median {
    my ($figure, @runs) = @_;
    my @sorted = sort { $a <=> $b } map { $_->{$figure} } @runs;
    return $sorted[@sorted / 2];
}

# Both budgets; false when one is missed.
sub row {
    my ($self, $row) = @_;
    my (@loop, @own);
    for (1 .. $self->{pairs}) {
        push @loop, $self->_loop;
        push @own,  $self->_dispatch(1_000_000, $COUNT);
    }
    my @ratio = sort { $a <=> $b } map { $own[$_]{rate} / $loop[$_]{rate} } 0 .. $#own;
    my $ratio = $ratio[@ratio / 2];
    print "$row->{name}\n";
    printf "  %-12s %8.0f/s  cpu %6.2f us\n", $_->[0], _median('rate', @{ $_->[1] }),
        _median('cpu_us', @{ $_->[1] })
        for [ 'Tomo', \@own ], [ 'libcurl', \@loop ];
    printf "  ratio %.2f (at least %.2f: %s)\n", $ratio, $row->{budget},
        $ratio >= $row->{budget} ? 'met' : 'MISSED';
    return $self->_line_rate && $ratio >= $row->{budget};
}

# LINE's rate must be reached, and on so much of a core; the median of three.
sub _line_rate {
    my ($self) = @_;
    my @runs = map { $self->_dispatch($CAP_S, 5 * $LINE_S) } 1 .. 3;
    my ($rate, $busy) = (_median('rate', @runs), _median('busy', @runs));
    my $met = $rate >= $LINE_S && $busy <= $BUSY;
    printf "  at LINE's %d/s, with a cap of %d/s: %.0f/s on %.2f of a core "
        . "(at least %d/s on at most %.2f: %s)\n", $LINE_S, $CAP_S, $rate, $busy, $LINE_S, $BUSY,
        $met ? 'met' : 'MISSED';
    return $met;
}

1;
