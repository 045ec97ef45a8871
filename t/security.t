#!/usr/bin/perl

# SECURITY.md: every threat has its row, and the tests it names are there and are
# about what the row says they are about.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $top = top_dir();
chdir $top or die "$top: $!\n";

my $page = read_file('SECURITY.md');
my (@ids, $named);
for my $row ($page =~ /^(\| E\d+ \|.*)$/mg) {
    my (undef, $id, @cells) = split /\s*\|\s*/, $row;
    push @ids, $id;
    is scalar(@cells), 4, "$id: who, what, by what, shown by";
    ok length $_ > 5, "$id: \"$_\" is said" for @cells[0 .. 2];
    if ($cells[3] eq "\xe2\x80\x93") {
        like $cells[2], qr/ no .* yet\b/, "$id: nothing to show, for the thing is not there";
        next;
    }
    while ($cells[3] =~ /`(t\/[^`]+)`(?: \((\w+)\))?/g) {
        my ($file, $what) = ($1, $2);
        ok -e $file, "$id: $file is there";
        $what //= ($file =~ m{t/promises/(\w+)\.t})[0];
        $named++;
        next if !defined $what;
        my $text = read_file($file);
        my %about;
        while ($text =~ /\b([A-Z])(\d+)(?:(?:\.\.| to |-|–)\1?(\d+))?\b/g) {
            $about{"$1$_"} = 1 for $2 .. $3 // $2;
        }
        ok $about{$what}, "$id: $file is about $what";
    }
}
is_deeply \@ids, [map {"E$_"} 1 .. 16], 'E1 to E16 have one row each';
cmp_ok $named, '>=', 20, 'with tests';
like $page, qr/^## $_$/m, "SECURITY.md: $_"
    for 'Reporting', 'Supported versions', 'Threats', 'What is not promised';

done_testing;
