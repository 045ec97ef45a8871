#!/usr/bin/perl

# X1: A Redis that would lose or throw away what it takes is refused with the
# exact reason: the worker does not start on it, and when it becomes so under
# way, edge and worker rest until it is mended.
#
# What CONFIG SET, REPLICAOF and ACL SETUSER can do is done to a true Redis;
# version, mode, clock and the state of its AOF are changed on the way.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Hostile;
use Tomo::Test::Promise;
use Tomo::Test::Snapshot;

my $redis   = Tomo::Test::Redis->start;
my $between = Tomo::Test::Hostile->start(redis => $redis);
my $edge    = Tomo::Test::Nginx->new(redis => $between->socket, workers => 1);
write_snapshot($edge);
$edge->launch;
my $sim = Tomo::Test::Sim->start(edge => $edge);

sub set    { my @pair = @_; return sub { $redis->cmd('CONFIG', 'SET', @pair) } }
sub say_so { my @rule = @_; return sub { $between->rewrite(@rule) } }

# [row, what is seen, who is stopped: worker, dispatch alone or edge, do, mend]
my @cases = (
    ['appendonly', '0', 'we', set('appendonly', 'no'), set('appendonly', 'yes')],
    ['appendfsync', 'everysec', 'we', set('appendfsync', 'everysec'),
        set('appendfsync', 'always')],
    ['no-appendfsync-on-rewrite', 'yes', 'we', set('no-appendfsync-on-rewrite', 'yes'),
        set('no-appendfsync-on-rewrite', 'no')],
    ['maxmemory', '0', 'we', set('maxmemory', '0'), set('maxmemory', '512mb')],
    ['maxmemory-policy', 'allkeys-lru', 'we', set('maxmemory-policy', 'allkeys-lru'),
        set('maxmemory-policy', 'noeviction')],
    ['hash-max-listpack-value', '64', 'w', set('hash-max-listpack-value', 64),
        set('hash-max-listpack-value', 1024)],
    ['set-max-intset-entries', '512', 'w', set('set-max-intset-entries', 512),
        set('set-max-intset-entries', 16384)],
    ['trial write', 'NOREPLICAS', 'w', set('min-replicas-to-write', 1),
        set('min-replicas-to-write', 0)],
    ['role', 'slave', 'we', sub { $redis->cmd('REPLICAOF', '127.0.0.1', 1) },
        sub { $redis->cmd('REPLICAOF', 'NO', 'ONE') }],
    ['settings readable', 'NOPERM', 'we',
        sub { $redis->cmd('ACL', 'SETUSER', 'default', '-config|get') },
        sub { $redis->cmd('ACL', 'SETUSER', 'default', '+config|get') }],
    ['version', '6.2.14', 'we', say_so('INFO', 'redis_version:\S+', 'redis_version:6.2.14'),
        say_so()],
    ['AOF writing', 'err', 'we',
        say_so('INFO', 'aof_last_write_status:ok', 'aof_last_write_status:err'), say_so()],
    ['mode', 'sentinel', 'we', say_so('INFO', 'redis_mode:\w+', 'redis_mode:sentinel'),
        say_so()],
    ['clocks apart', '\d{6,}', 'd', say_so('TIME', '^\d{10}$', '1000000000'), say_so()],
);

sub worker {
    my ($name) = @_;
    return Tomo::Test::Worker->new(redis => $between->socket, edge => $edge, sim => $sim,
        name => $name, undecided => 1, sandbox => 1);
}

# --- at start ---------------------------------------------------------------

my $refused = 0;
my $started = worker('started');
for my $case (@cases) {
    my ($row, $seen, $who, $do, $mend) = @$case;
    $do->();
    my $role = $who eq 'd' ? 'dispatch' : 'ingest';
    my ($code, $text) = $started->check("--role=$role");
    is $code, 78, "X1: $row: no start";
    $refused++ if like $text, qr/is refused: \Q$row\E is $seen, wanted \S.*: \S.*/,
        "X1: $row: says what it is, what is wanted and what to do";
    $mend->();
}
figure('refused at start' => "$refused of " . @cases);
is $refused, 14, 'X1: refused at start: all of them';

# --- under way --------------------------------------------------------------

my $worker = worker('under-way')->launch;
my $at = sub { Tomo::Test::Status::fetch($edge)->{redis} };
ok wait_for(sub { $at->() eq 'up' }, 'the edge ships', 5), 'the edge ships to a good Redis';

# the roles that said it since the log had that length
sub said {
    my ($from, $pattern) = @_;
    my $text = substr $worker->output, $from;
    my %roles = map { $_ => 1 } $text =~ /$pattern.* \[(ingest|dispatch|api)\]$/mg;
    return join " ", sort keys %roles;
}

my ($worst, $noticed, @under_way) = (0, 0, full() ? @cases : @cases[ 4, 13 ]);
for my $case (@under_way) {
    my ($row, $seen, $who, $do, $mend) = @$case;
    my $from  = length $worker->output;
    my $begin = Time::HiRes::time();
    my $edges = $who =~ /e/;
    $do->();
    my $roles = $who eq 'd' ? 'dispatch' : 'api dispatch ingest';
    my $ok = wait_for(
        sub {
            my $told = said($from, qr/is refused: \Q$row\E is $seen,/);
            return $told eq $roles && (!$edges || $at->() eq 'refused');
        },
        "$row is noticed", 8
    );
    my $took = Time::HiRes::time() - $begin;
    $worst = $took if $took > $worst;
    ok $ok, sprintf 'X1: %s under way: noticed by %s%s in %.1f s', $row, $roles,
        $edges ? ' and the edge' : '', $took;
    $noticed++ if $ok;
    if ($edges) {
        my $why = Tomo::Test::Status::fetch($edge)->{redis_refused};
        like $why, qr/^\Q$row\E, wanted \S.*: \S/, 'X1: the status says why';
        is send_text()->{status}, 200, 'X1: webhooks are accepted all the same';
    }
    $mend->();
    ok wait_for(
        sub {
            my $told = said($from, qr/is accepted again/);
            return $told eq $roles && $at->() eq 'up';
        },
        "$row is mended", 8
    ), "X1: $row: goes on by itself when it is mended";
}
figure('misconfigurations under way' => scalar @under_way);
figure('seconds to notice one under way, at most' => sprintf '%.1f', $worst);
is $noticed, @under_way, 'X1: every one was noticed under way';
is scalar(keys %{ $worker->roles }), 3, 'X1: no role ended for it';
ok Tomo::Test::Status::wait_shipped($edge), 'X1: what came meanwhile is shipped';

sub send_text {
    return Tomo::Test::Webhook::send_webhook($edge,
        Tomo::Test::Webhook::webhook_body(
            Tomo::Test::Webhook::text_event(Tomo::Test::Webhook::user_id(1), 'hello')));
}

done_testing;
