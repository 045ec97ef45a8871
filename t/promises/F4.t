#!/usr/bin/perl

# F4: Flooding a survey with posts does not delay webhooks.
#
# Webhooks come in at a steady rate, first alone, then beside as many survey
# posts as this machine can send: by one address, and by a thousand.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Generator;
use Tomo::Test::Promise;
use Tomo::Test::Stage;

my $SECONDS   = pick(short => 1.5, full => 60);      # of each part
my $WEBHOOKS  = pick(short => 100, full => 500);     # a second
my $RATE      = pick(short => 1000, full => 10_000); # posts a second that are tried
my $ADDRESSES = pick(short => 100, full => 1000);

my $stage = Tomo::Test::Stage->start(edge => {
    journal     => 'keep=1h max=4g segment=8m',
    connections => 4096,
    http        => 'keepalive_requests 100000000;',
}, redis => { set => { maxmemory => '4gb' } });
my $edge = $stage->edge;

sub now { return Time::HiRes::clock_gettime(Time::HiRes::CLOCK_REALTIME()) }

# Good posts, each with a nonce of its own, by friends in turn.
my @signs = ('A' .. 'Z', 'a' .. 'z', 0 .. 9);
my @posts = map {
    my $nonce = join '', map { $signs[ rand @signs ] } 1 .. 21;
    my $body  = "nonce=${nonce}A&rev=1&hp=&q.name=flood";
    Tomo::Test::Http::format_request('POST', "/s/$_",
        ['Content-Type' => 'application/x-www-form-urlencoded'], $body);
} map { ($_) x 10 } $stage->forms(20);

# A process that floods until then, from so many addresses; it writes down how
# it was answered.
sub flood {
    my ($until, $addresses, $file) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    POSIX::nice(5);         # what it costs to send is no part of the promise
    my $select = IO::Select->new;
    my (%status, @sock);
    for my $n (1 .. $addresses) {
        my $from = $addresses == 1 ? '127.0.0.1' : sprintf '127.1.%d.%d', $n / 250, $n % 250 + 1;
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $edge->port,
            LocalAddr => $from, Proto => 'tcp', Timeout => 5) or next;
        push @sock, $sock;
        $select->add($sock);
    }
    my $each = $addresses == 1 ? 16 : 2;        # posts on their way per connection
    my ($n, $answered, $buffer, $began) = (0, 0, '', now());
    syswrite $_, join '', map { $posts[ $n++ % @posts ] } 1 .. $each for @sock;
    while (now() < $until) {
        for my $sock ($select->can_read(0.05)) {
            if (!sysread $sock, $buffer, 65536) { $select->remove($sock); next }
            my $got = 0;
            while ($buffer =~ /^HTTP\/1\.1 (\d+)/mg) { $status{$1}++; $got++ }
            $answered += $got;
            my $ahead = $answered / $RATE - (now() - $began);
            Time::HiRes::usleep(1e6 * $ahead) if $ahead > 0;
            syswrite $sock, join '', map { $posts[ $n++ % @posts ] } 1 .. $got if $got;
        }
    }
    write_file($file, join ' ', map {"$_ $status{$_}"} sort keys %status);
    POSIX::_exit(0);
}

my $load = $stage->load(webhooks => $WEBHOOKS, connections => 8);
my @parts = (['alone', 0], ['one address', 1], ["$ADDRESSES addresses", $ADDRESSES]);
my $settle = 0.3;
for my $part (@parts) {
    my ($name, $addresses) = @$part;
    my $file = temp_dir() . "/flood.$addresses";
    push @$part, my $from = now();
    my $pid = $addresses ? flood($from + $SECONDS, $addresses, $file) : 0;
    wait_for(sub { now() > $from + $SECONDS }, $name, $SECONDS + 5);
    push @$part, now(), $file;
    ok !$pid || wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 'the flood', 30),
        "F4: $name";
}
my $seen = $load->stop;
my $hooks = $seen->{webhook};

my %p99;
for my $part (@parts) {
    my ($name, $addresses, $from, $until, $file) = @$part;
    my ($ms) = Tomo::Test::Generator::between($hooks, $from + $settle, $until);
    $p99{$name} = Tomo::Test::Generator::quantile($ms, 0.99) // 0;
    figure("webhooks, $name" => Tomo::Test::Generator::latency($ms));
    next if !$addresses;
    my %status = split / /, read_file($file);
    my $posts = 0;
    $posts += $_ for values %status;
    figure("posts a second, $name" => int $posts / ($until - $from));
    figure("answers to posts, $name" => join ', ', map {"$_: $status{$_}"} sort keys %status);
    figure("webhook p99 change, $name" => sprintf '%+.1f ms', $p99{$name} - $p99{alone});
    cmp_ok $posts, '>', 20 * $SECONDS, "F4: $name: a flood";
    is join(' ', grep { !/^(?:303|503)$/ } keys %status), '', "F4: $name: as posts are answered";
    cmp_ok $p99{$name}, '<', full() ? 500 : 1000 * Tomo::Test::slow(),
        "F4: $name: webhooks are not delayed";
}
is figure('webhooks refused' => $stage->refused({ webhook => $hooks })), 0,
    'F4: no webhook is refused';
cmp_ok figure('longest webhook, ms' => $hooks->{all_ms}[-1]), '<', 2000 * Tomo::Test::slow(),
    'F4: none waits as long as LINE does';
my $found = $stage->drained(120);
is figure('acknowledged but missing' => $stage->missing({ webhook => $hooks }, $found)), 0,
    'F4: nothing is missing';

done_testing;
