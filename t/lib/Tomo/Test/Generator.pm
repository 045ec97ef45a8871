package Tomo::Test::Generator;

# Load with a record of its own: webhooks, clicks and survey posts at a steady
# rate or in bursts, each numbered. What was answered, how and after how long is
# written down here, so that the checker depends on no counter of the tested
# software. What a reset leaves unanswered is sent again under the same number,
# as LINE and a browser do.
#
#   my $load = Tomo::Test::Generator->start(port => $edge->port,
#       webhooks => 500, events => 3, clicks => 1000, tokens => [...],
#       answers => 50, forms => [...], users => [...]);
#   ... $load->acknowledged('webhook') ...
#   my $seen = $load->stop;              # ends it, reads the record
#   $seen->{webhook}{acked}              # { number => 1 }

use strict;
use warnings;
use Digest::SHA ();
use Fcntl ();
use IO::Select ();
use IO::Socket::INET ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes ();
use Tomo::Test ();
use Tomo::Test::Files ();

my $AGENT   = 'Mozilla/5.0 (iPhone) Safari Line/15.12.1';
my $GIVE_UP = 5;        # s; longer than LINE waits
my %GOOD    = (webhook => 200, click => 302, answer => 303);
my $COUNT   = 0;

# start(port, name):
#   webhooks, clicks, answers   requests a second; 0: none of that kind
#   events, pad   events of a webhook (1), bytes added to each one's text (0)
#   users, secret, destination, account   of the webhooks
#   tokens        link tokens of the clicks, in turn
#   forms, fields survey tokens of the posts, in turn; fields after nonce and rev
#   rev           revision that the posts name (1)
#   connections   of each kind (4)
#   copies        times each post is sent, at once (1)
#   on, off       seconds of load and of rest in turn; none: steady
sub start {
    my ($class, %o) = @_;
    my $self = bless {
        name        => 'g' . ++$COUNT,
        account     => 'demo',
        events      => 1,
        pad         => 0,
        connections => 4,
        copies      => 1,
        rev         => 1,
        secret      => $Tomo::Test::Files::CHANNEL_SECRET,
        destination => $Tomo::Test::Files::BOT_USER_ID,
        %o, number => $COUNT,
    }, $class;
    my %rate = (webhook => $o{webhooks}, click => $o{clicks}, answer => $o{answers});
    for my $kind (sort keys %rate) {
        $self->_begin($kind, $rate{$kind}) if $rate{$kind};
    }
    Tomo::Test::Process::register($self);
    return $self;
}

sub _begin {
    my ($self, $kind, $rate) = @_;
    my $record = Tomo::Test::temp_dir() . "/$self->{name}.$kind";
    Tomo::Test::write_file($record, '');
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $stop = 0;
        local $SIG{TERM} = sub { $stop = 1 };
        local $SIG{INT}  = sub { $stop = 1 };
        my $ok = eval { _run({ %$self, kind => $kind, rate => $rate, record => $record }, \$stop) };
        print STDERR "generator: $@" if !$ok;
        POSIX::_exit($ok ? 0 : 1);
    }
    $self->{processes}{$kind} = { pid => $pid, record => $record };
    return;
}

# --- the process of one kind ------------------------------------------------

sub _run {
    my ($g, $stop) = @_;
    open my $out, '>>:raw', $g->{record} or die "$g->{record}: $!\n";
    $g->{out}  = '';
    $g->{wait} = [];        # to be sent again, or a copy
    $g->{busy} = {};
    $g->{idle} = [];
    $g->{open} = 0;
    $g->{n}    = 0;
    $g->{select} = IO::Select->new;
    my $began = Time::HiRes::time();
    my $next  = $began;
    until ($$stop) {
        my $now = Time::HiRes::time();
        if ($g->{off}) {
            my $at = $now - $began;
            my $in = $at - int($at / ($g->{on} + $g->{off})) * ($g->{on} + $g->{off});
            $next = $now + $g->{on} + $g->{off} - $in if $in >= $g->{on} && $next <= $now;
        }
        $next = $now - 0.5 if $next < $now - 0.5;
        while (@{ $g->{wait} } && _send($g, $g->{wait}[0])) { shift @{ $g->{wait} } }
        while ($next <= $now && !@{ $g->{wait} }) {
            _room($g) or last;
            my $request = _make($g);
            push @{ $g->{wait} }, map { {%$request} } 2 .. $g->{copies};
            _send($g, $request) or push @{ $g->{wait} }, $request;
            $next += 1 / $g->{rate};
        }
        _receive($g, $next - Time::HiRes::time());
        _expire($g);
        _write($g, $out);
    }
    $g->{out} .= "S 0 0 @{ $_->{request}{ids} }\n" for values %{ $g->{busy} };
    _write($g, $out);
    return 1;
}

sub _write {
    my ($g, $out) = @_;
    syswrite $out, $g->{out} if length $g->{out};
    $g->{out} = '';
    return;
}

# A connection that may be used: true.
sub _room {
    my ($g) = @_;
    return 1 if @{ $g->{idle} };
    return 0 if $g->{open} >= $g->{connections};
    my $sock = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $g->{port}, Proto => 'tcp', Timeout => 1);
    if (!$sock) {
        select undef, undef, undef, 0.005;
        return 0;
    }
    binmode $sock;
    $g->{open}++;
    $g->{select}->add($sock);
    push @{ $g->{idle} }, { sock => $sock, buffer => '' };
    return 1;
}

sub _send {
    my ($g, $request) = @_;
    _room($g) or return 0;
    my $c = pop @{ $g->{idle} };
    $request->{at} = Time::HiRes::time();
    $c->{request} = $request;
    $g->{busy}{ fileno $c->{sock} } = $c;
    my ($bytes, $at) = ($request->{bytes}, 0);
    while ($at < length $bytes) {
        my $n = syswrite $c->{sock}, $bytes, length($bytes) - $at, $at;
        if (!$n) {
            _lost($g, $c);
            return 1;
        }
        $at += $n;
    }
    return 1;
}

# The connection ended under a request: again, under the same number.
sub _lost {
    my ($g, $c) = @_;
    my $request = $c->{request};
    _drop($g, $c);
    return if !$request;
    $g->{out} .= ($c->{used} ? 'r' : 'R') . " 0 0 @{ $request->{ids} }\n";
    $request->{again}->($request) if $request->{again} && !$request->{repeated}++;
    push @{ $g->{wait} }, $request;
    return;
}

sub _drop {
    my ($g, $c) = @_;
    delete $g->{busy}{ fileno $c->{sock} };
    @{ $g->{idle} } = grep { $_ != $c } @{ $g->{idle} };
    $g->{select}->remove($c->{sock});
    close $c->{sock};
    $g->{open}--;
    return;
}

sub _receive {
    my ($g, $seconds) = @_;
    $seconds = 0     if $seconds < 0;
    $seconds = 0.05  if $seconds > 0.05;
    $seconds = 0.005 if @{ $g->{wait} };
    if (!$g->{open}) {
        select undef, undef, undef, $seconds;
        return;
    }
    for my $sock ($g->{select}->can_read($seconds)) {
        my $c = $g->{busy}{ fileno $sock };
        if (!$c) {          # nginx closes one that waits
            ($c) = grep { $_->{sock} == $sock } @{ $g->{idle} };
            _drop($g, $c) if $c;
            next;
        }
        if (!sysread $sock, $c->{buffer}, 65536, length $c->{buffer}) {
            _lost($g, $c);
            next;
        }
        _answered($g, $c) if $c->{buffer} =~ /\r\n\r\n/;
    }
    return;
}

sub _answered {
    my ($g, $c) = @_;
    my $end = $+[0];
    my ($length) = $c->{buffer} =~ /\r\nContent-Length: (\d+)/i;
    return if length $c->{buffer} < $end + ($length // 0);
    my ($status) = $c->{buffer} =~ m{^HTTP/1\.1 (\d+)};
    my $close = $c->{buffer} =~ /\r\nConnection: close/i || !defined $length;
    my ($kept) = $c->{buffer} =~ /\r\nRetry-After: (\d+)/i;
    my $request = delete $c->{request};
    my $now     = Time::HiRes::time();
    $g->{out} .= sprintf "%s %.2f %.6f%s %s\n", $status == $GOOD{ $g->{kind} } ? 'A' : "E$status",
        1000 * ($now - $request->{at}), $now,
        $status == 503 && !$kept ? '!' : '', "@{ $request->{ids} }";
    $c->{buffer} = '';
    $c->{used}   = 1;
    if ($close) {
        _drop($g, $c);
    } else {
        delete $g->{busy}{ fileno $c->{sock} };
        push @{ $g->{idle} }, $c;
    }
    return;
}

sub _expire {
    my ($g) = @_;
    my $now = Time::HiRes::time();
    return if $now < ($g->{look} // 0);
    $g->{look} = $now + 0.1;
    for my $c (values %{ $g->{busy} }) {
        my $waited = $now - $c->{request}{at};
        next if $waited < $GIVE_UP * Tomo::Test::slow();
        $g->{out} .= sprintf "E0 %.2f %.6f %s\n", 1000 * $waited, $now, "@{ $c->{request}{ids} }";
        _drop($g, $c);
    }
    return;
}

# --- requests ---------------------------------------------------------------

sub _make {
    my ($g) = @_;
    my $n = ++$g->{n};
    return $g->{kind} eq 'webhook' ? _webhook($g, $n)
        :  $g->{kind} eq 'click'   ? _click($g, $n)
        :                            _answer($g, $n);
}

sub _pick { return $_[0][ $_[1] % @{ $_[0] } ] }

# the first ten characters of a ULID of now
sub _ulid_time {
    my ($ms) = @_;
    my $text = '';
    for (1 .. 10) {
        $text = substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', $ms % 32, 1) . $text;
        $ms = int $ms / 32;
    }
    return $text;
}

sub _webhook {
    my ($g, $n) = @_;
    my $ms = Tomo::Test::now_ms();
    my $time = _ulid_time($ms);
    my (@ids, @events);
    for my $i (1 .. $g->{events}) {
        my $k  = $n * $g->{events} + $i;
        my $id = sprintf '%s%03d%013d', $time, $g->{number}, $k;
        push @ids, $id;
        push @events, sprintf '{"type":"message","mode":"active","timestamp":%d,"source":'
            . '{"type":"user","userId":"%s"},"webhookEventId":"%s","deliveryContext":'
            . '{"isRedelivery":false},"message":{"type":"text","id":"%d%d","quoteToken":"q",'
            . '"text":"%s-%d%s"}}', $ms, _pick($g->{users}, $k), $id, $$, $k, $g->{name}, $k,
            'x' x $g->{pad};
    }
    my $body = sprintf '{"destination":"%s","events":[%s]}', $g->{destination},
        join ',', @events;
    my $sign = sub {
        my ($request) = @_;
        $request->{bytes} = sprintf "POST /line/webhook/%s HTTP/1.1\r\nHost: x\r\n"
            . "Content-Type: application/json\r\nx-line-signature: %s\r\n"
            . "Content-Length: %d\r\n\r\n%s", $g->{account},
            MIME::Base64::encode_base64(Digest::SHA::hmac_sha256($body, $g->{secret}), ''),
            length $body, $body;
        return $request;
    };
    return $sign->({
        ids   => \@ids,
        again => sub {
            $body =~ s/"isRedelivery":false/"isRedelivery":true/g;
            $sign->($_[0]);
        },
    });
}

sub _click {
    my ($g, $n) = @_;
    my $id = "c-$g->{name}-$n";
    return {
        ids   => [$id],
        bytes => 'GET /r/' . _pick($g->{tokens}, $n)
            . " HTTP/1.1\r\nHost: x\r\nUser-Agent: $AGENT $id\r\n\r\n",
    };
}

sub _answer {
    my ($g, $n) = @_;
    my $nonce = sprintf '%04d%017dA', $g->{number}, $n;
    my $body = "nonce=$nonce&rev=$g->{rev}&hp=&" . ($g->{fields} // '');
    $body =~ s/%N/$n/g;
    return {
        ids   => [$nonce],
        bytes => 'POST /s/' . _pick($g->{forms}, $n) . " HTTP/1.1\r\nHost: x\r\n"
            . "User-Agent: $AGENT\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n$body",
    };
}

# --- the record -------------------------------------------------------------

# How many requests of a kind were answered well so far.
sub acknowledged {
    my ($self, $kind) = @_;
    my $p = $self->{processes}{$kind} or return 0;
    open my $in, '<:raw', $p->{record} or return $p->{good} // 0;
    seek $in, $p->{at} // 0, 0;
    while (my $line = <$in>) {
        last if $line !~ /\n$/;
        $p->{at} += length $line;
        $p->{good}++ if $line =~ /^A/;
    }
    return $p->{good} // 0;
}

# Ends the processes and reads what they wrote: by kind
# { acked => { id => times }, sent => { id => 1 }, status => { 503 => n },
#   ms => [of good answers, ascending], all_ms => [of all answers],
#   points => [[when, ms] of good answers], when => [[id, when]], bare => 503s without Retry-After,
#   resets => connections that ended under their first request,
#   stalled => 503s around one that had waited for a disk that stood still,
#   closed => those that ended under a later one, as an idle one may }
sub stop {
    my ($self) = @_;
    return $self->{seen} if $self->{seen};
    my @pids = map { $_->{pid} } values %{ $self->{processes} };
    kill 'TERM', @pids;
    waitpid $_, 0 for @pids;
    $self->{seen} = { map { $_ => _read($self->{processes}{$_}{record}) }
        keys %{ $self->{processes} } };
    return $self->{seen};
}

sub _read {
    my ($record) = @_;
    my %r = (acked => {}, sent => {}, status => {}, ms => [], all_ms => [], resets => 0,
        closed => 0, points => [], when => [], bare => 0, stalled => 0);
    my @busy;
    open my $in, '<:raw', $record or die "$record: $!\n";
    while (my $line = <$in>) {
        my ($what, $ms, $at, @ids) = split / /, $line =~ s/\n//r;
        $r{sent}{$_} = 1 for @ids;
        $r{resets}++ if $what eq 'R';
        $r{closed}++ if $what eq 'r';
        next if $what =~ /^[RrS]$/;
        push @{ $r{all_ms} }, $ms;
        $r{bare}++ if $at =~ s/!$//;
        if ($what eq 'A') {
            $r{acked}{$_}++ for @ids;
            push @{ $r{ms} }, $ms;
            push @{ $r{points} }, [ $at, $ms ];
            push @{ $r{when} }, map { [ $_, $at ] } @ids;
        } else {
            $r{status}{ substr $what, 1 }++;
            push @busy, [ $at, $ms ] if $what eq 'E503';
        }
    }
    my @late = map { $_->[0] } grep { $_->[1] > 850 } @busy;
    $r{stalled} = grep { my $at = $_->[0]; grep { abs($_ - $at) < 2 } @late } @busy;
    @{ $r{$_} } = sort { $a <=> $b } @{ $r{$_} } for qw(ms all_ms);
    return \%r;
}

# For a loop of one's own: waits for its next turn of so many a second. $$next:
# a time, kept between turns.
sub pace {
    my ($next, $rate) = @_;
    $$next //= Time::HiRes::time();
    my $wait = $$next - Time::HiRes::time();
    select undef, undef, undef, $wait if $wait > 0.01;
    $$next += 1 / $rate;
    return;
}

# quantile([ascending], 0.99): undef of nothing
sub quantile {
    my ($list, $q) = @_;
    return if !@$list;
    return $list->[ POSIX::floor($q * $#$list + 0.5) ];
}

# The latencies, ascending, of good answers between two moments.
sub between {
    my ($seen, $from, $to) = @_;
    return [ sort { $a <=> $b }
            map { $_->[1] } grep { $_->[0] >= $from && $_->[0] < $to } @{ $seen->{points} } ];
}

# "p50 0.41, p99 2.10, p99.9 3.00, max 9.12 ms, n 30000"
sub latency {
    my ($list) = @_;
    return 'none' if !@$list;
    return sprintf 'p50 %.2f, p99 %.2f, p99.9 %.2f, max %.2f ms, n %d',
        (map { quantile($list, $_) } 0.5, 0.99, 0.999), $list->[-1], scalar @$list;
}

1;
