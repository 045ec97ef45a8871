# W7: Each webhook event has one effect, however many copies of it arrive, by
# whichever way, and whatever is killed meanwhile.
#
# Three generators send every event once each, in other groups and another
# order, over connections that are made anew, so that copies meet at different
# workers of nginx. Meanwhile nginx's workers, ingest and Redis are killed, and
# the ship-marks are taken away so that the edge ships again what it keeps. The
# generators know the ids; the effects are counted on the friends' timelines.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util ();
use POSIX ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;

my $IDS     = pick(short => 3_000, full => 100_000);
my $FRIENDS = int $IDS / 100;                           # a timeline keeps 200 rows
my $GROUP   = pick(short => 10, full => 20);
my $COPIES  = 3;
my %EVERY   = (                                         # seconds between two
    edge   => pick(short => 0.3, full => 1),
    ingest => pick(short => 0.8, full => 2),
    redis  => pick(short => 2,   full => 6),
    ship   => pick(short => 1.2, full => 8),
);

Tomo::Test::Nginx->allow_alert(qr/exited on signal 9/);
my $in   = Tomo::Test::Ingest->start(undecided => 1);
my $edge = Tomo::Test::Nginx->start(redis => $in->redis, workers => 3,
    journal => 'keep=1h max=2g segment=2m');
my $empty = qq({"destination":"$Tomo::Test::Files::BOT_USER_ID","events":[]});
ok wait_for(sub { (send_body($empty) // 0) == 200 }, 'the edge knows the account', 10),
    'the edge takes webhooks';

sub send_body {
    my ($body, $client) = @_;
    my $status = eval {
        $client //= Tomo::Test::Http->connect($edge->port) or die;
        $client->send(Tomo::Test::Http::format_request('POST', '/line/webhook/demo', [
            'Content-Type'     => 'application/json',
            'x-line-signature' => Tomo::Test::Webhook::sign($body)
        ], $body)) or die;
        $client->response->{status};
    };
    return $status;
}

# by hand: the copies of an event must be the same bytes
my $now = now_ms();

sub event_text {
    my ($i, $copy) = @_;
    return sprintf '{"type":"message","mode":"active","timestamp":%d,"source":{"type":"user",'
        . '"userId":"%s"},"webhookEventId":"%s","deliveryContext":{"isRedelivery":%s},'
        . '"message":{"type":"text","id":"%d","text":"m%d"}}',
        $now - $i % 1000, $in->user(1 + $i % $FRIENDS), id_of($i), $copy ? 'true' : 'false', $i, $i;
}

sub id_of { return sprintf '01JW7%021d', $_[0] }

# Sends every event once; a body that is not answered 200 comes again.
sub generate {
    my ($copy, $path) = @_;
    srand 70 + $copy;
    my @order = $copy ? List::Util::shuffle(0 .. $IDS - 1) : (0 .. $IDS - 1);
    my ($client, $posts, $again) = (undef, 0, 0);
    while (my @some = splice @order, 0, $GROUP) {
        my $body = sprintf '{"destination":"%s","events":[%s]}', $Tomo::Test::Files::BOT_USER_ID,
            join ',', map { event_text($_, $copy) } @some;
        for (;;) {
            undef $client if $posts++ % 5 == 0;
            $client //= eval { Tomo::Test::Http->connect($edge->port) };
            last if $client && (send_body($body, $client) // 0) == 200;
            undef $client;
            $again++;
            Time::HiRes::usleep(5000);
        }
    }
    write_file($path, $again);
    return;
}

my @generators = map {
    my $copy = $_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $ok = eval { generate($copy, temp_dir() . "/again.$copy"); 1 };
        print STDERR $@ if !$ok;
        POSIX::_exit($ok ? 0 : 1);
    }
    $pid;
} 0 .. $COPIES - 1;

# --- who is killed ----------------------------------------------------------

my %done = map { $_ => 0 } keys %EVERY;
my %kill = (
    edge => sub {
        my @pids = $edge->worker_pids or return 0;
        return kill 'KILL', $pids[ rand @pids ];
    },
    ingest => sub { $in->worker->kill_now; $in->worker->launch; return 1 },
    redis  => sub { $in->redis->kill_now; $in->redis->restart; return 1 },
    # in one go: no edge writes its mark in between
    ship => sub {
        $in->redis->cmd('MULTI');
        $in->redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        $in->redis->cmd('DEL', $in->key('ship'));
        $in->redis->cmd('EXEC');
        return 1;
    },
);

srand;
my %next = map { $_ => Time::HiRes::time() + $EVERY{$_} } keys %EVERY;
my (%status, $from);
$from = Time::HiRes::time();
wait_for(sub {
    for my $what (sort keys %EVERY) {
        next if Time::HiRes::time() < $next{$what};
        $done{$what}++ if $kill{$what}->();
        $next{$what} = Time::HiRes::time() + $EVERY{$what} * (0.5 + rand);
    }
    for my $pid (grep { !exists $status{$_} } @generators) {
        $status{$pid} = $? if waitpid($pid, POSIX::WNOHANG()) == $pid;
    }
    return keys %status == @generators;
}, 'everything sent', pick(short => 60, full => 1800));
is_deeply [grep {$_} values %status], [], 'every copy was answered 200';
$kill{$_}->() && $done{$_}++ for grep { !$done{$_} } sort keys %kill;
my $seconds = Time::HiRes::time() - $from;

# --- what came of it --------------------------------------------------------

sub waiting {
    my $r = http_get($edge->port, '/tomo/status?format=json') or return;
    my $status = eval { JSON::PP::decode_json($r->{body}) } or return;
    return $status->{waiting};
}

ok wait_for(sub { my $n = waiting(); defined $n && $n == 0 }, 'everything shipped', 120),
    'everything is shipped';
ok $in->settle(300), 'everything is decided';

my %effects;
my $serials = $in->redis->cmd('HGET', $in->key('meta'), 'serial');
for my $serial (1 .. $serials) {
    for my $row (@{ $in->redis->cmd('LRANGE', $in->key("tl:$serial"), 0, -1) }) {
        $effects{$1}++ if $row =~ /^id=(\w+)&at=\d+&kind=text\b/;
    }
}
my @n = map { $effects{ id_of($_) } // 0 } 0 .. $IDS - 1;
my ($min, $max) = (List::Util::min(@n), List::Util::max(@n));
my $cursor = $in->cursor;
figure('ids' => $IDS);
figure('copies sent of each' => $COPIES);
figure('posts repeated because of a kill' =>
    List::Util::sum(map { read_file(temp_dir() . "/again.$_") || 0 } 0 .. $COPIES - 1));
figure('workers of nginx killed'       => $done{edge});
figure('ingest killed'                 => $done{ingest});
figure('Redis killed'                  => $done{redis});
figure('everything kept shipped again' => $done{ship});
figure('events decided'                => $cursor->{events});
figure('seconds of load'               => sprintf '%.0f', $seconds);
figure('least effects of an id'        => $min);
figure('most effects of an id'         => $max);
is $min, 1, 'W7: no event is missing';
is $max, 1, 'W7: none has an effect twice';
is keys %effects, $IDS, 'W7: no effect of anything else';
is $serials, $FRIENDS, 'W7: each person is one friend';
is $cursor->{conflicts}, 0, 'W7: no copy is taken for another event';
is $cursor->{quarantined}, 0, 'W7: none is set aside';
is $cursor->{events}, $cursor->{handled} + $cursor->{quarantined}, 'W7: the counters balance';
is $cursor->{handled} - $cursor->{duplicates}, $IDS, 'W7: copies are counted as copies';

done_testing;
