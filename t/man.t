#!/usr/bin/perl

# The man pages: without a fault for mandoc, and the same as the code: every
# option, key, directive and variable stands in its page, and nothing else.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $top = top_dir();
chdir $top or die "$top: $!\n";

sub sorted { my %all = map { $_ => 1 } @_; return [sort keys %all] }

my @pages = sort glob 'man/*.[1-9]';
is scalar(@pages), 3, 'three pages';
for my $page (@pages) {
    my ($status, $said) = run_command('mandoc', '-Tlint', '-Wwarning', $page);
    is $status, 0, "$page: mandoc finds no fault" or diag($said);
    my ($name, $section) = $page =~ m{([^/]+)\.(\d)$};
    like read_file($page), qr/^\.Dt \U$name\E $section$/m, "$page: its own title";
    for my $other (read_file($page) =~ /^\.Xr (\S+ \d)/mg) {
        my $file = 'man/' . ($other =~ s/ /./r);
        my %known = map { $_ => 1 } 'nginx 8', 'redis-server 1', 'systemd 1',
            'systemd-journald.service 8';
        ok -e $file || $known{$other}, "$page: $other is a page";
    }
}

# --- tomo-worker(8) ------------------------------------------------------------

my $page = read_file('man/tomo-worker.8');
my $main = read_file('worker/main.c');
my @long = $main =~ /\{ "([\w-]+)", (?:no|required)_argument/g;
my ($short) = $main =~ /getopt_long\(argc, argv, "([^"]+)"/;
my $text = $page =~ s/^\.Nd.*\n//mr;
is_deeply sorted($text =~ /\bFl -([\w-]+)/g), sorted(@long), 'tomo-worker(8): its long options';
is_deeply sorted($text =~ /\bFl (\w)\b/g), sorted($short =~ /\w/g), 'and its short ones';
my ($status, $help) = run_command(Tomo::Test::Worker::binary(), '--help');
is $status, 0, '--help';
is_deeply sorted($help =~ /--([a-z][\w-]*)/g), sorted(@long), '--help names the same';
for my $role (read_file('worker/role.c') =~ /\{ "(\w+)", \w+_main \}/g) {
    like $page, qr/^\.It Cm \Q$role\E$/m, "role $role";
}
my %code = map { $_ => 1 } $main =~ /MAIN_EXIT_USAGE (\d+)/,
    read_file('worker/role.h') =~ /ROLE_EXIT_(?:OK|CONF) +(\d+)/g;
my ($exits) = $page =~ /^\.Sh EXIT STATUS\n(.*?)^\.Sh/ms;
is_deeply [$exits =~ /^\.It (\d+)$/mg], [sort { $a <=> $b } keys %code], 'exit codes';
my @signals = read_file('worker/supervisor.c') =~ /sigaddset\(&set, (SIG(?!CHLD)\w+)\)/g;
is_deeply sorted($page =~ /\bDv (SIG\w+)/g), sorted(@signals), 'signals';

# --- tomo-worker.ini(5) ----------------------------------------------------------

$page = read_file('man/tomo-worker.ini.5');
my (@keys, @told);
my $table = read_file('worker/conf_table.c');
while ($table =~ /\{ "(\w+)", "(\w+)", CONF_\w+\(\w+\),\s*CONF_(\w+),/g) {
    push @keys, "$1.$2 $3";
}
while ($page =~ /^\.Ss \[(\w+)[^\]]*\]\n(.*?)(?=^\.S[sh])/msg) {
    my ($section, $body) = ($1, $2);
    while ($body =~ /^\.It Cm (\w+)\n(.*?)(?=^\.It|^\.El)/msg) {
        push @told, "$section.$1 " . ($2 =~ /^Required\.$/m ? 'REQUIRED' : 'OPTIONAL');
    }
}
cmp_ok scalar(@keys), '>', 15, 'there are keys';
is_deeply sorted(@told), sorted(@keys), 'tomo-worker.ini(5): every key, with need, and no other';

# --- ngx_http_tomo(5) --------------------------------------------------------------

$page = read_file('man/ngx_http_tomo.5');
my $module = join "\n", map { read_file($_) } glob 'ngx_module/*.c';
my @directives = $module =~ /ngx_string\("(tomo_\w+)"\),\s*\n\s*NGX_HTTP_\w+_CONF/g;
cmp_ok scalar(@directives), '>', 8, 'there are directives';
is_deeply sorted($page =~ /^\.It Cm (tomo_\w+)/mg), sorted(@directives),
    'ngx_http_tomo(5): every directive, and no other';
is_deeply sorted($page =~ /^\.It Va \$(tomo_\w+)/mg),
    sorted(read_file('ngx_module/ngx_http_tomo_variables.c') =~ /ngx_string\("(tomo_\w+)"\)/g),
    'and every variable';

done_testing;
