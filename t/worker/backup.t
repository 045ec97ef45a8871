#!/usr/bin/perl

# The drill of docs/backup.md: a backup is made under load, life goes on, Redis is
# lost with its disk, the backup is put back. Nothing that was acknowledged is
# missing, nobody gets a step twice, and no secret lies open in the backup.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find ();
use File::Path ();
use Tomo::Test;
use Tomo::Test::Load;
use Tomo::Test::Steps;

my $redis = Tomo::Test::Redis->start;
my $edge  = Tomo::Test::Nginx->start(redis => $redis);
my $sim = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview', '--no-redelivery']);
my $s = bless { redis => $redis, sim => $sim, offset => 0,
    in => bless({ redis => $redis, seq => 0 }, 'Tomo::Test::Ingest') }, 'Tomo::Test::Steps';
my $worker = Tomo::Test::Worker->start(redis => $redis, edge => $edge, sim => $sim, sandbox => 1,
    definitions => $s->write_definitions);
ok wait_for(sub { $sim->call('POST', '/sim/verify', {})->{status} == 200 },
    'the edge knows the account', 15), 'the edge knows the account';

my $load = Tomo::Test::Load->start(
    name => 'load', port => $edge->port, rate => 40,
    users  => [ map { Tomo::Test::Webhook::user_id($_) } 1 .. 100 ],
    secret => $Tomo::Test::Files::CHANNEL_SECRET,
    destination => $Tomo::Test::Files::BOT_USER_ID);
my @users = map { $sim->add_friend("Friend $_") } 1 .. 6;

my $dir     = temp_dir() . '/backup';
my $scripts = top_dir() . '/scripts';
my @where   = ('--config', $worker->ini_path, '--edge', $edge->journal);
my @admin   = ('--admin', "$redis->{folder}/admin.pw");

sub script {
    my ($name, @args) = @_;
    return run_command("$scripts/$name", @args);
}

# --- a backup while everything runs --------------------------------------------

my ($code, $text) = script('backup', $dir, @where, @admin);
is $code, 0, 'a backup under load' or diag $text;
like $text, qr/^backup: \Q$dir\E, /, 'says where it is';
ok -s "$dir/redis/dump.rdb", 'with a file of Redis';
my @segments = glob "$dir/{edge,worker/*}/*/*.seg";
cmp_ok scalar @segments, '>=', 2, 'and the journals';
($code, $text) = script('backup', $dir, @where, @admin);
is $code, 1, 'never over another one';
like $text, qr/is there already/, 'and says so';

my %secret = (
    'channel secret' => $Tomo::Test::Files::CHANNEL_SECRET,
    'api token'      => $Tomo::Test::Files::API_TOKEN,
    'edge.key'       => 'e5' x 32, 'worker.key' => '3c' x 32,
    'edge.key, raw'  => "\xe5" x 32, 'worker.key, raw' => "\x3c" x 32,
);
my %tokens;
for my $call (@{ $sim->requests(0) }) {
    $tokens{$1} = 1 if ($call->{headers}{authorization} // '') =~ /^Bearer (\S+)/;
}
ok %tokens, 'access tokens are in use';
$secret{"access token $_"} = $_ for keys %tokens;
my (@open, $files);
File::Find::find(
    sub {
        return if !-f;
        my $bytes = read_file($_);
        $files++;
        push @open, map {"$_ in $File::Find::name"} grep { index($bytes, $secret{$_}) >= 0 }
            sort keys %secret;
        push @open, "$File::Find::name can be read by others" if (stat)[2] & 077;
    },
    $dir
);
is_deeply \@open, [], "E14: no secret lies open in $files files";

# --- life goes on, then Redis is gone ----------------------------------------------

sub watermark { return { @{ $redis->cmd('HGETALL', 'tomo:watermark') } } }

my ($mark) = values %{ watermark() };
push @users, map { $sim->add_friend("Later $_") } 1 .. 6;
ok $s->settle('the gap is decided'), 'what came after the backup is decided';
ok wait_for(sub { @{ $sim->requests(0, '/v2/bot/message/reply') } >= 12 }, 'twelve replies', 20),
    'replies went out, some of them after the backup';
ok wait_for(sub { (values %{ watermark() })[0] > $mark + 1 }, 'watermark', 10),
    'the watermark has grown since the backup';
$redis->kill_now;
File::Path::remove_tree("$redis->{folder}/appendonlydir");
unlink "$redis->{folder}/dump.rdb";
($code, $text) = script('backup', "$dir-2", @where, @admin);
like $text, qr{Redis does not answer}, 'no backup without Redis: why';
ok !-e "$dir-2" && !-e "$dir-2.part", 'and nothing is left behind';

my @to = ($dir, '--redis', $redis->{folder}, @where);
($code, $text) = script('restore', @to);
is $code, 1, 'not while the worker runs';
like $text, qr/tomo-worker runs: stop it first/, 'and says so';
$worker->stop;

my $key = Tomo::Test::Files::path('worker.key');
write_file($key, '1:' . 'ab' x 32 . "\n", 0600);
like +(script('restore', @to))[1], qr/is not the one of the backup/, 'not with other keys';
write_file($key, '1:' . '3c' x 32 . "\n", 0600);
system('cp', '-r', $dir, "$dir-bad") == 0 or die "cp failed\n";
write_file("$dir-bad/redis/dump.rdb", 'REDIS0010');
like +(script('restore', "$dir-bad", @to[ 1 .. $#to ]))[1], qr/is damaged/, 'not a damaged one';
ok !-e "$redis->{folder}/appendonlydir", 'refused: nothing was touched';

($code, $text) = script('restore', @to);
is $code, 0, 'restored' or diag $text;
like +(script('restore', @to))[1], qr/with --replace it is moved aside/, 'not over data';

$redis->restart;
my ($doctor, $said) = $worker->check('--doctor');
like $said, qr/^WARN\s+history\s+behind what it acknowledged/m, 'the doctor sees the rollback';
$worker->launch;
ok wait_for(sub { $worker->output =~ /sending waits: Redis was restored from a backup/ },
    'held', 10), 'sending waits';
$load->stop;
($code, $text) = script('restore', 'check', '--config', $worker->ini_path, @admin);
is $code, 0, 'the check ends well' or diag $text;
like $text, qr/^restore: every event is accounted for$/m, 'every event is accounted for';
like $worker->output, qr/sending goes on: the journals are shipped again and decided/,
    'sending goes on by itself';
like $worker->output, qr/incident: it went back in time/, 'the rollback is an incident';

# --- nothing is missing, nothing comes twice ------------------------------------------

ok Tomo::Test::Status::wait_shipped($edge, 30), 'the edge has shipped all';
ok $s->settle('settled'), 'all is decided and sent';
ok $s->walk, 'and the later steps, too';
my $got = $s->arrived(@users);
my @wrong = grep { my $u = $_; grep { $got->{$u}{$_} != 1 } @Tomo::Test::Steps::STEPS } @users;
is_deeply \@wrong, [], 'each of 12 friends got each of 3 steps once';

my %texts;
for my $list (@{ $redis->cmd('KEYS', 'tomo:{demo}:tl:*') }) {
    for my $line (@{ $redis->cmd('LRANGE', $list, 0, -1) }) {
        $texts{$1}++ if $line =~ /(?:^|&)text=(load-\d+)(?:&|$)/;
    }
}
my ($acked) = $load->read_journal;
my @missing = grep { ($texts{ $_->[1] } // 0) != 1 } values %$acked;
is scalar @missing, 0, scalar(keys %$acked) . ' acknowledged events are there once';

# --- the operator's word ---------------------------------------------------------------

write_file("$worker->{folder}/journal/hold", "restore\n");
ok wait_for(sub { $worker->output =~ /goes on.*sending waits/s }, 'held', 5),
    'a hold while it runs';
($code, $text) = $worker->check('--release');
is $code, 0, '--release';
ok wait_for(sub { $worker->output =~ /sending goes on: the operator says so/ }, 'released', 5),
    'sending goes on at once';
like +($worker->check('--release'))[1], qr/nothing waits/, '--release without a hold';

done_testing;
