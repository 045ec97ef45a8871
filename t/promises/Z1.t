#!/usr/bin/perl

# Z1: Nothing of ours reads or writes memory it should not, or leaks it.
#
# A journey through the whole of it (a follow, a tap, an answer, hostile input to
# each entrance, a reload, the end of everything) leaves no sanitizer report where
# it is built with sanitizers. In full: all the tests on sanitized binaries, and
# unit tests and the journey under valgrind's memcheck.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Promise;
use Tomo::Test::Survey;
use Tomo::Test::Webhook;

my $AGENT = 'Mozilla/5.0 (iPhone) Safari Line/15.12.1';
my $sanitized = ($ENV{TOMO_BUILD} // '') =~ /asan/;

# What each entrance gets that it should not.
sub hostile {
    my ($edge, $worker, $path) = @_;
    my @bodies = ('', '{', '[' x 5000, "\xff\xfe", '{"destination":"U0","events":[{"a/b":{}}]}',
        '{"events":[' . join(',', ('{"type":"follow"}') x 500) . ']}', 'x' x 400_000);
    send_webhook($edge, $_) for @bodies;
    http_post($edge->port, '/line/webhook/demo', $_, 'x-line-signature' => 'A' x 44) for @bodies;
    http_get($edge->port, "/r/$_") for 'x' x 39, 'A' x 5000, '%00', '%ff' x 39, '..%2f' x 9;
    http_post($edge->port, $path, $_, 'Content-Type' => 'application/x-www-form-urlencoded')
        for '', '%', 'nonce=' . 'A' x 22 . '&rev=1', 'a=b&' x 900, 'q.' . '%F0%9F%98%80' x 900;
    http_get($edge->port, $path, Range => 'bytes=0-1', 'If-None-Match' => 'x');
    $worker->api('PUT', '/accounts/demo/definitions/tag/x', $_)
        for { kind => 'tag' }, { kind => 'tag', id => 'x', name => 'n' x 300 }, {};
    $worker->api('GET', '/accounts/demo/friends?user_id=' . 'U' x 300);
    return;
}

# One life of everything; returns whether it went as it should.
sub journey {
    my ($seconds, %o) = @_;
    my $redis = Tomo::Test::Redis->start;
    my $edge  = Tomo::Test::Nginx->start(redis => $redis, untitled => !!$o{prefix});
    my $sim   = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview']);
    # the supervisor starts roles by /proc/self/exe, which would be valgrind's
    my @role = $o{prefix} ? qw(ingest dispatch api) : undef;
    my @workers = map {
        Tomo::Test::Worker->start(redis => $redis, edge => $edge, sim => $sim, role => $_,
            prefix => $o{prefix})
    } @role;
    my $worker = $workers[-1];
    ok wait_for(sub { Tomo::Test::Status::fetch($edge)->{generation} }, 'a table', $seconds),
        'Z1: the edge serves';
    my $user = $sim->call('POST', '/sim/friends', { display_name => 'Z1' })->{user_id};
    my $text;
    ok wait_for(sub {
        my $inbox = $sim->call('GET', "/sim/friends/$user/inbox");
        $text = join "\n", map { $_->{text} // '' } map { @{ $_->{messages} } } @$inbox;
        $text =~ m{/s/[\w-]{39}};
    }, 'the greeting', $seconds), 'Z1: a follow is greeted';
    my ($link) = $text =~ m{(/r/[\w-]{39})};
    my ($form) = $text =~ m{(/s/[\w-]{39})};
    is http_get($edge->port, $link, 'User-Agent' => $AGENT)->{status}, 302, 'Z1: a tap';
    my $survey = Tomo::Test::Survey->open($edge->port, $form);
    $survey->fill(name => "Z\x{3042}1");
    $survey->fill(sex => 'female');
    is $survey->post->{status}, 303, 'Z1: an answer';
    ok wait_for(sub {
        my $r = $worker->api('GET', "/accounts/demo/friends?user_id=$user");
        my $friend = $r && $r->{json} && $r->{json}{friends}[0];
        $friend && grep({ $_ eq 'saw-catalog' } @{ $friend->{tags} }) && $friend->{fields}{sex};
    }, 'the friend', $seconds), 'Z1: tag and fields';
    hostile($edge, $worker, $form);
    is http_get($edge->port, $link, 'User-Agent' => $AGENT)->{status}, 302, 'Z1: still there';
    ok $edge->reload(seconds => $seconds), 'Z1: a reload' if !$o{prefix};
    ok Tomo::Test::Status::wait_shipped($edge, $seconds), 'Z1: all is shipped';
    ok $edge->quit, 'Z1: nginx ends' if !$o{prefix};
    $_->stop for @workers, $edge, $sim;
    return;
}

journey(30);
my @reports = Tomo::Test::Process::sanitizer_reports(temp_dir());
figure('sanitized build' => $sanitized ? 'yes' : 'no');
is figure('reports of the journey' => scalar @reports), 0, 'Z1: no report';

# --- in full -------------------------------------------------------------------

# nginx gives nothing back when a worker ends: leaks are looked for elsewhere.
my @LEAKS = qw(--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite);

# How many errors and how much was definitely lost, over all logs so far.
sub valgrind_errors {
    my ($errors, @first) = (0);
    for my $log (glob temp_dir() . '/vg.*') {
        my $said = read_file($log);
        my @found = $said =~ /^==\d+== (?:Invalid|Conditional|Use of|Syscall param|Source and|
            Mismatched|Argument|Process terminating|[\d,]+ .*definitely\ lost)/mgx;
        $errors += @found;
        push @first, substr $said, 0, 3000 if @found;
    }
    diag($first[0]) if @first;
    return $errors;
}

sub valgrind {
    my $log = temp_dir() . '/vg.%p';
    return ('valgrind', '-q', '--num-callers=25', "--log-file=$log", @_);
}

if (full() && !$sanitized) {
    my $unit = build_path('unit', 'TOMO_UNIT_DIR');
    local $ENV{TOMO_TOP} = top_dir();
    my @names = grep { $_ ne 'alloc' }      # counts allocations by its own malloc
        sort map {m{([^/]+)\.c$}} glob top_dir() . '/t/unit/*.c';
    my (%of, @running);
    wait_for(sub {                          # one for each core
        @running = grep { $_->alive } @running;
        while (@running < 2 && keys %of < @names) {
            my $name = $names[keys %of];
            push @running, $of{$name} = Tomo::Test::Process->start(name => "unit-$name",
                command => [valgrind(@LEAKS, "$unit/$name")]);
        }
        return !@running;
    }, 'the unit tests', 1800);
    for my $name (@names) {
        is $of{$name}->exit_status, 0, "Z1: unit/$name under memcheck"
            or diag(substr $of{$name}->output, -2000);
    }
    figure('unit tests under memcheck' => scalar @names);
    is figure('memcheck errors of unit tests' => valgrind_errors()), 0, 'Z1: none';

    # nginx by a wrapper, the worker by a prefix
    local $ENV{TOMO_SLOW} = 15;
    my $wrapper = write_file(temp_dir() . '/nginx-valgrind',
        "#!/bin/sh\nexec @{[valgrind(Tomo::Test::Nginx::binary())]} \"\$@\"\n", 0755);
    local $ENV{TOMO_NGINX} = $wrapper;
    journey(60, prefix => [valgrind(@LEAKS)]);
    is figure('memcheck errors of edge and worker' => valgrind_errors()), 0, 'Z1: none';

    delete local @ENV{qw(TOMO_FULL TOMO_NGINX TOMO_SLOW TOMO_BUILD)};
    my ($status, $said) = run_command('make', '-s', '-j2', '-C', top_dir(), 'SAN=1', 'all');
    is $status, 0, 'Z1: the sanitized build' or diag(substr $said, -2000);
    run_command(top_dir() . '/scripts/build-nginx-asan');
    ($status, $said) = run_command(top_dir() . '/t/harness', '--build', 'build-asan',
        map { ('--except', $_) } qw(t/lint.t t/ngx/config.t t/sim t/sandbox t/promises/Z1.t));
    my ($passed, $failed) = $said =~ /^(\d+) passed, (\d+) failed$/m;
    figure('tests on sanitized binaries' => sprintf '%d passed, %d failed', $passed // 0,
        $failed // 1);
    is figure('sanitizer reports' => scalar(() = $said =~ /Failed test 'no sanitizer report'/g)),
        0, 'Z1: no report in all the tests';
    is $failed, 0, 'Z1: all of them pass' or diag(substr $said, -3000);
}

done_testing;
