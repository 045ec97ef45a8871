#!/usr/bin/perl

# scripts/lint catches each kind of fault, and lets good text pass.

use strict;
use warnings;
use File::Path 'make_path';
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $lint = top_dir() . '/scripts/lint';
my $n    = 0;

# Lints one file in a folder of its own; returns (status, output).
sub lint {
    my ($path, $text, %o) = @_;
    my $root = temp_dir() . '/lint' . ++$n;
    my ($folder) = "$root/$path" =~ m{^(.*)/};
    make_path($folder);
    write_file("$root/$path", $text, $o{mode} // 0644);
    if ($o{object}) {
        make_path("$root/build/core");
        my ($base) = $path =~ m{([^/]+)\.c$};
        my ($status, $said) = run_command('gcc', '-O2', '-fPIC', '-c', '-o',
            "$root/build/core/$base.o", "$root/$path");
        die $said if $status;
    }
    return run_command($lint, '--root', $root, $o{object} ? ('--build', "$root/build") : ());
}

sub catches {
    my ($rule, $path, $text, $line, %o) = @_;
    my ($status, $said) = lint($path, $text, %o);
    is $status, 1, "$rule: $path fails";
    like $said, qr/^\Q$path\E:$line: $rule: \S/m, "$rule: named with file and line";
}

sub passes {
    my ($what, $path, $text, %o) = @_;
    my ($status, $said) = lint($path, $text, %o);
    is $status, 0, "passes: $what" or diag($said);
}

my $call = sub { "int\nf(char *a, const char *b)\n{\n    $_[0];\n    return 0;\n}\n" };

passes('a clean function', 'core/tomo_a.c', $call->('g(a, b)'));
passes('a banned word in a comment', 'core/tomo_a.c', "/* not strcpy(a, b) */\n");
passes('a banned word in a string', 'core/tomo_a.c', $call->('g("sprintf(")'));
passes('a URL in a string', 'core/tomo_a.c', $call->('g("http://a")'));
passes('80 kana', 'core/tomo_a.c', '/* ' . "\xe3\x81\x93" x 74 . " */\n");
passes('a longer name', 'core/tomo_a.c', $call->('my_strcpy(a, b)'));

catches('width', 'core/tomo_a.c', '/* ' . 'x' x 75 . " */\n", 1);
catches('width', 'core/tomo_a.h', "\n/* " . 'x' x 75 . " */\n\n", 2);
catches('width', 'scripts/a.sh', '# ' . 'x' x 99 . "\n", 1);
catches('tab', 'worker/a.c', "int a;\n\tint b;\n", 2);
catches('space', 'README.md', "a\nb \nc\n", 2);
catches('end', 'README.md', 'a', 1);
catches('utf8', 'README.md', "\xff\n", 1);
catches('length', 'worker/a.c', "int a;\n" x 501, 1);
catches('mode', 'scripts/a.sh', "#!/bin/sh\n", 1);
catches('comment', 'worker/a.c', "int a; // b\n", 1);
catches('open', 'worker/a.c', '/* TO' . "DO: more */\n", 1);
catches('function', 'worker/a.c', "int\nf(void)\n{\n" . "    g();\n" x 60 . "}\n", 3);
passes('59 lines', 'worker/a.c', "int\nf(void)\n{\n" . "    g();\n" x 59 . "}\n");
catches('nesting', 'worker/a.c',
    "int\nf(int a)\n{\n" . "if (a) {\n" x 5 . "g();\n" . '}' x 5 . "\n}\n", 8);
passes('nesting of 4', 'worker/a.c',
    "int\nf(int a)\n{\n" . "if (a) {\n" x 4 . "g();\n" . '}' x 4 . "\n}\n");

catches('banned', 'worker/a.c', $call->($_), 4)
    for 'strcpy(a, b)', 'sprintf(a, b)', 'strcat(a, b)', 'atoi(a)', 'strtok(a, b)',
    'localtime(t)', 'gmtime(t)', 'rand()', 'redisCommand(c, "GET %s", k)',
    'redisAsyncCommand(c, f, p, "PING")', 'redisAppendCommand(c, "PING")',
    'yajl_tree_parse(a, b, 1)', 'gethostbyname(a)';
passes($_, 'worker/a.c', $call->($_))
    for 'redisCommandArgv(c, n, v, l)', 'redisAsyncCommandArgv(c, f, p, n, v, l)',
    'localtime_r(t, m)', 'snprintf(a, 3, b)';

catches('mac', 'core/tomo_mac.c', $call->('return memcmp(a, b, 12)'), 4);
catches('key', 'worker/a.c', $call->('g("tomo:{%s}:in")'), 4);
catches('key', 'worker/ingest/a.lua', "redis.call('GET', 'tomo:x')\n", 1);
passes('a log line', 'worker/a.c', $call->('g("tomo: up")'));
passes('a key in its file', 'core/tomo_keys.c', $call->('g("tomo:{")'));
passes('an include from below', 'worker/ingest/effect_mute.c',
    qq(#include "effect.h"\n#include "log.h"\n#include "tomo_keys.h"\n));
catches('layer', 'worker/ingest/decision.c', qq(#include "decision.h"\n#include "outrow.h"\n), 2);
catches('layer', 'worker/ingest/rule_visit.c', qq(#include "decide.h"\n), 1);
catches('layer', 'worker/ingest/nowhere.h', "int a;\n", 1);
catches('sleep', 't/a.t', 'sle' . "ep 1;\n", 1);
catches('sleep', 't/a.t', 'sel' . "ect undef, undef, undef, 0.1;\n", 1);
passes('a short poll', 't/a.t', 'sel' . "ect undef, undef, undef, 0.01;\n");

# Objects of core.

catches('pure', 'core/tomo_a.c', "int getpid(void);\nint tomo_a_f(void);\n"
    . "int tomo_a_f(void) { return getpid(); }\n", 1, object => 1);
catches('pure', 'core/tomo_a.c', "static int n;\nint tomo_a_f(void);\n"
    . "int tomo_a_f(void) { return ++n; }\n", 1, object => 1);
catches('pure', 'core/tomo_a.c', "int tomo_a_n = 3;\n", 1, object => 1);
catches('name', 'core/tomo_a.c', "int f(void);\nint f(void) { return 1; }\n", 1, object => 1);
passes('a pure object', 'core/tomo_a.c', "#include <string.h>\n"
    . "static const char *const t[] = { \"a\", \"b\" };\n"
    . "const char *tomo_a_f(char *a, int n);\n"
    . "const char *tomo_a_f(char *a, int n) { memset(a, 0, n); return t[n & 1]; }\n",
    object => 1);

# The tree itself.

my ($status, $said) = run_command($lint, '--build', top_dir() . '/build');
is $status, 0, 'the tree is clean' or diag($said);

done_testing;
