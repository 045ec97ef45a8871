#!/usr/bin/perl

# B79-B82, B84, B86 as an operator meets them: `tomo-worker --check` and `nginx
# -t` refuse, say why, and never print the value.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my $dir    = temp_dir();
my $redis  = Tomo::Test::Redis->start;
my $worker = Tomo::Test::Worker->new(redis => $redis, name => 'checked');
my $edge   = Tomo::Test::Nginx->new(redis => $redis);
my $KEY    = '1:' . 'ab12' x 16 . "\n";

sub check_ini {
    my (%ini) = @_;
    $worker->write_ini(%ini);
    return $worker->check('--check');
}

sub refused {
    my ($id, $what, $words, %ini) = @_;
    my ($code, $said) = check_ini(%ini);
    is $code, 78, "$id: $what is refused" or diag($said);
    like $said, $words, '... and why is said';
    unlike $said, qr/ab12ab12|0123456789abcdef/, '... without the value';
    return;
}

# `nginx -t` with this key file
sub refused_edge {
    my ($id, $what, $words, $file) = @_;
    my $conf = $edge->write_conf;
    my $text = read_file($conf);
    $text =~ s/tomo_key_file \S+;/tomo_key_file $file;/;
    write_file($conf, $text);
    my ($code, $said) = $edge->test_conf;
    isnt $code, 0, "$id: nginx: $what is refused" or diag($said);
    like $said, $words, '... and why is said';
    unlike $said, qr/ab12ab12/, '... without the value';
    return;
}

# what LD_PRELOAD needs for t/tools/shim/NAME.c
sub shim {
    my ($name) = @_;
    my ($code, $said) = run_command('cc', '-shared', '-fPIC', '-o', "$dir/$name.so",
        top_dir() . "/t/tools/shim/$name.c");
    is $code, 0, "shim $name" or diag($said);
    chomp(my $asan = ($ENV{TOMO_BUILD} // '') =~ /asan/ ? `gcc -print-file-name=libasan.so` : '');
    return join ' ', grep {$_} $asan, "$dir/$name.so";
}

sub file {
    my ($name, $text, $mode) = @_;
    return write_file("$dir/$name", $text, $mode // 0600);
}

is +(check_ini())[0], 0, 'all is well to begin with' or diag((check_ini())[1]);

# --- B79, B80, B81: the edge's key file ----------------------------------------

refused_edge('B79', 'a file that is missing', qr/cannot open/, "$dir/nowhere");
refused_edge('B79', 'an empty file', qr/holds no key/, file('empty', ''));
refused_edge('B79', 'a key too short', qr/64 hex digits/, file('short', "1:ab12\n"));
refused_edge('B79', 'a placeholder', qr/invalid line 1/, file('example', "KEY\n"));
refused_edge('B80', 'a file everybody can read', qr/everyone can read/,
    file('open', $KEY, 0644));
file('good.key', $KEY);
symlink "$dir/good.key", "$dir/link.key";
refused_edge('B80', 'a symbolic link', qr/is a symbolic link: name the file/, "$dir/link.key");
refused_edge('B80', 'a folder', qr/not a plain file/, $dir);
refused_edge('B81', 'one id with two keys', qr/used twice/,
    file('twice', $KEY . '1:' . 'cd' x 32 . "\n"));

# --- the worker's ----------------------------------------------------------------

refused('B79', 'a key file without a key', qr/must hold|holds no key/,
    worker => { worker_key => file('none.key', "retry-key:" . 'ab12' x 16 . "\n") });
refused('B80', 'a symbolic link', qr/symbolic link/, worker => { worker_key => "$dir/link.key" });
refused('B80', 'a folder', qr/not a regular file/, worker => { worker_key => $dir });
refused('B79', 'a secret of two lines', qr/32 hex digits/, 'account demo' =>
    { channel_secret_file => file('lines', "0123456789abcdef0123456789abcdef\nx\n") });
refused('B79', 'three API tokens', qr/more than two lines/,
    api => { token_file => file('tokens', join '', map {"ab12ab12ab12ab12$_\n"} 1 .. 3) });

# --- B82: a password with everything a URL gives a meaning to ---------------------

my $odd = 'p@ss:/%word #"\'\\ {}';
$redis->cmd('ACL', 'SETUSER', 'odd', 'on', ">$odd", '~tomo:*', '+@all', '-@dangerous', '+info',
    '+config|get');
my $ok = Tomo::Test::Worker->start(redis => $redis, name => 'odd', role => 'ingest',
    ini => { redis => { user => 'odd', password_file => file('odd.pw', "$odd\n") } });
ok $ok->alive, 'B82: a password of odd characters is taken as it is';
unlike $ok->output, qr/p\@ss/, '... and not told';
$ok->stop;

# --- B84: where the journal lies ----------------------------------------------------

refused('B84', 'a journal whose parent is missing', qr/make it: install -d -m 700/,
    worker => { journal => "$dir/no/such/folder" });
refused('B84', 'a journal that is a file', qr/is no folder/,
    worker => { journal => file('plain', '') });
refused('B84', 'a journal in memory', qr/lies in memory \(tmpfs\)/,
    worker => { journal => '/dev/shm' });
mkdir "$dir/closed", 0500;
{
    # root may write everywhere, unless without this right
    my @as = $> == 0 ? ('setpriv', '--bounding-set=-dac_override', '--') : ();
    $worker->write_ini(worker => { journal => "$dir/closed" });
    my ($code, $said) = run_command(@as, Tomo::Test::Worker::binary(), '--config',
        $worker->ini_path, '--check');
    is $code, 78, 'B84: a journal that cannot be written is refused' or diag($said);
    like $said, qr/cannot be written: Permission denied; the worker's user must own it/,
        '... and why is said';
}

# the kinds of file systems, by their numbers
my $disk = shim('disk');
for my $kind (
    ['6969', 0, 'lies on a network file system'],
    ['ff534d42', 0, 'lies on a network file system'],
    ['fe534d42', 0, 'lies on a network file system'],
    ['65735546', 0, 'lies on a FUSE file system'],
    ['794c7630', 0, 'lies on an overlay file system'],
    ['01021994', 78, 'lies in memory'],
    ['858458f6', 78, 'lies in memory'],
    ) {
    my ($number, $want, $words) = @$kind;
    local @ENV{qw(LD_PRELOAD TOMO_DISK)} = ($disk, $number);
    my ($code, $said) = check_ini();
    is $code, $want, "B84: a journal on $number: " . ($want ? 'refused' : 'taken') or diag($said);
    like $said, qr/journal\) $words/, '... and why is said';
}
{
    local @ENV{qw(LD_PRELOAD TOMO_DISK)} = ($disk, 'ef53');
    unlike +(check_ini())[1], qr/journal\) lies/, 'B84: of a disk nothing is said';
}
{
    local @ENV{qw(LD_PRELOAD TOMO_DISK)} = ($disk, '01021994');
    my ($code, $said) = check_ini(sandbox => { clock_file => Tomo::Test::Files::path('clock') });
    is $code, 0, 'B84: a sandbox may lie in memory' or diag($said);
    like $said, qr/journal\) lies on a memory file system/, '... and is told';
}

my ($code, $said) = do {
    $worker->write_ini(worker => { journal => "$worker->{folder}/fresh" });
    my $started = $worker->launch;
    my $made = -d "$worker->{folder}/fresh";
    ok $made, 'B84: a folder that only itself is missing is made at start';
    my @again = run_command(Tomo::Test::Worker::binary(), '--config', $worker->ini_path);
    $started->stop;
    @again;
};
isnt $code, 0, 'B84: a second worker on the same folders is refused';
like $said, qr/already runs with this run_dir/, '... and told so';

# systemd makes run_dir when it starts the unit: before that --check is content
($code, $said) = check_ini(worker => { run_dir => "$dir/not-yet" });
is $code, 0, 'B84: --check: a run_dir that is not there yet' or diag($said);
like $said, qr/is not there yet: systemd makes it/, '... is told';
($code, $said) = run_command(Tomo::Test::Worker::binary(), '--config', $worker->ini_path);
is $code, 78, '... but nothing starts without it';
like $said, qr/cannot be used: .* make it: install -d -m 700/, '... and it says what to do';

# a key that is gone is told once, before there are roles
$worker->write_ini(worker => { worker_key => "$dir/gone.key" });
($code, $said) = run_command(Tomo::Test::Worker::binary(), '--config', $worker->ini_path);
is $code, 78, 'B79: nothing starts without a key';
is scalar(() = $said =~ /gone\.key does not exist/g), 1, '... and that is told once';

# --- B86: clock and zones -------------------------------------------------------------

my $later = shim('later');
{
    local $ENV{LD_PRELOAD}   = $later;
    local $ENV{TOMO_LATER_S} = -3 * 365 * 86400;
    ($code, $said) = check_ini();
    is $code, 78, 'B86: a clock before the program was made is refused' or diag($said);
    like $said, qr/clock was never set; set it/, '... and why';
    is +($worker->check())[0], 78, '... at start as well';
}
{
    local $ENV{TZDIR} = "$dir/no-zones";
    local $ENV{TZ}    = 'No/Where';
    ($code, $said) = check_ini('account demo' => { zone => 'Asia/Seoul' });
    is $code, 0, 'B86: without tzdata zones are known all the same' or diag($said);
}

done_testing;
