#!/usr/bin/env perl
# The worker's own file, options and supervisor: B79-B83, B85, X1 in short.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Files ();

my $dir    = temp_dir();
my $redis  = Tomo::Test::Redis->start;
my $worker = Tomo::Test::Worker->new(redis => $redis, name => 'checked', sandbox => 1);

sub check_ini {
    my (%ini) = @_;
    $worker->write_ini(%ini);
    return $worker->check('--check');
}

my ($code, $text) = check_ini();
is $code, 0, '--check: a good file';
like $text, qr/configuration and keys are good/, '--check: says so';
($code, $text) = $worker->check('--print-config');
is $code, 0, '--print-config';
like $text, qr/^address = unix:/m, '--print-config: a value';
like $text, qr/^rate_per_s = 1900$/m, '--print-config: a default';
unlike $text, qr/\Q$Tomo::Test::Files::CHANNEL_SECRET\E|\Q$Tomo::Test::Files::API_TOKEN\E/,
    '--print-config: no secret';

# the printed file is a file with the same meaning
write_file("$dir/printed.ini", $text, 0600);
my ($again, $text2) = run_command(Tomo::Test::Worker::binary(), '--config', "$dir/printed.ini",
    '--print-config');
is $text2, $text, '--print-config: reads what it printed';
($code, $text) = $worker->check('--version');
is $code, 0, '--version';
like $text, qr/hiredis \d.*libcurl.*libmicrohttpd/s, '--version: names the libraries';
is +($worker->check('--nonsense'))[0], 64, 'an unknown option';

# --- one fault after the other ----------------------------------------------
sub secret_file {
    my ($name, $content, $mode) = @_;
    return write_file("$dir/$name", $content, $mode // 0600);
}

my $good = "$Tomo::Test::Files::CHANNEL_SECRET\n";
secret_file('good', $good);
secret_file('no-newline', substr $good, 0, 32);
secret_file('open', $good, 0644);
secret_file('group', $good, 0640);
secret_file('short', "0123\n");
secret_file('upper', uc 'abcdefabcdefabcdefabcdefabcdefab');
secret_file('placeholder', '0' x 32 . "\n");
secret_file('empty', '');
secret_file('spaces', " $good");
secret_file('key', '1:' . 'ab' x 32 . "\n");
secret_file('two-keys', '1:' . 'ab' x 32 . "\n0:" . 'cd' x 32 . "\n");
secret_file('one-id', '1:' . 'ab' x 32 . "\n1:" . 'cd' x 32 . "\n");
secret_file('same-key', '1:' . 'ab' x 32 . "\n2:" . 'ab' x 32 . "\n");
secret_file('big-id', '16:' . 'ab' x 32 . "\n");
symlink "$dir/good", "$dir/link";
mkdir "$dir/folder";

my @faults = (
    ['B79 not there', 'account demo', 'channel_secret_file',
        "$dir/none", qr/does not exist/],
    ['B79 short', 'account demo', 'channel_secret_file',
        "$dir/short", qr/no channel secret/],
    ['B79 upper case', 'account demo', 'channel_secret_file',
        "$dir/upper", qr/no channel secret/],
    ['B79 placeholder', 'account demo', 'channel_secret_file',
        "$dir/placeholder", qr/placeholder/],
    ['B79 empty', 'account demo', 'channel_secret_file',
        "$dir/empty", qr/is empty/],
    ['B79 space before', 'account demo', 'channel_secret_file',
        "$dir/spaces", qr/no channel secret/],
    ['B80 world-readable', 'account demo', 'channel_secret_file',
        "$dir/open", qr/chmod 600/],
    ['B80 group-readable', 'account demo', 'channel_secret_file',
        "$dir/group", qr/chmod 600/],
    ['B80 symbolic link', 'account demo', 'channel_secret_file',
        "$dir/link", qr/symbolic link/],
    ['B80 directory', 'account demo', 'channel_secret_file',
        "$dir/folder", qr/not a regular file/],
    ['B81 one id, two keys', 'worker', 'worker_key', "$dir/one-id",   qr/one ID two keys/],
    ['B81 one key twice',   'worker', 'worker_key', "$dir/same-key", qr/same key twice/],
    ['key id too large',    'worker', 'edge_key',   "$dir/big-id",   qr/ID from 0 to 15/],
    ['B82 host name',       'redis', 'address', 'redis.example:6379', qr/numeric address/],
    ['B82 long socket path', 'redis', 'address', 'unix:/' . 'x' x 108, qr/107 bytes/],
    ['B82 no port',         'redis', 'address', '127.0.0.1',          qr/ADDRESS:PORT/],
    ['B83 number',          'account demo', 'number', '4g',   qr/1 to 16383/],
    ['B83 negative',        'account demo', 'number', '-1',   qr/1 to 16383/],
    ['B83 zero',            'account demo', 'number', '0',    qr/1 to 16383/],
    ['rate',                'line', 'rate_per_s', '0',        qr/1 to 1000000/],
    ['LINE in the clear',   'line', 'url', 'http://api.line.me', qr{https://}],
    ['zone',                'account demo', 'zone', '../etc', qr/09:00/],
    ['durability',          'redis', 'durability', 'always',  qr/strict or relaxed/],
    ['unknown key',         'redis', 'port', '6379',          qr/no setting of this section/],
    ['unknown section',     'rediss', 'address', 'x',         qr/section that does not exist/],
    ['account id',          'account De:mo', 'number', '2',   qr/is no account id/],
);
for my $fault (@faults) {
    my ($what, $section, $key, $value, $why) = @$fault;
    ($code, $text) = check_ini($section => { $key => $value });
    is $code, 78, "$what: refused";
    like $text, $why, "$what: with its reason";
    like $text, $section eq 'worker' && $why =~ /key|ID/ ? qr/key file/ : qr/tomo\.ini:/,
        "$what: says where";
    unlike $text, qr/\Q$Tomo::Test::Files::CHANNEL_SECRET\E|abababab/, "$what: shows no secret";
}
for my $name (qw(good no-newline)) {
    is +(check_ini('account demo' => { channel_secret_file => "$dir/$name" }))[0], 0,
        "secret file, $name";
}
is +(check_ini(worker => { worker_key => "$dir/two-keys" }))[0], 0, 'a key file with two keys';
is +(check_ini(redis => { address => undef }))[0], 78, 'a setting is missing';
for my $setting (
    (map { [worker => $_] } qw(run_dir journal edge_key worker_key base_url)),
    [redis => 'address'],
    (map { ['account demo' => $_] } qw(number channel_id channel_secret_file bot_user_id_file)),
    )
{
    my ($section, $name) = @$setting;
    ($code, $text) = check_ini($section => { $name => '' });
    is $code, 78, "an empty $name: refused";
    like $text, qr/tomo\.ini:\d+: \[\Q$section\E\] $name is empty/, "an empty $name: told";
}

# --- B86: a clock that was never set; no zone files ----------------------------
{
    my $shim = "$dir/later.so";
    is +(run_command('cc', '-shared', '-fPIC', '-O1', '-o', $shim,
        top_dir() . '/t/tools/shim/later.c'))[0], 0, 'another clock';
    chomp(my $asan = ($ENV{TOMO_BUILD} // '') =~ /asan/ ? `gcc -print-file-name=libasan.so` : '');
    $worker->write_ini;
    {
        local $ENV{LD_PRELOAD}   = join ' ', grep {$_} $asan, $shim;
        local $ENV{TOMO_LATER_S} = 1_600_000_000 - time;
        ($code, $text) = $worker->check('--check');
    }
    is $code, 78, 'B86: a clock that was never set: refused';
    like $text, qr/clock was never set; set it \(timedatectl/, 'B86: with what to do';
    local @ENV{qw(TZ TZDIR)} = (':/none/such', '/none/such');
    is +(check_ini('account demo' => { zone => 'America/New_York' }))[0], 78,
        'B86: a zone Tomo does not know: refused';
    is +(check_ini('account demo' => { zone => 'Asia/Tokyo' }))[0], 0,
        'B86: without zone files on this machine: taken';
}

($code, $text) = check_ini('account two' => {
    number => 1, channel_id => 99, channel_secret_file => "$dir/good",
    bot_user_id_file => Tomo::Test::Files::path('bot-user-id'),
});
is $code, 78, 'B81: two accounts with one number';
like $text, qr/\[account demo\] and \[account two\] have the same number/, 'B81: named';
$worker->write_ini;
my $ini = read_file($worker->ini_path);
write_file($worker->ini_path, "$ini\n[redis]\nuser = a\nuser = b\n", 0600);
($code, $text) = $worker->check('--check');
like $text, qr/tomo\.ini:\d+: \[redis\] user is given twice/, 'B83: a duplicate, with its line';
write_file($worker->ini_path, "$ini\n[redis]\nuser = " . 'x' x 300 . "\n", 0600);
like +($worker->check('--check'))[1], qr/tomo\.ini:\d+: the line is longer/, 'a line too long';
write_file($worker->ini_path, "$ini\nnonsense\n", 0600);
like +($worker->check('--check'))[1], qr/tomo\.ini:\d+: is neither/, 'a line that is nothing';

# --- X1 in short: settings of Redis -----------------------------------------
my $d = Tomo::Test::Dispatch->new(friends => 1, set => { save => '""' });
my %bad = (
    'appendfsync'             => ['everysec',    'always'],
    'maxmemory'               => ['0',           '512mb'],
    'maxmemory-policy'        => ['allkeys-lru', 'noeviction'],
    'hash-max-listpack-value' => ['64',          '1024'],
    'set-max-intset-entries'  => ['512',         '16384'],
    'no-appendfsync-on-rewrite' => ['yes',       'no'],
    'appendonly'              => ['no',          'yes'],
);
my $role = Tomo::Test::Worker->new(role => 'dispatch', redis => $d->redis, sim => $d->sim,
    sandbox => 1, name => 'refused');
for my $name (sort keys %bad) {
    $d->redis->cmd('CONFIG', 'SET', $name, $bad{$name}[0]);
    ($code, $text) = $role->check('--role=dispatch');
    is $code, 78, "X1: $name $bad{$name}[0] is refused";
    like $text, qr/is refused: .*\Q$name\E/, "X1: $name is named, with what to set";
    $d->redis->cmd('CONFIG', 'SET', $name, $bad{$name}[1]);
}
$d->redis->cmd('CONFIG', 'SET', 'appendfsync', 'everysec');
my $relaxed = Tomo::Test::Worker->start(role => 'dispatch', redis => $d->redis, sim => $d->sim,
    sandbox => 1, name => 'relaxed', ini => { redis => { durability => 'relaxed' } });
like $relaxed->output, qr/durability = relaxed/, 'X1: relaxed is possible, and said';
$relaxed->stop;
$d->redis->cmd('CONFIG', 'SET', 'appendfsync', 'always');

done_testing;
