package Tomo::Test::Prometheus;

# Reads Prometheus' text form and has promtool look at it.
#
#   my %m = prometheus_parse($text);   { help, type, value => { 'name{…}' => n } }
#   promtool_ok($text, 'the edge');    `promtool check metrics` finds no fault

use strict;
use warnings;
use Exporter 'import';
use Test::More ();

our @EXPORT = qw(prometheus_parse promtool promtool_ok);

sub prometheus_parse {
    my ($text) = @_;
    my %m = (help => {}, type => {}, value => {}, strange => []);
    for my $line (split /\n/, $text) {
        if    ($line =~ /^# HELP (\w+) (.+)$/)              { $m{help}{$1}  = $2 }
        elsif ($line =~ /^# TYPE (\w+) (counter|gauge)$/)   { $m{type}{$1}  = $2 }
        elsif ($line =~ /^(\w+(?:\{[^}]*\})?) (-?\d+)$/)    { $m{value}{$1} = $2 }
        else                                                { push @{ $m{strange} }, $line }
    }
    return %m;
}

# (exit status, what it said)
sub promtool {
    my @args = @_;
    return Tomo::Test::run_command('promtool', @args);
}

sub promtool_ok {
    my ($text, $what) = @_;
    my $file = Tomo::Test::write_file(Tomo::Test::temp_dir() . '/metrics.prom', $text);
    my ($status, $said)
        = Tomo::Test::run_command('sh', '-c', 'exec promtool check metrics < "$0"', $file);
    Test::More::is($status, 0, "$what: promtool finds no fault") or Test::More::diag($said);
    return;
}

1;
