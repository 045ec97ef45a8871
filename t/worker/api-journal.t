# A change that cannot be made durable is not answered as taken, nor as surely
# not taken: the next life of the role ships what reached the journal. And one that
# is durable is answered, also when the role ends.  DESIGN.md, decision 2.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Files;
use Tomo::Test::Http;
use Tomo::Test::Strace;

my $redis = Tomo::Test::Redis->start;
my $api   = Tomo::Test::Worker->start(redis => $redis, role => 'api', undecided => 1,
    env => { ASAN_OPTIONS => 'detect_leaks=0' });    # not below ptrace

sub put {
    my ($id) = @_;
    return $api->api('PUT', "/accounts/demo/definitions/tag/$id", { name => $id });
}
sub commands { return @{ $redis->stream('tomo:{demo}:in') } }

is put('first')->{status}, 202, 'a change is taken';
my $trace = Tomo::Test::Strace->start(undef, pids => [$api->{pid}],
    args => ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO']);
my $answer = put('second');
is $answer->{status}, 503, 'the disk does not sync: not taken';
is $answer->{json}{error}{code}, 'journal_failed', '... it says why';
like $answer->{json}{error}{message}, qr/may be decided all the same: look before/,
    '... and that it is not certain';
ok wait_for(sub { !$api->alive }, 'its end', 10), 'the role ends';
isnt $api->exit_status, 0, '... as failed';
$trace->stop('INT');
$api->launch;
ok wait_for(sub { commands() == 2 }, 'the command', 10), 'its next life ships what is there';

# --- answers on their way when it ends ----------------------------------------------

sub begin {
    my $c = Tomo::Test::Http->connect($api->api_socket);
    $c->send(Tomo::Test::Http::format_request('PUT',
            '/api/v1/accounts/demo/definitions/tag/third',
            [Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            'Content-Type' => 'application/json'], '{"name":"third"}'));
    return $c;
}

my $before = commands();
for my $round (1 .. 3) {
    my @waiting = map { begin() } 1 .. 40;
    wait_for(sub { commands() == $before + 40 * $round }, 'all in the stream', 10);
    $api->stop;
    my @status = map { my $r = $_->response; $r ? $r->{status} : 'none' } @waiting;
    is_deeply \@status, [(202) x 40], "round $round: whoever waits at the end is answered";
    $api->launch;
}

done_testing;
