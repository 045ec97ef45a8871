# D11: SIGTERM ends the worker within 8 seconds, whatever it is doing, and
# nothing is lost or sent twice by it.
#
# The whole worker, with its supervisor, is told to end at random moments under
# load and started again, while clicks go on arriving: each makes one message to
# one friend. A generator of its own writes down what it put; what arrived is
# the simulator's word.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util ();
use POSIX ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Steps;

my $TERMS   = pick(short => 4, full => 100);
my $RATE    = pick(short => 100, full => 200);      # clicks a second, also while it is down
my $FRIENDS = 20;

my $s = Tomo::Test::Steps->new(roles => [''], documents => [
    { kind => 'link', id => 'tap', name => 'tap', url => 'https://example.com/', open => \1 },
    { kind => 'scenario', id => 'tapped', name => 'tapped', again => 'restart', late => 'send',
        start => [{ on => 'link.clicked', id => 'tap' }],
        steps => [{ id => 'a', after => { minutes => 0 },
            messages => [{ type => 'text', text => 'step a {{name|you}}' }] }] },
]);
my $worker = $s->role('');
my $in     = $s->{in};
my @users  = $s->follow($FRIENDS);
ok $s->settle('friends are known'), 'friends are known';

# click lines of all friends, as the edge writes them
my $link  = $in->no('link', 'tap');
my @lines = map {
    my $user = $_;
    [$user, Tomo::Test::Ingest::rec(at => now_ms(), link => $link, friend => $in->serial(\$user),
        delivery => 1, day => 2500, check => $in->check(\$user), visit => 'human', ua => 'Line')
        . "\n"];
} @users;

my $clicks = temp_dir() . '/clicks';
my $enough  = temp_dir() . '/enough';                # a signal would cut a call short

sub generate {
    my ($path) = @_;
    open my $journal, '>', $path or die "$path: $!\n";
    $journal->autoflush(1);
    delete $s->{redis}{client};                     # a connection of its own
    my $next = Time::HiRes::time();
    for (my $n = 0; !-e $enough; $n++) {
        my $wait = $next - Time::HiRes::time();
        Time::HiRes::usleep(1_000_000 * $wait) if $wait > 0;
        $next += 1 / $RATE;
        my ($user, $line) = @{ $lines[ $n % @lines ] };
        $in->add('click', $line);
        print {$journal} "$user\n";
    }
    return;
}

my $load = fork // die "fork: $!\n";
if (!$load) {
    my $ok = eval { generate($clicks); 1 };
    print STDERR $@ if !$ok;
    POSIX::_exit($ok ? 0 : 1);
}

my ($worst, $late, @codes) = (0, 0);
for my $term (1 .. $TERMS) {
    Time::HiRes::usleep(50_000 + int rand 700_000);
    my $from = Time::HiRes::time();
    $late++ if !$worker->stop('TERM', 8);
    my $took = Time::HiRes::time() - $from;
    $worst = $took if $took > $worst;
    push @codes, $worker->exit_status;
    $worker->launch;
}
write_file($enough, '');
waitpid $load, 0;
is $?, 0, 'the load ran to its end';
ok wait_for(sub { $s->settled }, 'all decided and sent', 120), 'everything is decided and sent';

my %want;
$want{$_}++ for split /\n/, read_file($clicks);
my $got = $s->arrived(@users);
my ($doubles, $missing) = (0, 0);
for my $user (@users) {
    my $more = $got->{$user}{a} - ($want{$user} // 0);
    diag map { "$_->{seq} $_->{at} $_->{status} $_->{headers}{'x-line-retry-key'}\n" }
        grep { $_->{body} =~ /$user/ } @{ $s->sim->requests(0) } if $more;
    $doubles += $more  if $more > 0;
    $missing += -$more if $more < 0;
}
figure('SIGTERM sent'         => $TERMS);
figure('messages due'         => List::Util::sum(values %want));
figure('messages a second'    => $RATE);
figure('worst stop, s'        => sprintf '%.2f', $worst);
figure('doubles'              => $doubles);
figure('missing'              => $missing);
is $late, 0, 'D11: it never had to be killed';
cmp_ok $worst, '<=', 8 * Tomo::Test::slow(), 'D11: within 8 s';
is_deeply [grep { $_ != 0 } @codes], [], 'D11: with code 0';
is $doubles, 0, 'D11: nothing comes twice';
is $missing, 0, 'D11: nothing is lost';

done_testing;
