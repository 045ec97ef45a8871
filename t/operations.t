#!/usr/bin/perl

# What an operator watches, held together: alert rules and the dashboard name
# only metrics that edge and worker really tell, promtool finds no fault and
# sees every alert fire and keep silent, and docs/operations.md has a section
# for each alert, a row for each metric of the worker and for each error line.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Tomo::Test;
use Tomo::Test::Prometheus;

my $top = top_dir();
chdir $top or die "$top: $!\n";

my $page = read_file('docs/operations.md');

sub sorted { my %all = map { $_ => 1 } @_; return [sort keys %all] }

# the part of the page under a heading of level two
sub part {
    my ($heading) = @_;
    my ($text) = $page =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
    return $text // '';
}

# --- what edge and worker really tell -----------------------------------------------

my $redis = Tomo::Test::Redis->start;
my $edge  = Tomo::Test::Nginx->start(redis => $redis);
my $api   = Tomo::Test::Worker->start(redis => $redis, role => 'api');
my %edge   = prometheus_parse(http_get($edge->port, '/tomo/status?format=prometheus')->{body});
my %worker = prometheus_parse(http_get($api->api_socket, '/metrics')->{body});
my %told   = (%{ $edge{type} }, %{ $worker{type} }, up => 'gauge');
cmp_ok scalar(keys %told), '>', 90, 'edge and worker tell metrics';
is $edge{value}{tomo_journal_max_bytes}, 256 << 20, 'the edge tells how large its journal may get';

# --- alert rules -------------------------------------------------------------------------

my $rules = read_file('conf/prometheus/tomo-alerts.yml');
my $tests = read_file('conf/prometheus/tomo-alerts.test.yml');
my ($status, $said) = promtool('check', 'rules', 'conf/prometheus/tomo-alerts.yml');
is $status, 0, 'promtool check rules' or diag($said);
($status, $said) = promtool('check', 'config', 'conf/prometheus/prometheus.yml');
is $status, 0, 'promtool check config' or diag($said);
($status, $said) = promtool('test', 'rules', 'conf/prometheus/tomo-alerts.test.yml');
is $status, 0, 'promtool test rules' or diag($said);

my @alerts = $rules =~ /^ +- alert: (\w+)$/mg;
cmp_ok scalar(@alerts), '>=', 30, 'there are alerts';
is_deeply sorted(@alerts), [sort @alerts], 'each name once';
for my $name (@alerts) {
    my ($rule) = $rules =~ /^ +- alert: $name\n(.*?)(?=^ +- alert:|\z)/ms;
    my ($severity) = $rule =~ /severity: (\w+)/;
    like $severity, qr/^(?:critical|warning|info)$/, "$name: a severity";
    my ($summary) = $rule =~ /summary: (.+)/;
    like $rule, qr/runbook: docs\/operations\.md#\L$name\E$/m, "$name: where to read on";
    my ($section) = $page =~ /^### $name\n(.*?)(?=^##|\z)/ms;
    like $section // '', qr/^`$severity`: \Q$summary\E\.$/m, "$name: its section says the same";
    like $section // '', qr/^\*\*$_\.\*\* \S/m, "$name: $_" for qw(Means Do);
    my $at = qr/^ +- alertname: $name\n +eval_time: \w+\n +exp_alerts:/m;
    ok $tests =~ /$at\n +- exp_labels/, "$name: a test in which it fires";
    ok $tests =~ /$at \[\]/,            "$name: and one in which it does not";
}
is_deeply sorted($page =~ /^### (Tomo\w+)$/mg), sorted(@alerts), 'no section without an alert';

# names of metrics in a text: what stands in front of a label, range or operator
sub metrics_of {
    my ($text) = @_;
    return grep { !/^tomo-/ } $text =~ /\b(tomo_\w+|up(?=\{))/g;
}

my @used = metrics_of(join "\n", $rules =~ /^ +expr: >-\n +(.*)$/mg);
my @unknown = grep { !exists $told{$_} } @{ sorted(@used) };
is "@unknown", '', 'alerts: every metric exists';
@unknown = grep { !exists $told{$_} } @{ sorted(metrics_of($tests)) };
is "@unknown", '', 'their tests: every metric exists';
my @counters = grep { $rules =~ /(?:rate|increase)\($_\[/ && $told{$_} ne 'counter' } @used;
is "@counters", '', 'rates are of counters';
my %job = map { $_ => 1 } $rules =~ /job="([\w-]+)"/g;
my @jobs = read_file('conf/prometheus/prometheus.yml') =~ /job_name: (\S+)/g;
is_deeply [sort keys %job], sorted(@jobs), 'the jobs of prometheus.yml';

# --- the dashboard ---------------------------------------------------------------------

my $board = JSON::PP::decode_json(read_file('conf/grafana/tomo.json'));
my @panels = @{ $board->{panels} };
is scalar(keys %{ { map { $_->{id} => 1 } @panels } }), scalar(@panels), 'panels: one id each';
my @expressions = map { map { $_->{expr} } @{ $_->{targets} || [] } } @panels;
cmp_ok scalar(@expressions), '>', 25, 'panels ask something';
@unknown = grep { !exists $told{$_} } @{ sorted(map { metrics_of($_) } @expressions) };
is "@unknown", '', 'the dashboard: every metric exists';
for my $panel (grep { $_->{type} ne 'row' } @panels) {
    my $g = $panel->{gridPos};
    ok $g->{x} + $g->{w} <= 24, "panel $panel->{title} fits";
}

# what an alert's section says to look at can be watched
my %watched = map { $_ => 1 } @used, map { metrics_of($_) } @expressions;
my @unwatched = grep { $told{$_} && !$watched{$_} } @{ sorted(part('Alerts') =~ /`(tomo_\w+)`/g) };
is "@unwatched", '', 'metrics that the alerts\' sections name: in a rule or a panel';

# --- the page ----------------------------------------------------------------------------

my %directive = map { $_ => 1 } read_file('docs/directives.md') =~ /^## (tomo_\w+)$/mg;
@unknown = grep { !exists $told{$_} && !$directive{$_} } @{ sorted($page =~ /`(tomo_\w+)`/g) };
is "@unknown", '', 'the page: every metric exists';
my %row = part('Metrics of the worker') =~ /^\| `(\w+)` \| \w+ \| (.*) \|$/mg;
is_deeply \%row, $worker{help}, 'every metric of the worker, in the same words';
my %type = part('Metrics of the worker') =~ /^\| `(\w+)` \| (\w+) \|/mg;
is_deeply \%type, $worker{type}, 'and with its type';

my $json = read_file('worker/log.c') =~ s/.*^log_json\(//msr =~ s/^\}\n.*//msr;
my @fields = ($json =~ /\\"(\w+)\\":/g);
my ($described) = part('Logs') =~ /JSON object instead:\n\n(.*?)\n\n/s;
is_deeply sorted(($described // '') =~ /^\| `(\w+)` \|/mg), sorted(@fields),
    'fields of a JSON line';

# every line at level error, as `object text` with … for what is put in
sub error_lines {
    my @lines;
    for my $file (glob('worker/*.c worker/*/*.c'), glob 'ngx_module/*.c') {
        my $text = read_file($file);
        my $call = qr/\b(?:log_error\(|ngx_log_error\(NGX_LOG_(?:ERR|CRIT|ALERT|EMERG),)/;
        while ($text =~ /$call(.*?)\);\n/gs) {
            my $said = $1 =~ s/"\s*\n?\s*"//gr =~ s/\s+/ /gr;
            my @strings = $said =~ /"((?:[^"\\]|\\.)*)"/g or next;
            my $object = $said =~ /^\s*"/ && @strings > 1 ? shift(@strings) . ' ' : '';
            my $line = $object . $strings[0];
            $line =~ s/%(?:\.\*|-?\d*)?(?:ll|z|u|j)*[a-zA-Z]/…/g;
            $line =~ s/\\"/"/g;
            push @lines, [$file, $line];
        }
    }
    return @lines;
}

my @rows  = part('Log lines and remedies') =~ /^\| `([^`]+)` \| \S/mg;
my @lines = error_lines();
cmp_ok scalar(@lines), '>', 100, 'there are error lines';
my %hit;
my @open;
for my $line (@lines) {
    my $known = 0;
    for my $row (@rows) {
        my $pattern = join '.*', map { quotemeta } split /…/, $row, -1;
        next if $line->[1] !~ /$pattern/;
        $hit{$row}++;
        $known = 1;
    }
    push @open, "$line->[0]: $line->[1]" if !$known;
}
is join("\n", @open), '', 'every error line has its row in docs/operations.md';
is join("\n", grep { !$hit{$_} } @rows), '', 'and every row its line';

done_testing;
