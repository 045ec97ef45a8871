#!/usr/bin/perl

# Z3: The edge does not grow: requests, lost connections to Redis, reloads and
# clients that reset at every point leave its memory and its descriptors as they
# were.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Promise;
use Tomo::Test::Stage;
use Tomo::Test::Webhook;

my $REQUESTS   = pick(short => 6_000, full => 10_000_000);
my $RECONNECTS = pick(short => 15,    full => 1000);
my $RELOADS    = pick(short => 3,     full => 200);
my $STEP       = pick(short => 40,    full => 1);        # bytes between two resets
my $DELAYS     = pick(short => 12,    full => 200);      # resets after a full request

my $stage = Tomo::Test::Stage->start(
    edge  => { connections => 1024, journal => 'keep=1h max=4g segment=8m' },
    redis => { set => { maxmemory => pick(short => '512mb', full => '8gb') } });
my ($edge, $redis) = ($stage->edge, $stage->redis);

# --- what is measured ------------------------------------------------------------------

# Resident memory that is the process's own, in kB: pages of shared memory that
# it touched are everybody's.
sub own_kb {
    my ($pid) = @_;
    my %kb = read_file("/proc/$pid/status") =~ /^(VmRSS|RssShmem|RssFile):\s+(\d+)/mg;
    return $kb{VmRSS} - $kb{RssShmem} - $kb{RssFile};
}

# All but the journal's: their number depends on how full a segment is and how
# many journals are kept, so they have a limit of their own.
sub fds {
    my ($pid) = @_;
    my $journal = $edge->journal;
    my @all = map { readlink // '' } glob "/proc/$pid/fd/*";
    return scalar grep { index($_, $journal) < 0 } @all;
}

# The lock of each journal on disk, and in each worker adopt.lock, the segment
# that is written, the next one and one that is read.
sub journal_fds {
    my $journal = $edge->journal;
    my @all = map { readlink // '' } map { glob "/proc/$_/fd/*" } $edge->worker_pids;
    return scalar grep { index($_, $journal) >= 0 } @all;
}

sub journal_fds_max {
    my @folders = grep {-d} glob $edge->journal . '/*';
    my @workers = $edge->worker_pids;
    return @folders + 4 * @workers;
}

# { pid => [kB, descriptors] } of master and workers
sub measure {
    Tomo::Test::Status::wait_shipped($edge, 60);
    wait_for(
        sub {
            my $list = $redis->cmd('CLIENT', 'LIST');
            return 1 + $edge->worker_pids == $list =~ tr/\n//;
        },
        'every worker connected to Redis', 20);

    # The least of a second and a half: each second somebody looks for journals
    # to adopt, with files of its own open meanwhile.
    my %m;
    my $until = Time::HiRes::time() + 1.5;
    wait_for(
        sub {
            for my $pid ($edge->{pid}, sort $edge->worker_pids) {
                my $fds = fds($pid);
                $m{$pid} = [ own_kb($pid), $m{$pid} && $m{$pid}[1] < $fds ? $m{$pid}[1] : $fds ];
            }
            return Time::HiRes::time() > $until;
        },
        'a look at all of them', 10
    );
    return \%m;
}

my ($most_kb, $most_percent, $most_fds, @too_much) = (0, 0, 0);

# A worker of 3 MB that keeps one buffer more has grown by 5 %: so many kB are
# nothing. A sanitizer keeps what was freed for a while.
my $ROOM = Tomo::Test::slow() > 1 ? 1e9 : pick(short => 8192, full => 1024);

sub compare {
    my ($what, $was, $is) = @_;
    for my $pid (grep { $was->{$_} } keys %$is) {
        my $kb      = $is->{$pid}[0] - $was->{$pid}[0];
        my $percent = 100 * $kb / $was->{$pid}[0];
        my $fds     = $is->{$pid}[1] - $was->{$pid}[1];
        ($most_kb, $most_percent) = ($kb, $percent) if $kb > $most_kb;
        push @too_much, "$what: $kb kB" if $percent > 5 && $kb > $ROOM;
        $most_fds = $fds if $fds > $most_fds;
    }
    figure("own memory of a worker after $what" => join ', ',
        map {"$is->{$_}[0] kB ($is->{$_}[1] descriptors)"} grep { $_ != $edge->{pid} }
            sort keys %$is);
    return;
}

# --- requests --------------------------------------------------------------------------

my ($token) = $stage->tokens(1);
my ($form)  = $stage->forms(1);
my $body = webhook_body(text_event(user_id(1), 'x' x 300));
my $answer = 'nonce=' . 'A' x 22 . '&rev=1&hp=&q.name=n';

sub lua_string {
    my ($s) = @_;
    $s =~ s/([^ -!#-\[\]-~])/sprintf '\\%03d', ord $1/ge;
    return "\"$s\"";
}

my $script = write_file(temp_dir() . '/mix.lua', sprintf <<'END',
local list
init = function()
list = {
  wrk.format("GET", "/r/%s", {["User-Agent"] = "Mozilla/5.0 Line/15"}),
  wrk.format("GET", "/r/%s", {["User-Agent"] = "line-poker"}),
  wrk.format("POST", "/line/webhook/demo", {["x-line-signature"] = %s}, %s),
  wrk.format("POST", "/line/webhook/demo", {["x-line-signature"] = %s}, "forged"),
  wrk.format("GET", "/s/%s"),
  wrk.format("POST", "/s/%s", {["Content-Type"] = "application/x-www-form-urlencoded"}, %s),
  wrk.format("POST", "/s/%s", {["Content-Type"] = "text/plain"}, "x"),
  wrk.format("GET", "/r/forged"),
  wrk.format("GET", "/tomo/status?format=prometheus"),
}
end
local weight = {1, 1, 1, 1, 1, 1, 2, 3, 3, 4, 5, 6, 7, 8}
local n = 0
request = function()
  n = n + 1
  if n %% 500 == 0 then return list[9] end
  return list[weight[n %% #weight + 1]]
end
END
    $token, $token, lua_string(sign($body)), lua_string($body), lua_string(sign('x')), $form, $form,
    lua_string($answer), $form);

my $requests = 0;

sub requests {
    my ($n) = @_;
    my $until = $requests + $n;
    while ($requests < $until) {
        my ($status, $out) = run_command('wrk', '-t1', '-c32', '-d',
            pick(short => 1, full => 20) . 's', '-s', $script,
            'http://127.0.0.1:' . $edge->port . '/');
        my ($done) = $out =~ /(\d+) requests in/ or die "wrk: $out\n";
        $requests += $done;
        Tomo::Test::Status::wait_shipped($edge, 120);
        $redis->cmd('XTRIM', 'tomo:{demo}:in', 'MAXLEN', 0);
    }
    return;
}

requests(pick(short => 2000, full => 500_000));    # pools and caches get their size
my $start = my $was = measure();
requests($REQUESTS);
figure('requests' => $requests);
for my $name (qw(webhook_accepted redirect_served survey_page survey_answered token_malformed
    webhook_signature_wrong survey_refused))
{
    cmp_ok Tomo::Test::Status::counter($edge, $name), '>', $requests / 100,
        "Z3: of every kind: $name";
}
my $is = measure();
compare('requests', $was, $is);

# --- lost connections to Redis ---------------------------------------------------------

my $lost = Tomo::Test::Status::counter($edge, 'redis_lost');
sub times_lost { return Tomo::Test::Status::counter($edge, 'redis_lost') - $lost }

# Each time every worker loses its own.
sub reconnects {
    my ($n) = @_;
    while (times_lost() < $n) {
        my $before = Tomo::Test::Status::counter($edge, 'redis_connected');
        $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        send_webhook($edge, $body);
        wait_for(sub { Tomo::Test::Status::counter($edge, 'redis_connected') >= $before + 2 },
            'connected again', 15) or last;
    }
    return;
}

reconnects($RECONNECTS);
cmp_ok figure('connections to Redis lost and made again' => times_lost()), '>=', $RECONNECTS,
    'Z3: so many';
$is = measure();
compare('reconnects', $was, $is);

# --- clients that reset -------------------------------------------------------------------

my $resets = 0;

# Sends the first bytes of a request, waits for so many ms or an answer, resets.
sub cut_off {
    my ($bytes, $ms) = @_;
    my $c = Tomo::Test::Http->connect($edge->port) or return;
    $c->send($bytes);
    IO::Select->new($c->{sock})->can_read($ms / 1000) if $ms;
    $c->reset;
    $resets++;
    return;
}

sub whole {
    my ($method, $path, $body, @headers) = @_;
    return Tomo::Test::Http::format_request($method, $path, \@headers, $body);
}

my @whole = (
    whole('POST', '/line/webhook/demo', $body, 'x-line-signature' => sign($body)),
    whole('POST', "/s/$form", $answer, 'Content-Type' => 'application/x-www-form-urlencoded'),
    whole('GET', "/r/$token", undef, 'User-Agent' => 'Mozilla/5.0 Line/15'),
    whole('GET', "/s/$form"),
);
for my $bytes (@whole) {
    for (my $n = 1; $n <= length $bytes; $n += $STEP) { cut_off(substr($bytes, 0, $n), 0) }
    cut_off($bytes, $_ / 4) for 0 .. $DELAYS;
}

# While a link is asked for in a Redis that does not answer.
$redis->pause;
my @strange = tokens(map { { link => 5000 + $_ } } 0 .. $DELAYS);
cut_off(whole('GET', "/r/$strange[$_]", undef, 'User-Agent' => 'Mozilla/5.0 Line/15'), $_)
    for 0 .. $DELAYS;
$redis->resume;
figure('clients that reset' => $resets);
is send_webhook($edge, $body)->{status}, 200, 'Z3: the edge serves on';
$is = measure();
compare('resets', $was, $is);
is join(' ', sort keys %$is), join(' ', sort keys %$start), 'Z3: by the same processes';

# --- reloads -----------------------------------------------------------------------------

my @fresh;
for my $n (1 .. $RELOADS) {
    $edge->reload(seconds => pick(short => 20, full => 60)) or last;
    next if $n > 1 && $n < $RELOADS;
    send_webhook($edge, $body) for 1 .. 20;
    push @fresh, measure();
}
is scalar @fresh, 2, 'Z3: reloads bring new workers, and no old one stays';
figure('reloads' => $RELOADS);
my ($master_was, $master_is) = map { $_->{ $edge->{pid} } } @fresh;
my @grown = map {
    my ($old, $new) = map { my $m = $_; [ sort { $a <=> $b } map { $_->[1] }
                map { $m->{$_} } grep { $_ != $edge->{pid} } keys %$m ] } @fresh;
    $new->[-1] - $old->[-1];
} 1;
figure('master after the first reload' => "$master_was->[0] kB, $master_was->[1] descriptors");
figure('master after the last' => "$master_is->[0] kB, $master_is->[1] descriptors");
is $master_is->[1], $master_was->[1], 'Z3: the master has the descriptors it had';
cmp_ok figure("the journal's descriptors of all workers" => journal_fds()), '<=',
    journal_fds_max(), 'Z3: no more of the journal than are in use';
cmp_ok $grown[0], '<=', 0, 'Z3: a worker after many reloads has those of one after few'
    or diag explain(\@fresh);

# --- the law ------------------------------------------------------------------------------

cmp_ok figure('descriptors more, at most' => $most_fds), '<=', 0, 'Z3: no descriptor is left open';
figure('own memory more, at most' => sprintf '%d kB (%.1f %%)', $most_kb, $most_percent);

is "@too_much", '', 'Z3: memory stays as it was';
my $master = $master_is->[0] - $master_was->[0];
ok $master < 0.05 * $master_was->[0] || $master < $ROOM, 'Z3: the master\'s as well';

done_testing;
