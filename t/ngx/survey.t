#!/usr/bin/perl

# Surveys at the edge: B38 to B54, F1, F2. A real nginx and a real Redis; what
# was accepted is read back from the stream.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Token;

my $FORM = 'application/x-www-form-urlencoded';

sub survey {
    my (%o) = @_;
    return rec('survey', no => 3, rev => $o{rev} // 2, id => 'profile', open => $o{open} // 1,
        title => 'プロフィール', intro => 'はじめに', submit => '送る', thanks => "感謝\n<b>")
        . rec('q', id => 'name', kind => 'text', label => '名前', required => 1, max => 10)
        . rec('q', id => 'day',  kind => 'date', label => '誕生日')
        . rec('q', id => 'like', kind => 'multi', label => '好きなもの')
        . rec('o', id => 'tea', label => 'お茶')
        . rec('o', id => 'sweets', label => '菓子')
        . ($o{more} // '');
}

my $redis = Tomo::Test::Redis->start;
put_feed($redis, 'survey/3' => survey(), 'survey/4' => survey(open => 0));
my $lax  = Tomo::Test::free_port();
my $edge = Tomo::Test::Nginx->start(redis => $redis, http =>
    "server { listen 127.0.0.1:$lax; merge_slashes off; location / { tomo_survey; } }");

my $token = issue_token(kind => 'survey', target => 3, friend => 7, delivery => 9, check => 5);
my $path  = "/s/$token";

sub encode {
    my (@list) = @_;
    my $text = rec('', @list);
    chomp $text;
    return $text;
}

sub page { return http_get($edge->port, $_[0] // $path, @_[1 .. $#_]) }

sub nonce_of {
    my ($page) = @_;
    my ($nonce) = $page->{body} =~ /name="nonce" value="([\w-]{22})"/;
    return $nonce;
}

# Posts fields with the nonce and revision of a fresh page.
sub answer {
    my ($fields, %o) = @_;
    my $body = encode(nonce => $o{nonce} // nonce_of(page()), rev => $o{rev} // 2,
        hp => $o{hp} // '', @$fields);
    return http_post($edge->port, $o{path} // $path, $body, 'Content-Type' => $FORM,
        @{ $o{headers} // [] });
}

sub entries { return $redis->stream('tomo:{demo}:in') }

# Fields of an answer line; names that repeat are joined by a comma.
sub line_of {
    my ($entry) = @_;
    my %line;
    for my $field (split /&/, $entry->[1]{b}) {
        my ($name, $value) = split /=/, $field, 2;
        $value =~ s/%([0-9A-F]{2})/chr hex $1/ge;
        utf8::decode($value);
        $line{$name} = defined $line{$name} ? "$line{$name},$value" : $value;
    }
    return \%line;
}

ok wait_for(sub { my $r = page(); $r && $r->{status} == 200 }, 'the survey is known', 10),
    'the edge knows the survey';

subtest 'the page' => sub {
    my $r = page();
    my $h = $r->{headers};
    is $h->{'content-type'}, 'text/html; charset=utf-8', 'is HTML';
    is $h->{'cache-control'}, 'no-store', 'is not stored';
    is $h->{'referrer-policy'}, 'same-origin', 'gives its address to nobody else';
    like $h->{'content-security-policy'}, qr/^default-src 'none'; style-src 'sha256-/,
        'loads nothing';
    like $h->{'content-security-policy'}, qr/frame-ancestors 'none'/, 'B41: is never framed';
    is $h->{'x-frame-options'}, 'DENY', 'B41: nor by an old browser';
    like $h->{'x-robots-tag'}, qr/noindex/, 'is not indexed';
    like $r->{body}, qr/action="\Q$path\E"/, 'posts to itself';
    cmp_ok length $r->{body}, '<', 30_000, 'is light';
    unlike $r->{body}, qr/<script/, 'needs no script';
    isnt nonce_of($r), nonce_of(page()), 'has a fresh nonce';
    my $head = http($edge->port, 'HEAD', $path);
    is $head->{status}, 200, 'HEAD answers';
    is $head->{headers}{'content-length'}, length $r->{body}, 'HEAD tells the length';
    is page("$path.")->{status}, 200, 'B33: a point hung on is cut';
    like page("$path.")->{body}, qr/action="\Q$path\E"/, 'B33: and the form posts without it';
};

subtest 'B38: what leads nowhere is one page' => sub {
    my $flip = $token;
    substr $flip, 20, 1, substr($flip, 20, 1) eq 'A' ? 'B' : 'A';
    my %gone = (
        unknown => issue_token(kind => 'survey', target => 999),
        closed  => issue_token(kind => 'survey', target => 4),
        tenant  => issue_token(kind => 'survey', target => 3, account => 2),
        link    => issue_token(kind => 'link', target => 3),
        future  => issue_token(kind => 'survey', target => 3, day => 16_000),
        key     => issue_token(kind => 'survey', target => 3, key => 9),
        forged  => issue_token(kind => 'survey', target => 3, master => 'x' x 32),
        flipped => $flip,
        none    => '',
        words   => 'profile',
    );
    my %bodies;
    for my $why (sort keys %gone) {
        my $r = page("/s/$gone{$why}");
        is $r->{status}, 404, $why;
        $bodies{ $r->{body} } = 1;
        next if $why eq 'closed';
        $r = answer([], path => "/s/$gone{$why}", nonce => 'A' x 22);
        is $r->{status}, 404, "$why, posted";
        $bodies{ $r->{body} } = 1;
    }
    is keys %bodies, 1, 'the same bytes each time';
    is answer(['q.name' => 'x'], path => "/s/$gone{closed}", nonce => 'A' x 22)->{status}, 404,
        'closed, posted';
};

subtest 'B39, B40, B42, F2: a GET shows the same to all and does nothing' => sub {
    my $plain = page()->{body};
    my $nonce = nonce_of({ body => $plain });
    $plain =~ s/\Q$nonce\E//;
    for my $query (
        'q.name=%22%3E%3Csvg%20onload=1%3E', 'q.name=javascript:alert(1)', 'thanks=2',
        encode(nonce => 'A' x 22, rev => 2, hp => '', 'q.name' => 'x'), 'q.name=' . 'x' x 4000
    ) {
        my $r     = page("$path?$query");
        my $fresh = nonce_of($r);
        (my $body = $r->{body}) =~ s/\Q$fresh\E//;
        is $body, $plain, 'B39, B42: ' . substr $query, 0, 40;
    }
    is scalar @{ entries() }, 0, 'F2: nothing came of it';
    my $other = issue_token(kind => 'survey', target => 3, friend => 8);
    like page("/s/$other")->{body}, qr/action="\/s\/\Q$other\E"/, 'B40: another friend';
};

subtest 'F1: an answer is stored, then thanked for' => sub {
    my $nonce = nonce_of(page());
    my $r = answer([
        'q.name' => ' 友だち ', 'q.day.y' => '1990', 'q.day.m' => '2', 'q.day.d' => '3',
        'q.like' => 'tea', 'q.like' => 'sweets', 'q.nobody' => 'x', score => 100
    ], nonce => $nonce, headers => ['User-Agent' => 'Test/1', Origin => 'http://127.0.0.1']);
    is $r->{status}, 303, 'answered with 303';
    is $r->{headers}{location}, "$path?thanks=1", 'to the thanks page';
    is $r->{headers}{'cache-control'}, 'no-store', 'not stored';
    my $list = wait_for(sub { my $l = entries(); @$l == 1 && $l }, 'one entry', 5);
    is $list->[0][1]{k}, 'answer', 'an answer in the stream';
    my $line = line_of($list->[0]);
    is $line->{'q.name'}, '友だち', 'text without the space around';
    is $line->{'q.day'}, '1990-02-03', 'a date';
    is $line->{'q.like'}, 'tea,sweets', 'choices';
    is "$line->{survey} $line->{rev} $line->{friend} $line->{delivery} $line->{check}",
        '3 2 7 9 5', 'who and what';
    is $line->{nonce}, $nonce, 'nonce';
    is $line->{ua}, 'Test/1', 'user agent';
    ok !exists $line->{'q.nobody'} && !exists $line->{score} && !exists $line->{trap},
        'B47: nothing else';
    my $thanks = page($r->{headers}{location});
    is $thanks->{status}, 200, 'thanks page';
    like $thanks->{body}, qr/&lt;b&gt;/, 'with the survey\'s words, escaped';
    is scalar @{ entries() }, 1, 'F2: looking at it does nothing';
};

subtest 'B49: a double tap carries one nonce, so ingest drops the second' => sub {
    my $nonce = nonce_of(page());
    my $before = @{ entries() };
    is answer(['q.name' => 'x'], nonce => $nonce)->{status}, 303, "tap $_" for 1, 2;
    my $list = wait_for(sub { my $l = entries(); @$l == $before + 2 && $l }, 'two entries', 5);
    is line_of($list->[-1])->{nonce}, line_of($list->[-2])->{nonce}, 'the same nonce twice';
};

subtest 'B46: errors stand beside the fields, values are kept' => sub {
    my $before = @{ entries() };
    my $nonce  = nonce_of(page());
    my $r      = answer(['q.name' => '', 'q.day.y' => 2026, 'q.day.m' => 2, 'q.day.d' => 30,
        'q.like' => 'beer', 'q.like' => 'tea'], nonce => $nonce);
    is $r->{status}, 422, 'answered with 422';
    my $body = $r->{body};
    utf8::decode($body);
    like $body, qr/role="alert"/, 'summary';
    like $body, qr/3か所/, 'three errors';
    like $body, qr/<option value="30" selected>/, 'date kept';
    like $body, qr/value="tea"[^>]* checked/, 'choice kept';
    unlike $body, qr/beer/, 'what was not offered is not shown';
    is nonce_of($r), $nonce, 'F1: the nonce is kept';
    like $r->{headers}{'content-security-policy'}, qr/default-src 'none'/, 'same policy';
    $r = answer(['q.name' => '"><script>alert(1)</script>'], nonce => $nonce);
    is $r->{status}, 422, 'too long';
    unlike $r->{body}, qr/<script/, 'F3: escaped';
    is scalar @{ entries() }, $before, 'nothing stored';
};

subtest 'B50, F2: whose page posted it' => sub {
    my $host = '127.0.0.1:' . $edge->port;
    my @cases = (
        [303, 'none of the headers'],
        [303, 'own origin', Origin => "http://$host"],
        [303, 'own origin behind TLS', Origin => "https://$host"],
        [303, 'own origin, letters', Host => 'Shop.Example', Origin => 'https://shop.example'],
        [303, 'own referer', Referer => "http://$host$path"],
        [303, 'same-origin', 'Sec-Fetch-Site' => 'same-origin', Origin => "http://$host"],
        [403, 'null', Origin => 'null'],
        [403, 'empty', Origin => ''],
        [403, 'foreign', Origin => 'https://evil.example'],
        [403, 'longer', Origin => "http://$host.evil.example"],
        [403, 'userinfo', Origin => "http://$host\@evil.example"],
        [403, 'other port', Origin => 'http://127.0.0.1:1'],
        [403, 'other scheme', Origin => "file://$host"],
        [403, 'two', Origin => "http://$host", Origin => 'https://evil.example'],
        [403, 'foreign referer', Referer => "https://evil.example/?http://$host/"],
        [403, 'cross-site', 'Sec-Fetch-Site' => 'cross-site'],
        [403, 'same-site', 'Sec-Fetch-Site' => 'same-site', Origin => "http://$host"],
        [403, 'none', 'Sec-Fetch-Site' => 'none'],
        [403, 'null, with a cookie', Origin => 'null', Cookie => 'session=1'],
    );
    for my $case (@cases) {
        my ($status, $name, @headers) = @$case;
        unshift @headers, Host => $host if !grep { $_ eq 'Host' } @headers;
        my $before = Tomo::Test::Status::fetch($edge)->{received};
        is answer(['q.name' => 'x'], headers => \@headers)->{status}, $status, $name;
        is Tomo::Test::Status::fetch($edge)->{received} - $before, $status == 303 ? 1 : 0,
            "$name: " . ($status == 303 ? 'stored' : 'not stored');
    }
};

subtest 'B43, B45, B47, B53, B54: what is no form of ours' => sub {
    my $nonce = nonce_of(page());
    my $good  = encode(nonce => $nonce, rev => 2, hp => '', 'q.name' => 'x');
    my $parts = join '', map {"--b\r\nContent-Disposition: form-data; name=\"q$_\"\r\n\r\nx\r\n"}
        1 .. 10_000;
    my $before = Tomo::Test::Status::fetch($edge)->{received};
    my @cases  = (
        [415, 'no content type', $good],
        [415, 'plain text', $good, 'Content-Type' => 'text/plain'],
        [415, 'JSON', '{"q.name":"x"}', 'Content-Type' => 'application/json'],
        [415, 'a longer name', $good, 'Content-Type' => "${FORM}x"],
        [415, 'two content types', $good, 'Content-Type' => $FORM, 'Content-Type' => 'text/plain'],
        [415, 'compressed', $good, 'Content-Type' => $FORM, 'Content-Encoding' => 'gzip'],
        [415, 'B54: a file', "--b\r\n", 'Content-Type' => 'multipart/form-data; boundary=b'],
        [415, '1 KB of boundary', $good,
            'Content-Type' => 'multipart/form-data; boundary=' . 'b' x 1024],
        [413, '10,000 parts', $parts, 'Content-Type' => 'multipart/form-data; boundary=b'],
        [413, 'over the limit', $good . 'x' x 70_000, 'Content-Type' => $FORM],
        [400, 'B53: nothing', '', 'Content-Type' => $FORM],
        [400, 'B45: broken percent', "$good%zz", 'Content-Type' => $FORM],
        [400, 'B45: overlong UTF-8', "$good%C0%AF", 'Content-Type' => $FORM],
        [400, 'B44: a name twice', "$good&q.name=y", 'Content-Type' => $FORM],
        [400, 'B44: too many fields', $good . '&a=1' x 1000, 'Content-Type' => $FORM],
        [400, 'B47: no revision', "nonce=$nonce&q.name=x", 'Content-Type' => $FORM],
        [400, 'B47: a nonce of its own', 'nonce=mine&rev=2&q.name=x', 'Content-Type' => $FORM],
    );
    for my $case (@cases) {
        my ($status, $name, $body, @headers) = @$case;
        my $r = http_post($edge->port, $path, $body, @headers);
        is $r && $r->{status}, $status, $name;
    }
    for my $method (qw(PUT DELETE OPTIONS PATCH)) {
        my $r = http($edge->port, $method, $path);
        is $r->{status}, 405, $method;
    }
    is Tomo::Test::Status::fetch($edge)->{received}, $before, 'nothing stored';
    my $r = http_post($edge->port, $path, $good, 'Content-Type' => "$FORM ; charset=UTF-8");
    is $r->{status}, 303, 'the same with a form\'s content type';
    $r = http_post($edge->port, $path, $good . '&x=' . 'y' x 40_000, 'Content-Type' => $FORM);
    is $r->{status}, 303, 'one that does not fit a buffer';
};

subtest 'B52: a filled trap is thanked and marked' => sub {
    my $before = @{ wait_for(sub { Tomo::Test::Status::wait_shipped($edge) && entries() }) };
    is answer(['q.name' => ''], hp => 'spam')->{status}, 303, 'looks accepted';
    my $list = wait_for(sub { my $l = entries(); @$l == $before + 1 && $l }, 'the entry', 5);
    is line_of($list->[-1])->{trap}, 1, 'marked for ingest';
    is Tomo::Test::Status::counter($edge, 'survey_trapped'), 1, 'counted';
};

subtest 'B53: the client leaves after sending' => sub {
    my $before = Tomo::Test::Status::fetch($edge)->{received};
    my $body   = encode(nonce => nonce_of(page()), rev => 2, hp => '', 'q.name' => 'x');
    my $client = Tomo::Test::Http->connect($edge->port);
    $client->send("POST $path HTTP/1.1\r\nHost: x\r\nContent-Type: $FORM\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body");
    $client->reset;
    ok wait_for(sub { page()->{status} == 200 }, 'still there'), 'the edge goes on';
    cmp_ok Tomo::Test::Status::fetch($edge)->{received} - $before, '<=', 1, 'one record at most';
};

subtest 'B48: the survey changed between page and post' => sub {
    my $nonce = nonce_of(page());
    put_feed($redis, 'survey/3' => survey(rev => 3,
        more => rec('q', id => 'new', kind => 'text', label => '新しい質問', required => 1)));
    ok wait_for(sub { page()->{body} =~ /q\.new/ }, 'the new form is known', 10), 'new form';
    my $before = Tomo::Test::Status::fetch($edge)->{received};
    my $r = answer(['q.name' => 'kept', 'q.like' => 'tea'], nonce => $nonce, rev => 2);
    is $r->{status}, 409, 'answered with 409';
    like $r->{body}, qr/name="rev" value="3"/, 'the page has the new revision';
    like $r->{body}, qr/value="kept"/, 'and what was typed';
    like $r->{body}, qr/q\.new/, 'and the new question';
    is Tomo::Test::Status::fetch($edge)->{received}, $before, 'nothing stored';
    is answer(['q.name' => 'kept', 'q.new' => 'x'], nonce => $nonce, rev => 3)->{status}, 303,
        'then it is taken';
};

subtest 'B48, B49: parsed forms are those of the table as it stands' => sub {
    my %many = map { ("survey/$_" => survey(more => rec('q', id => "q$_", kind => 'text',
        label => '質問', required => 1))) } 101 .. 180;
    put_feed($redis, %many);
    my $path_of = sub { '/s/' . issue_token(kind => 'survey', target => $_[0], friend => 7) };
    ok wait_for(sub { page($path_of->(180))->{status} == 200 }, 'many surveys', 10), 'many';
    my %path = map { $_ => $path_of->($_) } 101 .. 180;
    my %status;
    for my $n (101 .. 180, 101 .. 180, (150) x 3) {
        my $r = answer(['q.name' => 'x', "q.q$n" => 'y'], path => $path{$n}, nonce => 'A' x 22);
        $status{ $r->{status} }++;
    }
    is_deeply \%status, { 303 => 163 }, 'more of them than a worker keeps: each is its own';
    is answer(['q.name' => 'x'], path => $path{150}, nonce => 'A' x 22)->{status}, 422,
        'and asks its own question';
    put_feed($redis, 'survey/150' => survey(open => 0), 'survey/151' => undef);
    ok wait_for(sub { page($path{150})->{status} == 404 }, 'closed', 10), 'one is closed';
    for my $n (150, 151) {
        is answer(['q.name' => 'x', "q.q$n" => 'y'], path => $path{$n}, nonce => 'A' x 22)
            ->{status}, 404, "B38: $n was posted before and is gone now";
    }
    is page("$path{150}?thanks=1")->{status}, 200, 'who posted before it closed is thanked';
    ok Tomo::Test::Status::wait_shipped($edge), 'shipped';
};

subtest 'F1: without Redis nothing is lost' => sub {
    ok Tomo::Test::Status::wait_shipped($edge), 'all shipped';
    my $before = @{ entries() };
    my $nonce  = nonce_of(page());
    $redis->stop;
    is page()->{status}, 200, 'the page is there';
    is answer(['q.name' => 'x', 'q.new' => 'y'], nonce => $nonce, rev => 3)->{status}, 303,
        'the answer is taken';
    $redis->restart;
    ok wait_for(sub { my $l = eval { entries() }; $l && @$l == $before + 1 }, 'shipped', 20),
        'and shipped once Redis is back';
};

unlike $edge->error_log, qr/\Q$token\E/, 'S1: no token in the error log';

# --- R2: no path makes the form post to another host ---------------------------------
{
    my $r = http_get($lax, "//evil.example/$token");
    is $r->{status}, 200, 'R2: a path that begins with two slashes';
    my ($action) = $r->{body} =~ /<form method="post" action="([^"]*)"/;
    is $action, "/evil.example/$token", 'R2: its form stays with this host';
}

done_testing;
