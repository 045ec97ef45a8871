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

done_testing;
