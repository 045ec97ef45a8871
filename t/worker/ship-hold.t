#!/usr/bin/perl

# B98, B102: what Redis refuses of one account holds that account alone, in the
# worker's own journals too. Its records wait on disk, the others' ship on; when
# its keys are right again they follow, in order and once. The operator is told
# once, with its name.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Files;
use Tomo::Test::Http;

my @all   = qw(demo shop2 shop3);
my $redis = Tomo::Test::Redis->start;

sub account {
    my ($n) = @_;
    my $bot = write_file(temp_dir() . "/bot$n", 'U' . $n x 32 . "\n", 0600);
    return (
        number => $n, channel_id => $n, zone => 'Asia/Tokyo', bot_user_id_file => $bot,
        channel_secret_file => Tomo::Test::Files::path('channel-secret')
    );
}

my $api = Tomo::Test::Worker->start(redis => $redis, role => 'api',
    ini => { map { ("account shop$_" => { account($_) }) } 2, 3 });
my (%sent, @open, $n);

# A change of each account; what is taken stays in the api's journal, whoever
# answers it.
sub change {
    my ($count) = @_;
    for (1 .. $count) {
        $n++;
        for my $account (@all) {
            my $c = Tomo::Test::Http->connect($api->api_socket);
            $c->send(Tomo::Test::Http::format_request('PUT',
                    "/api/v1/accounts/$account/definitions/tag/t$n",
                    [ Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
                    'Content-Type' => 'application/json' ],
                    qq({"kind":"tag","id":"t$n","name":"V"})));
            push @open, $c;
            push @{ $sent{$account} }, "t$n";
        }
    }
    return;
}

sub entries {
    my ($account) = @_;
    return map { { @{ $_->[1] } } } @{ $redis->cmd('XRANGE', "tomo:{$account}:in", '-', '+') };
}

# What Redis has of an account is what was sent, once, and each writer's in the
# order of its journal.
sub arrives {
    my ($what, @accounts) = @_;
    for my $account (@accounts) {
        ok wait_for(sub { entries($account) >= @{ $sent{$account} } }, "$account ships", 30),
            "$what: $account ships";
        my (%last, @ids);
        my $early = 0;
        for my $field (entries($account)) {
            my ($writer, $seq) = $field->{o} =~ /^([0-9a-f]{16})\W(\d+)$/;
            $early++ if $seq <= ($last{$writer} // 0);
            $last{$writer} = $seq;
            push @ids, $field->{b} =~ m{\b(t\d+)\b};
        }
        is_deeply [ sort @ids ], [ sort @{ $sent{$account} } ], "$what: $account: each once";
        is $early, 0, "$what: $account: in order";
    }
    return;
}

sub told {
    my ($account) = @_;
    return scalar(() = $api->output =~ /\b$account is held: Redis does not take its records/g);
}

sub ended {
    my ($account) = @_;
    return scalar(() = $api->output =~ /\b$account is no longer held/g);
}

# Redis was asked again, some times.
sub tried {
    my ($what) = @_;
    my $asked = sub {
        my $count = 0;
        $count += $_
            for $redis->cmd('INFO', 'errorstats') =~ /errorstat_(?:WRONGTYPE|NOPERM):count=(\d+)/g;
        return $count;
    };
    my $was = $asked->();
    return ok wait_for(sub { $asked->() > $was + 2 }, 'tried again', 30), "$what: tried again";
}

change(2);
arrives('well before', @all);

# --- a key of another type ---------------------------------------------------------
$redis->cmd('RENAME', 'tomo:{shop2}:in', 'kept');
$redis->cmd('SET', 'tomo:{shop2}:in', 'x');
change(5);
arrives('WRONGTYPE', 'demo', 'shop3');
ok wait_for(sub { told('shop2') }, 'told', 10), 'WRONGTYPE: the operator is told';
like $api->output, qr/shop2 is held: .*WRONGTYPE.*move away what lies at its keys/,
    'WRONGTYPE: and what to do';
tried('WRONGTYPE');
change(3);
arrives('WRONGTYPE, later', 'demo', 'shop3');

# Its neighbour as well, by its mark; and the connection is lost meanwhile.
my ($mark, $was) = @{ $redis->cmd('HGETALL', 'tomo:{shop3}:ship') };
$redis->cmd('HSET', 'tomo:{shop3}:ship', $mark, 'much');
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
change(3);
arrives('two of three held', 'demo');
ok wait_for(sub { told('shop3') }, 'told', 10), 'a mark that is no number: the operator is told';
$redis->cmd('HSET', 'tomo:{shop3}:ship', $mark, $was);
arrives('the mark is right again', 'demo', 'shop3');

$redis->cmd('DEL', 'tomo:{shop2}:in');
$redis->cmd('RENAME', 'kept', 'tomo:{shop2}:in');
arrives('the stream is back', @all);
is told('shop2'), 1, 'the operator is told once of shop2';
is told('shop3'), 1, 'and once of shop3';
is told('demo'), 0, 'never of demo';
ok wait_for(sub { ended('shop2') && ended('shop3') }, 'ended', 10), 'and that it is over';

# --- the other lane ------------------------------------------------------------------
$redis->cmd('SET', 'tomo:{shop2}:bulk', 'x');
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
change(2);
arrives('the other lane', 'demo', 'shop3');
ok wait_for(sub { told('shop2') == 2 }, 'told', 10), 'the other lane: the operator is told again';
$redis->cmd('DEL', 'tomo:{shop2}:bulk');
arrives('the other lane is right', @all);

# --- no right to append, and a restart meanwhile --------------------------------------
$redis->cmd('ACL', 'SETUSER', 'worker', 'resetkeys', '~tomo:{demo}:*', '~tomo:{shop3}:*',
    '%R~tomo:{shop2}:*', '~tomo:{shop2}:ship', '~tomo:edges', '~tomo:accounts', '~tomo:probe');
change(3);
arrives('NOPERM', 'demo', 'shop3');
ok wait_for(sub { told('shop2') == 3 }, 'told', 10), 'NOPERM: the operator is told';
like $api->output, qr/shop2 is held: .*NOPERM.*give the worker's user its rights back/,
    'NOPERM: and what to do';
tried('NOPERM');
is told('shop2'), 3, 'NOPERM: once';
@open = ();
$api->restart;
change(3);
arrives('NOPERM, started again', 'demo', 'shop3');
ok wait_for(sub { told('shop2') == 4 }, 'told', 10), 'NOPERM, started again: told once more';
tried('NOPERM, started again');
is told('shop2'), 4, 'NOPERM, started again: once of both writers';
$redis->cmd('ACL', 'SETUSER', 'worker', '~tomo:*');
arrives('rights are back', @all);

# --- what is refused altogether holds nobody -------------------------------------------
$redis->cmd('ACL', 'SETUSER', 'worker', '-multi');
change(2);
ok wait_for(sub { $api->output =~ /does not take the journal's records: NOPERM/ }, 'told', 10),
    'no transactions: the log says so';
is_deeply [ map { told($_) } @all ], [ 0, 4, 1 ], 'no transactions: nobody is held';
$redis->cmd('ACL', 'SETUSER', 'worker', '+multi');
wait_for(sub { entries($_) >= @{ $sent{$_} } }, "$_ ships", 30) for @all;
for my $account (@all) {
    my %have = map { $_->{b} =~ m{\b(t\d+)\b} ? ($1 => 1) : () } entries($account);
    is_deeply [ sort keys %have ], [ sort @{ $sent{$account} } ],
        "transactions again: nothing of $account is lost";
}

done_testing;
