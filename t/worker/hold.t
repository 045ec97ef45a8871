#!/usr/bin/perl

# Sending that waits, seen by dispatch alone: what ends it and what does not
# (RELIABILITY.md 6, Backups). The test is edge and ingest. And the log as JSON:
# every line of it is read by a parser.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Tomo::Test;

my $redis  = Tomo::Test::Redis->start;
my $worker = Tomo::Test::Worker->new(redis => $redis, role => 'dispatch', undecided => 1,
    unaccounted => 1, ini => { worker => { log_format => 'json' } });
my $hold = $worker->folder . '/journal/hold';

sub beat {
    my ($waiting, $at) = @_;
    return $redis->cmd('HSET', 'tomo:edges', 'aa' x 8,
        'at=' . ($at // now_ms()) . " versions=demo:1 waiting=$waiting");
}

sub lines {
    my ($pattern) = @_;
    return scalar grep { ($_->{text} // '') =~ $pattern }
        map { eval { JSON::PP::decode_json($_) } // () } split /\n/, $worker->output;
}

# --- after a rollback: not for ever ------------------------------------------------

my $id = $redis->cmd('XADD', 'tomo:{demo}:in', '*', 'v', 1);
write_file($hold, "rollback\n", 0600);
my $from = now_ms();
eval { $worker->launch };
ok $worker->alive, 'dispatch runs' or diag($worker->output);
ok lines(qr/^waits: Redis went back in time/), 'a rollback: sending waits from the start';
ok wait_for(sub { lines(qr/^goes on: it has waited long enough after a rollback/) }, 'on', 30),
    'what nobody decides keeps it for a while only';
cmp_ok now_ms() - $from, '>=', 4500, '... of five seconds';
ok !-e $hold, '... and the file is gone';

# --- after a restore: until all is there ----------------------------------------------

beat(3);
write_file($hold, "restore\n", 0600);
ok wait_for(sub { lines(qr/^waits: Redis was restored from a backup/) }, 'waits', 10),
    'a restore: sending waits';
my $until = now_ms() + 8000;
ok wait_for(sub { beat(3); now_ms() > $until }, '8 s', 30), 'an edge that ships';
is lines(qr/^goes on/), 1, '... keeps it waiting';
$until = now_ms() + 2000;
ok wait_for(sub { beat(0); now_ms() > $until }, '2 s', 30), 'it has shipped all';
is lines(qr/^goes on/), 1, '... and what is not decided keeps it waiting';
$redis->cmd('HSET', 'tomo:{demo}:cursor', in => $id, in_i => 0, bulk => '0-0');
ok wait_for(sub { beat(0); lines(qr/^goes on: the journals are shipped again and decided/) },
    'on', 30), 'shipped and decided: sending goes on';
ok !-e $hold, '... and the file is gone';

# --- the operator's word -------------------------------------------------------------

write_file($hold, '', 0600);
ok wait_for(sub { lines(qr/^waits: Redis was restored/) == 2 }, 'waits', 10),
    'an empty file is a restore: the careful reading';
my ($code, $said) = $worker->check('--release');
is $code, 0, '--release';
like $said, qr/is removed: sending goes on within a second/, '... says so';
ok wait_for(sub { lines(qr/^goes on: the operator says so/) }, 'on', 10), '... and so it is';
($code, $said) = $worker->check('--release');
is $code, 0, 'again';
like $said, qr/is not there: nothing waits/, '... nothing waits';
mkdir $hold;
($code, $said) = $worker->check('--release');
is $code, 1, 'what cannot be removed: 1';
like $said, qr/cannot be removed: run this as/, '... and what to do';
rmdir $hold;

# --- the log ------------------------------------------------------------------------

ok $worker->stop('TERM', 9), 'it ends';
my @lines = split /\n/, $worker->output;
my @odd = grep {
    my $line = eval { JSON::PP::decode_json($_) };
    !$line || grep { !length($line->{$_} // '') } qw(at_ms level role object text);
} grep {/^\{/} @lines;
is_deeply \@odd, [], 'every line of the log is JSON with all its fields';
cmp_ok scalar(grep {/^\{/} @lines), '>=', 5, 'there are lines';

done_testing;
