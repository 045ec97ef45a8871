# R5: Nobody receives a link that an edge does not know: a message with a new
# link waits until every live edge has it, five seconds at most.
#
# Two edges on one Redis. A new link is stored, and a new friend is greeted with
# it at once; as soon as the message is seen, both edges are asked for it. In
# every second round the second edge meanwhile stands still, loses its connection
# or starts anew, in turn; several messages wait then at the same time.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Promise;

my $LINKS  = pick(short => 12, full => 400);
my $BURST  = pick(short => 2, full => 5);      # messages that wait in a fault
my @FAULTS = qw(stands_still loses_connection starts_anew);

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

sub greeting {
    my ($text) = @_;
    put('scenario', 'greet', name => 'greet', start => [{ on => 'friend.added' }],
        steps => [{ id => 'now', after => { minutes => 0 },
            messages => [{ type => 'text', text => "GREETING $text" }] }]);
    return;
}

# A new friend, who is greeted with the link of that number.
sub follow {
    my ($n) = @_;
    my $at = Time::HiRes::time();
    return { n => $n, at => $at, user => $sim->add_friend("friend $n") };
}

# The path of her greeting's link; undef: it has not arrived.
sub arrived {
    my ($friend) = @_;
    my $texts = join "\n", map { $_->{text} // '' } map { @{ $_->{messages} } }
        @{ $sim->inbox($friend->{user}) };
    my ($path) = $texts =~ m{GREETING $friend->{n} \S+(/r/[A-Za-z0-9_-]{39})} or return;
    $friend->{seconds} = Time::HiRes::time() - $friend->{at};
    return $friend->{path} = $path;
}

# Decided: it waits in the outbox, or went out already.
sub decided {
    my ($friend) = @_;
    return arrived($friend) || grep { ($_->[1]{body} // '') =~ /GREETING $friend->{n} / }
        @{ $redis->stream('tomo:{demo}:out') };
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
greeting("0 {{link:old}}");
my @plain = map {
    my $friend = follow(0);
    wait_for(sub { arrived($friend) }, 'a greeting with an old link', 20);
    $friend->{seconds} // 20;
} 0 .. pick(short => 5, full => 50);
shift @plain;       # the first of all

my (@waited, @unknown, %links, %arrived);
my ($n, $longest) = (0, 0);

# Stores so many links, greets with each, and follows all of them to the edges.
sub round {
    my ($fault, $times) = @_;
    my @friends;
    for (1 .. $times) {
        $n++;
        put('link', "l$n", name => 'new', url => "https://shop.example/$n");
        greeting("$n {{link:l$n}}");
        push @friends, follow($n);
        wait_for(sub { decided($friends[-1]) }, "greeting $n decided", 20) if $times > 1;
    }

    # Asked as soon as it is seen: whoever stands still answers late, and whoever
    # was killed when it runs again.
    my @edges_now = $fault eq 'starts_anew' ? $edges[0] : @edges;
    my @open = @friends;
    wait_for(sub {
        for my $friend (grep { arrived($_) } @open) { look($fault, $friend, $_) for @edges_now }
        @open = grep { !$_->{path} } @open;
        return !@open;
    }, "greetings of a round ($fault)", 20);
    $links{$fault} += @friends;
    $arrived{$fault} += grep { $_->{path} } @friends;
    for my $friend (grep { $_->{path} } @friends) {
        $longest = $friend->{seconds} if $friend->{seconds} > $longest;
    }
    return @friends;
}

sub look {
    my ($fault, $friend, $edge) = @_;
    my $to = ask($edge, $friend->{path});
    push @unknown, "link $friend->{n}, $fault: $to"
        if $to ne "https://shop.example/$friend->{n}";
    return;
}

for (my $k = 0; $n < $LINKS; $k++) {
    # After a fault one goes unmeasured: whoever was killed is waited for until
    # her last heartbeat is 5 s old.
    my @quiet = map { round('none', 1) } 1 .. $BURST;
    push @waited, map { $_->{seconds} // 20 } @quiet[ 1 .. $#quiet ];
    my $fault = $FAULTS[ $k % @FAULTS ];
    $FAULT{$fault}[0]->();
    my $pid = 0;
    if ($fault eq 'stands_still') {
        # the fault is over while the messages wait
        my $heal = Time::HiRes::time() + 0.3 + rand 0.7;
        my @pids = $edges[1]->worker_pids;
        $pid = fork // die "fork: $!\n";
        if (!$pid) {
            Time::HiRes::usleep(5000) while Time::HiRes::time() < $heal;
            kill 'CONT', @pids;
            POSIX::_exit(0);
        }
    }
    my @friends = round($fault, $BURST);
    waitpid $pid, 0 if $pid;
    $FAULT{$fault}[1]->();
    next if $fault ne 'starts_anew';
    look($fault, $_, $edges[1]) for grep { $_->{path} } @friends;
}
@waited = sort { $a <=> $b } @waited;
@plain  = sort { $a <=> $b } @plain;
my $added = $waited[int 0.99 * $#waited] - $plain[@plain / 2];
is_deeply \%arrived, \%links, 'R5: every greeting arrived';
figure('messages with a new link' => $n);
figure('of them while an edge ' . $_ =~ tr/_/ /r => $arrived{$_} // 0) for sort @FAULTS;
is figure('hits on unknown links' => scalar @unknown), 0,
    'R5: no edge was asked what it does not know'
    or diag join "\n", @unknown;
figure('delay by a new link while all edges live, p99' => sprintf '%.0f ms', 1000 * $added);
figure('longest, after an edge was killed' => sprintf '%.1f s', $longest);
cmp_ok $added, '<', 5 * Tomo::Test::slow(), 'R5: within the five seconds';

done_testing;
