#!/usr/bin/perl

# Redirects: B27–B37, R1, R2 (short), R4, and the lookup of what the table does
# not have yet.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Http;

my $url  = 'https://shop.example/a/b?c=d&e=%E3%81%82#f';
my @evil = (
    'javascript:alert(1)', 'data:text/html,x', '//evil.example/', 'https:\\\\evil.example',
    'https://good.example@evil.example/', "https://a.example/\r\nX: y", "https://a.example/\0",
    "https://\xe3\x81\x82.example/", 'https://a.example/' . 'x' x 8000, '/relative', '',
    'https://', 'ftp://a.example/', 'https:evil.example', "https://a.example/ b",
);
my $redis = Tomo::Test::Redis->start;
publish(
    $redis,
    {
        version => 1,
        links   => {
            1 => $url,
            2 => { url => $url, open => 0 },
            map { 100 + $_ => $evil[$_] } 0 .. $#evil
        }
    },
    { id => 'other', number => 2, version => 1, links => { 5 => 'https://other.example/' } }
);
my $edge = Tomo::Test::Nginx->start(redis => $redis);
ok wait_served($redis, 1), 'R5: the edge serves the feed';
ok wait_served($redis, 1, 'other'), 'R5: and the other account';

my %HUMAN = ('User-Agent' => 'Mozilla/5.0 (iPhone) Safari Line/15.12.1');
my $page;

sub gone_ok {
    my ($r, $name) = @_;
    $page //= $r->{body};
    return ok $r && $r->{status} == 404 && $r->{body} eq $page && !defined $r->{headers}{location},
        $name;
}

sub go { return http_get($edge->port, "/r/$_[0]", %HUMAN, @_[ 1 .. $#_ ]) }

my ($good, $far, $strange) = tokens({ link => 1, friend => 7, delivery => 9, check => 4711 },
    { link => 5, account => 2 }, { link => 1, friend => 8 });
my $r = go($good);
is $r->{status}, 302, 'a good token leads on';
is $r->{headers}{location}, $url, 'to the stored URL';
is $r->{headers}{'cache-control'}, 'no-store', 'never kept';
is $r->{headers}{'referrer-policy'}, 'no-referrer', 'the token goes nowhere';
is go($far)->{headers}{location}, 'https://other.example/', 'another account\'s link';

$r = go('x');
gone_ok($r, 'no token: the polite page');
like $r->{headers}{'content-type'}, qr{^text/html; charset=utf-8}, 'HTML in UTF-8';
like $r->{body}, qr/\xe3\x83\xaa\xe3\x83\xb3\xe3\x82\xaf/, 'in Japanese';
like $r->{headers}{'x-robots-tag'}, qr/noindex/, 'and not for search engines';

# --- B27, B28: what is not exactly the token --------------------------------
{
    my $client = Tomo::Test::Http->connect($edge->port);
    my $ask    = sub {
        my ($path) = @_;
        my $answer = eval { $client->ask('GET', "/r/$path", [%HUMAN]) };
        return $answer if $answer && lc($answer->{headers}{connection} // '') ne 'close';
        $client = Tomo::Test::Http->connect($edge->port);
        return $answer // $client->ask('GET', "/r/$path", [%HUMAN]);
    };
    my ($bad, $n) = (0, 0);
    for my $i (0 .. length($good) - 1) {
        for my $bit (0 .. 7) {
            my $flip = $good;
            substr($flip, $i, 1) = chr(ord(substr $flip, $i, 1) ^ 1 << $bit);
            $flip =~ s/([^A-Za-z0-9_-])/sprintf '%%%02X', ord $1/ge;
            next if $flip =~ /%00/;
            my $answer = $ask->($flip);
            $n++;
            $bad++ if $answer->{status} != 404 || $answer->{body} ne $page;
        }
    }
    is $bad, 0, "B27: each of $n flipped bits";
    $bad = 0;
    for my $cut (1 .. 38) {
        $bad++ if $ask->(substr $good, 0, $cut)->{status} != 404;
        $bad++ if $ask->($good . 'A' x $cut)->{status} != 404;
    }
    is $bad, 0, 'B27: cut short and made longer';
    my $alphabet = join '', 'A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_';
    my $last = index $alphabet, substr $good, -1;
    $bad = 0;
    for my $more (1 .. 3) {
        my $same = substr($good, 0, -1) . substr $alphabet, ($last & ~3) + ($last + $more) % 4, 1;
        $bad++ if $ask->($same)->{status} != 404;
    }
    is $bad, 0, 'B28: other letters for the same bytes';

    # R2, short: nothing but the stored URL, one page
    my (%pages, %to);
    srand 20260101;
    for my $n (1 .. 3000) {
        my $t = $good;
        substr($t, rand length $t, 1) = substr $alphabet, rand 64, 1 for 0 .. rand 3;
        my $answer = $ask->("$t?url=https://evil.example/&next=//evil.example");
        $to{ $answer->{headers}{location} }++ if defined $answer->{headers}{location};
        $pages{ $answer->{body} }++ if $answer->{status} != 302;
    }
    delete $to{$url};
    is scalar(keys %to),    0, 'R2: foreign Locations';
    is scalar(keys %pages), 1, 'R2: distinct error pages';
}

# --- B29, B30: keys, dates, accounts, closed links --------------------------
my $today = int(time / 86400) - 18262;
my @cases = (
    ['B29: an unknown key id', key => ['9', 'e5' x 32]],
    ['B29: another key of the same id', key => ['1', 'a1' x 32]],
    ['B30: issued in the future', day => $today + 30],
    ['B30: another account\'s number', account => 2, link => 1],
    ['B30: an account nobody has', account => 77],
    ['B30: a closed link', link => 2],
    ['B30: a link nobody has', link => 77],
    ['B38: a survey\'s token', kind => 2],
    map { ["B31: stored URL no. $_", link => 100 + $_] } 0 .. $#evil,
);
for my $case (@cases) {
    my ($name, @t) = @$case;
    my ($token) = tokens({@t});
    gone_ok(go($token), $name);
}
my ($aged) = tokens({ link => 1, day => $today - 1000 });
is go($aged)->{status}, 302, 'an old token still leads on';

# --- B32, B33, B34: nothing beside the token matters ------------------------
for my $query ('?url=https://evil.example', '?next=//evil', '?openExternalBrowser=1',
    '?utm_source=x&fbclid=y', '?', '?a=%00') {
    $r = go("$good$query");
    is $r->{headers}{location}, $url, "B32: $query";
}
for my $tail ('.', ')', ',', '%3E', ']', "'", '%22', '%E3%80%82', '%E3%80%8D', '%EF%BC%89') {
    is go("$good$tail")->{status}, 302, "B33: $tail behind the token";
}
for my $tail ('%2F', '%252F', '/', '/..', '%20', '!', '.x', '%E3%81%82') {
    my $answer = go("$good$tail");
    ok $answer->{status} == 404 || $answer->{status} == 400, "B33: $tail is refused";
}
is go("$strange%00")->{status}, 400, 'B33: NUL';
$r = go($good, Host => 'evil.example', 'X-Forwarded-Host' => 'evil.example',
    'X-Forwarded-Proto' => 'gopher');
is $r->{headers}{location}, $url, 'B34: a forged Host';

# --- B35, R4: who is no person -------------------------------------------------
# The clicks of a friend, once there are n of them (they lie in memory for a
# few ms before they are journalled).
sub clicks {
    my ($friend, $n) = @_;
    my @lines;
    wait_for(
        sub {
            @lines = grep {/friend=$friend&/}
                map { split /\n/, $_->[1]{b} } grep { $_->[1]{k} eq 'click' }
                @{ $redis->stream('tomo:{demo}:in') };
            return @lines >= $n;
        },
        "$n clicks of friend $friend", 5
    );
    return @lines;
}
my ($mark) = tokens({ link => 1, friend => 1001 });
my @robots = (
    'facebookexternalhit/1.1;line-poker/1.0', 'Linespider/1.1', 'Googlebot/2.1',
    'Some crawler', 'x spider', 'Slackbot-LinkExpanding', '', 'LinkPreview/1.0',
);
for my $ua (@robots) {
    $r = http_get($edge->port, "/r/$mark", 'User-Agent' => $ua);
    is $r->{status}, 302, "R4: '$ua' is sent on";
}
for my $header ('Purpose', 'Sec-Purpose', 'X-Moz') {
    is go($mark, $header => 'prefetch')->{status}, 302, "B35: $header: prefetch";
}
$r = http($edge->port, 'HEAD', "/r/$mark", [%HUMAN]);
is $r->{status}, 302, 'B35: HEAD';
is go($mark, Range => 'bytes=0-99')->{status}, 302, 'B35: Range changes nothing';
for my $method (qw(OPTIONS POST PUT DELETE PATCH)) {
    $r = http($edge->port, $method, "/r/$mark", [%HUMAN]);
    is $r->{status}, 405, "B35: $method";
    is $r->{headers}{allow}, 'GET, HEAD', "B35: $method: is told what is taken";
}
my @mine = clicks(1001, @robots + 5);
is scalar(@mine), @robots + 5, 'R4: every visit is recorded';
is scalar(grep {/visit=human/} @mine), 1, 'R4: one of them by a person';
is scalar(grep {/visit=head/} @mine), 1, 'R4: one HEAD';
is scalar(grep {/visit=prefetch/} @mine), 3, 'R4: three prefetches';
ok !(grep {/127\.0\.0\.1|addr/} @mine), 'no address is recorded';
my ($long) = tokens({ link => 1, friend => 1002 });
http_get($edge->port, "/r/$long", 'User-Agent' => 'Line/15 ' . 'u' x 3000);
my ($line) = clicks(1002, 1);
my ($ua) = $line =~ /ua=([^&]*)/;
$ua =~ s/%(..)/chr hex $1/ge;
is length $ua, 256, 'a user agent is cut to 256 bytes';
like $line, qr/\bcheck=0\b/, 'nobody\'s check is 0';

# --- B37, B36: strange requests, and many of one -----------------------------
is go($strange . '?' . 'x' x 32000)->{status}, 414, 'B37: a request line of 32 KB';
my $c = Tomo::Test::Http->connect($edge->port);
my $headers = join '', map {"X-$_: y\r\n"} 1 .. 1000;
$c->send("GET /r/$strange HTTP/1.1\r\nHost: a\r\n$headers\r\n");
$r = $c->response;
ok !$r || $r->{status} == 302 || $r->{status} == 400, 'B37: 1,000 headers';
$c = Tomo::Test::Http->connect($edge->port);
$c->send("GET /r/$good HTTP/1.0\r\n\r\n");
is $c->response->{headers}{location}, $url, 'B37: HTTP/1.0';
$c = Tomo::Test::Http->connect($edge->port);
$c->send("GET http://evil.example/r/$good HTTP/1.1\r\nHost: evil.example\r\n\r\n");
is $c->response->{headers}{location}, $url, 'B37: absolute form';

my ($flood) = tokens({ link => 1, friend => 2002 });
$c = Tomo::Test::Http->connect($edge->port);
my $request = Tomo::Test::Http::format_request('GET', "/r/$flood", [%HUMAN]);
my $served  = 0;
for my $n (1 .. 2000) {
    my $ok = eval { $c->send($request) } && eval { $c->response };
    if (!$ok || lc($ok->{headers}{connection} // '') eq 'close') {
        $c = Tomo::Test::Http->connect($edge->port);
    }
    $served++ if $ok && $ok->{status} == 302;
}
$c->close;
is scalar(my @all = clicks(2002, $served)), $served, "B36: one token $served times: all recorded";

# each worker counts for itself, and anew with each minute
my @over = grep { defined } map { /\bflood=(\d+)/ ? $1 : undef } @all;
cmp_ok scalar(@over), '>=', $served - 120 * 2 * 2, 'B36: beyond 120 a minute: flagged';
cmp_ok scalar(@over), '<=', $served - 120, 'B36: not before';
ok scalar(grep { $_ == 1 } @over), 'B36: the first of them is known by its number';
is Tomo::Test::Status::counter($edge, 'click_flood'), scalar(@over), 'B36: counted';
my ($many) = tokens({ link => 1, friend => 0 });
go($many) for 1 .. 130;
is scalar(grep {/flood=/} clicks(0, 130)), 0, "B36: a link of nobody's is everybody's: no flood";

# what is no person's leaves the pace alone: all by one worker
my ($fetched) = tokens({ link => 1, friend => 2003 });
$c = Tomo::Test::Http->connect($edge->port);
$c->ask('HEAD', "/r/$fetched", [%HUMAN]) for 1 .. 130;
is $c->ask('GET', "/r/$fetched", [%HUMAN])->{status}, 302, 'B36: a tap after 130 HEADs';
$c->close;
is scalar(@all = clicks(2003, 131)), 131, 'B36: all of them are recorded';
is scalar(grep {/visit=human/} @all), 1, 'B36: one of them by a person';
is scalar(grep {/flood=/} @all), 0, 'B36: and none is a flood: the tap has its effect';

# --- the lookup ---------------------------------------------------------------
my ($new, $never) = tokens({ link => 300 }, { link => 301 });
gone_ok(go($new), 'lookup: not there yet');
$redis->cmd('HSET', 'tomo:{demo}:feed', 'link/302',
    Tomo::Test::Feed::link_line('https://late.example/'));
my ($late) = tokens({ link => 302 });
is go($late)->{headers}{location}, 'https://late.example/', 'lookup: found in Redis';
my $sent = Tomo::Test::Status::counter($edge, 'lookup_sent');
gone_ok(go($never), "lookup: absent ($_)") for 1 .. 20;
cmp_ok Tomo::Test::Status::counter($edge, 'lookup_sent') - $sent, '<=', 2,
    'lookup: "not there" is remembered by each worker';

# --- R1: a frozen Redis ---------------------------------------------------------
$redis->pause;
my ($worst, $wrong) = (0, 0);
for (1 .. 300) {
    my $start = now_ms();
    my $answer = go($good);
    $wrong++ if $answer->{status} != 302;
    my $took = now_ms() - $start;
    $worst = $took if $took > $worst;
}
is $wrong, 0, 'R1: Redis frozen: all redirected';
cmp_ok $worst, '<', 500 * Tomo::Test::slow(), "R1: without waiting for it: $worst ms at most";
my @parked = map { Tomo::Test::Http->connect($edge->port) } 1 .. 20;
my ($lost) = tokens({ link => 303 });
my $start = now_ms();
$_->send(Tomo::Test::Http::format_request('GET', "/r/$lost", [%HUMAN])) for @parked;
$_->reset for @parked[ 0 .. 9 ];
my @answers = map { $_->response } @parked[ 10 .. 19 ];
is scalar(grep { $_ && $_->{status} == 503 } @answers), 10, 'lookup: 503 when Redis is silent';
ok $answers[0]{headers}{'retry-after'}, 'lookup: with Retry-After';
cmp_ok now_ms() - $start, '<', 3000 * Tomo::Test::slow(), 'lookup: about a second later';
$redis->resume;
ok wait_for(sub { go($lost)->{status} == 404 }, 'answers again', 10), 'lookup: answers again';

ok Tomo::Test::Status::wait_shipped($edge), 'R3: every click is shipped';
unlike $edge->error_log, qr/\Q$good\E|$mark|$flood/, 'S1: no token in error.log';

# --- the visitor's address, when the operator wants it ---------------------------
$edge->write_conf(http => 'tomo_click_address on;');
ok $edge->reload, 'reloaded with tomo_click_address on';
my ($addressed) = tokens({ link => 1, friend => 1003 });
is go($addressed)->{status}, 302, 'it redirects as before';
like((clicks(1003, 1))[0], qr/&addr=127\.0\.0\.1$/, 'and keeps the address');

done_testing;
