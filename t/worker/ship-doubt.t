#!/usr/bin/perl

# B98: EXEC takes nothing back: where Redis refuses the records of a transaction
# of the worker's, the mark beside them moved. It is put back, also when the
# answer of EXEC or what puts it back is lost on the way, and nothing is lost.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Files;
use Tomo::Test::Hostile;
use Tomo::Test::Http;

my $redis = Tomo::Test::Redis->start;
my $front = Tomo::Test::Hostile->start(redis => $redis);
my $api   = Tomo::Test::Worker->start(redis => $front->socket, role => 'api');
my ($in, $ship) = ('tomo:{demo}:in', 'tomo:{demo}:ship');
my (@sent, @open);

# A change; what is taken stays in the api's journal, whoever answers it.
sub change {
    my $id = 't' . (@sent + 1);
    my $c  = Tomo::Test::Http->connect($api->api_socket);
    $c->send(Tomo::Test::Http::format_request('PUT',
            "/api/v1/accounts/demo/definitions/tag/$id",
            [ Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            'Content-Type' => 'application/json' ], qq({"kind":"tag","id":"$id","name":"V"})));
    push @open, $c;
    push @sent, $id;
    return;
}

sub arrives {
    my ($what) = @_;
    my $have = sub {
        return map { my %field = @{ $_->[1] }; $field{b} =~ m{\b(t\d+)\b} }
            @{ $redis->cmd('XRANGE', $in, '-', '+') };
    };
    ok wait_for(sub { $have->() >= @sent }, 'all ship', 20), "$what: all ship";
    return is_deeply [ $have->() ], \@sent, "$what: in order, once";
}

sub mark { return { @{ $redis->cmd('HGETALL', $ship) } } }

sub held {
    my ($what, $n) = @_;
    return ok wait_for(sub { (() = $api->output =~ /demo is held: /g) == $n }, 'held', 20),
        "$what: held";
}

sub broken { $redis->cmd('RENAME', $in, 'kept'); return $redis->cmd('SET', $in, 'x') }
sub right  { $redis->cmd('DEL',    $in); return $redis->cmd('RENAME', 'kept', $in) }

change();
arrives('before');
my ($writer, $was) = %{ mark() };

# --- what puts it back is refused, and then the connection is lost ---------------------
$front->be('alone:HSET:OOM');
broken();
change();
held('not put back', 1);
ok wait_for(sub { mark()->{$writer} > $was }, 'moved', 10), 'not put back: the mark has moved';
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
$front->be('pass');
ok wait_for(sub { mark()->{$writer} == $was }, 'put back', 20), 'it is put back when it is read';
right();
arrives('put back');

# --- the answer of EXEC is lost -----------------------------------------------------------
for my $round (1 .. 3) {
    change();
    arrives("round $round");
    broken();
    $front->be('only:EXEC:closes');
    change();
    ok wait_for(sub { $front->met }, 'lost', 10), "round $round: an answer is lost";
    $front->be('pass');
    held("round $round", 1 + $round);
    right();
    arrives("round $round, right again");
}

# --- and where it says that all went well, nothing is sent again ---------------------------
$front->be('only:EXEC:closes');
change();
ok wait_for(sub { $front->met }, 'lost', 10), 'the answer of a good transaction is lost';
$front->be('pass');
change();
arrives('a good transaction');

# --- the role is killed before it puts the mark back -----------------------------------------
for my $round (1 .. 2) {
    $was = mark();
    $front->be('alone:HSET:OOM');
    broken();
    change();
    my ($moved) = wait_for(
        sub { my $m = mark(); (grep { $m->{$_} > ($was->{$_} // 0) } keys %$m)[0] }, 'moved', 10);
    ok $moved, "kill $round: the mark has moved";
    my $ahead = mark()->{$moved};
    $api->kill_now;
    @open = ();
    $front->be('pass');
    $api->launch;
    ok wait_for(sub { mark()->{$moved} < $ahead }, 'back', 20),
        "kill $round: who adopts puts it back";
    right();
    arrives("kill $round, right again");
    change();                           # its own writer has a mark, too
    arrives("kill $round, and on");
}

done_testing;
