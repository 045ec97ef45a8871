#!/usr/bin/perl

# What goes wrong in one place stops only that: a journal that cannot be made
# (R1), a segment that cannot be read (W2), very many dead writers (W10), more
# accounts than one round of questions holds.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::DeadWriter;
use Tomo::Test::Feed;
use Tomo::Test::Snapshot;
use Tomo::Test::Webhook;

sub counter { return Tomo::Test::Status::counter(@_) // 0 }

# --- R1: a tap leads on while a worker has no journal ------------------------------
if ($> == 0) {
    my $e = Tomo::Test::Nginx->new(redis => '/nowhere.sock', workers => 1, user => 'www-data');
    write_snapshot($e, { id => 'demo', number => 1, links => { 1 => 'https://shop.example/a' } });
    $e->launch;
    $e->allow_alert(qr/exited on signal 9/);
    my ($pid) = $e->worker_pids;
    chown 0, 0, $e->journal;
    chmod 0755, $e->journal;
    kill 'KILL', $pid;
    ok wait_for(sub { $e->error_log =~ /journal ".*" cannot be made/ }, 'the complaint', 10),
        'R1: a worker without a journal';
    my ($token) = tokens({ link => 1, friend => 7 });
    my $r = Tomo::Test::Http::get($e->port, "/r/$token", 'User-Agent' => 'Mozilla/5.0');
    is $r && $r->{status}, 302, 'R1: a tap is still led on';
    is $r && $r->{headers}{location}, 'https://shop.example/a', 'R1: to its place';
    unlike $e->error_log, qr/exited on signal 11/, 'R1: and the worker lives';
    is counter($e, 'click_dropped'), 1, 'R1: the click that was lost is counted';
    chown scalar(getpwnam 'www-data'), 0, $e->journal;
    ok $e->quit, 'R1: QUIT';
}

# --- W2: a segment that is gone ------------------------------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, { version => 1 });
    my $e = Tomo::Test::Nginx->start(redis => $redis, workers => 1);
    ok wait_served($redis, 1), 'W2: the edge serves the feed';
    $redis->stop;
    my $folder = dead_writer($e, 0xaa, ('demo') x 3);
    ok wait_for(sub { counter($e, 'ship_adopted') == 1 }, 'adopted', 10), 'W2: a dead journal';
    unlink "$folder/0000000000000001.seg";
    is send_webhook($e, webhook_body(follow_event(user_id(1))))->{status}, 200, 'W2: a webhook';
    $redis->restart;
    ok wait_served($redis, 1), 'W2: Redis is back';
    my ($n, @took) = (1);
    for (1 .. 8) {
        send_webhook($e, webhook_body(follow_event(user_id($_))));
        $n++;
        my $at = now_ms();
        wait_for(sub { (eval { $redis->cmd('XLEN', 'tomo:{demo}:in') } || 0) >= $n },
            'shipped', 10) or last;
        push @took, now_ms() - $at;
    }
    is $redis->cmd('XLEN', 'tomo:{demo}:in'), $n,
        'W2: a file that cannot be read does not hold up the others';
    # one pause of the disk is the machine's, two of eight are not
    my $slow = (sort { $b <=> $a } @took)[1];
    cmp_ok $slow, '<', 1000 * Tomo::Test::slow(), "W2: nor slows them down: $slow ms at most";
    my @told = $e->error_log =~ /cannot be read/g;
    cmp_ok @told, '<=', 2, 'W2: it is told, not told again and again';
    ok $e->quit, 'W2: QUIT';
}

# --- W10: many dead writers -------------------------------------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, { version => 1 });
    my $e = Tomo::Test::Nginx->new(
        redis => $redis, workers => 1, main => 'worker_rlimit_nofile 400;');
    $e->allow_alert(qr/exited on signal 9/);
    my $dead = 420;
    dead_writer($e, 0x1000 + $_, 'demo') for 1 .. $dead;
    $e->launch;
    ok wait_for(sub { ($redis->cmd('XLEN', 'tomo:{demo}:in') || 0) >= $dead }, 'all', 60),
        "W10: the records of $dead dead writers are shipped";
    is $redis->cmd('XLEN', 'tomo:{demo}:in'), $dead, 'W10: each once';
    my ($pid) = $e->worker_pids;
    my @open = glob "/proc/$pid/fd/*";
    cmp_ok @open, '<', 300, 'W10: their journals do not use up the descriptors';
    is send_webhook($e, webhook_body(follow_event(user_id(1))))->{status}, 200, 'W10: a webhook';
    ok $e->reload, 'W10: a reload';
    is send_webhook($e, webhook_body(follow_event(user_id(2))))->{status}, 200,
        'W10: and another one after it';
    ok $e->quit, 'W10: QUIT';
}

# --- W2: a journal with records of very many accounts --------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    my $e = Tomo::Test::Nginx->new(redis => $redis, workers => 1);
    my @accounts = map { sprintf 'shop%04d', $_ } 1 .. 4300;
    dead_writer($e, 0xbb, @accounts);
    $e->launch;
    ok wait_for(sub { $redis->cmd('DBSIZE') >= 2 * @accounts },
        'all accounts', 20), 'W2: a dead journal of ' . @accounts . ' accounts is shipped';
    is counter($e, 'ship_reshipped'), 0, 'W2: nothing twice';
    ok $e->quit, 'W2: QUIT';
}

# --- W10: a reload that moves the journal ---------------------------------------------
{
    my $redis = Tomo::Test::Redis->start;
    publish($redis, { version => 1 });
    my $e = Tomo::Test::Nginx->start(redis => $redis, workers => 1);
    ok wait_served($redis, 1), 'W10: the edge serves the feed';
    $redis->stop;
    is send_webhook($e, webhook_body(follow_event(user_id(1))))->{status}, 200, 'W10: a webhook';
    my ($old, $new) = ($e->journal, $e->folder . '/moved');
    mkdir $new, 0700;
    my $text = $e->edge_directives;
    $text =~ s/^tomo_journal \K\S+/$new/m;
    $e->write_conf(http => $text, redis => undef, server => <<'END');
location /line/webhook/ { tomo_webhook; }
location = /tomo/status { tomo_status; }
END
    ok $e->reload, 'W10: a reload with the journal elsewhere';
    like $e->error_log, qr/\[warn\].*journal was in "\Q$old\E" and is in "\Q$new\E" now/,
        'W10: the operator is told of what is left behind';
    my @left = grep { /[0-9a-f]{16}$/ } glob "$old/*";
    is @left, 1, 'W10: a folder is';
    rename $_, $new . substr $_, -17 for @left;
    $redis->restart;
    ok wait_for(sub { $redis->cmd('XLEN', 'tomo:{demo}:in') }, 'shipped', 15),
        'W10: and shipped when it was moved as told';
    ok $e->quit, 'W10: QUIT';
}

done_testing;
