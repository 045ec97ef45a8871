#!/usr/bin/perl

# B85 under load: SIGHUP with a configuration that cannot be used changes nothing:
# the worker says why, goes on with what it has, and no event is lost or decided
# twice; nor with the good one that follows, for which the roles are replaced.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Load;

my $redis  = Tomo::Test::Redis->start;
my $edge   = Tomo::Test::Nginx->start(redis => $redis);
my $sim    = Tomo::Test::Sim->start(edge => $edge, args => ['--no-preview', '--no-redelivery']);
my $worker = Tomo::Test::Worker->start(redis => $redis, edge => $edge, sim => $sim);
ok wait_for(sub { $sim->call('POST', '/sim/verify', {})->{status} == 200 },
    'the edge knows the account', 15), 'the edge knows the account';

my $load = Tomo::Test::Load->start(
    name => 'load', port => $edge->port, rate => 100,
    users  => [ map { Tomo::Test::Webhook::user_id($_) } 1 .. 100 ],
    secret => $Tomo::Test::Files::CHANNEL_SECRET,
    destination => $Tomo::Test::Files::BOT_USER_ID);

my $good  = read_file($worker->ini_path);
my $roles = $worker->roles;
my @broken = (
    ['an unknown section',  "$good\n[nonsense]\na = b\n",             qr/nonsense/],
    ['half a file',         substr($good, 0, length($good) / 3),      qr/\S/],
    ['an empty file',       '',                                       qr/\S/],
    ['a missing key file',  $good =~ s/^worker_key = .*/worker_key = \/nowhere\/key/mr,
        qr{/nowhere/key}],
    ['a wrong number',      $good =~ s/^number = .*/number = many/mr, qr/number/],
    ['bytes of no text',    "\0\xff" x 500,                           qr/\S/],
);
for my $case (@broken) {
    my ($what, $text, $said) = @$case;
    my $from = length $worker->output;
    write_file($worker->ini_path, $text, 0600);
    $worker->signal('HUP');
    ok wait_for(sub { substr($worker->output, $from) =~ /was not loaded: it has the faults above/ },
        'refused', 15), "B85: $what: refused, and said so";
    like substr($worker->output, $from), $said, '... with what is wrong';
    is_deeply $worker->roles, $roles, '... the roles go on';
}

write_file($worker->ini_path, $good, 0600);
$worker->signal('HUP');
for my $role (sort keys %$roles) {
    ok wait_for(sub { my $pid = $worker->roles->{$role}; $pid && $pid != $roles->{$role} },
        "a new $role", 30), "the good one: $role is replaced";
}
$load->stop;

ok Tomo::Test::Status::wait_shipped($edge, 30), 'the edge has shipped all';
my ($acked) = $load->read_journal;
cmp_ok scalar(keys %$acked), '>=', 5, scalar(keys %$acked) . ' events were acknowledged meanwhile';
my %texts;
sub missing {
    %texts = ();
    for my $list (@{ $redis->cmd('KEYS', 'tomo:{demo}:tl:*') }) {
        for my $line (@{ $redis->cmd('LRANGE', $list, 0, -1) }) {
            $texts{$1}++ if $line =~ /(?:^|&)text=(load-\d+)(?:&|$)/;
        }
    }
    return grep { !$texts{ $_->[1] } } values %$acked;
}
ok wait_for(sub { !missing() }, 'all decided', 30), 'none is missing';
is scalar(grep { $_ != 1 } values %texts), 0, 'none is decided twice';

done_testing;
