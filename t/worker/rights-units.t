#!/usr/bin/perl

# E10: the worker's unit is hardened as the threat model says, and its score by
# systemd-analyze stays where it is.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my $file = top_dir() . '/conf/systemd/tomo-worker.service';
my $unit = read_file($file);

like $unit, qr/^\Q$_\E$/m, "E10: $_" for
    'Type=notify', 'NoNewPrivileges=yes', 'CapabilityBoundingSet=', 'ProtectSystem=strict',
    'PrivateTmp=yes', 'PrivateDevices=yes', 'MemoryDenyWriteExecute=yes', 'LimitCORE=0',
    'SystemCallFilter=@system-service', 'SystemCallFilter=~@privileged @resources',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6', 'UMask=0077';

# 78 ends it for good, which systemd asks of ExecStart= alone
unlike $unit, qr/^ExecStartPre=/m, 'nothing stands before the start that may fail';
unlike $unit, qr{/bin/kill}, 'no program of a package that we do not depend on';
like $unit, qr/^\Q$_\E$/m, $_ for 'RestartPreventExitStatus=64 78', 'StartLimitIntervalSec=0',
    'TimeoutStartSec=infinity', 'ExecReload=/usr/sbin/tomo-worker --config'
    . ' /etc/tomo/worker.ini --check';

# the unit gives a role as long as the supervisor does
my ($silent_ms) = read_file(top_dir() . '/worker/supervisor.h')
    =~ /^#define SUPERVISOR_SILENT_MS +(\d+)$/m;
my ($watchdog_s) = $unit =~ /^WatchdogSec=(\d+)s$/m;
is 1000 * ($watchdog_s // 0), $silent_ms, 'WatchdogSec= is what the supervisor bears of a role';

# only where systemd is installed
my ($status) = run_command('sh', '-c', 'command -v systemd-analyze');
if ($status == 0) {
    my ($code, $said) = run_command('systemd-analyze', 'security', '--offline=true',
        '--no-pager', $file);
    my ($score) = $said =~ /exposure level for \S+ ([\d.]+)/;
    ok defined $score, 'systemd-analyze gives a score' or diag($said);
    note("score of tomo-worker.service: " . ($score // 'none'));
    cmp_ok $score // 10, '<=', 1.5, 'E10: of 1.5 at most';
}

# --- additions to Debian's own units ---------------------------------------------

my %added = (
    'nginx.service'        => ['Restart=on-failure', 'LimitNOFILE=65536',
        'StartLimitIntervalSec=0'],
    'redis-server.service' => ['Restart=always', 'TimeoutStartSec=infinity',
        'StartLimitIntervalSec=0'],
);
for my $name (sort keys %added) {
    my $from = top_dir() . "/conf/systemd/$name.d/tomo.conf";
    my $text = read_file($from);
    like $text, qr/^\Q$_\E$/m, "$name: $_" for @{ $added{$name} };
    unlike $text, qr/^(?:After|Requires|BindsTo|PartOf)=/m, "$name: one may run without the other";

    # the whole unit with it, as systemd reads it
    my $whole = "/lib/systemd/system/$name";
    next if $status != 0 || !-e $whole;
    my $dir = temp_dir() . "/units-$name";
    mkdir $_ for $dir, "$dir/$name.d";
    write_file("$dir/$name",             read_file($whole));
    write_file("$dir/$name.d/tomo.conf", $text);
    my (undef, $said) = run_command('systemd-analyze', 'verify', '--man=no', "$dir/$name");
    is join("\n", grep {/tomo\.conf/} split /\n/, $said), '', "$name: systemd finds no fault";
    write_file("$dir/$name.d/tomo.conf", "$text\nNonsense=1\n");
    (undef, $said) = run_command('systemd-analyze', 'verify', '--man=no', "$dir/$name");
    like $said, qr/tomo\.conf.*Nonsense/, '... and would find one';
}

done_testing;
