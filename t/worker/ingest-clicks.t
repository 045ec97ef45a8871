# Clicks beyond what a person taps, which the edge marked: one friend's link
# fetched thousands of times is a flood that is told once and changes nothing.
# RELIABILITY.md B36.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in = Tomo::Test::Ingest->start;
$in->greeted(1, 'Hana');
$in->click(1, 'catalog');
ok $in->settle, 'a click';
is $in->tags(1), 'saw-catalog', 'has its effect';
my $before = $in->cursor->{previews} // 0;
my $link   = $in->no('link', 'catalog');

sub rows { return grep { $_->{kind} eq 'click' } @{ $in->timeline(1) } }

$in->click(1, 'catalog', flood => $_) for 1 .. 300;
ok $in->settle(20), 'B36: 300 beyond the limit';
is scalar(rows()), 2, 'B36: are told once';
my ($told) = rows();
is_deeply [Tomo::Test::Ingest::values_of($told, 'why')], ['catalog', 'flood'], 'B36: as a flood'
    or diag(explain($told));
like $in->friend(1)->{"k:$link"}, qr/^n=1&/, 'B36: one click counts';
is $in->cursor->{previews} - $before, 300, 'B36: all are counted as no person\'s';
is scalar(@{ $in->quarantine }), 0, 'nothing is set aside';

# the next minute, or another worker of nginx
$in->click(1, 'catalog');
$in->click(1, 'catalog', flood => 1);
ok $in->settle, 'later';
like $in->friend(1)->{"k:$link"}, qr/^n=2&/, 'a tap counts again';
is scalar(rows()), 4, 'and a new flood is told again';

done_testing;
