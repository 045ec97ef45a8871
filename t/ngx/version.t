#!/usr/bin/perl

# A module's file that is replaced while nginx runs: a reload keeps the old
# code, a restart and USR2 bring the new one, and the status page always says
# which version runs and which one lies on the disk.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my ($version) = read_file(top_dir() . '/core/tomo_version.h') =~ /TOMO_VERSION\s+"([\d.]+)"/;
my $other = $version =~ tr/0-9/9/r;
my $old   = read_file(Tomo::Test::Nginx::module_path());
my $new   = $old;
(my $changed = $new =~ s/tomo-module-version=\K\Q$version\E/$other/g) or die "no mark\n";
is $changed, 1, 'the mark stands in the file once';
$new =~ s/\0\K[^\0]*\Q$version\E[^\0]*(?=\0)/$& =~ s{\Q$version\E}{$other}gr/ge;

my $file = temp_dir() . '/module.so';

# by rename, as a package and `make install` do it
sub put {
    my ($bytes) = @_;
    write_file("$file.new", $bytes, 0644);
    rename "$file.new", $file or die "rename: $!\n";
    return;
}

sub versions {
    my ($edge) = @_;
    my $s = Tomo::Test::Status::fetch($edge);
    return "$s->{version} $s->{version_on_disk} " . ($s->{restart_needed} ? 'restart' : 'same');
}

put($old);
my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock', no_module => 1, daemon => 1,
    main => "load_module $file;");
$edge->launch;
is versions($edge), "$version $version same", 'at start: one version';
unlike http_get($edge->port, '/tomo/status')->{body}, qr/restart nginx/, 'and no word of it';

put($new);
is versions($edge), "$version $other restart", 'replaced: both are told';
like http_get($edge->port, '/tomo/status')->{body}, qr/version \Q$other\E: restart nginx/,
    'for people as well';
like http_get($edge->port, '/tomo/status?format=prometheus')->{body},
    qr/^tomo_module_replaced 1$/m, 'and for Prometheus';

ok $edge->reload, 'reload';
is versions($edge), "$version $other restart", 'a reload keeps the old code, and says so';

put("\x7fELF no module of ours");
is versions($edge), "$version unknown restart", 'a file without a version';
unlink $file;
is versions($edge), "$version unknown restart", 'no file at all';

put($new);
ok $edge->upgrade, 'USR2 and QUIT';
is versions($edge), "$other $other same", 'bring the new code';

put($old);
is versions($edge), "$other $version restart", 'back again: both are told';
$edge->restart;
is versions($edge), "$version $version same", 'a restart brings what is on disk';

done_testing;
