#!/usr/bin/perl

# W6: Input that is not signed by the channel has no effect and costs little.
#
# Forgeries of every kind come in beside genuine webhooks: without a signature,
# with two, malformed, by another secret, for unknown accounts, with bodies up to
# the limit. And whether a signature differs early or late cannot be told by the
# time that the refusal takes.
#
# Forgeries come for some seconds and pause for some, in turn: what else runs on
# the machine is the same in both. Who sends them runs when nobody else wants to,
# so that genuine webhooks wait for what a forgery costs nginx, and not for its
# making.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 ();
use Digest::SHA ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Promise;
use Tomo::Test::Stage;
use Tomo::Test::Webhook;

my $FORGERIES = pick(short => 1500, full => 100_000);
my $RATE      = pick(short => 700,  full => 1000);       # of forgeries, a second
my $TIMED     = pick(short => 600,  full => 20_000);     # of each of both classes
my $SHARE     = pick(short => 0.1,  full => 1);
my $ON        = pick(short => 0.5,  full => 4);          # s of forgeries, and without
my $OFF       = pick(short => 0.25, full => 2);

my $stage = Tomo::Test::Stage->start(edge => { journal => 'keep=1h max=4g segment=8m' },
    redis => { set => { maxmemory => '2gb' } });
my ($edge, $redis) = ($stage->edge, $stage->redis);

# --- forgeries ---------------------------------------------------------------------

sub request {
    my ($path, $body, @headers) = @_;
    return Tomo::Test::Http::format_request('POST', $path, \@headers, $body);
}

sub forgeries {
    my $hook  = '/line/webhook/demo';
    my $body  = webhook_body(text_event(user_id(1), 'forged'));
    my $large = webhook_body(text_event(user_id(1), 'forged' . 'x' x 1_000_000));
    my $good  = sign($body);
    my $name  = 'x-line-signature';
    (my $url  = $good) =~ tr{+/}{-_};
    my $flip  = MIME::Base64::decode_base64($good);
    substr $flip, 31, 1, chr(1 ^ ord substr $flip, 31, 1);
    my @usual = (
        request($hook, $body),
        request($hook, $body, $name => ''),
        request($hook, $body, $name => $good, $name => $good),
        request($hook, $body, $name => substr $good, 0, 43),
        request($hook, $body, $name => "$good=="),
        request($hook, $body, $name => 'A' x 8000),
        request($hook, $body, $name => "-$url"),
        request($hook, $body, $name => sign($body, 'ab' x 16)),
        request($hook, $body, $name => sign("$body ")),
        request($hook, $body, $name => MIME::Base64::encode_base64($flip, '')),
        request($hook, $body, $name => $good, 'Content-Encoding' => 'gzip'),
        request('/line/webhook/nobody', $body, $name => $good),
        request('/line/webhook/', $body, $name => $good),
        request('/line/webhook/%64emo%00', $body, $name => $good),
    );
    return (\@usual, request($hook, $large, $name => sign($body)));
}

# A process that sends them; it writes down how each was answered, and when it
# sent and when it paused: lines `S FROM UNTIL` and `P FROM UNTIL`.
my $told = temp_dir() . '/forged';

sub forge {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    if (full()) { system 'chrt', '--idle', '--pid', 0, $$ }
    else        { POSIX::nice(5) }
    my ($usual, $large) = forgeries();
    my (%status, $client, $next, $said);
    my $from = Time::HiRes::time();
    for my $n (1 .. $FORGERIES) {
        if ((my $now = Time::HiRes::time()) > $from + $ON) {
            $said .= "S $from $now\n";
            Time::HiRes::usleep(1e6 * $OFF);
            $said .= "P $now " . ($from = Time::HiRes::time()) . "\n";
            undef $next;
        }
        Tomo::Test::Generator::pace(\$next, $RATE);
        my $bytes = $n % 500 ? $usual->[ $n % @$usual ] : $large;
        $client //= Tomo::Test::Http->connect($edge->port);
        my $r = $client && $client->send($bytes) && $client->response;
        $status{ $r ? $r->{status} : 'closed' }++;
        undef $client if !$r || lc($r->{headers}{connection} // '') eq 'close';
    }
    write_file($told, $said . join ' ', map {"$_ $status{$_}"} sort keys %status);
    POSIX::_exit(0);
}

my $load = $stage->load(Tomo::Test::Stage::l1($SHARE));
ok $stage->serves_on($load, pick(short => 50, full => 2000), 20), 'W6: load comes in';
my $pid   = forge();
my $limit = $FORGERIES / $RATE * ($ON + $OFF) / $ON * 3 + 60;
ok wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 'forgeries', $limit),
    'W6: the forgeries are sent';
my $seen = $load->stop;
my ($said, $last) = read_file($told) =~ /\A(.*\n)(.*)\z/s;
my %status = split / /, $last;
my $found  = $stage->drained(60, $seen);

my $posts = $seen->{webhook};

# The p99 of each stretch, and the median of these: where the machine stood still
# for a moment, that stretch tells of the machine.
my (%p99, %n);
while ($said =~ /^(\w) (\S+) (\S+)$/mg) {
    my ($what, @span) = ($1, $2, $3);
    my $ms = Tomo::Test::Generator::between($posts, @span);
    push @{ $p99{$what} }, Tomo::Test::Generator::quantile($ms, 0.99) // ();
    $n{$what} += @$ms;
}
my ($base, $beside) = map { Tomo::Test::Generator::quantile([ sort { $a <=> $b } @$_ ], 0.5) }
    @p99{qw(P S)};
my $answered = 0;
$answered += $_ for values %status;
is figure('forgeries' => $answered), $FORGERIES, 'W6: so many';
figure('answers to them' => join ', ', map {"$_: $status{$_}"} sort keys %status);
is figure('forgeries accepted' => $status{200} // 0), 0, 'W6: none is accepted';
is join(' ', grep { !/^(?:400|401|413|415)$/ } sort keys %status), '',
    'W6: each is told so, and nothing else';

my ($forged, $bytes) = (0, 0);
for my $entry (@{ $redis->stream('tomo:{demo}:in') }) {
    next if $entry->[1]{b} !~ /forged/;
    $forged++;
    $bytes += length $entry->[1]{b};
}
is figure('forged bytes journalled' => $bytes), 0, 'W6: nothing of them is journalled';
is $stage->missing($seen, $found), 0, 'W6: all genuine ones are';
is figure('genuine webhooks refused' => $stage->refusals($seen)), 'none',
    'W6: nobody else is refused';
figure('genuine p99 without and with forgeries' => sprintf '%.2f and %.2f ms', $base, $beside);
figure('genuine webhooks so measured' => sprintf '%d and %d, in %d stretches', @n{qw(P S)},
    @{ $p99{P} } + @{ $p99{S} });

# With the short form everything else runs as well.
cmp_ok $beside, '<=', full() ? 1.2 * $base + 0.3 : 10 * $base + 250 * Tomo::Test::slow(),
    'W6: genuine webhooks do not wait for them';

# --- early or late -----------------------------------------------------------------

# Two classes of the same length, in an order that is drawn anew: the signature
# differs in its first byte, or in its last.
my @class;
for my $n (1 .. 40) {
    my $body = webhook_body(text_event(user_id(1), "timed $n" . 'x' x 600));
    my $mac  = Digest::SHA::hmac_sha256($body, $Tomo::Test::Files::CHANNEL_SECRET);
    for my $c (0, 1) {
        my $wrong = $mac;
        my $at    = $c ? 31 : 0;
        substr $wrong, $at, 1, chr(0x55 ^ ord substr $wrong, $at, 1);
        push @{ $class[$c] }, request('/line/webhook/demo', $body,
            'x-line-signature' => MIME::Base64::encode_base64($wrong, ''));
    }
}

# Time of all workers on a core, in microseconds.
sub worked_us {
    my $ns = 0;
    $ns += (split / /, read_file("/proc/$_/schedstat"))[0] for $edge->worker_pids;
    return $ns / 1000;
}

my (@took, $client);
my $worked_us = worked_us();
while (@{ $took[0] || [] } < $TIMED || @{ $took[1] || [] } < $TIMED) {
    my $c = rand() < 0.5 ? 0 : 1;
    my $bytes = $class[$c][ rand @{ $class[$c] } ];
    $client //= Tomo::Test::Http->connect($edge->port);
    my $at = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
    $client->send($bytes);
    my $r = $client->response;
    my $ms = 1000 * (Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - $at);
    if (!$r || $r->{status} != 401) { fail 'W6: 401'; last }
    push @{ $took[$c] }, $ms;
    undef $client if lc($r->{headers}{connection} // '') eq 'close';
}

# Welch's t without the slowest tenth, which is the machine's, of both together.
my @all = sort { $a <=> $b } map {@$_} @took;
my $crop = $all[ 0.9 * @all ];
my (@mean, @var, @count);
for my $c (0, 1) {
    my @ms = grep { $_ < $crop } @{ $took[$c] };
    $count[$c] = @ms;
    $mean[$c] += $_ / @ms for @ms;
    $var[$c] += ($_ - $mean[$c])**2 / (@ms - 1) for @ms;
}
my $t = ($mean[0] - $mean[1]) / sqrt($var[0] / $count[0] + $var[1] / $count[1]);
figure('timed refusals' => scalar @all);
figure('time on a core that nginx takes for one' => sprintf '%.0f us',
    (worked_us() - $worked_us) / @all);
figure('refused after, on average' => sprintf '%.4f ms early, %.4f ms late', @mean);
cmp_ok abs figure('t' => sprintf '%.2f', $t), '<', 4.5,
    'W6: early and late differences take the same time';

done_testing;
