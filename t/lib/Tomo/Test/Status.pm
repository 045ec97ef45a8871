package Tomo::Test::Status;

# The edge's counters, from /tomo/status?format=json, and the laws that hold at
# the end of every test.

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

# What an ingest role that runs has not decided yet: "in: 1-0 of 2-0" or ''.
sub undecided {
    my ($worker) = @_;
    my $prefix = 'tomo:{demo}';
    my $redis  = $worker->{redis};
    my %cursor = @{ $redis->cmd('HGETALL', "$prefix:cursor") };
    my @open;
    for my $lane (qw(in bulk)) {
        my $info = eval { $redis->cmd('XINFO', 'STREAM', "$prefix:$lane") } or next;
        my $last = {@$info}->{'last-generated-id'};
        next if ($cursor{$lane} // '') eq $last && !$cursor{"${lane}_i"};
        push @open, "$lane: " . ($cursor{$lane} // 'nothing') . " of $last";
    }
    return join ', ', @open;
}

# The law of ingest, '' if it holds: every entry that Redis ever added to the two
# streams was passed by the cursor once, and every event in them is handled
# (duplicates too) or in the quarantine. Redis counts the entries itself.
sub unaccounted {
    my ($worker) = @_;
    my $prefix = 'tomo:{demo}';
    my $redis  = $worker->{redis};
    my %cursor = @{ $redis->cmd('HGETALL', "$prefix:cursor") };
    my $n      = sub { $cursor{ $_[0] } // 0 };
    my $added  = sub {
        my $info = eval { $redis->cmd('XINFO', 'STREAM', "$prefix:$_[0]") } or return 0;
        return {@$info}->{'entries-added'};
    };
    my @bad;
    my $entries = $added->('in') + $added->('bulk');
    push @bad, "$entries entries added, " . $n->('entries') . ' passed'
        if $entries != $n->('entries');
    push @bad, $n->('events') . ' events, ' . $n->('handled') . ' handled and '
        . $n->('quarantined') . ' quarantined'
        if $n->('events') != $n->('handled') + $n->('quarantined');
    my $aside = $added->('quarantine');
    push @bad, "$aside in the quarantine, " . $n->('quarantined') . ' events and '
        . $n->('timers_aside') . ' timers counted'
        if $aside != $n->('quarantined') + $n->('timers_aside');
    return join '; ', @bad;
}

sub _check_workers {
    my $bad = '';
    for my $worker (Tomo::Test::Worker::all()) {
        next if $worker->{undecided} || ($worker->{role} // 'ingest') ne 'ingest';
        next if !$worker->alive || !ref $worker->{redis} || !$worker->{redis}->alive;
        my $open;
        Tomo::Test::wait_for(sub { $open = eval { undecided($worker) } // $@; $open eq '' },
            'every entry decided', 5);
        $bad .= "$worker->{name} left entries undecided: $open\n" if $open ne '';
        next if $open ne '' || $worker->{unaccounted};
        # a click may arrive, and be decided, between two readings of Redis
        my $law;
        Tomo::Test::wait_for(sub { $law = eval { unaccounted($worker) } // $@; $law eq '' },
            'the law of ingest', 5);
        $bad .= "$worker->{name} does not balance: $law\n" if $law ne '';
    }
    return $bad;
}

# Called at the end of every file: received = shipped + waiting + quarantined at
# each edge that still runs, no undecided entry at each ingest that still runs,
# and none that it did not count.
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
    $bad .= _check_workers();
    my $what = @running ? 'counters balance' : 'counters balance (no edge left running)';
    Test::More::ok(!$bad, $what) or Test::More::diag($bad);
    return;
}

1;
