#!/usr/bin/perl

# T7: the module built from plain nginx source with --with-compat and other
# options than Debian's, loaded by Debian's nginx: it serves. The source is the
# one that nginx-dev ships; it is nginx's own, of the very version.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Webhook;

my ($found, $list) = run_command('dpkg', '-L', 'nginx-dev');
my ($tree) = $list =~ m{^(.*)/conf_flags$}m;
ok defined $tree, 'nginx-dev is installed' or die "apt-get install nginx-dev\n";

# A copy without Debian's flags, as if unpacked from nginx.org.
my $dir = temp_dir();
my ($status, $said) = run_command('cp', '-R', $tree, "$dir/nginx");
is $status, 0, 'a copy of the source' or diag($said);
unlink "$dir/nginx/conf_flags";
($status, $said) = run_command(top_dir() . '/scripts/build-module', '--nginx-source',
    "$dir/nginx", '--out', "$dir/out");
is $status, 0, 'scripts/build-module --nginx-source builds it' or diag($said);
like $said, qr/loads \(nginx -t\)/, 'and Debian\'s nginx takes it';

my ($its, $ours) = $said =~ /signature of \S+: (\S+)/g;
is $ours, $its, 'the signatures are one';
my ($flags) = read_file("$dir/out/nginx-" . ($said =~ m{/nginx-([\d.]+)}
    ? $1 : (`nginx -v 2>&1` =~ m{nginx/([\d.]+)})[0]) . '/configured-for') =~ /^\S+ (--\S.*?) \|/m;
is $flags, '--with-compat --with-threads', 'with these two options and no other';

my $redis = Tomo::Test::Redis->start;
publish($redis, { links => { 1 => 'https://example.com/' } });
my $edge = Tomo::Test::Nginx->start(redis => $redis, no_module => 1,
    main => "load_module $dir/out/ngx_http_tomo_module.so;");
ok wait_served($redis, 1), 'it reads the feed';
my ($token) = tokens({ link => 1, friend => 1 });
is http_get($edge->port, "/r/$token")->{status}, 302, 'redirects';
is send_webhook($edge, webhook_body(text_event(user_id($_), 'hi')))->{status}, 200,
    'takes a webhook'
    for 1 .. 3;
ok Tomo::Test::Status::wait_shipped($edge, 10), 'and ships';
ok $edge->reload, 'reloads';
ok $edge->quit, 'ends in time';

done_testing;
