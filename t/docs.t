#!/usr/bin/perl

# Holds the documentation and the code together: what one of them names, the
# other one has.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;

my $top = top_dir();
my @READMES = qw(README.md README.ja.md);
chdir $top or die "$top: $!\n";

sub text { return read_file("$top/$_[0]") }

# all code of some folders as one text, adjacent literals joined
sub code {
    my $all = join "\n", map { read_file($_) } map { glob "$top/$_" } @_;
    $all =~ s/"\s*\n\s*"//g;
    return $all;
}

# the part of a page under a heading
sub section {
    my ($page, $heading) = @_;
    my ($part) = $page =~ /^(?:##+) \Q$heading\E\n(.*?)(?=^##? |\z)/ms;
    return $part // '';
}

# every first cell in backticks
sub cells {
    my ($part) = @_;
    my @found;
    for my $line ($part =~ /^\| (`[^|]+) \|/mg) {
        push @found, $line =~ /`([^`]+)`/g;
    }
    return @found;
}

sub same {
    my ($have, $want, $what) = @_;
    my (%have, %want);
    @have{@$have} = ();
    @want{@$want} = ();
    my @missing = grep { !exists $have{$_} } sort keys %want;
    my @extra   = grep { !exists $want{$_} } sort keys %have;
    ok keys %want, "$what: there are some";
    ok !@missing, "$what: documented" or diag("not documented: @missing");
    ok !@extra, "$what: exist" or diag("documented, but not there: @extra");
}

# --- directives, variables, counters, metrics ---------------------------------

my $page = text('docs/directives.md');
my @commands = map {/ngx_string\("(tomo_\w+)"\),\s*\n\s*NGX_HTTP_\w+_CONF/g} code('ngx_module/*.c');
same([ $page =~ /^## (tomo_\w+)$/mg ], \@commands, 'directives');
for my $name (@commands) {
    my $part = section($page, $name);
    like $part, qr/^\| \Q$_\E \| \S/m, "$name: $_" for qw(Syntax Default Context Since);
    like $part, qr/```nginx\n[^`]*\b$name\b/, "$name: an example";
    like $part, qr/\| Syntax \| `\Q$name\E\b/, "$name: its own syntax";
}
for my $name (@commands) {
    my ($bits) = code('ngx_module/*.c') =~ /ngx_string\("$name"\),\s*\n\s*([\w|\s]+),/;
    my %context = (MAIN => 'http', SRV => 'server', LOC => 'location');
    my @want = map { $bits =~ /NGX_HTTP_${_}_CONF/ ? $context{$_} : () } qw(MAIN SRV LOC);
    my ($row) = section($page, $name) =~ /^\| Context \| (.*?) \|$/m;
    is_deeply [ ($row // '') =~ /`(\w+)`/g ], \@want, "$name: the contexts it has";
}

same([ grep {s/^\$//} cells(section($page, 'Variables')) ],
    [ text('ngx_module/ngx_http_tomo_variables.c') =~ /ngx_string\("(tomo_\w+)"\)/g ], 'variables');
my %word = map { $_ => 1 } code('ngx_module/*.c') =~ /ngx_http_tomo_verdict\([^,]+, "(\w+)"\)/g;
$word{$_} = 1 for code('core/tomo_webhook.*') =~ /"((?:signature|account)_\w+)"/g;
my %told = map { $_ => 1 }
    map {/`(\w+)`/g} section($page, 'Variables') =~ /^\| `tomo_\w+` \| (.*) \|$/mg;
same([ keys %told ], [ keys %word ], 'words of $tomo_verdict');

my %counter = text('ngx_module/ngx_http_tomo_counters.h') =~ /X\((\w+),\s*"([^"]*)"\)/g;
my %row = section($page, 'Counters') =~ /^\| `(\w+)` \| (.*) \|$/mg;
same([ keys %row ], [ keys %counter ], 'counters');
is_deeply \%row, \%counter, 'counters: in the same words';
my @metrics = code('ngx_module/ngx_http_tomo_status.c') =~ /status_metric\(b,\s*"(tomo_\w+)"/g;
same([ cells(section($page, 'Metrics')) ], \@metrics, 'metrics');

my %metric = map { $_ => 1 } @metrics, map {"tomo_${_}_total"} keys %counter;
for my $name (@READMES) {
    for my $metric (text($name) =~ /^\| `(tomo_\w+)` \|/mg) {
        ok $metric{$metric}, "$name: $metric is a metric";
    }
}

# --- the worker's INI file ------------------------------------------------------

$page = text('docs/configuration.md');
my $table = text('worker/conf_table.c');
my (@keys, @documented);
while ($table =~ /\{ "(\w+)", "(\w+)", CONF_\w+\(\w+\),\s*CONF_(\w+),/g) {
    push @keys, "$1.$2 " . ($3 eq 'REQUIRED' ? 'yes' : 'no');
}
for my $part (qw(worker redis line api sandbox), 'account ID') {
    my ($short) = $part =~ /^(\w+)/;
    push @documented, map {"$short.$_"}
        section($page, $part) =~ /^\| (`\w+` \| \w+) \|/mg;
}
s/`(\w+)` \|/$1/ for @documented;
same(\@documented, \@keys, 'keys of the INI file, with need');
my @options = text('worker/main.c') =~ /\{ "([\w-]+)", (?:no|required)_argument/g;
like section($page, 'Command line'), qr/`--\Q$_\E\b/, "option --$_" for @options;

# --- Redis keys ------------------------------------------------------------------

$page = text('docs/keys.md');
my ($status, $said) = run_command("$top/scripts/keys-doc");
is $status, 0, 'scripts/keys-doc prints';
my $names = () = text('core/tomo_keys.h') =~ /^ +X\(\w+, "|^#define TOMO_KEY_\w+ +"/mg;
is scalar(my @rows = $said =~ /^\| `/mg), $names, 'every key of core/tomo_keys.h';
is section($page, 'All keys') =~ s/^\n//r =~ s/\n\nThe `N` of.*//sr . "\n", $said,
    'docs/keys.md has its output (run scripts/keys-doc again)';

my %state = map { $_ => 1 } code('worker/ingest/owner.h') =~ /X\(\w+,\s*"(\w+)"\)/g;
same([ cells(section($page, 'cursor')) ],
    [ keys %state, qw(in in_i bulk bulk_i n serial delivery try try_n) ], 'fields of cursor');
my $ingest = code('worker/ingest/*.c');
for my $key (qw(quarantine audit result)) {
    my ($body) = $ingest =~ /tomo_key_$key\)\);\n(.*?)commit_end/s;
    same([ cells(section($page, $key)) ], [ ($body // '') =~ /commit_pair\w*\(d->c, "(\w+)"/g ],
        "fields of $key");
}
for my $field (grep { !/:/ } cells(section($page, 'meta'))) {
    like $ingest . code('worker/dispatch/*.lua'), qr/["']$field["']/, "meta: $field is written";
}

# --- the API ----------------------------------------------------------------------

my (@routes, @paths, $path);
my %kind = ('{}' => '{}', '{account}' => '{}');
my $routes = text('worker/api/routes.c');
while ($routes =~ /\{ "([A-Z]+)",\s*"([^"]+)"/g) {
    my ($method, $pattern) = ($1, $2);
    push @routes, $method . ' /' . join '/', map { $kind{$_} // $_ } split m{/}, $pattern;
}
for my $line (split /\n/, text('docs/openapi.yaml')) {
    last if $line =~ /^components:/;
    $path = $1 =~ s/\{\w+\}/{}/gr if $line =~ m{^  (/\S*):};
    push @paths, uc($1) . " $path" if $line =~ /^    (get|put|post|delete|patch):/;
}
same(\@paths, \@routes, 'routes of the API');

my %status = (
    BAD_REQUEST => 400, UNAUTHORIZED => 401, NOT_FOUND => 404, METHOD_NOT_ALLOWED => 405,
    CONFLICT => 409, GONE => 410, CONTENT_TOO_LARGE => 413, UNSUPPORTED_MEDIA_TYPE => 415,
    UNPROCESSABLE_CONTENT => 422, INTERNAL_SERVER_ERROR => 500, SERVICE_UNAVAILABLE => 503,
);
my $api    = code('worker/api/*.c');
my $calls  = () = $api =~ /\bhttp_error(?:_at)?\([^)]/g;
my @errors = $api =~ /\bhttp_error(?:_at)?\([^,]+,\s*MHD_HTTP_(\w+),\s*"(\w+)"/g;
# two definitions, and one of them calls the other
is @errors / 2, $calls - 3, 'every error of the API has a code and a status';
my %code;
$code{"$errors[2 * $_ + 1] " . ($status{ $errors[2 * $_] } // '?')} = 1 for 0 .. @errors / 2 - 1;
my ($owner) = code('worker/ingest/decide_command.c') =~ /"code",(.*?)\);/s;
$code{"$2 $1"} = 1 while $owner =~ /status == (\d+) \? "(\w+)"/g;
$code{"$1 503"} = 1 if $owner =~ /: "(\w+)"\s*$/;
same([ map { s/`//r } text('docs/openapi.yaml') =~ /^ +- `(\w+` \d+):/mg ], [ keys %code ],
    'codes of the API, with their status');

# --- what pages name ---------------------------------------------------------------

my @pages = (@READMES, qw(CONTRIBUTING.md SECURITY.md CHANGELOG.md), glob 'docs/*.md docs/*/*.md');
my $sources = code(qw(core/*.[ch] ngx_module/*.[ch] worker/*.[ch] worker/*/*.[ch]));
for my $name (@pages) {
    my $body = text($name);
    my ($folder) = $name =~ m{^(.*/)};
    for my $link ($body =~ /\]\((?!https?:)([^)#]+)/g) {
        ok -e(($folder // '') . $link), "$name: link to $link";
    }
    for my $file ($body =~ m{`((?:core|ngx_module|worker|scripts|conf|docs|t)/[\w./-]*)`}g) {
        ok -e $file, "$name: $file is there" if $file !~ /NAME/;
    }
    for my $anchor ($body =~ m{\]\(([\w./-]*#[\w-]+)\)}g) {
        my ($to, $heading) = split /#/, $anchor;
        my $target = text($to eq '' ? $name : ($folder // '') . $to);
        my %have = map { lc($_) =~ s/[^\w -]//gr =~ s/ /-/gr => 1 } $target =~ /^#+ (.+)$/mg;
        ok $have{$heading}, "$name: the heading of $anchor";
    }
}
for my $name (@READMES, glob 'docs/internals/*.md') {
    for my $function (text($name) =~ /`((?:ngx_http_tomo|[a-z]+)_[a-z_]+)`/g) {
        next if $function =~ /^tomo_(?!\w+_\w+)|_total$|^tomo_(?:key_file|max_body)$/
            || $metric{$function} || exists $counter{$function};
        ok $sources =~ /\b\Q$function\E\b/, "$name: $function is in the code";
    }
}

# a function that the walk puts into a file is defined there
for my $name (@READMES) {
    my $walk = text($name) =~ s/.*^### [^\n]*Webhook[^\n]*\n|.*^### The life of a webhook\n//msr;
    $walk =~ s/^## .*//ms;
    while ($walk =~ /`(\w+)`\s*[(\x{ff08}]`((?:core|worker|ngx_module)\/[\w\/.]+)`\)/g) {
        my ($function, $file) = ($1, $2);
        ok text($file) =~ /^$function\(/m, "$name: $function is in $file";
    }
}

# every message of the troubleshooting tables can really be seen
my $messages = code(qw(ngx_module/*.c worker/*.c worker/*/*.c));
my $plain = $messages =~ s/\\"//gr;
for my $name (@READMES) {
    my @messages = grep { / / } cells(text($name));
    cmp_ok scalar(@messages), '>=', 15, "$name: a table of messages";
    for my $message (@messages) {
        next if $message eq 'is not binary compatible';    # nginx's own
        my $found = index($plain, $message) >= 0
            || join('', map {"$_ "} split / /, $message) && do {
                my ($what, $why) = split /: /, $message, 2;
                defined $why && index($plain, $why) >= 0 && index($plain, $what) >= 0;
            };
        $found ||= do {
            my $loose = join '.{0,20}', map { quotemeta } split /tomo-worker already runs with /,
                $message;
            $plain =~ /$loose/;
        };
        ok $found, "$name: somebody says: $message";
    }
}

# --- both READMEs are equally deep ---------------------------------------------------

sub shape {
    my ($body) = @_;
    my @blocks = $body =~ /^```(\w+)\n(.*?)^```$/msg;
    my $prose = $body =~ s/^```\w*\n.*?^```$//msgr;
    my @code = @blocks[ grep { $_ % 2 } 0 .. $#blocks ];
    return {
        headings => [ map { length } $prose =~ /^(#+) /mg ],
        blocks   => \@code,
        tables   => [ map { scalar(my @r = /^\|/mg) } $prose =~ /((?:^\|.*\n)+)/mg ],
        links    => [ sort map { s/^README.*//r } $prose =~ /\]\(([^)]+)\)/g ],
        items    => scalar(my @i = $prose =~ /^(?:-|\d+\.) /mg),
    };
}
my ($en, $ja) = map { shape(text($_)) } @READMES;
is_deeply $ja->{$_}, $en->{$_}, "both READMEs have the same $_" for sort keys %$en;

# --- bad input ------------------------------------------------------------------------

$page = text('docs/bad-input.md');
my %id;
for my $line ($page =~ /^(\| B\d+ \|.*)$/mg) {
    my (undef, $id, undef, undef, $where, $parser, $through) = split /\s*\|\s*/, $line;
    $id{ substr $id, 1 }++;
    ok $where =~ /`/, "$id: a place in the code";
    for my $test ($parser =~ /`([^`]+)`/g, $through =~ /`([^`]+)`/g) {
        my %named;
        my $test_text = text($test);
        while ($test_text =~ /\bB(\d+)(?:(?:\.\.| to |-|–)B(\d+))?\b/g) {
            @named{ $1 .. ($2 // $1) } = ();
        }
        ok exists $named{ substr $id, 1 }, "$id: $test names it";
    }
    like $through, qr/`t\/(?:(?:ngx|worker|promises)\/|docs\.t)/,
        "$id: a test through nginx or worker";
}
my %asked = map { $_ => 1 } code('worker/dispatch/*.c') =~ /"(\/(?:v2|v3|oauth2)\/[^"]*)"/g;
ok keys %asked && !(grep {/follower|members|ids\b/} keys %asked),
    'B96: no call to LINE that gives a list';
unlike code(qw(worker/*.c worker/*/*.c worker/*.lua worker/*/*.lua ngx_module/*.c)),
    qr/XREADGROUP|XAUTOCLAIM|XGROUP|XACK/, 'B100, B101: no consumer groups';
is_deeply [ grep { ($id{$_} // 0) != 1 } 1 .. 54, 79 .. 106 ], [],
    'B1 to B54 and B79 to B106 have one row each';

# --- pitfalls -------------------------------------------------------------------------

my %pitfall;
for my $line (text('docs/pitfalls.md') =~ /^(\| T\d+ \|.*)$/mg) {
    my (undef, $id, @cells) = split /\s*\|\s*/, $line;
    $pitfall{$id}++;
    is scalar(grep {/\S/} @cells), 4, "$id: every cell says something";
    my ($where, $shown) = @cells[ 2, 3 ];
    my $places = () = $where =~ m{`(?:core|ngx_module|worker|conf|scripts)/\S+`}g;
    my $tests  = () = $shown =~ m{`(?:t|scripts)/\S+`}g;
    ok $places && $tests, "$id: names code and tests";
}
is_deeply [ grep { ($pitfall{"T$_"} // 0) != 1 } 1 .. 51 ], [], 'T1 to T51 have one row each';

done_testing;
