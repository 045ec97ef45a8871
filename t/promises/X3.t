# X3: Whatever stands in Redis under one of our keys, of another type or full of
# garbage, never ends a process: it is set aside or the log says so, and when it
# is put right everything goes on.
#
# One account for each case, all in one worker with its three roles: a case is
# one key of the table in core/tomo_keys.h and one thing to find there. All are
# put in place while the worker runs; events of every kind arrive; the worker is
# started again on what it finds; the api reads it; then all is put right. Keys
# of the dispatch role alone and of the whole installation are among them.
# B98, B99, B103, B105. B100 and B101 cannot happen: there are no consumer groups.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util ();
use Tomo::Test;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;

my $seed = $ENV{TOMO_SEED} // int rand 1e6;
srand $seed;
note "TOMO_SEED=$seed";

# --- what can stand there -----------------------------------------------------

my @TEXTS = ('', "\0\xff\xfe", '-1', '9' x 400, '%zz', '{"', 'NaN', "a\r\nb", 'x' x 70_000,
    '1e999');
my $DAY   = int(now_ms() / 86_400_000);
my $BIG   = pick(short => 1 << 20, full => 32 << 20);

my %MAKE = (
    string => sub { ['SET', $_[0], $TEXTS[ rand @TEXTS ]] },
    list   => sub { ['RPUSH', $_[0], @TEXTS] },
    set    => sub { ['SADD', $_[0], @TEXTS] },
    zset   => sub { ['ZADD', $_[0], 'inf', 'a', '-inf', '1:s:1', '-1', '999:s:1', '1e308', "\0",
        7258118400000, '1:s:1', 0, '1:p:0', 1, '', 2, '9' x 40 . ':s:1', 3, ':::', 4, '1:x:1'] },
    hash   => sub { my $i = 0; ['HSET', $_[0], map { ("f$i" . $TEXTS[ $i++ ] => $_) } @TEXTS] },
    stream => sub { (
        ['XADD', $_[0], '*', 'x', 'y'],
        ['XADD', $_[0], '*', 'v', 99, 'k', 'webhook', 't', 1, 'o', 'x', 'b', 'y'],
        ['XADD', $_[0], '*', 'v', 1, 'k', "no\0kind", 't', 'x', 'o', 'y-', 'b', ''],
        ['XADD', $_[0], '*', map { ("f$_" => $TEXTS[ $_ % @TEXTS ]) } 1 .. 40],
        ['XADD', $_[0], '*', 'v', 1, 'k', 'webhook', 't', 1, 'o', '00000000000000aa-1',
            'b', 'x' x $BIG],
        map({ my $kind = $_; map { ['XADD', $_[0], '*', 'v', 1, 'k', $kind, 't', 1, 'o',
            '00000000000000aa-1', 'b', $_] } @TEXTS[ 0 .. 7 ] }
            qw(webhook click answer verdict command follow_up attempt)),
    ) },
);

# what is there already, each value of it replaced
sub spoilt {
    my ($redis, $key, $type) = @_;
    return $MAKE{$type}->($key) if $type ne 'hash';
    my $found = $redis->hash($key);
    my $i = int rand @TEXTS;
    return $MAKE{hash}->($key) if !%$found;
    return ['HSET', $key, map { ($_ => $TEXTS[ $i++ % @TEXTS ]) } sort keys %$found];
}

# key => its own types, from the table itself
my (%own, @cases);
for my $line (split /\n/, (run_command($^X, top_dir() . '/scripts/keys-doc'))[1]) {
    my ($key, $types) = $line =~ /^\| `tomo:\{ACCOUNT\}:(\S+)` \| ([^|]+?) \|/ or next;
    $own{$key} = [map { /bitmap/ ? 'string' : /(\w+)/ } split /, /, $types];
}
cmp_ok scalar keys %own, '>=', 20, 'the keys are those of core/tomo_keys.h';
for my $key (sort keys %own) {
    my %is = map { $_ => 1 } @{ $own{$key} };
    my @foreign = grep { !$is{$_} } sort keys %MAKE;
    @foreign = $foreign[ rand @foreign ] if !full();
    push @cases, map { { key => $key, what => $_ } } @foreign;
    push @cases, map { { key => $key, what => "$_ of garbage", type => $own{$key}[0] } }
        1 .. pick(short => 1, full => 4);
}
my $n = 0;
$_->{account} = sprintf 'x%03d', $n++ for @cases;

# --- the worker ---------------------------------------------------------------

my $secret = Tomo::Test::Files::path('channel-secret');
my $redis  = Tomo::Test::Redis->start(set => { maxmemory => '4gb' });
my %ini;
for my $case (@cases) {
    my $id = $case->{account};
    my ($number) = $id =~ /(\d+)/;
    $case->{bot} = sprintf 'Ub%031x', $number;
    $ini{"account $id"} = {
        number => 2 + $number, channel_id => 2000 + $number, channel_secret_file => $secret,
        bot_user_id_file => write_file(temp_dir() . "/bot.$id", "$case->{bot}\n", 0600),
        definitions => top_dir() . '/conf/demo', zone => 'Asia/Tokyo',
    };
    $case->{in} = bless { redis => $redis, account => $id, bot => $case->{bot}, seq => 0,
        ulid => 1000 * $number }, 'Tomo::Test::Ingest';
}
my $worker = Tomo::Test::Worker->new(redis => $redis, sim => Tomo::Test::Sim->start,
    sandbox => 1, ini => \%ini, undecided => 1, unaccounted => 1);
$worker->launch;
my $now = 0;

# as far as the case lets us: what it has spoilt may refuse it
sub poke {
    my ($case) = @_;
    my $in = $case->{in};
    $in->{offset} = $now;
    eval { $in->webhook($in->event('message', $_, message => { type => 'text', id => 1,
        text => 'hello' })) for 1, 2, 10 + $in->{ulid} % 7; 1 };
    eval { $in->webhook($in->event('follow', 30 + $in->{ulid} % 5, replyToken => 'r',
        follow => { isUnblocked => JSON::PP::false() })); 1 };
    for my $kind ('click', 'answer') {
        my $what = $kind eq 'click' ? 'link' : 'survey';
        my $line = Tomo::Test::Ingest::rec(at => $in->now, $what => 1, rev => 1, friend => 1,
            delivery => 1, day => 2500, check => $in->check(1), visit => 'human',
            nonce => sprintf('%022d', ++$in->{nonce}), ua => 'Line', 'q.name' => 'N');
        eval { $in->add($kind, $line); 1 };
    }
    eval { $in->add('command', JSON::PP::encode_json({ id => $in->event_id, actor => 'api:owner',
        do => 'definition.put', kind => 'tag', key => 't',
        document => { kind => 'tag', id => 't', name => 't' } })); 1 };
    eval { $in->add('follow_up', 'do=replan&scenario=1&cursor=0', 'bulk'); 1 };
    return;
}

# what the sort of key says of it: decided to the end of both streams?
sub decided {
    my ($case) = @_;
    my $in = $case->{in};
    return eval {
        my $cursor = $in->cursor;
        !grep {
            my $last = $redis->cmd('XREVRANGE', $in->key($_), '+', '-', 'COUNT', 1);
            @$last && ($cursor->{$_} // '0-0') ne $last->[0][0];
        } 'in', 'bulk';
    };
}

sub crashes { return scalar(() = $worker->output =~ /was ended by signal/g) }

sub all_decided {
    my ($what, $seconds) = @_;
    return wait_for(sub { !grep { !decided($_) } @cases }, $what, $seconds);
}

poke($_) for @cases;
ok all_decided('the accounts live', 60), scalar(@cases) . ' accounts live';

# --- garbage in, events in, out and in again ----------------------------------

for my $case (@cases) {
    my $key = $case->{key};
    my $uid = Tomo::Test::Ingest::bucket($case->{in}->user(1));
    $key =~ s/^(uid):N/$1:$uid/;
    $key =~ s/^(met|seen):N/$1:$DAY/;
    $key =~ s{KIND/ID}{tag/t};
    $key =~ s/:N$/:1/;
    $case->{full} = $case->{in}->key($key);
    my @commands = $case->{type} ? spoilt($redis, $case->{full}, $case->{type})
        : $MAKE{ $case->{what} }->($case->{full});
    $case->{lost} = !$redis->cmd('EXISTS', $case->{full});
    $redis->cmd('COPY', $case->{full}, "kept:$case->{full}") if !$case->{lost};
    # a stream keeps its place: garbage comes behind what is there
    my $keep = ($case->{type} // '') =~ /stream|hash/;
    $redis->cmd('MULTI');
    $redis->cmd('DEL', $case->{full}) if !$keep;
    $redis->cmd(@$_) for @commands;
    $redis->cmd('EXEC');
}
my $said = length $worker->output;
poke($_) for @cases;
$now = 2 * 86_400_000;
Tomo::Test::Files::set_clock($now);
wait_for(sub { 2 * grep({ decided($_) } @cases) > @cases }, 'most go on', 60);
is crashes(), 0, 'X3: no role ended while it ran';
ok $worker->restart, 'the worker starts on what it finds';
poke($_) for @cases;

my %status;
for my $case (@cases) {
    for my $path ('status', 'friends', 'friends/1', 'friends/1/timeline', 'definitions',
        'quarantine') {
        my $r = eval { $worker->api('GET', "/accounts/$case->{account}/$path") };
        $status{ $r ? $r->{status} : "none: $path $case->{account} $case->{full}" }++;
    }
}
is_deeply [grep { !/^(?:200|400|404|409|422|500|503)$/ } sort keys %status], [],
    'X3: the api answers every question';
is crashes(), 0, 'X3: no role ended after the start';

# told, set aside, harmless; silent: it stands still and nobody knows why
sub sort_of {
    my ($case, $log) = @_;
    return 'told'
        if $log =~ /\b$case->{account}\b[^\n]*(?:(?:move|delete) the key|no hash|left out)/;
    my $aside = eval { $redis->cmd('XLEN', $case->{in}->key('quarantine')) };
    return $aside ? 'set aside' : decided($case) ? 'harmless' : 'silent';
}

my ($log, %sorts, @silent);
wait_for(sub {
    $log = substr $worker->output, $said;
    %sorts  = ();
    @silent = ();
    for my $case (@cases) {
        my $sort = sort_of($case, $log);
        $sorts{$sort}++;
        push @silent, "$case->{full}: $case->{what}" if $sort eq 'silent';
    }
    return !@silent;
}, 'each case is told, set aside or harmless', 30);
is_deeply \@silent, [], 'X3: what stops an account is told';
unlike $log, qr/ended this process/, 'X3: no event is blamed for what a key is';

# --- put right ------------------------------------------------------------------

for my $case (@cases) {
    next if $case->{key} =~ /^(?:in|bulk)$/ && $case->{type};      # it was decided, odd as it was
    $redis->cmd('MULTI');
    $redis->cmd('DEL', $case->{full});
    $redis->cmd('RENAME', "kept:$case->{full}", $case->{full}) if !$case->{lost};
    $redis->cmd('EXEC');
}
# B105: an entry whose id is of the year 2033
$redis->cmd('XADD', $cases[0]{in}->key('in'), '2000000000000-0', 'v', 1, 'k', 'webhook',
    't', $cases[0]{in}->now, 'o', '00000000000000bb-1', 'b', '{}');
my %before = map { my $c = $_; $c->{account} => scalar @{ $c->{in}->timeline(3) // [] } } @cases;
for my $case (@cases) {
    $case->{in}->webhook($case->{in}->event('message', 3,
        message => { type => 'text', id => 3, text => 'after all' }));
}
all_decided('every account goes on', 60);
my @stuck = map {"$_->{full}: $_->{what}"}
    grep { @{ $_->{in}->timeline(3) // [] } != $before{ $_->{account} } + 1 } @cases;
is_deeply \@stuck, [], 'X3: put right, every account goes on by itself';
is crashes(), 0, 'X3: no role ended to the last';

figure('keys'      => scalar keys %own);
figure('cases'     => scalar @cases);
figure('crashes'   => crashes());
figure("$_ cases"  => $sorts{$_} // 0) for 'told', 'set aside', 'harmless', 'silent';
figure('api calls' => List::Util::sum(values %status));
figure('accounts that did not go on' => scalar @stuck);

done_testing;
