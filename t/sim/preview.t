#!/usr/bin/env perl
# URLs in text messages are really fetched, once per message, on loopback
# only (LINE.md 25).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;

my $t = SimTest->new;
my $base = "http://127.0.0.1:$t->{edge_port}";
my ($a, $b) = map { $t->friend } 1 .. 2;

sub fetched {
    my ($path) = @_;
    return grep { $_->{method} eq 'GET' && $_->{path} eq $path }
        $t->edge_saw;
}

sub settled {
    return SimTest::until_true(10,
        sub { !$t->sim('GET', 'state')->{previews}{waiting} });
}

$t->push_text($a, "look: $base/r/abc and $base/r/abc");
ok(settled(), 'previews settle');
my @seen = fetched('/r/abc');
is(scalar @seen, 1, 'once per message');
is($seen[0]{headers}{'user-agent'},
    'facebookexternalhit/1.1;line-poker/1.0', 'LINE\'s user agent');

$t->line('POST', '/v2/bot/message/multicast', { to => [$a, $b],
    messages => [SimTest::text("$base/r/many")] });
$t->push_text($a, "$base/to/inside");
$t->push_text($a, "$base/to/outside http://192.0.2.1/x");
settled();
is(scalar(fetched('/r/many')), 1, 'a multicast: once');
is(scalar(fetched('/landed/inside')), 1, 'a redirect is followed here');
is($t->sim('GET', 'state')->{previews}{elsewhere}, 2,
    'but nothing leaves the machine');

$t->line('POST', '/v2/bot/message/push', { to => $a, messages => [{
    type => 'template', altText => 'a', template => { type => 'buttons',
        text => 'x', actions => [{ type => 'uri', label => 'x',
            uri => "$base/r/button" }] } }] });
$t->sim('POST', "friends/$b/block", {});
settled();
is(scalar(fetched('/r/button')), 0, 'URIs of actions are not fetched');

my $off = SimTest->new('--no-preview');
my $c = $off->friend;
$off->push_text($c, "http://127.0.0.1:$off->{edge_port}/r/off");
is_deeply([grep { $_->{method} eq 'GET' } $off->edge_saw], [],
    '--no-preview');

done_testing();
