# R5: Nobody receives a link that an edge does not know: a message with a new
# link waits until every live edge has it, five seconds at most.
#
# Two edges on one Redis. Each round stores a new link, and a new friend is
# greeted with it at once; as soon as the message is seen, both edges are asked
# for it. Meanwhile the second edge stands still, loses its connection or starts
# anew, in turn.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Promise;

my $ROUNDS = pick(short => 8, full => 400);
my @FAULTS = qw(none stands_still none loses_connection none starts_anew);

my $redis = Tomo::Test::Redis->start;
my @edges = map { Tomo::Test::Nginx->start(redis => $redis, workers => 1) } 1, 2;
$edges[1]->allow_alert(qr/exited on signal 9/);
my $sim = Tomo::Test::Sim->start(edge => $edges[0], args => ['--no-preview', '--no-redelivery']);
my $worker = Tomo::Test::Worker->start(redis => $redis, edge => $edges[0], sim => $sim,
    sandbox => 1, definitions => temp_dir() . '/none');
ok wait_for(sub { $sim->call('POST', '/sim/verify', {})->{status} == 200 }, 'the account', 15),
    'the edge knows the account';

my %revision;

sub put {
    my ($kind, $id, %document) = @_;
    my $r = $worker->api('PUT', "/accounts/demo/definitions/$kind/$id",
        { kind => $kind, id => $id, revision => $revision{"$kind/$id"} // 0, %document });
    $r->{status} == 200 or die "$kind/$id: $r->{status} $r->{body}\n";
    $revision{"$kind/$id"} = $r->{json}{revision};
    return;
}

# A new friend is greeted with that link; seconds until it arrived, and its path.
sub greet {
    my ($name) = @_;
    my ($path, $from) = (undef, Time::HiRes::time());
    my $user = $sim->add_friend($name);
    wait_for(sub {
        ($path) = join("\n", map { $_->{text} // '' } map { @{ $_->{messages} } }
            @{ $sim->inbox($user) }) =~ m{GREETING \S+(/r/[A-Za-z0-9_-]{39})};
    }, "the greeting of $name", 20);
    return (Time::HiRes::time() - $from, $path);
}

sub ask {
    my ($edge, $path) = @_;
    my $r = http_get($edge->port, $path, 'User-Agent' => 'Mozilla/5.0 (iPhone) Line/14.0.0');
    return $r ? $r->{headers}{location} // $r->{status} : 'no answer';
}

my %FAULT = (
    none             => [sub { }, sub { }],
    stands_still     => [
        sub { kill 'STOP', $edges[1]->worker_pids },
        sub { kill 'CONT', $edges[1]->worker_pids },
    ],
    loses_connection => [sub { $redis->cmd('CLIENT', 'KILL', 'USER', 'edge') }, sub { }],
    starts_anew      => [
        sub { kill 'KILL', -$edges[1]->pid; $edges[1]->kill_now },
        sub { $edges[1]->restart },
    ],
);

put('link', 'old', name => 'old', url => 'https://old.example/');
put('scenario', 'greet', name => 'greet', start => [{ on => 'friend.added' }],
    steps => [{ id => 'now', after => { minutes => 0 },
        messages => [{ type => 'text', text => 'GREETING {{link:old}}' }] }]);
greet('first');
my @plain = map { (greet("plain $_"))[0] } 1 .. pick(short => 5, full => 50);

my (@waited, @unknown, %arrived);
my $longest = 0;
for my $round (1 .. $ROUNDS) {
    my $fault = $FAULTS[$round % @FAULTS];
    my $url   = "https://shop.example/$round";
    $FAULT{$fault}[0]->();
    my $heal = Time::HiRes::time() + 0.3 + rand 0.7;
    my $pid  = fork // die "fork: $!\n";
    if (!$pid) {
        # the fault is over while the message waits
        Time::HiRes::usleep(5000) while Time::HiRes::time() < $heal;
        kill 'CONT', $edges[1]->worker_pids if $fault eq 'stands_still';
        POSIX::_exit(0);
    }
    put('link', "l$round", name => 'new', url => $url);
    put('scenario', 'greet', name => 'greet', start => [{ on => 'friend.added' }],
        steps => [{ id => 'now', after => { minutes => 0 },
            messages => [{ type => 'text', text => "GREETING {{link:l$round}}" }] }]);
    my ($seconds, $path) = greet("friend $round");
    $arrived{$fault}++ if $path;
    # whoever was killed is waited for until her last heartbeat is 5 s old
    push @waited, $seconds if $fault eq 'none' && $round % @FAULTS;
    $longest = $seconds if $seconds > $longest;
    waitpid $pid, 0;    # whoever stands still cannot be asked
    my @asked = $fault eq 'starts_anew' ? $edges[0] : @edges;
    for my $edge (grep { $path } @asked) {
        my $to = ask($edge, $path);
        push @unknown, "round $round, $fault: $to" if $to ne $url;
    }
    $FAULT{$fault}[1]->();
    if ($path && $fault eq 'starts_anew') {
        my $to = ask($edges[1], $path);
        push @unknown, "round $round, $fault: $to" if $to ne $url;
    }
}
@waited = sort { $a <=> $b } @waited;
@plain  = sort { $a <=> $b } @plain;
my $added = $waited[int 0.99 * $#waited] - $plain[@plain / 2];
my $arrived = 0;
$arrived += $_ for values %arrived;
is $arrived, $ROUNDS, 'R5: every greeting arrived';
figure('messages with a new link' => $ROUNDS);
figure('of them while an edge ' . $_ =~ tr/_/ /r => $arrived{$_} // 0)
    for sort grep { $_ ne 'none' } keys %FAULT;
is figure('hits on unknown links' => scalar @unknown), 0,
    'R5: no edge was asked what it does not know'
    or diag join "\n", @unknown;
figure('delay by a new link while all edges live, p99' => sprintf '%.0f ms', 1000 * $added);
figure('longest, after an edge was killed' => sprintf '%.1f s', $longest);
cmp_ok $added, '<', 5 * Tomo::Test::slow(), 'R5: within the five seconds';

done_testing;
