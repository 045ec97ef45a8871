#!/usr/bin/perl

# The module as a file: what it shows to the rest of nginx, and its peace with
# nchan, which brings its own hiredis into the same process.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my $module = Tomo::Test::Nginx::module_path();
ok -f $module, 'the module is built' or die "run make\n";

my ($status, $symbols) = run_command('nm', '-D', '--defined-only', $module);
is $status, 0, 'its symbols can be read';
unlike $symbols, qr/ (?:redis|sds|__redis|dict)\w*$/m, 'it exports nothing of hiredis';
my @foreign = grep { !/^(?:ngx_http_tomo_|tomo_|ngx_module(?:s|_names|_order)$|__odr_asan)/ }
    $symbols =~ /^[0-9a-f]+ \S (\S+)$/mg;
is "@foreign", '', 'every symbol it exports has its prefix';

my (undef, $dynamic) = run_command('readelf', '-d', $module);
unlike $dynamic, qr/NEEDED.*libhiredis/, 'it needs no shared hiredis';
like $dynamic, qr/BIND_NOW/, 'it is linked with all relocations at start';

my $signature = qr/^(\d+,\d+,\d+,[01]{20,})/m;
my (undef, $ours) = run_command('sh', '-c', 'strings "$0" | grep -E "^[0-9]+,[0-9]+,"', $module);
my (undef, $its)  = run_command('sh', '-c', 'strings "$0" | grep -E "^[0-9]+,[0-9]+,"',
    Tomo::Test::Nginx::binary());
is +($ours =~ $signature)[0], ($its =~ $signature)[0], 'T7: the signature is that of nginx';

# With nchan, before and after it.

my $nchan = '/usr/lib/nginx/modules/ngx_nchan_module.so';
ok -f $nchan, 'nchan is installed' or die "apt-get install libnginx-mod-nchan\n";
my $redis = Tomo::Test::Redis->start;
my %order = (
    'before' => "%%MAIN%%\nload_module $nchan;",
    'after'  => "load_module $nchan;\n%%MAIN%%",
);
for my $where (sort keys %order) {
    my $edge = Tomo::Test::Nginx->start(name => $where, redis => $redis, conf => <<"END");
$order{$where}
events { }
http {
%%HTTP%%
%%EDGE%%
server {
listen 127.0.0.1:%%PORT%%;
location = /tomo/status { tomo_status; }
location = /nchan { nchan_subscriber; nchan_channel_id a; nchan_redis_url "redis://127.0.0.1:1"; }
}
}
END
    ok wait_for(sub { (Tomo::Test::Status::fetch($edge)->{redis} // '') eq 'up' },
        "loaded $where nchan: connected to Redis", 10), "loaded $where nchan: Redis is up";
    ok $edge->quit, "loaded $where nchan: ends in time";
}

done_testing;
