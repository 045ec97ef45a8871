#!/usr/bin/perl

# debian/ against the rest: one version, files that exist, libraries that are
# the same as scripts/packages.txt says, folders that the examples name.
# scripts/test-packages builds, installs, upgrades and purges the packages.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $top = top_dir();
chdir $top or die "$top: $!\n";

sub text { return read_file($_[0]) }

# --- one version ------------------------------------------------------------------

my ($code) = text('core/tomo_version.h') =~ /TOMO_VERSION\s+"([^"]+)"/;
my ($debian) = text('debian/changelog') =~ /^tomo \(([^)]+)\)/;
my ($log) = text('CHANGELOG.md') =~ /^## \[([^\]]+)\]/m;
is $debian, $code, 'debian/changelog has the version of the code';
is $log,    $code, 'CHANGELOG.md too';
my ($status, $said) = run_command(Tomo::Test::Worker::binary(), '--version');
like $said, qr/^tomo-worker \Q$code\E$/m, 'and tomo-worker says it';

# --- control -------------------------------------------------------------------------

my $control  = text('debian/control');
my @packages = $control =~ /^Package: (\S+)$/mg;
is "@packages", 'libnginx-mod-http-tomo tomo-worker', 'two packages';
my ($build) = $control =~ /^Build-Depends:\n((?: .*\n)+)/m;
my %build;
$build{$1} = $2 // '' while $build =~ /^ ([a-z0-9.+-]+)(?: \((?:>=|=) ([^)]+)\))?,$/mg;
for my $line (text('scripts/packages.txt') =~ /^run +(\S+(?: +>= \S+)?)$/mg) {
    my ($name, undef, $least) = split ' ', $line;
    next if $name !~ /^lib.*-dev$|^uthash-dev$/;
    ok exists $build{$name}, "built with $name";
    is $build{$name}, $least // '', "... in the version scripts/packages.txt wants";
    delete $build{$name};
}
is_deeply [sort keys %build], [qw(debhelper-compat dh-sequence-nginx nginx)],
    'and with nothing else';

# --- files ------------------------------------------------------------------------------

my (%man, $n);
for my $list (glob 'debian/*.docs debian/*.examples debian/*.manpages') {
    my ($package) = $list =~ m{debian/(.*)\.\w+$};
    ok scalar(grep { $_ eq $package } @packages), "$list is of a package";
    for my $file (split /\n/, text($list)) {
        ok -e $file, "$list: $file is there";
        $man{$file}++ if $list =~ /manpages$/;
        $n++;
    }
}
cmp_ok $n, '>', 10, 'there are such files';
is_deeply [sort keys %man], [sort glob 'man/*.[1-9]'], 'every man page is in a package';
for my $file (text('debian/rules') =~ m{\b((?:conf|scripts)/[\w./-]+)(?= )}g) {
    next if $file =~ /\*|\.$/;
    ok -e $file, "debian/rules: $file is there";
}
ok -x 'debian/rules', 'debian/rules can be run';
for my $script (glob 'debian/*.p{ost,re}{inst,rm}') {
    ($status, $said) = run_command('sh', '-n', $script);
    is $status, 0, "$script is sound" or diag($said);
    like text($script), qr/^set -e$/m, "$script: ends at the first fault";
    like text($script), qr/^#DEBHELPER#$/m, "$script: debhelper's parts go in";
}
my @starts = grep { !/daemon-reload/ }
    map { text($_) =~ /^ *((?:systemctl|invoke-rc\.d|service) .*)$/mg } glob 'debian/*inst';
is "@starts", '', 'nothing starts or restarts a service by itself';
like text('debian/rules'), qr/dh_installsystemd --no-enable --no-start --no-stop-on-upgrade$/m,
    'so nothing is stopped by an upgrade';

# --- what the examples name is made ---------------------------------------------------------

my $edge   = text('debian/libnginx-mod-http-tomo.postinst');
my $worker = text('debian/tomo-worker.postinst');
my $site   = text('conf/nginx-site.conf');
my $ini    = text('conf/tomo.ini');
my ($journal)  = $site =~ /^tomo_journal\s+(\S+)/m;
my ($snapshot) = $site =~ m{snapshot=(/\S+)/};
for my $folder ($journal, $snapshot) {
    like $edge, qr/^ +folder \Q$folder\E 0700 "\$edge_user"/m,
        "$folder is made, for nginx alone";
}
my ($own) = $ini =~ /^journal = (\S+)$/m;
like $worker, qr/^ +folder \Q$own\E 0700 tomo tomo$/m, "$own is made, for tomo alone";
for my $key ($ini =~ /^(?:edge_key|worker_key|token_file) = (\S+)$/mg) {
    like $worker, qr/^ +once \Q$key\E /m, "$key is made once";
}
like $edge, qr/\[ ! -e \Q$_\E \]/, "$_: not made over another"
    for $site =~ /^tomo_key_file\s+(\S+);/m;
for my $pair ($ini =~ m{^password_file = /etc/tomo/(\w+)\.pw$}m,
    $site =~ m{password_file=/etc/tomo/(\w+)\.pw})
{
    like text('scripts/redis-users'), qr/for user in [^;]*\b$pair\b/,
        "the password of $pair is made";
}
my ($acl) = text('conf/redis.conf') =~ /^aclfile (\S+)$/m;
like $worker, qr/^acl=\Q$acl\E$/m, 'the users of Redis go where its settings look';

my $unit = text('conf/systemd/tomo-worker.service');
like $unit, qr{^ExecStart=/usr/sbin/tomo-worker --config /etc/tomo/worker\.ini}m,
    'the unit starts what the package installs, with its configuration';
like $unit, qr/^User=tomo$/m, 'as the user the package makes';
like $unit, qr/^ReadWritePaths=.*\Q$own\E/m, 'which may write its journal';
like $unit, qr/^RuntimeDirectory=tomo$/m, 'and the folder of its sockets';

my ($rotated) = text('conf/logrotate/tomo') =~ m{^(/\S+)/\*\.log}m;
like text('conf/log_format.conf'), qr{access_log \Q$rotated\E/\w+\.log},
    'logs go where they are rotated';
like $edge, qr/^ +folder \Q$rotated\E 0751 /m, 'and that folder is made';

# what is removed by a purge was made by us
for my $script (glob 'debian/*.postrm') {
    my $purge = text($script);
    for my $path ($purge =~ m{rm -r?f (/\S+(?: /\S+)*)}g) {
        ok $edge . $worker =~ /\Q$_\E/ || /redis-users\.sha256|\.new$/, "$script: $_ is ours"
            for split ' ', $path;
    }
}

done_testing;
