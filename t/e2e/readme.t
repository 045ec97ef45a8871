#!/usr/bin/perl

# The journey of README.md, command by command as it stands there, in a sandbox
# of this test: only the ports and the sandbox's folder are put in.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Sandbox;
use JSON::PP ();

my $readme = read_file(top_dir() . '/README.md');
my ($journey) = $readme =~ /^## A friend's journey\n(.*?)^## /ms;
my @blocks = ($journey // '') =~ /^```sh\n(.*?)^```$/msg;
is scalar(@blocks), 5, 'the journey has its commands' or die "no journey in README.md\n";

my $box  = Tomo::Test::Sandbox->start;
my $port = $box->port;
my $sim  = $port + 1;
# a slow machine gets more than the page's second: until all is decided and sent
my $script = <<'END';
set -u
settled() {
    local i
    for i in $(seq 200); do
        curl -s -H "$auth" "$demo/status" | grep -q '"waiting":0.*"open":0' && return
    done
}
END
for my $block (@blocks) {
    $block =~ s/127\.0\.0\.1:8080/127.0.0.1:$port/g;
    $block =~ s/127\.0\.0\.1:8081/127.0.0.1:$sim/g;
    $block =~ s{run/api-token}{$box->{dir}/api-token}g;
    $block =~ s/^(sle{2}p 1)$/$1\nsettled/mg;
    $script .= $block . "printf '\\n=====\\n'\n";
}
utf8::downgrade($script);    # the page is bytes, the text above characters
my ($status, $said) = run_command('bash', '-c', $script);
is $status, 0, 'every command works' or diag($said);
my (undef, $add, $tap, $answer, $later) = split /\n=====\n/, $said;

# the JSON in an answer; curl ends its output without a newline
sub documents {
    my @lines = split /\n|(?<=[\]}])(?=[\[{])/, $_[0] // '';
    return map { JSON::PP::decode_json($_) } grep {/^[\[{]/} @lines;
}

my ($inbox) = documents($add);
is $inbox->[0]{via}, 'reply', 'the greeting is a free reply';
like $inbox->[0]{messages}[0]{text}, qr/さくら.*\/r\/[\w-]{39}/s, '... with name and link';

like $tap, qr/^302 https?:/m, 'the link redirects';
my ($found) = documents($tap);
is_deeply $found->{friends}[0]{tags}, ['saw-catalog'], '... and sets its tag';

like $answer, qr/^303$/m, 'the survey is taken';
($found) = documents($answer);
is_deeply $found->{friends}[0]{tags}, [qw(likes-coffee likes-sweets saw-catalog)],
    '... and its tags are set';
is_deeply [ sort keys %{ $found->{friends}[0]{fields} } ], [qw(birth-date interests real-name)],
    '... and its fields filled';

my ($clock, $arrived, $timeline) = documents($later);
ok $clock->{now_ms} > now_ms() + 86_400_000, 'the clock moved';
is scalar @$arrived, 2, 'the step of day 1 arrived';
is $arrived->[1]{via}, 'push', '... as a push';
ok scalar(grep { "@{ $_->{why} }" =~ m{ scenario/welcome day1\z} } @$timeline),
    'the timeline says why, as the README tells'
    or diag(join ' | ', map {"$_->{kind} @{ $_->{why} }"} @$timeline);

done_testing;
