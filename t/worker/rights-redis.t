#!/usr/bin/perl

# E11, E12: the users of conf/redis-users.acl may do what the table of keys in
# core/tomo_keys.h says they write and read, and are refused everything else.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my $top   = top_dir();
my $redis = Tomo::Test::Redis->start;
my @USERS = qw(edge worker api metrics);

# --- what Redis thinks the users may do --------------------------------------

# a user's root rights and selectors: ([commands, keys], ...)
sub rights {
    my ($user) = @_;
    my %got = @{ $redis->cmd('ACL', 'GETUSER', $user) };
    return map { { commands => $_->{commands}, keys => $_->{keys} } }
        \%got, map { { @$_ } } @{ $got{selectors} };
}

sub commands {
    my ($user) = @_;
    my %named;
    for my $part (rights($user)) {
        my ($first, @words) = split ' ', $part->{commands};
        is $first, '-@all', "$user: commands are named one by one" if $first ne '-@all';
        # Redis' own short form of +multi +exec +discard
        my @short = qw(+multi +exec +discard +watch +unwatch);
        @words = map { $_ eq '+@transaction' ? @short : $_ } @words;
        my %taken = map { substr($_, 1) => 1 } grep {/^-/} @words;
        $named{$_}++ for grep { /^\+/ && !$taken{ substr $_, 1 } } @words;
    }
    return sort keys %named;
}

my %category = map { $_ => { map { $_ => 1 } @{ $redis->cmd('ACL', 'CAT', $_) } } }
    qw(dangerous admin scripting blocking pubsub keyspace);

# What stands in a category that Redis calls dangerous, and is needed: INFO and
# CONFIG GET show whether it keeps what it takes; BGREWRITEAOF takes a deleted
# person out of the file.
my %needed = (
    edge    => [qw(+config|get +info)],
    api     => [qw(+config|get +info)],
    metrics => [qw(+info)],
    worker  => [qw(+bgrewriteaof +config|get +info)],
);
my %scripts = (worker => [qw(+evalsha +script|load)]);

for my $user (@USERS) {
    my @words = commands($user);
    ok !(grep { !/^\+[a-z|]+$/ } @words), "E12: $user: every command is named, no category";
    my @bad = grep { my $c = substr $_, 1; $category{dangerous}{$c} || $category{admin}{$c} }
        @words;
    is_deeply \@bad, $needed{$user}, "E12: $user: nothing dangerous but what is needed";
    my @run = grep { $category{scripting}{ substr $_, 1 } } @words;
    is_deeply \@run, $scripts{$user} // [], "E12: $user: scripts for the worker alone";
    ok !(grep { $category{pubsub}{ substr $_, 1 } } @words), "$user: no channels";
}
like read_file("$top/conf/redis-users.acl"), qr/^user default off /m, 'nobody without a name';

# --- against the table of keys -----------------------------------------------

my ($status, $table) = run_command("$top/scripts/keys-doc");
is $status, 0, 'the table of keys is read';

# by type: commands that show content, and commands that change it
my %read = (
    hash   => [['HGET', 'K', 'f'], ['HGETALL', 'K'], ['HMGET', 'K', 'f']],
    stream => [['XRANGE', 'K', '-', '+'], ['XREVRANGE', 'K', '+', '-'],
        ['XREAD', 'STREAMS', 'K', '0']],
    string => [['GET', 'K']],
    list   => [['LRANGE', 'K', '0', '-1']],
    zset   => [['ZRANGE', 'K', '0', '-1'], ['ZRANGEBYSCORE', 'K', '0', '1']],
    set    => [['SMEMBERS', 'K'], ['SISMEMBER', 'K', '1']],
);
my %write = (
    hash   => [['HSET', 'K', 'f', 'v']],
    stream => [['XADD', 'K', '*', 'v', '1']],
    string => [['SET', 'K', 'v']],
    list   => [['LPUSH', 'K', 'v']],
    zset   => [['ZADD', 'K', '1', 'm']],
    set    => [['SADD', 'K', '1']],
);
# no entrance of ours takes any of these, whoever it is
my @never = (
    ['FLUSHALL'], ['FLUSHDB'], ['KEYS', '*'], ['SCAN', '0'], ['DEBUG', 'SLEEP', '0'],
    ['CONFIG', 'SET', 'appendfsync', 'no'], ['SHUTDOWN'], ['SAVE'], ['REPLICAOF', 'NO', 'ONE'],
    ['MODULE', 'LIST'], ['ACL', 'LIST'], ['ACL', 'SETUSER', 'x'], ['CLIENT', 'KILL', 'ID', '1'],
    ['CLIENT', 'LIST'], ['MONITOR'], ['EVAL', 'return 1', '0'], ['FUNCTION', 'LIST'],
    ['SCRIPT', 'FLUSH'], ['SUBSCRIBE', 'x'], ['PUBLISH', 'x', 'y'], ['SELECT', '1'],
    ['SWAPDB', '0', '1'], ['RESTORE', 'tomo:{demo}:in', '0', 'x'], ['DUMP', 'tomo:{demo}:in'],
    ['MIGRATE', 'h', '1', 'tomo:{demo}:in', '0', '1'],
    ['RENAME', 'tomo:{demo}:in', 'tomo:{demo}:x'],
    ['SORT', 'tomo:{demo}:out'], ['OBJECT', 'ENCODING', 'tomo:{demo}:in'], ['MEMORY', 'DOCTOR'],
    ['SLOWLOG', 'GET'], ['LATENCY', 'DOCTOR'], ['BGSAVE'],
);

# may this user do it?  Redis' own answer, without doing it
sub may {
    my ($user, @words) = @_;
    my $answer = eval { $redis->cmd('ACL', 'DRYRUN', $user, @words) } // "error $@";
    return $answer eq 'OK';
}

sub any {
    my ($user, $key, $all) = @_;
    return scalar grep { may($user, map { $_ eq 'K' ? $key : $_ } @$_) } @$all;
}

my $rows = 0;
for my $line (grep {/^\| `/} split /\n/, $table) {
    my ($key, $type, undef, $writes, $reads) = $line =~ /^\| `(.*?)`((?: \| [^|]*){4}) \|$/
        ? ($1, (split / \| /, $2)[1 .. 4]) : die "no row: $line\n";
    $reads = $writes if $reads eq 'the same';
    $_ = $_ eq 'every role' ? 'ingest, dispatch, api' : $_ for $writes, $reads;
    my %may = (write => { map { $_ => 1 } split /, /, $writes },
        read => { map { $_ => 1 } split /, /, $reads });
    $type =~ s/\W.*//s;
    $key =~ s/ACCOUNT/demo/;
    $key =~ s/KIND/tag/;
    $key =~ s/ID$/vip/;
    $key =~ s/N$/7/;
    $rows++;
    my @wrong;
    for my $user (qw(edge api)) {
        for my $what (qw(read write)) {
            my $got = any($user, $key, $what eq 'read' ? $read{$type} : $write{$type});
            next if $type eq 'string' && $what eq 'read' && $may{write}{$user};    # the probe
            push @wrong, "$user " . ($got ? 'may' : 'may not') . " $what"
                if !!$got ne !!$may{$what}{$user};
        }
    }
    for my $all ($read{$type}, $write{$type}) {
        push @wrong, "worker may not $_->[0]"
            for grep { !may('worker', map { $_ eq 'K' ? $key : $_ } @$_) } @$all;
    }
    push @wrong, 'metrics may write' if any('metrics', $key, $write{$type});
    push @wrong, 'metrics may read' if $key !~ /:cursor$/ && any('metrics', $key, $read{$type});
    is_deeply \@wrong, [], "E11: $key: as the table says";
}
cmp_ok $rows, '>=', 25, 'every key was looked at';

for my $user (@USERS) {
    my @may = grep { may($user, @$_) } @never;
    is_deeply [map {"@$_"} @may], [], "E12: $user is refused all of " . @never . ' others';
    ok !any($user, 'other', [map {@$_} values %read, values %write]), "$user: no other keys";
    ok !any($user, '{demo}:in', [map {@$_} values %read, values %write]), '... of no other head';
}
ok may('worker', 'UNLINK', 'tomo:{demo}:f:7'), 'the worker removes';
ok !may($_, 'DEL', 'tomo:{demo}:f:7') && !may($_, 'UNLINK', 'tomo:{demo}:f:7'), "$_ removes nothing"
    for qw(edge api metrics);
ok may('metrics', 'XLEN', 'tomo:{demo}:in'), 'metrics counts';

# --- the aclfile itself ------------------------------------------------------

my $file = write_file(temp_dir() . '/users.acl', $redis->users, 0600);
my $strict = Tomo::Test::Redis->start(own_users => 1, set => { aclfile => $file });
ok !eval { $strict->client->cmd('PING'); 1 }, 'Redis takes the file as its aclfile';
like $@, qr/^NOAUTH/, '... and a stranger is asked for a name';
my $client = $strict->client;
is $client->cmd('AUTH', 'edge', 'password-of-edge'), 'OK', 'edge logs in';
ok !eval { $client->cmd('HGETALL', 'tomo:{demo}:f:1'); 1 }, 'edge reads no friend';
like $@, qr/^NOPERM/, '... NOPERM';

# At its start Redis runs its file of commands as the user default, and asks at
# each EXEC what that user may do. Scripts stand there as transactions.
sub worker {
    my $c = $strict->client;
    $c->cmd('AUTH', 'worker', 'password-of-worker');
    wait_for(sub { eval { $c->cmd('PING') } }, 'Redis has read its file', 10);
    return $c;
}
my $worker = worker();
$worker->cmd(@$_)
    for ['MULTI'], ['HSET', 'tomo:{demo}:f:1', 'n', 'kept'], ['SADD', 'tomo:accounts', 'demo'],
    ['EXEC'];
$strict->restart;
$worker = worker();
is $worker->cmd('HGET', 'tomo:{demo}:f:1', 'n'), 'kept',
    'a transaction is still there after a start: the user default is off, but has its rights';
ok !eval { $strict->client->cmd('AUTH', 'default', ''); 1 }, '... and nobody can be that user';
unlike $strict->output, qr/CRITICAL/, 'Redis read its file without a complaint';

done_testing;
