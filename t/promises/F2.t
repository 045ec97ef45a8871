# F2: A GET changes nothing, and a survey posted from another site is refused.
#
# A real edge and a real ingest with the demo survey. Every method but POST with
# all of a post's fields, then posts over a matrix of Origin, Referer and
# Sec-Fetch-Site, each with a nonce of its own. The rule is written down here a
# second time (docs/formats.md, section 10); what took effect is counted in the
# friend's record and timeline. No answer ever sets a cookie, so that there is
# none that SameSite would have to hold back.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;
use Tomo::Test::Promise;
use Tomo::Test::Token;

my $in = Tomo::Test::Ingest->start;
$in->greeted(1, 'Hanako');
my $edge  = Tomo::Test::Nginx->start(redis => $in->redis);
my $host  = '127.0.0.1:' . $edge->port;
my $token = issue_token(kind => 'survey', target => $in->no('survey', 'profile'),
    friend => $in->serial(1), delivery => 1, check => $in->check(1));
my $path  = "/s/$token";
ok wait_for(sub { my $r = http_get($edge->port, $path); $r && $r->{status} == 200 },
    'the form', 10), 'the edge serves the form';

my $cookies = 0;
my $nonces  = 0;

sub call {
    my (@request) = @_;
    my $r = http($edge->port, @request) or return { status => 0, headers => {} };
    $cookies++ if grep {/^set-cookie$/i} keys %{ $r->{headers} };
    return $r;
}

sub fields {
    return sprintf 'nonce=%021dA&rev=1&hp=&q.name=n%d', ++$nonces, $nonces;
}

# What the posts did: answers on the timeline, and all of the record.
sub effects {
    wait_for(sub {
        my $r = http_get($edge->port, '/tomo/status?format=json') or return;
        return eval { JSON::PP::decode_json($r->{body})->{waiting} == 0 };
    }, 'all shipped', 30);
    $in->settle(30);
    return scalar grep { $_->{kind} eq 'answer' } @{ $in->timeline(1) };
}

sub record { my $f = $in->friend(1); return join "\n", map {"$_=$f->{$_}"} sort keys %$f }

# --- everything but POST ----------------------------------------------------

my $before = record();
my $calls  = 0;
my @form   = ('Content-Type' => 'application/x-www-form-urlencoded');
for my $method (qw(GET HEAD OPTIONS PUT DELETE PATCH TRACE)) {
    for my $where ('query', 'body', 'both') {
        my $query = $where eq 'body' ? '' : '?' . fields();
        my $body  = $where eq 'query' ? undef : fields();
        for my $more ([], ['X-HTTP-Method-Override' => 'POST'], [Origin => "http://$host"],
            ['Sec-Fetch-Site' => 'same-origin']) {
            $calls++;
            call($method, "$path$query", [Host => $host, @form, @$more],
                defined $body ? $body : ());
        }
    }
}
for my $url ("$path?thanks=1", "$path?_method=POST&" . fields(), '/line/webhook/demo?a=1') {
    $calls++;
    call('GET', $url, [Host => $host]);
}
is effects(), 0, 'F2: no other method than POST has an effect';
is record(), $before, 'F2: the record is what it was';
figure('requests without POST' => $calls);

# --- the matrix -------------------------------------------------------------

my @origins = (undef, "http://$host", "https://$host", 'null', '', 'https://evil.example',
    "http://$host.evil.example", "http://evil.example/?$host", "http://$host\@evil.example",
    'http://127.0.0.1:1', 'http://127.0.0.1', "file://$host");
my @referers = (undef, "http://$host$path", "http://$host/", 'https://evil.example/',
    "https://evil.example/?http://$host$path", "http://$host.evil.example/", 'about:blank', '');
my @sites = (undef, 'same-origin', 'same-site', 'cross-site', 'none', 'SAME-ORIGIN', '');
my @cookies = (undef, 'session=1; SameSite=None');
my %mine = map { $_ => 1 } "http://$host", "https://$host";

# docs/formats.md, section 10
sub from_us {
    my ($origin, $referer, $site) = @_;
    return 0 if defined $site && $site ne 'same-origin';
    return $mine{$origin} ? 1 : 0 if defined $origin;
    return 1 if !defined $referer;
    return $referer =~ m{^https?://\Q$host\E(?:/|$)} ? 1 : 0;
}

my ($posts, $allowed, @wrong) = (0, 0);
for my $origin (@origins) {
    for my $referer (@referers) {
        for my $site (@sites) {
            for my $cookie ($posts % 5 ? (undef) : @cookies) {
                my @headers = (
                    Host => $host, @form,
                    defined $origin  ? (Origin           => $origin)  : (),
                    defined $referer ? (Referer          => $referer) : (),
                    defined $site    ? ('Sec-Fetch-Site' => $site)    : (),
                    defined $cookie  ? (Cookie           => $cookie)  : (),
                );
                $posts++;
                my $want = from_us($origin, $referer, $site);
                $allowed += $want;
                my $fields = fields();
                my $r      = call('POST', $path, \@headers, $fields);

                # a disk that stands still: the same answer counts once
                for (1 .. 10) {
                    last if $r->{status} != 503;
                    $r = call('POST', $path, \@headers, $fields);
                }
                next if $r->{status} == ($want ? 303 : 403);
                push @wrong, join ' ', $r->{status}, map { $_ // '-' } $origin, $referer, $site;
            }
        }
    }
}
my $effects = effects();
figure('posts of the matrix'         => $posts);
figure('posts from our own pages'    => $allowed);
figure('effects of them'             => $effects);
figure('effects of posts elsewhere'  => $effects - $allowed);
figure('cookies set'                 => $cookies);
is_deeply \@wrong, [], 'F2: every post is taken or refused by the rule';
is $effects, $allowed, 'F2: what was refused has no effect, what was taken one';
is $cookies, 0, 'F2: no cookie that a browser would add by itself';
like record(), qr/^a:\d+=n=$allowed&/m, 'F2: the record agrees';

done_testing;
