package Tomo::Test::Status;

# The edge's counters, from /tomo/status?format=json.

use strict;
use warnings;
use JSON::PP ();
use Test::More ();

# The decoded document; dies if the edge does not give it.
sub fetch {
    my ($edge) = @_;
    my $r = Tomo::Test::Http::get($edge->port, '/tomo/status?format=json');
    die "no status from the edge\n" if !$r || $r->{status} != 200;
    return JSON::PP::decode_json($r->{body});
}

# One counter by name.
sub counter {
    my ($edge, $name) = @_;
    return fetch($edge)->{counters}{$name};
}

# The law: received = shipped + waiting + quarantined.
sub balanced {
    my ($status) = @_;
    return $status->{received}
        == $status->{shipped} + $status->{waiting} + $status->{quarantined};
}

# Waits until all that was received is in Redis (or set aside).
sub wait_shipped {
    my ($edge, $seconds) = @_;
    return Tomo::Test::wait_for(
        sub {
            my $status = eval { fetch($edge) } or return 0;
            return $status->{waiting} == 0 && balanced($status);
        },
        'everything shipped', $seconds // 10
    );
}

# Called at the end of every file: the law at each edge that still runs.
sub check_all {
    my @running = grep { $_->{redis} && !$_->{conf} && $_->alive } Tomo::Test::Nginx::all();
    push @running, Tomo::Test::Sandbox::running() if Tomo::Test::Sandbox->can('running');
    my $bad = '';
    for my $edge (@running) {
        my $last;
        my $ok = Tomo::Test::wait_for(
            sub { $last = eval { fetch($edge) }; $last && balanced($last) },
            "balanced counters", 3
        );
        next if $ok;
        my $name = $edge->{name} // 'sandbox';
        $bad .= "$name: " . ($last ? JSON::PP->new->canonical->encode($last) : $@) . "\n";
    }
    my $what = @running ? 'counters balance' : 'counters balance (no edge left running)';
    Test::More::ok(!$bad, $what) or Test::More::diag($bad);
    return;
}

1;
