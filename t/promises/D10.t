# D10: No access token leaves towards anybody but LINE: not with a certificate
# nobody vouches for or of another host, not by a redirect, not by a proxy that
# the environment names.
#
# The worker has a token and rows to send each time; whoever stands in LINE's
# place writes down each connection and all it can read. Afterwards LINE is back
# and nothing was lost.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Dispatch ();
use Tomo::Test::Liar ();

my $ROWS  = pick(short => 3, full => 30);
my $TRIES = pick(short => 3, full => 12);

my $d = Tomo::Test::Dispatch->new(friends => 3);
my $worker = $d->start;
my $first = $d->verdict($d->push(1, 'with LINE itself'));
is $first->{send}, 'accepted', 'the worker has an access token';
$worker->stop;
my ($bearer) = map { $_->{headers}{authorization} =~ /^Bearer (\S+)/ }
    @{ $d->sim->requests(0, '/v2/bot/message/push') };
ok $bearer, 'which the test knows';

my $other = Tomo::Test::Sim->start(name => 'other', args => ['--no-preview', '--no-redelivery']);
my @rows;

# A listener that keeps every byte it gets.
sub listener {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64)
        or die "cannot listen: $!\n";
    my $path = temp_dir() . '/heard.' . $listen->sockport;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{TERM} = 'DEFAULT';
        while (my $client = $listen->accept) {
            sysread $client, my $bytes, 65536;
            open my $out, '>>', $path;
            print {$out} "connection\n", $bytes // '', "\n";
            close $out;
        }
        POSIX::_exit(0);
    }
    my $port = $listen->sockport;
    close $listen;
    return { port => $port, path => $path, pid => $pid };
}

# Sends against it until it was met often enough; what it heard of the token.
sub against {
    my ($what, $met, $heard, %o) = @_;
    push @rows, my @held = map { $d->push($_ % 3 + 1, "held $what") } 1 .. $ROWS;
    $worker->{env} = $o{env};
    $worker->write_ini(line => $o{line} || {});
    $worker->launch;
    ok wait_for(sub { $met->() >= $TRIES }, "$what: tries", 20 + 10 * $TRIES),
        "D10: $what: was met";
    $worker->stop;
    my $text = $heard->();
    my $seen = () = $text =~ /\Q$bearer\E|Bearer/g;
    is figure("$what: bearer tokens seen" => $seen), 0, "D10: $what: no token was seen";
    unlike $text, qr/client_secret/, "D10: $what: nor the channel's secret";
    is_deeply [map { @{ $d->verdicts_of($_) } } @held], [], "D10: $what: nothing is consumed";
    return;
}

my $liar = Tomo::Test::Liar->start(sim => $other);
against('self-signed', sub { $liar->connections }, sub { $liar->text },
    line => { unix_socket => $liar->line_socket });

$liar = Tomo::Test::Liar->start(sim => $d->sim);
against('a certificate of another host', sub { $liar->connections }, sub { $liar->text },
    line => { unix_socket => $liar->line_socket, url => 'https://api.other.example' });

# A redirect comes from LINE itself, so the token is seen there, and only there.
my $away = listener();
$liar = Tomo::Test::Liar->start(sim => $d->sim);
$liar->always("301 https://127.0.0.1:$away->{port}/take");
against('301 to elsewhere', sub { scalar @{ $liar->requests } },
    sub { read_file($away->{path}) . join '', map {"$_->{path}\n"} @{ $liar->requests } },
    line => { unix_socket => $liar->line_socket });
is scalar(grep { $_->{path} =~ /take/ } @{ $liar->requests }), 0, 'D10: 301: nobody went there';
ok !-e $away->{path}, 'D10: 301: nor to the other server';

# No socket here: what libcurl would do with a proxy, it would do now.
my ($proxy, $direct) = (listener(), listener());
my $url = "http://127.0.0.1:$proxy->{port}";
my $met = sub { my $n = () = read_file($direct->{path}) =~ /^connection$/mg; return $n };
against('a proxy in the environment', $met,
    sub { read_file($proxy->{path}) . read_file($direct->{path}) },
    env => { map { ($_ => $url) } qw(HTTPS_PROXY https_proxy ALL_PROXY all_proxy http_proxy) },
    line => { unix_socket => undef, url => "https://127.0.0.1:$direct->{port}" });
ok !-e $proxy->{path}, 'D10: the proxy saw nobody';

kill 'TERM', $_->{pid} for $away, $proxy, $direct;
waitpid $_->{pid}, 0 for $away, $proxy, $direct;

# LINE is back.
$worker->{env} = {};
$worker->write_ini;
$worker->launch;
is scalar(grep { $d->verdict($_, 20)->{send} ne 'accepted' } @rows), 0,
    'D10: with LINE itself all rows go out';
figure('rows held and then sent' => scalar @rows);
is scalar(grep { $_ > 1 } values %{ $d->accepted_keys }), 0, 'D10: none of them twice';

done_testing;
