#!/usr/bin/perl

# The simulated phones in a real Chromium, with all of Tomo behind them: the
# demo account's journey (t/browser/phone.mjs), every kind of message and
# hostile texts (t/browser/types.mjs), and who may not drive the simulator.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;
use Tomo::Test::Browser;
use Tomo::Test::Sandbox;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $box = Tomo::Test::Sandbox->start;
my $sim = $box->port + 1;
my @urls = map {"http://127.0.0.1:$_"} $box->port, $sim;

run_browser('phone.mjs', @urls, $box->dir);
run_browser('types.mjs', @urls, $box->dir);

my %foreign = (
    'a name that was made to mean 127.0.0.1' => [ Host => "evil.example:$sim" ],
    'a page of another site'                 => [ Origin => 'https://evil.example' ],
    'a page of another port'                 => [ Origin => "http://127.0.0.1:" . $box->port ],
    'a sandboxed page'                       => [ Origin => 'null' ],
    'a picture or script of another site'    => [ 'Sec-Fetch-Site' => 'cross-site' ],
    'a page of the edge'                     => [ 'Sec-Fetch-Site' => 'same-site' ],
);
for my $who (sort keys %foreign) {
    my $people = @{ $box->sim('GET', '/sim/friends')->{friends} };
    my $r = http($sim, 'POST', '/sim/friends', $foreign{$who}, '{"display_name":"x"}');
    is $r->{status}, 403, "$who adds nobody";
    like $r->{body}, qr/open /, '... and is told what to do';
    is http($sim, 'GET', '/phone/api/clock', $foreign{$who})->{status}, 403,
        '... and reads nothing';
    is @{ $box->sim('GET', '/sim/friends')->{friends} }, $people, '... nobody is there';
}
my $visit = [ 'Sec-Fetch-Site' => 'cross-site', 'Sec-Fetch-Mode' => 'navigate',
    'Sec-Fetch-Dest' => 'document' ];
is http($sim, 'GET', '/', $visit)->{status}, 200, 'a link from elsewhere opens the page';
$visit->[-1] = 'iframe';
is http($sim, 'GET', '/', $visit)->{status}, 403, '... but not in a frame';
my $page = http($sim, 'GET', '/', []);
like $page->{headers}{'content-security-policy'}, qr/default-src 'none';.*frame-ancestors 'none'/,
    'the page has a strict policy';
is http($sim, 'GET', "/phone/$_", [])->{status}, 404, "$_ is not served"
    for '../main.mjs', '%2e%2e/main.mjs', 'package.json';

done_testing;
