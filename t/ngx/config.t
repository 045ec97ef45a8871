#!/usr/bin/perl

# The add-on's `config`: what it refuses, and what it tells the person who
# builds. Each library is hidden by a compiler that cannot find its header.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;

my ($found, $list) = run_command('dpkg', '-L', 'nginx-dev');
my ($tree) = $list =~ m{^(.*)/conf_flags$}m;
ok defined $tree, 'nginx-dev is installed' or die "apt-get install nginx-dev\n";

# A compiler for which a header or a library does not exist.
sub compiler_without {
    my ($name, $header, $library) = @_;
    return write_file(temp_dir() . "/cc-$name", <<"END", 0755);
#!/bin/sh
for word; do
    case \$word in
    *autotest.c) grep -q 'include.*<$header' "\$word" && exit 1 ;;
    $library) exit 1 ;;
    esac
done
exec gcc "\$@"
END
}

# Starts a configuration; all of them run side by side.
sub configure {
    my ($name, $cc, @args) = @_;
    return Tomo::Test::Process->start(
        name    => "configure-$name",
        command => [
            'sh', '-c', 'cd "$0" && exec ./configure "$@"', $tree,
            '--builddir=' . temp_dir() . "/objs-$name", "--with-cc=$cc", '--with-compat', @args
        ],
    );
}

my $add    = '--add-dynamic-module=' . top_dir();
my $none   = 'no-such-argument';
my %build = (
    hiredis => configure('hiredis', compiler_without('hiredis', 'hiredis/', $none),
        '--with-threads', $add),
    libcrypto => configure('libcrypto', compiler_without('libcrypto', 'openssl/evp.h', $none),
        '--with-threads', $add),
    utf8proc => configure('utf8proc', compiler_without('utf8proc', 'utf8proc.h', $none),
        '--with-threads', $add),
    threads => configure('threads', 'gcc', $add),
    shared => configure('shared', compiler_without('shared', $none, '-Wl,-Bstatic'),
        '--with-threads', $add),
    static => configure('static', 'gcc', '--with-threads', '--add-module=' . top_dir()),
);
for my $name (sort keys %build) {
    wait_for(sub { !$build{$name}->alive }, "configure $name ended", 120);
}

for my $pair ([hiredis => 'libhiredis-dev'], [libcrypto => 'libssl-dev'],
    [utf8proc => 'libutf8proc-dev'])
{
    my ($name, $package) = @$pair;
    isnt $build{$name}->exit_status, 0, "config stops without $name";
    like $build{$name}->output, qr/error: tomo needs .*apt-get install $package\b/s,
        "and names $package";
}
isnt $build{threads}->exit_status, 0, 'config stops without thread pools';
like $build{threads}->output, qr/error: .*add --with-threads/, 'and names the option';

is $build{shared}->exit_status, 0, 'T15: without libhiredis.a the shared one is taken';
like $build{shared}->output, qr/warning: no static hiredis .*nchan/, 'with a loud warning';

is $build{static}->exit_status, 0, 'config works for a module built in (--add-module)';
my $makefile = read_file(temp_dir() . '/objs-static/Makefile');
like $makefile, qr/addon\/core\/tomo_base\.o/, 'with the sources of core';
like $makefile, qr/-Wl,-Bstatic -lhiredis -Wl,-Bdynamic/, 'and hiredis inside';
like read_file(temp_dir() . '/objs-static/ngx_modules.c'), qr/&ngx_http_tomo_module,/,
    'in the list of modules';

# scripts/build-module refuses the source of another nginx before compiling.

my $other = temp_dir() . '/nginx-1.0.0';
system 'mkdir', '-p', "$other/src/core";
write_file("$other/configure", "#!/bin/sh\n", 0755);
write_file("$other/src/core/nginx.h", "#define NGINX_VERSION      \"1.0.0\"\n");
my ($status, $said) = run_command(top_dir() . '/scripts/build-module', '--nginx-source', $other,
    '--out', temp_dir() . '/out');
isnt $status, 0, 'T7: the source of another nginx version is refused';
like $said, qr/is nginx 1\.0\.0, .* is 1\.\d+\.\d+.*: get the source/, 'with what to get';

# Least versions of libraries with known holes.

($status, $said) = run_command(top_dir() . '/scripts/packages', 'versions');
is $status, 0, 'T15: the libraries installed have no known holes' or diag($said);

done_testing;
