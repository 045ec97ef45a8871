#!/usr/bin/perl

# B98, W2: while an account is held, what its journal kept and what Redis lost is
# told as it is: an adopted journal whose oldest segment was shipped and removed
# lacks nothing, and a Redis that went back is counted, once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::DeadWriter;
use Tomo::Test::Feed;
use Tomo::Test::Webhook;

my $n = 0;

sub record { return [ $_[0], sprintf '{"events":[],"n":%d}', ++$n ] }

sub bodies {
    my ($redis, $account) = @_;
    return map { $_->[1]{b} } @{ $redis->stream("tomo:{$account}:in") };
}

sub arrives {
    my ($redis, $account, $what, @bodies) = @_;
    ok wait_for(sub { bodies($redis, $account) >= @bodies }, "$account ships", 20),
        "$what: $account ships";
    return is_deeply [ bodies($redis, $account) ], \@bodies, "$what: $account: in order, once";
}

sub held {
    my ($edge, $accounts, $what) = @_;
    return ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{held} == $accounts }, 'held', 20),
        "$what: $accounts held";
}

sub counter { return Tomo::Test::Status::counter(@_) }

# Redis was asked for the held account again, some times.
sub tried {
    my ($redis, $what) = @_;
    my $asked = sub { $redis->cmd('INFO', 'errorstats') =~ /WRONGTYPE:count=(\d+)/ ? $1 : 0 };
    my $was = $asked->();
    return ok wait_for(sub { $asked->() > $was + 3 }, 'tried again', 30), "$what: tried again";
}

# --- a journal whose first segment was shipped and removed ------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, map { { id => "shop$_", number => $_ } } 1, 2);
    my $edge = Tomo::Test::Nginx->new(redis => $redis, workers => 1);
    my @old  = map { record("shop$_") } 1, 2, 1, 2, 1, 2;
    my @left = map { record("shop$_") } 1, 2, 1, 2;
    my $folder = dead_segments($edge, 0xa1, { records => [ @old[ 0 .. 3 ] ] },
        { records => [ @old[ 4, 5 ], @left ] });
    unlink "$folder/0000000000000001.seg" or die "$folder: $!\n";
    $redis->cmd('HSET', 'tomo:{shop1}:ship', sprintf('%016x', 0xa1), 5);
    $redis->cmd('SET', 'tomo:{shop2}:ship', 'x');
    $edge->launch;
    held($edge, 1, 'removed');
    arrives($redis, 'shop1', 'removed', map { $_->[1] } @left[ 0, 2 ]);
    tried($redis, 'removed');
    is counter($edge, 'ship_incidents'), 0, 'removed: no alarm while it is held';
    $redis->cmd('MULTI');
    $redis->cmd('DEL', 'tomo:{shop2}:ship');
    $redis->cmd('HSET', 'tomo:{shop2}:ship', sprintf('%016x', 0xa1), 6);
    $redis->cmd('EXEC');
    held($edge, 0, 'removed');
    arrives($redis, 'shop2', 'removed', map { $_->[1] } @left[ 1, 3 ]);
    is counter($edge, 'ship_incidents'), 0, 'removed: nor afterwards';
    is counter($edge, 'ship_quarantined'), 0, 'removed: nothing was set aside';
    is counter($edge, 'redis_rollbacks'), 0, 'removed: nor did Redis go back';
    unlike $edge->error_log, qr/no longer keeps/, 'removed: no word of it';
    ok $edge->quit, 'removed: QUIT';
}

# --- Redis goes back while an account is held -------------------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, map { { id => "shop$_", number => $_ } } 1, 2);
    my $edge = Tomo::Test::Nginx->start(redis => $redis, workers => 1);
    ok wait_served($redis, 1, "shop$_"), "the edge serves shop$_" for 1, 2;
    my %sent;
    my $post = sub {
        my ($count, @accounts) = @_;
        my $bad = 0;
        for (1 .. $count) {
            for my $account (@accounts) {
                my $body = record($account)->[1];
                my $r = send_webhook($edge, $body, account => $account);
                $bad++ if !$r || $r->{status} != 200;
                push @{ $sent{$account} }, $body;
            }
        }
        return is $bad, 0, "$count webhooks of @accounts are answered 200";
    };
    $post->(3, 'shop1', 'shop2');
    arrives($redis, $_, 'before', @{ $sent{$_} }) for 'shop1', 'shop2';

    $redis->cmd('RENAME', 'tomo:{shop2}:in', 'kept');
    $redis->cmd('SET', 'tomo:{shop2}:in', 'x');
    $post->(1, 'shop2');
    held($edge, 1, 'back');
    $post->(10, 'shop1');
    arrives($redis, 'shop1', 'back', @{ $sent{shop1} });
    is counter($edge, 'redis_rollbacks'), 0, 'back: not yet';

    # its last five records, and where it was before them
    my @last = map { $_->[0] } @{ $redis->stream('tomo:{shop1}:in') };
    my @mark = @{ $redis->cmd('HGETALL', 'tomo:{shop1}:ship') };
    $redis->cmd('MULTI');
    $redis->cmd('XDEL', 'tomo:{shop1}:in', @last[ -5 .. -1 ]);
    $redis->cmd('HSET', 'tomo:{shop1}:ship', $mark[0], $mark[1] - 5);
    $redis->cmd('EXEC');
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    arrives($redis, 'shop1', 'back', @{ $sent{shop1} });
    is counter($edge, 'redis_rollbacks'), 1, 'back: it is counted';
    my ($low, $high) = ($mark[1] - 5, $mark[1]);
    like $edge->error_log, qr/only up to sequence $low of $high: shipping again/,
        'back: and told from where to where';
    tried($redis, 'back');
    $redis->cmd('DEL', 'tomo:{shop2}:in');
    $redis->cmd('RENAME', 'kept', 'tomo:{shop2}:in');
    held($edge, 0, 'back');
    arrives($redis, $_, 'right again', @{ $sent{$_} }) for 'shop1', 'shop2';
    is counter($edge, 'redis_rollbacks'), 1, 'right again: counted once';
    ok Tomo::Test::Status::wait_shipped($edge, 20), 'right again: nothing waits';
    is counter($edge, 'ship_incidents'), 0, 'right again: no alarm';
}

done_testing;
