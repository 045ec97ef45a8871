# What Redis refuses inside a transaction of the worker's is shipped again, though
# the mark beside it was written: EXEC takes back nothing.  RELIABILITY.md B98, X3.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Tomo::Test;
use Tomo::Test::Files;
use Tomo::Test::Http;

my $redis = Tomo::Test::Redis->start;
my $api   = Tomo::Test::Worker->start(redis => $redis, role => 'api');
my $in    = 'tomo:{demo}:in';
my (%sent, @open);

# A change; what is taken stays in the api's journal, whoever answers it.
sub change {
    my ($id) = @_;
    my $c = Tomo::Test::Http->connect($api->api_socket);
    $c->send(Tomo::Test::Http::format_request('PUT',
            "/api/v1/accounts/demo/definitions/tag/$id",
            [ Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            'Content-Type' => 'application/json' ], qq({"kind":"tag","id":"$id","name":"V"})));
    push @open, $c;
    $sent{$id} = 1;
    return;
}

sub arrived {
    my %n;
    for my $entry (@{ $redis->cmd('XRANGE', $in, '-', '+') }) {
        my %field = @{ $entry->[1] };
        $n{$1}++ if $field{b} =~ /"name":"V"/ && $field{b} =~ m{(t\d+)};
    }
    return \%n;
}

change($_) for qw(t1 t2);
ok wait_for(sub { keys %{ arrived() } == 2 }, 'both', 10), 'two changes arrive';

for my $round (1 .. 3) {
    my $from = length $api->output;
    $redis->cmd('RENAME', $in, 'kept');
    $redis->cmd('SET', $in, 'somebody was here');
    change("t${round}0");
    ok wait_for(
        sub { substr($api->output, $from) =~ /demo is held: .*: WRONGTYPE/ }, 'a line', 10
    ), 'B98: the stream is a string: the log says so, and why';
    change("t${round}1");
    my $met = sub { return $redis->cmd('INFO', 'errorstats') =~ /WRONGTYPE:count=(\d+)/ ? $1 : 0 };
    my $n = $met->();
    ok wait_for(sub { $met->() > $n + 1 }, 'refused again', 15), 'B98: it is tried again';
    $redis->cmd('RENAME', 'kept', $in);
    ok wait_for(sub { keys %{ arrived() } == keys %sent }, 'all', 20),
        "B98: put right: all of it arrives ($round)";
}

is_deeply [ sort keys %{ arrived() } ], [ sort keys %sent ], 'B98: nothing is lost';
done_testing;
