#!/usr/bin/perl

# R4: Who only looks at a link for somebody, a previewer, a HEAD or a prefetch,
# never sets a tag; the person who taps it does, once.
#
# Each kind of visit before and after the person's, through the edge and ingest
# of the demo account, whose link sets a tag.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;
use Tomo::Journal;

my $ROUNDS = pick(short => 1, full => 50);
my $PERSON = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari Line/15.12.1';

my @agents = (
    'facebookexternalhit/1.1;line-poker/1.0', 'facebookexternalhit/1.1', 'Linespider/1.1',
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Twitterbot/1.0',
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'Discordbot/2.0',
    'Mozilla/5.0 (compatible; bingbot/2.0)', 'TelegramBot (like TwitterBot)', 'Applebot/0.1',
    'Mozilla/5.0 (compatible; YandexBot/3.0)', 'some crawler', 'Baiduspider', 'LinkPreview/1.0',
    'SkypeUriPreview Preview/0.5', '',
);
my @visits = (
    (map { [ 'GET', 'User-Agent' => $_ ] } @agents),
    [ 'HEAD', 'User-Agent' => $PERSON ],
    [ 'HEAD', 'User-Agent' => $agents[0] ],
    [ 'GET', 'User-Agent' => $PERSON, 'Sec-Purpose' => 'prefetch' ],
    [ 'GET', 'User-Agent' => $PERSON, 'Sec-Purpose' => 'prefetch;prerender' ],
    [ 'GET', 'User-Agent' => $PERSON, 'Purpose' => 'prefetch' ],
    [ 'GET', 'User-Agent' => $PERSON, 'X-Moz' => 'prefetch' ],
);

my $ingest = Tomo::Test::Ingest->start;
my $redis  = $ingest->redis;
my $edge   = Tomo::Test::Nginx->start(redis => $redis);
ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{generation} }, 'a table', 10),
    'R4: the edge serves the feed';
my $link = $ingest->no('link', 'catalog');
$ingest->webhook(map { $ingest->event('follow', $_) } 1 .. $ROUNDS);
ok $ingest->settle, 'R4: friends';

my ($bots, $persons, $looks, $taps, $wrong) = (0, 0, 0, 0, 0);

# visits in the journal, by kind; a tap lies in memory for a moment
sub kept {
    my %kept;
    for my $record (Tomo::Journal::records($edge->journal)) {
        $kept{$1}++ while $record->{body} =~ /\bvisit=(\w+)/g;
    }
    return \%kept;
}

sub all_decided {
    wait_for(
        sub {
            my $n = 0;
            $n += $_ for values %{ kept() };
            return $n >= $looks + $taps;
        },
        'all in the journal', 20);
    return Tomo::Test::Status::wait_shipped($edge) && $ingest->settle(30);
}

for my $user (1 .. $ROUNDS) {
    my ($token) = tokens({ link => $link, friend => $ingest->serial($user),
            check => $ingest->check($user) });
    my $look = sub {
        for my $visit (@visits) {
            my ($method, @headers) = @$visit;
            my $r = http($edge->port, $method, "/r/$token", \@headers);
            $wrong++ if !$r || $r->{status} != 302;
            $looks++;
        }
    };
    my $effects = sub {
        return grep { ($_->{kind} // '') =~ /^(?:click|tag\.added)$/ }
            @{ $ingest->timeline($user) };
    };
    $look->();
    ok all_decided(), 'R4: decided before the person' if $user == 1;
    $bots++ if $user == 1 && ($effects->() || $ingest->tags($user));
    for (1, 2) {        # the second tap is a click, and no new tag
        my $r = http_get($edge->port, "/r/$token", 'User-Agent' => $PERSON);
        $wrong++ if !$r || $r->{status} != 302;
        $taps++;
    }
    ok all_decided(), 'R4: decided after the person' if $user == 1;
    $look->();
}
ok all_decided(), 'R4: all is decided';
for my $user (1 .. $ROUNDS) {
    my @rows = @{ $ingest->timeline($user) };
    my $tags = grep { $_ eq 'tag.add:saw-catalog' }
        map { Tomo::Test::Ingest::values_of($_, 'fx') } @rows;
    my $clicks = grep { $_->{kind} eq 'click' } @rows;
    $bots++ if $clicks != 2;
    $persons++ if $tags == 1 && $ingest->tags($user) eq 'saw-catalog';
}

# --- what is kept of the others ------------------------------------------------------
my %kept   = %{ kept() };
my $others = 0;
$others += $kept{$_} // 0 for grep { $_ ne 'human' } keys %kept;
figure('kinds of visits' => scalar @visits);
is figure('visits that are no person\'s' => $looks), 2 * $ROUNDS * @visits, 'R4: so many';
is $wrong, 0, 'R4: each of them is led on';
is figure('effects of what is no person' => $bots), 0, 'R4: none has an effect';
is figure('friends tagged by their own tap' => $persons), $ROUNDS, 'R4: a person\'s tap has';
is figure('rows kept of the others' => $others), $looks, 'R4: all are kept';
is $kept{human}, $taps, 'R4: and a person\'s as such';
is figure('counted as previews by ingest' => $ingest->cursor->{previews}), $looks,
    'R4: ingest says so too';

done_testing;
