#!/usr/bin/perl

# S2: A deleted person is gone from Redis, from the file it appends to and from
# every journal, and an unsent message has lost its text.
#
# Some of the persons are canaries: names, texts and answers of theirs occur
# nowhere else. After they are deleted, all keys and all files are searched;
# then all clocks go on by as many hours as the API said, and the journals are
# searched as well. LINE's own memory, the simulator's, is not ours.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find ();
use Tomo::Test;
use Tomo::Test::Promise;

my $canaries = pick(short => 1, full => 20);
my $others   = pick(short => 2, full => 100);

# what is compressed could not be found
my $redis  = Tomo::Test::Redis->start(set => { rdbcompression => 'no' });
my $edge   = Tomo::Test::Nginx->start(redis => $redis, journal => 'keep=72h segment=2m');
my $sim    = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview']);
my $worker = Tomo::Test::Worker->start(redis => $redis, edge => $edge, sim => $sim);
my $folder = temp_dir();

sub friends {
    my $r = $worker->api('GET', "/accounts/demo/friends?user_id=$_[0]") or return;
    return $r->{json}{friends}[0];
}

# where one of the words stands: keys of Redis
sub keys_with {
    my ($words) = @_;
    my @found;
    for my $key (@{ $redis->cmd('KEYS', '*') }) {
        my $dump = $redis->cmd('DUMP', $key);
        push @found, $key if grep { index("$key\0$dump", $_) >= 0 } @$words;
    }
    return @found;
}

# ... and files, but the simulator's
sub files_with {
    my ($words, @below) = @_;
    my @found;
    no warnings "File::Find";    # folders go while we look
    File::Find::find({ no_chdir => 1, wanted => sub {
        $File::Find::prune = 1 if $_ eq $sim->{folder};
        return if !-f || $File::Find::prune;
        my $text = read_file($_);
        push @found, $_ if grep { index($text, $_) >= 0 } @$words;
    } }, @below);
    return @found;
}

# --- persons -----------------------------------------------------------------

ok wait_for(sub { ($sim->call('POST', '/sim/verify', {})->{status} // 0) == 200 }, 'feed', 10),
    'the edge knows the account';
my (@users, @marks);
for my $n (1 .. $canaries + $others) {
    my $canary = $n <= $canaries;
    my $word   = $canary ? "canary$n" . 'q' x 8 : "other$n";
    my $user   = $sim->add_friend("Name$word");
    push @users, $user;
    push @marks, $user, "Name$word", "Text$word", "Unsent$word" if $canary;
    $sim->say($user, "Text$word");
}
for my $user (@users) {
    wait_for(sub { @{ $sim->inbox($user) } }, 'greeted', 20);
}
my @gone = @users[0 .. $canaries - 1];
for my $user (@gone) {
    my ($url) = map { $_->{messages}[0]{text} =~ m{(http://\S+/r/\S+)} } @{ $sim->inbox($user) };
    my ($path) = ($url // '/r/none') =~ m{(/r/\S+)};
    is http($edge->port, 'GET', $path, ['User-Agent' => 'Mozilla/5.0 (iPhone) Line/14'])->{status},
        302, 'a canary taps a link';
}
ok wait_for(sub { my $f = friends($gone[-1]); $f && grep { $_ eq 'saw-catalog' } @{ $f->{tags} } },
    'tag', 10), '... and has a tag by it';
ok wait_for(sub { !$redis->cmd('XLEN', 'tomo:{demo}:out') }, 'settled', 20), 'all is settled';

my @keys = keys_with(\@marks);
cmp_ok scalar @keys, '>=', 3, 'before: the marks are in Redis';
my @journals = ($edge->journal, "$worker->{folder}/journal");
cmp_ok scalar files_with(\@marks, $journals[0]), '>=', 1, '... in the edge\'s journal';
cmp_ok scalar files_with(\@marks, $journals[1]), '>=', 1, '... in dispatch\'s';
cmp_ok scalar files_with(\@marks, "$redis->{folder}/appendonlydir"), '>=', 1, '... in Redis\' file';

# --- deleted -----------------------------------------------------------------

my $hours = 0;
for my $user (@gone) {
    my $friend = friends($user);
    my $r = $worker->api('DELETE', "/accounts/demo/friends/$friend->{id}");
    is $r->{status}, 200, 'S2: deleted' or diag($r->{body});
    my $took = ($r->{json}{complete_at} - $r->{json}{deleted_at}) / 3_600_000;
    $hours = $took if $took > $hours;
    is $worker->api('GET', "/accounts/demo/friends/$friend->{id}")->{status}, 410, '... and gone';
}
is @{ $worker->api('GET', '/accounts/demo/deletions')->{json}{deletions} }, $canaries,
    'the API lists them, with the date';
ok wait_for(sub { !keys_with(\@marks) }, 'keys', 10), 'S2: no key holds a mark';
figure('keys with a mark' => scalar keys_with(\@marks));

ok wait_for(sub {
    my @all = @{ $worker->api('GET', '/accounts/demo/deletions')->{json}{deletions} };
    return !grep { !$_->{rewritten} } @all;
}, 'written anew', 20), 'Redis wrote its file anew, and the API says so';
ok wait_for(sub { !files_with(\@marks, $redis->{folder}) }, 'old files', 10),
    'S2: no file of Redis holds a mark';
figure('hits after rewrite' => scalar files_with(\@marks, $redis->{folder}));

# --- the date the API named ---------------------------------------------------

my $shim = "$folder/later.so";
my ($status, $said) = run_command('cc', '-shared', '-fPIC', '-O1', '-o', $shim,
    top_dir() . '/t/tools/shim/later.c');
is $status, 0, 'a clock that is later' or diag($said);
{
    chomp(my $asan = ($ENV{TOMO_BUILD} // '') =~ /asan/ ? `gcc -print-file-name=libasan.so` : '');
    my $preload = join ' ', grep {$_} $asan, $shim;
    $worker->stop;
    $edge->stop('QUIT');
    local $ENV{LD_PRELOAD}   = $preload;
    local $ENV{TOMO_PRELOAD} = $preload;
    local $ENV{TOMO_LATER_S} = $hours * 3600;
    $redis->restart;
    $edge->write_conf(main => 'env TOMO_LATER_S;');
    $edge->launch;
    $worker->{env} = { LD_PRELOAD => $preload, TOMO_LATER_S => $hours * 3600 };
    $worker->launch;
}
ok wait_for(sub { !files_with(\@marks, @journals) }, 'journals', 30),
    'S2: at the date the API named no journal holds a mark'
    or diag(join "\n", files_with(\@marks, @journals));
my @left = files_with(\@marks, $folder);
is_deeply \@left, [], 'S2: nor any other file, logs and snapshot among them';
is_deeply [keys_with(\@marks)], [], '... nor Redis, to which they were shipped again';
figure('hits in all files at the date' => scalar @left);
figure('hours to done'                 => $hours);
is $hours, 8 * 24 + 2, '... which are the 8 days of dispatch\'s journal and two hours';

# the neighbours
ok friends($users[-1]), 'whom nobody deleted is there';

done_testing;
