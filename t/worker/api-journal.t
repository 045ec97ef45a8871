# A change that cannot be made durable is not answered as taken, nor as surely
# not taken: the next life of the role ships what reached the journal.
# DESIGN.md, decision 2.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
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

done_testing;
