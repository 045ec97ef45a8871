#!/usr/bin/perl

# Survey posts as no page of ours sends them: B43 to B47, B49, B51 to B54.
# What was accepted is read back from the stream.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 ();
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Token;

my $FORM = 'application/x-www-form-urlencoded';
my $SURVEY = rec('survey', no => 3, rev => 2, id => 'hostile', open => 1, title => 't',
    submit => 's', thanks => 'thanks')
    . rec('q', id => 'text', kind => 'text', label => 'T', max => 10)
    . rec('q', id => 'memo', kind => 'long_text', label => 'M', max => 100)
    . rec('q', id => 'n', kind => 'number', label => 'N', max => 1000)
    . rec('q', id => 'must', kind => 'single', label => 'C', required => 1)
    . rec('o', id => 'a', label => 'A') . rec('o', id => 'b', label => 'B');

my $redis = Tomo::Test::Redis->start;
put_feed($redis, 'survey/3' => $SURVEY);
my $edge = Tomo::Test::Nginx->start(redis => $redis);
my $serial = 0;
my $path;

# A link of a friend who has not posted yet.
sub fresh { $path = '/s/' . issue_token(kind => 'survey', target => 3, friend => ++$serial) }
fresh();
ok wait_for(sub { my $r = http_get($edge->port, $path); $r && $r->{status} == 200 }, 'known', 10),
    'the edge knows the survey';

# A nonce of a page made that many ms ago.
sub nonce {
    my ($ago_ms) = @_;
    my $made = now_ms() - ($ago_ms // 5000);
    my $bytes = substr(pack('Q>', $made), 2) . join '', map { chr int rand 256 } 1 .. 10;
    my $text = MIME::Base64::encode_base64($bytes, '');
    $text =~ tr{+/=}{-_}d;
    return $text;
}

sub raw_post {
    my ($body, @headers) = @_;
    return http_post($edge->port, $path, $body, 'Content-Type' => $FORM, @headers);
}

# Text that is percent-encoded already.
sub answer {
    my ($fields, %o) = @_;
    $o{nonce} //= nonce();
    return raw_post("nonce=$o{nonce}&rev=2&hp=&q.must=a" . ($fields ne '' ? "&$fields" : ''));
}

sub entries { return $redis->stream('tomo:{demo}:in') }

# The line of the answer that has this nonce.
sub line_of {
    my ($nonce) = @_;
    my $body = wait_for(sub {
        my ($e) = grep { $_->[1]{b} =~ /nonce=\Q$nonce\E/ } @{ entries() };
        $e && $e->[1]{b};
    }, 'the answer in the stream', 10) // '';
    chomp $body;
    my %line;
    for my $field (split /&/, $body) {
        my ($name, $value) = split /=/, $field, 2;
        $value =~ s/%([0-9A-F]{2})/chr hex $1/ge;
        utf8::decode($value);
        $line{$name} = defined $line{$name} ? "$line{$name},$value" : $value;
    }
    return \%line;
}

sub received { return Tomo::Test::Status::fetch($edge)->{received} }

subtest 'B43, B54: other forms of a form' => sub {
    my $before = received();
    my $part = "--b\r\nContent-Disposition: form-data; name=\"q.must\"\r\n\r\na\r\n";
    my $file = "--b\r\nContent-Disposition: form-data; name=\"q.text\"; filename=\"x.php\"\r\n"
        . "Content-Type: application/x-php\r\n\r\n<?php\r\n--b--\r\n";
    my @cases = (
        ['no last boundary', $part, 'multipart/form-data; boundary=b'],
        ['no boundary at all', $part, 'multipart/form-data'],
        ['nested', "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n$part--b--\r\n"
            . "--a--\r\n", 'multipart/form-data; boundary=a'],
        ['B54: a file', $file, 'multipart/form-data; boundary=b'],
        ['two types in one', 'q.must=a', "multipart/form-data, $FORM"],
        ['nothing', 'q.must=a', ''],
        ['only a semicolon', 'q.must=a', ';'],
        ['XML', '<q.must>a</q.must>', 'text/xml'],
    );
    for my $case (@cases) {
        my ($name, $body, $type) = @$case;
        is http_post($edge->port, $path, $body, 'Content-Type' => $type)->{status}, 415, $name;
    }
    is received(), $before, 'nothing stored';
};

subtest 'B44: names' => sub {
    my @cases = (
        [303, 'a[]', 'a%5B%5D=1&a%5B%5D=2'],
        [303, 'an empty name', '=x&&&='],
        [303, '__proto__', '__proto__=x&constructor=y&q.__proto__=z'],
        [303, 'a question with a bracket', 'q.text%5B%5D=x'],
        [303, 'a question that is none', 'q.=x&q..=y&q.text.y=z'],
        [413, 'a name of 64 KB', 'a' x 65_536 . '=1'],
        [413, '100,000 fields', 'a=1&' x 100_000],
        [400, 'more than 1,000 fields', join '&', ('a=1') x 1001],
        [400, 'a choice twice', 'q.must=b'],
        [400, 'a text twice', 'q.text=x&q.text=y'],
    );
    for my $case (@cases) {
        my ($status, $name, $fields) = @$case;
        my $nonce = nonce();
        is answer($fields, nonce => $nonce)->{status}, $status, $name;
        next if $status != 303;
        is_deeply [ sort grep {/^q|proto|constructor|^a/} keys %{ line_of($nonce) } ],
            ['at', 'q.must'], "$name: only what was asked is kept";
    }
};

subtest 'B45: signs' => sub {
    my @taken = (
        ['a plus is a space', 'q.text=a+b', 'a b'],
        ['NFD kana stays as written', 'q.text=%E3%81%8B%E3%82%99', "か\x{3099}"],
        ['full width', 'q.text=%EF%BC%A1', "\x{ff21}"],
        ['an emoji of several', 'q.text=%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7',
            "\x{1f469}\x{200d}\x{1f467}"],
        ['ten signs of four bytes', 'q.text=' . '%F0%A0%AE%B7' x 10, "\x{20bb7}" x 10],
    );
    for my $case (@taken) {
        my ($name, $fields, $want) = @$case;
        my $nonce = nonce();
        is answer($fields, nonce => $nonce)->{status}, 303, $name;
        is line_of($nonce)->{'q.text'}, $want, "$name: stored so";
    }
    my $nonce = nonce();
    is answer('q.n=%EF%BC%91%EF%BC%92', nonce => $nonce)->{status}, 303, 'full-width digits';
    is line_of($nonce)->{'q.n'}, 12, 'are a number';
    for my $bad ('%zz', '%', '%4', '%C0%AF', '%ED%A0%80', '%F4%90%80%80', '%E3%81',
        '%82%A0', "\x82\xa0")
    {
        is answer("q.text=$bad")->{status}, 400, 'no UTF-8, no form: ' . ($bad =~ s/[^ -~]/?/gr);
    }
    for my $odd (['NUL', '%00'], ['a control', '%01'], ['direction turned', '%E2%80%AE']) {
        is answer("q.text=a$odd->[1]b")->{status}, 422, "$odd->[0]: asked again";
    }
    is answer('q.text=' . '%F0%A0%AE%B7' x 11)->{status}, 422, 'eleven signs are one too many';
};

subtest 'B46: values' => sub {
    for my $case (['1e309'], ['NaN'], ['0x10'], ['1' x 400], ['-'], ['1,5,']) {
        is answer("q.n=$case->[0]")->{status}, 422, 'no number: ' . substr $case->[0], 0, 10;
    }
    is raw_post('nonce=' . nonce() . '&rev=2&hp=')->{status}, 422, 'what is required is missing';
    is raw_post('nonce=' . nonce() . '&rev=2&hp=&q.must=c')->{status}, 422, 'what was not offered';
    my $r = answer('q.memo=' . 'x' x 10_000_000);
    is $r->{status}, 413, '10 MB of text';
};

subtest 'B47, B51: what decides is not in the form' => sub {
    my $before = received();
    my $nonce = nonce();
    my $r = answer(join('&', 'score=100', 'tags=vip', 'version=9', 'friend=1', 'survey=4',
        'account=2', 'check=0', 'trap=0', 'return=https://evil.example/',
        'redirect_uri=//evil.example', 'id_token=eyJhbGciOiJub25lIn0.e30.', 'liff.state=x'),
        nonce => $nonce);
    is $r->{status}, 303, 'taken';
    is $r->{headers}{location}, "$path?thanks=1", 'B47: nothing leads elsewhere';
    my $line = line_of($nonce);
    is $line->{friend}, $serial, 'B51: the link says who, not a token in the form';
    is $line->{survey}, 3, 'B47: nor which survey';
    ok !(grep {/score|tags|version|return|redirect|token|liff|trap/} keys %$line),
        'B47: no other field goes on';
    for my $bad ('rev=2x', 'rev=-1', 'rev=99999999999', 'rev=') {
        is raw_post('nonce=' . nonce() . "&$bad&hp=&q.must=a")->{status}, 400, "B47: $bad";
    }
    for my $rev (0, 1, 3) {
        is raw_post('nonce=' . nonce() . "&rev=$rev&hp=&q.must=a")->{status}, 409,
            "B48: revision $rev";
    }
    is raw_post(join '&', 'nonce=' . nonce(), 'nonce=' . nonce(), 'rev=2', 'q.must=a')->{status},
        400, 'B49: two nonces';
};

subtest 'B52: faster than people write' => sub {
    fresh();
    my $c = Tomo::Test::Http->connect($edge->port);
    my ($nonce) = $c->ask('GET', $path)->{body} =~ /name="nonce" value="([\w-]{22})"/;
    my $headers = ['Content-Type' => $FORM];
    my $rest = 'rev=2&hp=&q.must=a';
    my $at = Time::HiRes::time();
    is $c->ask('POST', $path, $headers, "nonce=$nonce&$rest")->{status}, 303, 'at once: thanked';
    my $took = Time::HiRes::time() - $at;
    my $line = line_of($nonce);
    ok $line->{quick} || $took > 0.15, 'and marked';
    for my $ago (1000, 3_600_000, -60_000) {
        my $n = nonce($ago);
        is $c->ask('POST', $path, $headers, "nonce=$n&$rest")->{status}, 303, "$ago ms: thanked";
        is line_of($n)->{quick}, undef, "$ago ms ago: not marked";
    }
    is $c->ask('POST', $path, $headers, 'nonce=' . 'A' x 22 . "&$rest")->{status}, 303,
        'a nonce of a stranger';
    is line_of('A' x 22)->{quick}, undef, 'says nothing about time';

    fresh();
    my %status;
    my $minute = int time / 60;
    my @sent = map { nonce() } 1 .. 250;
    $status{ $c->ask('POST', $path, $headers, "nonce=$_&$rest")->{status} }++ for @sent;
    is_deeply \%status, { 303 => 250 }, '250 at a stretch: all are thanked';
    ok Tomo::Test::Status::wait_shipped($edge), 'shipped';
    my $flood = grep { $_->[1]{b} =~ /&flood=1/ } @{ entries() };
    my $parts = int(time / 60) - $minute + 1;
    cmp_ok $flood, '>=', 250 - 120 * $parts, "what is beyond 120 a minute is marked: $flood";
    cmp_ok $flood, '<=', 130, 'and no more than that';
    is Tomo::Test::Status::counter($edge, 'survey_flood'), $flood, 'counted';
    fresh();
    my $n = nonce();
    is $c->ask('POST', $path, $headers, "nonce=$n&$rest")->{status}, 303, 'another friend';
    is line_of($n)->{flood}, undef, 'is none of the flood';
};

subtest 'B53: nothing' => sub {
    my $before = received();
    is raw_post('')->{status}, 400, 'an empty body';
    my $c = Tomo::Test::Http->connect($edge->port);
    $c->send("POST $path HTTP/1.1\r\nHost: x\r\nContent-Type: $FORM\r\nContent-Length: 0\r\n\r\n");
    is $c->response->{status}, 400, 'Content-Length: 0';
    $c = Tomo::Test::Http->connect($edge->port);
    $c->send("POST $path HTTP/1.1\r\nHost: x\r\nContent-Type: $FORM\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    is $c->response->{status}, 400, 'no chunk';
    is received(), $before, 'nothing stored';
};

done_testing;
