#!/usr/bin/perl

# A dead writer's folder with a segment that cannot be read (T33): it is tried
# for a while; what cannot be read by then is set aside, named to the operator,
# and holds up neither the rest of its folder nor other folders.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::DeadWriter;
use Tomo::Test::Feed;

sub record { return [ 'demo', sprintf '{"events":[],"n":"%s"}', $_[0] ] }

my $redis = Tomo::Test::Redis->start;
publish($redis, { version => 1 });
my $root = $> == 0;
my $e = Tomo::Test::Nginx->new(
    redis => $redis, workers => 1, $root ? (user => 'www-data') : ());

# Root reads everything, so its workers are another user's, and the files too.
sub give {
    my (@paths) = @_;
    chown scalar(getpwnam 'www-data'), -1, @paths if $root;
    return;
}

sub segment { return sprintf '%s/%016x.seg', @_ }

sub dead {
    my ($writer) = @_;
    my $folder = dead_segments($e, $writer, map { { records => [ record("$writer-$_") ] } } 1 .. 3);
    give($folder, glob "$folder/*");
    utime time - 60, time - 60, $folder;
    return $folder;
}

my @folders = map { dead(0xd000 + $_) } 1 .. 40;    # more than one look takes
chmod 0, map { segment($_, 2) } @folders;
my $well = dead(0xe000);
give($e->journal);
$e->launch;

sub bodies {
    return map { $_->[1]{b} } @{ $redis->stream('tomo:{demo}:in') };
}

ok wait_for(sub { grep {/"n":"57344-3"/} bodies() }, 'the good one', 10),
    'a folder that can be read is not held up';
is scalar(bodies()), 3, 'those that cannot are not taken in part at once';
chmod 0600, segment($folders[0], 2);
ok wait_for(sub { bodies() >= 6 }, 'the mended one', 8), 'what can be read again is taken whole';
my $first = 0xd001;
is_deeply [ grep {/"$first-/} bodies() ], [ map {qq({"events":[],"n":"$first-$_"})} 1 .. 3 ],
    'in its order';

ok wait_for(sub { bodies() >= 6 + 2 * 39 }, 'the rest', 25),
    'after a while the others are taken without what cannot be read';
is scalar(bodies()), 6 + 2 * 39, 'the rest of each, once';
is scalar(grep { -e segment($_, 2) . '.bad' } @folders), 39, 'the others are set aside';
is scalar(() = $e->error_log =~ /cannot be read; tried for/g), 40, 'each is told once';
cmp_ok Tomo::Test::Status::counter($e, 'ship_quarantined'), '>=', 39, 'and counted';
ok $e->quit, 'QUIT';

done_testing;
