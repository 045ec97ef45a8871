#!/usr/bin/perl

# B102, B106: edge and worker before a Redis that refuses or lies. Each error of
# Redis means: the edge keeps what comes in its journal, the worker rests and
# tries again, and a person is told where only a person can help. Broken replies
# cost a connection, at most a role, and nothing that was acknowledged.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Hostile;
use Tomo::Test::Steps;

my $redis = Tomo::Test::Redis->start;
my %front = map { $_ => Tomo::Test::Hostile->start(redis => $redis) } qw(edge worker);
my %pw    = map { $_ => "$redis->{folder}/$_.pw" } qw(edge worker);
my $edge  = Tomo::Test::Nginx->start(redis => $front{edge}->socket,
    redis_args => "user=edge password_file=$pw{edge} timeout=1s connect_timeout=300ms");
$edge->allow_alert(qr/exited on signal/);
my $sim = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview', '--no-redelivery']);
my $s = bless { redis => $redis, sim => $sim, offset => 0,
    in => bless({ redis => $redis, seq => 0 }, 'Tomo::Test::Ingest') }, 'Tomo::Test::Steps';
my $worker = Tomo::Test::Worker->start(redis => $front{worker}->socket, edge => $edge,
    sim => $sim, sandbox => 1, definitions => $s->write_definitions, undecided => 1,
    ini => { redis => { user => 'worker', password_file => $pw{worker} } });
ok wait_for(sub { $sim->call('POST', '/sim/verify', {})->{status} == 200 },
    'the edge knows the account', 15), 'the edge knows the account';

# what a person has to mend, and what mends itself
my %operator = map { $_ => 1 } qw(NOAUTH WRONGPASS NOPERM MOVED CROSSSLOT MISCONF OOM READONLY
    NOREPLICAS);
# and what the edge never sends
my @shifted  = map {"shift:$_"} qw(XRANGE HGETALL HGET XREAD EVALSHA);
my %not_edge = map { $_ => 1 } 'NOSCRIPT', @shifted;
my ($n, @friends, @texts) = (0);

sub be {
    my ($kind) = @_;
    $_->be($kind) for values %front;
    return;
}

sub send_text {
    my $text = 'hostile-' . ++$n;
    push @texts, $text;
    my $event = Tomo::Test::Webhook::text_event(Tomo::Test::Webhook::user_id($n % 5), $text);
    delete $event->{replyToken};
    return Tomo::Test::Webhook::send_webhook($edge,
        Tomo::Test::Webhook::webhook_body($event))->{status};
}

sub seen {
    my %seen;
    for my $list (@{ $redis->cmd('KEYS', 'tomo:{demo}:tl:*') }) {
        for my $line (@{ $redis->cmd('LRANGE', $list, 0, -1) }) {
            $seen{$1}++ if $line =~ /(?:^|&)text=(hostile-\d+)(?:&|$)/;
        }
    }
    return \%seen;
}

sub missing {
    my $seen = seen();
    return grep { !$seen->{$_} } @texts;
}

# One fault, from beginning to end.
sub suffer {
    my ($id, $kind) = @_;
    my $from = length $worker->output;
    be($kind);
    # those who are connected already would not say AUTH again
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') if $kind eq 'WRONGPASS';
    is send_text(), 200, "$id: $kind: a webhook is accepted";
    # a verdict's row is read by XRANGE, and nothing else is
    push @friends, $sim->add_friend('Friend of a verdict') if $kind =~ /XRANGE/;
    ok wait_for(
        sub { ($front{edge}->met || $not_edge{$kind}) && $front{worker}->met },
        "$kind is met", 20
    ), "$id: $kind: they meet it";
    push @friends, $sim->add_friend("Friend $kind");
    if ($operator{$kind}) {
        ok wait_for(
            sub {
                substr($worker->output, $from) =~ /\Q$kind\E/s
                    || $edge->error_log =~ /: \Q$kind\E/;
            },
            "$kind in a log", 15
        ), "$id: $kind: a person is told";
    }
    be('pass');
    ok wait_for(sub { !missing() }, "all decided after $kind", 30),
        "$id: $kind: all that was accepted is decided afterwards";
    ok $worker->alive, "$id: $kind: the worker lives";
    return;
}

suffer('B102', $_) for Tomo::Test::Hostile::errors();
my %roles = %{ $worker->roles };
suffer('B106', $_)
    for qw(twice depth8 long_bulk negative cut closes integers);
# one answer too many, from some command on: each reads the one before its own
suffer('B106', $_) for @shifted, 'shift:EXEC';
my $replaced = grep { ($worker->roles->{$_} // 0) != $roles{$_} } keys %roles;
note "roles that were replaced by broken replies: $replaced";

# --- at start -----------------------------------------------------------------

my $fresh = Tomo::Test::Worker->new(redis => $front{worker}->socket, name => 'fresh',
    sandbox => 1, role => 'ingest',
    ini => { redis => { user => 'worker', password_file => $pw{worker} } });
for my $word (qw(OOM MISCONF NOREPLICAS READONLY)) {
    $front{worker}->be("only:EXEC:$word");
    my ($code, $text) = $fresh->check('--role=ingest');
    is $code, 78, "T50: $word on the trial write: no start";
    like $text, qr/is refused: trial write is $word, wanted read back/, "T50: $word: says so";
}
be('pass');

# --- nobody missed a step, nobody got one twice ---------------------------------

ok Tomo::Test::Status::wait_shipped($edge), 'the journal is drained';
ok $s->settle('settled'), 'all is decided and sent';
my $got = $s->arrived(@friends);
my @wrong = grep { $got->{$_}{a} != 1 } @friends;
is_deeply \@wrong, [], 'B102, B106: ' . @friends . ' friends got their greeting, each once';
my $seen = seen();
is scalar(grep { $seen->{$_} != 1 } @texts), 0, 'B102, B106: nothing is decided twice';

done_testing;
