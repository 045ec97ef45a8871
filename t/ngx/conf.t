#!/usr/bin/perl

# Directives: what `nginx -t` takes, what it refuses, and that each refusal
# names directive, value and reason (B82-B85). Redis is never needed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my $dir  = temp_dir();
my $key  = Tomo::Test::Files::path('edge.key');
my $hex  = 'ab' x 32;
my $seen = 0;

# nginx -t over these lines of http and of a server; (status, output).
sub try_conf {
    my ($http, $locations) = @_;
    my $edge = Tomo::Test::Nginx->new(name => 'c' . ++$seen, conf => <<"END");
%%MAIN%%
events { }
http {
%%HTTP%%
$http
server { listen 127.0.0.1:%%PORT%%; ${\($locations // '')} }
}
END
    mkdir "$edge->{folder}/j";
    my ($status, $output) = $edge->test_conf;
    return ($status, $output =~ s/\Q$edge->{folder}\E/DIR/gr);
}

sub refused {
    my ($what, $http, $locations, @patterns) = @_;
    my ($status, $output) = try_conf($http, $locations);
    isnt $status, 0, "$what: refused";
    like $output, $_, "$what: $_" for @patterns;
    unlike $output, qr/$hex/, "$what: no key in the complaint" if $output =~ /$hex/;
    return $output;
}

sub taken {
    my ($what, $http, $locations, @patterns) = @_;
    my ($status, $output) = try_conf($http, $locations);
    is $status, 0, "$what: taken" or diag $output;
    like $output, $_, "$what: $_" for @patterns;
    return;
}

my $zone    = 'tomo_zone zone=tomo:1m;';
my $redis   = 'tomo_redis unix:/nowhere.sock;';
my $journal = "tomo_journal $dir/journal;";
my $keys    = "tomo_key_file $key;";
my $all     = "$zone $redis $journal $keys";
my $webhook = 'location /w/ { tomo_webhook; }';
mkdir "$dir/journal";

# --- taken ---------------------------------------------------------------------
taken('nothing of Tomo', '', '');
taken('everything', "tomo_zone zone=t:16m snapshot=edge.snap;
    tomo_redis 127.0.0.1:6379 connect_timeout=500ms timeout=3s;
    tomo_journal journal keep=3d max=1g segment=4m; $keys
    tomo_clock_file clock; tomo_click_address on; tomo_max_body 2m;",
    'location /w/ { tomo_webhook; } location /st { tomo_status; }');
taken('a name for Redis is looked up at once', "$zone tomo_redis localhost:6379; $journal $keys",
    $webhook);
taken('IPv6', "$zone tomo_redis [::1]:6379; $journal $keys", $webhook);
taken('status needs a zone only', $zone, 'location /st { tomo_status; }');
taken('a journal without Redis: a warning', "$zone $journal $keys", $webhook,
    qr/\[warn\].*no "tomo_redis" directive/);

# --- what needs what -------------------------------------------------------------
for my $handler (qw(tomo_webhook tomo_redirect tomo_survey)) {
    my $location = "location /x/ { $handler; }";
    refused("$handler without a zone", '', $location, qr/"$handler" directive needs "tomo_zone"/);
    refused("$handler without a journal", "$zone $keys", $location,
        qr/"$handler" directive needs "tomo_journal"/);
    refused("$handler without keys", "$zone $journal", $location,
        qr/"$handler" directive needs "tomo_key_file"/);
}
refused('status without a zone', '', 'location /x { tomo_status; }',
    qr/"tomo_status" directive needs "tomo_zone"/);
refused('a journal without a zone', $journal, '', qr/"tomo_journal" directive needs "tomo_zone"/);
refused('two handlers', $all, 'location /x/ { tomo_webhook; tomo_status; }',
    qr/"tomo_status" directive cannot share a location/);
refused('a handler twice', $all, 'location /x/ { tomo_webhook; tomo_webhook; }',
    qr/"tomo_webhook" directive is duplicate/);
refused('a handler outside a location', $all, 'tomo_webhook;',
    qr/"tomo_webhook" directive is not allowed here/);
refused('a handler with an argument', $all, 'location /x/ { tomo_webhook on; }',
    qr/invalid number of arguments in "tomo_webhook"/);

# --- duplicates (B83) --------------------------------------------------------------
for my $pair ([tomo_zone => $zone], [tomo_redis => $redis], [tomo_journal => $journal],
    [tomo_key_file => $keys], [tomo_clock_file => 'tomo_clock_file c;'],
    [tomo_click_address => 'tomo_click_address on;'], [tomo_max_body => 'tomo_max_body 1m;'])
{
    my ($name, $text) = @$pair;
    refused("B83: $name twice", "$text $text", '', qr/"$name" directive is duplicate/);
}

# --- tomo_zone ---------------------------------------------------------------------
refused('no zone=', 'tomo_zone snapshot=x;', '', qr/must have a "zone=name:size" parameter/);
for my $bad (['zone=t', 'not name:size'], ['zone=:1m', 'not name:size'],
    ['zone=t:big', 'the size is no size'], ['zone=t:-1m', 'the size is no size'],
    ['zone=t:512k', 'the zone is too small'], ['zone=t:1m colour=red', 'unknown parameter'],
    ['zone=t:1m snapshot=', 'no file name'])
{
    my ($value) = grep { $bad->[1] !~ /unknown|file/ || !/^zone/ } split / /, $bad->[0];
    refused("zone: $bad->[0]", "tomo_zone $bad->[0];", '',
        qr/invalid value "\Q$value\E" in "tomo_zone" directive: $bad->[1]/);
}
refused('snapshot in no folder', 'tomo_zone zone=t:1m snapshot=/none/such/s;', '',
    qr{"/none/such/s" in "tomo_zone" directive: the folder "/none/such" cannot be written});

# --- tomo_redis (B82) ----------------------------------------------------------------
my $long = '/' . 'x' x 107;
refused('B82: a socket path of 108 bytes', "tomo_redis unix:$long;", '',
    qr/in "tomo_redis" directive: the path of a socket has 1 to 107 bytes/);
taken('B82: a socket path of 107 bytes', 'tomo_redis unix:/' . 'x' x 106 . ';', '');
for my $bad (['unix:', 'the path of a socket'], ['127.0.0.1:0', 'invalid port'],
    ['127.0.0.1:99999', 'invalid port'], ['no.such.host.invalid:1', 'host not found'])
{
    refused("B82: $bad->[0]", "tomo_redis $bad->[0];", '',
        qr/invalid value "\Q$bad->[0]\E" in "tomo_redis" directive: $bad->[1]/);
}
refused('redis: unknown parameter', 'tomo_redis unix:/s db=3;', '',
    qr/invalid value "db=3" in "tomo_redis" directive: unknown parameter/);
refused('redis: a timeout of 0', 'tomo_redis unix:/s timeout=0;', '',
    qr/invalid value "timeout=0" in "tomo_redis" directive: no time above 0/);
refused('redis: a user alone', 'tomo_redis unix:/s user=edge;', '', qr/user= needs password_file=/);
write_file("$dir/pw", "p\@ss:/%\n", 0600);
write_file("$dir/pw-empty", "\n", 0600);
taken('B82: a password of signs, from a file',
    "tomo_redis unix:/s user=edge password_file=$dir/pw;");
refused('redis: no password file', 'tomo_redis unix:/s password_file=/none/pw;', '',
    qr{cannot open "/none/pw" in "tomo_redis" directive \(2: No such file});
refused('redis: an empty password file', "tomo_redis unix:/s password_file=$dir/pw-empty;", '',
    qr/in "tomo_redis" directive is empty/);

# --- tomo_key_file -------------------------------------------------------------------
sub bad_key {
    my ($what, $text, $reason, $mode) = @_;
    write_file("$dir/bad.key", $text, $mode // 0600);
    my $output = refused("key: $what", "tomo_key_file $dir/bad.key;", '', $reason);
    unlike $output, qr/[0-9a-f]{32}/, "key: $what: the complaint shows no key";
    return;
}
refused('no key file', 'tomo_key_file /none/edge.key;', '',
    qr{cannot open "/none/edge.key" in "tomo_key_file" directive});
refused('the key file is a folder', "tomo_key_file $dir;", '', qr/is refused: not a plain file/);
my $line = 'of ".*" in "tomo_key_file" directive:';
bad_key('empty', '', qr/holds no key: write a line/);
bad_key('no colon', "$hex\n", qr/invalid line 1 $line the id before the colon/);
bad_key('id 16', "16:$hex\n", qr/invalid line 1 $line the id before the colon must be 0 to 15/);
bad_key('63 digits', '1:' . substr($hex, 1) . "\n", qr/invalid line 1 $line behind the colon/);
bad_key('not hex', '1:' . 'xy' x 32 . "\n", qr/invalid line 1 $line behind the colon/);
bad_key('a space behind', "1:$hex \n", qr/invalid line 1 $line behind the colon/);
bad_key('CR LF', "1:$hex\r\n", qr/invalid line 1 $line behind the colon/);
bad_key('an id twice', "1:$hex\n1:$hex\n", qr/invalid line 2 $line the id is used twice/);
bad_key('three keys', "1:$hex\n2:$hex\n3:$hex\n", qr/invalid line 3 $line there are at most two/);
bad_key('readable by all', "1:$hex\n", qr/everyone can read or change it: chmod 600/, 0644);
bad_key('too large', "1:$hex\n" . "\n" x 5000, qr/larger than 4096 bytes/);
write_file("$dir/two.key", "3:$hex\n\n4:$hex", 0640);
taken('two keys, the last without an end of line', "tomo_key_file $dir/two.key;");

# --- tomo_journal (B84) ----------------------------------------------------------------
for my $bad (['keep=soon', 'no time'], ['max=lots', 'no size'], ['max=-1', 'no size'],
    ['max=0', 'no size'], ['segment=100k', 'a segment has 1m to 1g'],
    ['segment=2g', 'a segment has'],
    ['segment=1048577', 'a multiple of 4k'], ['fsync=no', 'unknown parameter'])
{
    refused("B83: journal $bad->[0]", "$zone tomo_journal $dir/journal $bad->[0];", '',
        qr/invalid value "$bad->[0]" in "tomo_journal" directive: .*$bad->[1]/);
}
refused('B83: max below two segments', "$zone tomo_journal $dir/journal max=10m segment=8m;", '',
    qr/"tomo_journal" directive has a max= below two segments/);
refused('B84: on tmpfs', "$zone tomo_journal /dev/shm/tomo-journal;", '',
    qr{"/dev/shm/tomo-journal" in "tomo_journal" directive lies in memory \(tmpfs\)});
refused('B84: in no folder', "$zone tomo_journal /none/such/journal;", '',
    qr{"/none/such/journal" in "tomo_journal" directive: the folder "/none/such" must exist});
write_file("$dir/file", 'x');
refused('B84: a file', "$zone tomo_journal $dir/file;", '', qr/is not a folder/);

if ($> == 0) {
    mkdir "$dir/closed", 0700;
    mkdir "$dir/closed/journal", 0700;
    my $edge = Tomo::Test::Nginx->new(name => 'way', user => 'www-data',
        redis => '/nowhere.sock', conf => <<"END");
%%MAIN%%
events { }
http { %%HTTP%% $zone $redis tomo_journal $dir/closed/journal; }
END
    my ($status, $output) = $edge->test_conf;
    isnt $status, 0, 'B84: no way for the workers: refused';
    like $output, qr{"$dir/closed" on the way to the folder in "tomo_journal" directive},
        'B84: the folder that is closed is named';
}

# --- tomo_max_body ----------------------------------------------------------------------
for my $bad ('100', '5m') {
    refused("max_body $bad", "tomo_max_body $bad;", '',
        qr/invalid value "$bad" in "tomo_max_body" directive: it must be between 1024 and/);
}
refused('B83: a word for a size', 'tomo_max_body big;', '',
    qr/"tomo_max_body" directive invalid value/);
refused('a body no segment holds', "$zone $keys tomo_journal $dir/journal segment=1m;", $webhook,
    qr/"tomo_max_body" 1048576 of a "tomo_webhook" location does not fit/, qr/raise "segment="/);
taken('a smaller one fits', "$zone $keys $redis tomo_journal $dir/journal segment=1m;",
    'location /w/ { tomo_webhook; tomo_max_body 512k; }');
refused('click_address', 'tomo_click_address maybe;', '',
    qr/"tomo_click_address" directive.*"on" or "off"/);
refused('B83: an unknown directive', 'tomo_spool /x;', '', qr/unknown directive "tomo_spool"/);

# --- B85: a broken file at reload ----------------------------------------------------------
my $edge = Tomo::Test::Nginx->start(name => 'live', conf => <<"END");
%%MAIN%%
events { }
http {
%%HTTP%%
$zone $redis
tomo_journal %%DIR%%/journal;
$keys
server { listen 127.0.0.1:%%PORT%%; location = /st { tomo_status; } }
}
END
is http_get($edge->port, '/st')->{status}, 200, 'B85: it serves';
$edge->allow_alert(qr/tomo_zone|tomo_key_file/);
my $good = read_file("$edge->{folder}/nginx.conf");
for my $broken ($good =~ s/zone=tomo:1m/zone=tomo:1k/r,
    $good =~ s/tomo_key_file \S+/tomo_key_file \/none;/r)
{
    my @before = sort $edge->worker_pids;
    write_file("$edge->{folder}/nginx.conf", $broken);
    my $log = length $edge->error_log;
    $edge->signal('HUP');
    wait_for(sub { substr($edge->error_log, $log) =~ /\[emerg\]/ }, 'the complaint', 10);
    is_deeply [sort $edge->worker_pids], \@before, 'B85: the old configuration keeps serving';
    is http_get($edge->port, '/st')->{status}, 200, 'B85: and answers';
}
write_file("$edge->{folder}/nginx.conf", $good);
ok $edge->reload, 'B85: a good file is taken again';
is http_get($edge->port, '/st')->{status}, 200, 'and serves';

done_testing;
