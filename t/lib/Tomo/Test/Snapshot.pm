package Tomo::Test::Snapshot;

# The edge's table from a file: for tests of the edge alone, without the feed.
#
#   my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock');
#   write_snapshot($edge, { id => 'demo', number => 1,
#                           secrets => [$secret], links => { 1 => $url } });
#   $edge->launch;

use strict;
use warnings;
use Exporter 'import';
use Tomo::Test::Files ();

our @EXPORT = qw(write_snapshot);

# kinds of core/tomo_table.h
my %KIND = (secret => 1, link => 2, survey => 3);

# Accounts: { id, number, version, secrets => [1st, 2nd],
# links => { N => url }, surveys => { N => compiled form } }. Without any: the
# demo account with its channel secret.
sub write_snapshot {
    my ($edge, @accounts) = @_;
    @accounts = ({ id => 'demo', number => 1, secrets => [$Tomo::Test::Files::CHANNEL_SECRET] })
        if !@accounts;
    my $list = '';
    for my $a (@accounts) {
        my ($id, $n) = ($a->{id}, 0);
        $list .= "account $id $a->{number} " . ($a->{version} // 1) . "\n";
        my @items = map { ['secret', ++$n, $_] } @{ $a->{secrets} || [] };
        my $links = $a->{links} || {};
        push @items, ['link', $_, 'url=' . _percent($links->{$_}) . '&open=1'] for keys %$links;
        my $surveys = $a->{surveys} || {};
        push @items, ['survey', $_, $surveys->{$_}] for keys %$surveys;
        $list .= "item $id $KIND{$_->[0]} $_->[1] " . unpack('H*', $_->[2]) . "\n" for @items;
    }
    my $file = "$edge->{folder}/edge.snap";
    my ($key) = Tomo::Test::read_file(Tomo::Test::Files::path('edge.key')) =~ /:(\w+)/;
    my $tool = Tomo::Test::build_path('tools/mksnapshot', 'TOMO_MKSNAPSHOT');
    open my $fh, '|-', $tool, $key, $file or die "$tool: $! (make tools)\n";
    print {$fh} $list;
    close $fh or die "$tool failed\n";
    return $file;
}

sub _percent {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

1;
