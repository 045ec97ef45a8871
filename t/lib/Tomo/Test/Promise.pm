package Tomo::Test::Promise;

# What every file in t/promises/ shares. A promise has a short form, which runs
# with all tests, and a full form, which `scripts/prove ID` runs.
#
#   use Tomo::Test::Promise;             # exports full, pick, figure
#
#   my $kills = pick(short => 12, full => 300);
#   figure('kills' => $kills);
#   figure('acknowledged but missing' => $missing);
#   is $missing, 0, 'W1: nothing acknowledged is missing';
#
# The first comment of the file says the promise in one sentence, as
# `# W1: A webhook answered 200 is on disk.`; scripts/prove reads it from there.

use strict;
use warnings;
use Exporter 'import';
use Test::More ();

our @EXPORT = qw(full pick figure);

# Whether this is the full form: true or false.
sub full { return $ENV{TOMO_FULL} ? 1 : 0 }

# pick(short => A, full => B): the size of this form.
sub pick {
    my (%size) = @_;
    return full() ? $size{full} : $size{short};
}

# Tells one measured value, with its unit in the text of the value if it has
# one. Printed as it comes, and collected by scripts/prove.
sub figure {
    my ($name, $value) = @_;
    $value //= 'none';
    Test::More::note("figure: $name = $value");
    return $value;
}

1;
