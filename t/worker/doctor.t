#!/usr/bin/perl

# tomo-worker --doctor: what it prints and how it ends, before a good Redis, a bad
# one and none (RELIABILITY.md 6). The rows themselves: t/unit/doctor.c, X1.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Tomo::Test;

my $redis  = Tomo::Test::Redis->start(set => { save => '3600 1' });
my $worker = Tomo::Test::Worker->new(redis => $redis, name => 'asked', sandbox => 1);

my ($code, $text) = $worker->check('--doctor');
cmp_ok $code, '<=', 1, 'a good Redis: no FAIL';
unlike $text, qr/^FAIL/m, 'no row fails';
like $text, qr/^PASS\s+appendfsync\s+always$/m, 'a row: verdict, item, what was seen';
like $text, qr/^PASS\s+what is forbidden\s+NOPERM$/m, 'the user may not administer Redis';
like $text, qr/webhook redelivery on$/m, 'reminds of what no API tells';
like $text, qr/^\d+ PASS, \d+ WARN, 0 FAIL$/m, 'a sum';

$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
($code, $text) = $worker->check('--doctor', '--json');
is $code, 2, 'a bad Redis: 2';
my $said = JSON::PP::decode_json($text);
my %row  = map { $_->{item} => $_ } @{ $said->{rows} };
is $said->{fail}, 1, 'one row fails';
is $row{'maxmemory-policy'}{verdict}, 'FAIL', 'this one';
is $row{'maxmemory-policy'}{observed}, 'allkeys-lru', 'with what was seen';
like $row{'maxmemory-policy'}{advice}, qr/set `maxmemory-policy noeviction`/, 'and what to do';
is scalar @{ $said->{reminders} }, 2, 'and the reminders';
$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');

$redis->cmd('ACL', 'SETUSER', 'worker', '-config|get');
is +($worker->check('--doctor'))[0], 2, 'settings that may not be read: 2';
$worker->write_ini(redis => { assume_redis_checked => 'yes' });
($code, $text) = $worker->check('--doctor');
is $code, 1, 'assume_redis_checked = yes: a warning';
like $text, qr/^WARN\s+settings readable\s+NOPERM$/m, 'and it is told';

$redis->stop;
($code, $text) = $worker->check('--doctor');
is $code, 2, 'no Redis: 2';
like $text, qr/^FAIL\s+Redis does not answer/m, 'and it is told';

done_testing;
