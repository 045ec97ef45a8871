#!/usr/bin/env perl
# Bad usage ends with a sentence that says what to do.

use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use SimTest;
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my @edge = ('--edge-url', 'http://127.0.0.1:1');

sub run {
    my (@args) = @_;
    my $pid = open my $out, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec 'node', $SimTest::MAIN, @args;
    }
    my $text = do { local $/; <$out> };
    close $out;
    return ($? >> 8, $text);
}

sub refuses {
    my ($words, @args) = @_;
    my ($code, $text) = run(@args);
    is($code, 2, "exit 2: @args");
    like($text, $words, '  and says why');
}

my @good = ('--dir', $dir, '--port', 0, @edge);
refuses(qr/--dir is missing/, '--port', 1, @edge);
refuses(qr/--port must be/, '--dir', $dir, '--port', 'x', @edge);
refuses(qr/--edge-url must be .* loopback/, '--dir', $dir, '--port', 0,
    '--edge-url', 'http://example.com');
refuses(qr/unknown option/, @good, '--nonsense');
refuses(qr/--quota must be/, @good, '--quota', 'much');
refuses(qr/--quota needs a value/, @good, '--quota');
refuses(qr/cannot read .*channel-id/, @good);
SimTest::spew("$dir/channel-id", "1\n");
SimTest::spew("$dir/channel-secret", "s\n");
SimTest::spew("$dir/bot-user-id", "me\n");
refuses(qr/bot-user-id must hold U and 32/, @good);
refuses(qr/longer than 107 bytes/, '--dir', '/tmp/' . 'x' x 100,
    '--port', 0, @edge);

my $t = SimTest->new;
my ($port) = $t->{url} =~ /:(\d+)$/;
SimTest::spew("$dir/bot-user-id", "$SimTest::BOT\n");
my ($code, $text) = run('--dir', $dir, '--port', $port, @edge);
is($code, 1, 'a port in use');
like($text, qr/in use: 127\.0\.0\.1:$port/, 'is named');
($code, $text) = run('--dir', $t->{dir}, '--port', 0, @edge);
is($code, 1, 'a second simulator in the same folder');
like($text, qr/in use/, 'is refused');
ok($t->sim('GET', 'state')->{ok}, 'and the first goes on');

done_testing();
