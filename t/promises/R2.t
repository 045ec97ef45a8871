#!/usr/bin/perl

# R2: A redirect only ever leads to a stored, open address of the token's
# account.
#
# Tokens are changed in every way that chance and malice know, and sent with
# hostile queries, paths, Host and forwarding headers. Whatever is not exactly a
# token that was issued gets one page, byte for byte.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Promise;

my $TOKENS = pick(short => 12_000, full => 1_000_000);
my $BATCH  = 40;        # requests in one piece: fits the sockets' buffers
my @SIGNS  = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_');
my %STORED = (1 => 'https://shop.example/a?b=c#d', 2 => 'https://shop.example/second');

srand(my $seed = $ENV{TOMO_SEED} // time);
my $redis = Tomo::Test::Redis->start;
publish(
    $redis,
    { version => 1, links => { %STORED,
        3 => { url => 'https://shop.example/closed', open => 0 } } },
    { id => 'other', number => 2, version => 1, links => { 9 => 'https://other.example/' } }
);
my $edge = Tomo::Test::Nginx->start(redis => $redis,
    http => 'keepalive_requests 100000000; log_not_found off;');
ok wait_served($redis, 1), 'R2: the edge serves the feed';

# token => where it leads; what has no value leads nowhere
my %leads;
my @real = tokens({ link => 1, friend => 7, delivery => 9, check => 4711 },
    { link => 2, friend => 8 }, { link => 9, account => 2, friend => 7 });
@leads{@real} = ($STORED{1}, $STORED{2}, 'https://other.example/');
my @dead = tokens({ link => 3, friend => 7 }, { link => 9, friend => 7 },
    { link => 1, account => 2 }, { link => 404, friend => 7 }, { kind => 2, link => 1 });
my @all = (@real, @dead);

sub sign { return $SIGNS[ rand @SIGNS ] }
sub token { return $all[ rand @all ] }
sub place { return int rand 39 }

# Ways to change a token; each gives some text.
my @ways = (
    sub { my $t = token(); my $i = place(); substr $t, $i, 1, sign(); return $t },
    sub {
        my $t = token();
        my $i = place();
        substr $t, $i, 1, chr(ord(substr $t, $i, 1) ^ 1 << int rand 8);
        return $t;
    },
    sub { my $t = token(); substr $t, place(), 1, sign() for 1 .. 1 + rand 8; return $t },
    sub { return substr token(), 0, place() },
    sub { return token() . join '', map { sign() } 1 .. 1 + rand 20 },
    sub { my $i = place(); return substr(token(), 0, $i) . substr token(), $i },
    sub { my ($t, $i) = (token(), place()); return substr($t, $i) . substr $t, 0, $i },
    sub { return scalar reverse token() },
    sub { my $t = token(); return rand() < 0.5 ? lc $t : uc $t },
    sub { return join '', map { sign() } 1 .. 39 },
    sub { return join('', map { chr 1 + int rand 255 } 1 .. 1 + rand 60) =~ tr/./x/r },
    sub {
        my @hung_on = ('/', '//evil.example', '.', ')', '%', '=');
        return token() . $hung_on[ rand @hung_on ];
    },
    sub { return ('/', '//evil.example/', 'r/', 'https://evil.example/')[ rand 4 ] . token() },
    sub { return token() . ',' . token() },
    sub {
        my $t = token();
        substr $t, place(), 1, ('+', '/', '=', ' ', "\n")[ rand 5 ];
        return $t;
    },
    sub { return token() },
);
my @queries = ('', '', '', '?url=https://evil.example/', '?next=//evil.example',
    '?openExternalBrowser=1', '?to=javascript:alert(1)', '?%0d%0aLocation:x',
    '?utm_source=x&redirect_uri=https://evil.example', '?');
my @hosts = ('127.0.0.1', 'evil.example', 'shop.example', 'evil.example:8443', '[::1]');
my @extra = ('', '', "X-Forwarded-Host: evil.example\r\n", "X-Forwarded-Proto: javascript\r\n",
    "Forwarded: host=evil.example\r\n", "X-Original-URL: /evil\r\n",
    "Referer: https://evil.example/\r\n",
    "X-Rewrite-URL: //evil.example/\r\nX-Accel-Redirect: /evil\r\n");

# The text as the path has it: what may not stand there is escaped.
sub escaped {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9_\-.\/,)+=%])/sprintf '%%%02X', ord $1/ge;
    return $text =~ s/%(?![0-9A-F]{2})/%25/gr;
}

# Where the text may lead: to the address of a token that was issued and that
# stands in it whole (the path's last part decides; signs hung on are cut, B33).
sub may_lead {
    my ($text) = @_;
    return map { $leads{$_} } grep { index($text, $_) >= 0 } @real;
}

my (%page, %status, $foreign, $wrong, $client, $n);
$foreign = $wrong = $n = 0;

sub look {
    my ($text, $r) = @_;
    $status{ $r ? $r->{status} : 'closed' }++;
    return if !$r;
    my @to = map { $_->[1] } grep { lc $_->[0] eq 'location' } @{ $r->{list} };
    my %may = map { $_ => 1 } may_lead($text);
    $foreign += grep { !$may{$_} } @to;
    $wrong++ if exists $leads{$text} && "@to" ne $leads{$text};
    return if @to || $r->{status} == 400;       # what nginx takes for no HTTP
    $page{ Digest::SHA::sha1_hex("$r->{status} $r->{body} "
        . join ' ', sort grep { !/^(?:date|connection)$/ } keys %{ $r->{headers} }) }++;
    return;
}

my $began = Time::HiRes::time();
while ($n < $TOKENS) {
    my (@texts, $bytes);
    for (1 .. $BATCH) {
        my $text = $ways[ rand @ways ]->();
        my $host = $hosts[ rand @hosts ];
        my $form = rand() < 0.05 ? "http://$host" : '';
        push @texts, $text;
        $bytes .= "GET $form/r/" . escaped($text) . $queries[ rand @queries ] . " HTTP/1.1\r\n"
            . "Host: $host\r\nUser-Agent: Mozilla/5.0 Safari Line/15\r\n"
            . $extra[ rand @extra ] . "\r\n";
    }
    $n += @texts;
    $client //= Tomo::Test::Http->connect($edge->port);
    $client->send($bytes);
    for my $text (@texts) {
        my $r = $client && $client->response;
        look($text, $r);
        undef $client if !$r || lc($r->{headers}{connection} // '') eq 'close';
        last if !$client;
    }
}
my $took = Time::HiRes::time() - $began;

figure('tokens' => $n);
figure('seed' => $seed);
figure('requests a second' => int $n / $took);
figure('answers' => join ', ', map {"$_: $status{$_}"} sort keys %status);
is figure('foreign Locations' => $foreign), 0, 'R2: nobody was led elsewhere';
is figure('issued tokens that did not lead home' => $wrong), 0, 'R2: those issued lead home';
is figure('distinct error pages' => scalar keys %page), 1, 'R2: one page for all the rest';
is join(' ', grep { !/^(?:302|404|400|closed)$/ } keys %status), '', 'R2: no other answer';
cmp_ok $status{404}, '>', $n / 2, 'R2: most were refused by us, not by nginx';
cmp_ok $status{302}, '>', $n / 100, 'R2: and some were good';
unlike $edge->error_log, qr/\[(?:crit|alert|emerg)\]/, 'R2: nothing broke';

done_testing;
