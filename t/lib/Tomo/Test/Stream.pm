package Tomo::Test::Stream;

# What the edge shipped, checked against the generator's own journal: nothing
# missing, nothing twice, each writer's records in order.
#
#   my $s = read_stream($redis);
#   complete_ok($s, [@loads], 'W2');

use strict;
use warnings;
use Exporter 'import';
use Test::More ();

our @EXPORT = qw(read_stream complete_ok start_loads);

# { ids => { webhookEventId => times }, clicks => { number of the generator's
#   click => times }, answers => { nonce => times }, n,
#   twice => [origins met twice],
#   disorder => [origins behind a later one of the same writer] }
sub read_stream {
    my ($redis, $account) = @_;
    my $key = 'tomo:{' . ($account // 'demo') . '}:in';
    my %s = (ids => {}, clicks => {}, answers => {}, n => 0, twice => [], disorder => [],
        kinds => {});
    my (%seen, %last);
    my $from = '-';
    for (;;) {
        my $page = $redis->cmd('XRANGE', $key, $from, '+', 'COUNT', 1000);
        last if !@$page;
        for my $entry (@$page) {
            my %f = @{ $entry->[1] };
            my ($writer, $seq) = $f{o} =~ /^([0-9a-f]{16})-(\d+)$/ or die "origin $f{o}\n";
            push @{ $s{twice} },    $f{o} if $seen{ $f{o} }++;
            push @{ $s{disorder} }, $f{o} if $seq <= ($last{$writer} // 0);
            $last{$writer} = $seq;
            if ($f{k} eq 'webhook') {
                $s{ids}{$1}++ while $f{b} =~ /"webhookEventId":"(\w+)"/g;
            } elsif ($f{k} eq 'click') {
                $s{clicks}{$1}++ while $f{b} =~ /%20(c-\w+-\d+)\b/g;
            } elsif ($f{k} eq 'answer') {
                $s{answers}{$1}++ while $f{b} =~ /\bnonce=([\w-]{22})/g;
            }
            $s{kinds}{ $f{k} }++;
            $s{n}++;
        }
        $from = "($page->[-1][0]";
    }
    return \%s;
}

# n generators against an edge that run until stopped.
sub start_loads {
    my ($edge, $n, $rate) = @_;
    require Tomo::Test::Load;
    return map {
        Tomo::Test::Load->start(
            name        => "load$_",
            port        => $edge->port,
            users       => [ map { Tomo::Test::Webhook::user_id($_) } 1 .. 20 ],
            rate        => $rate,
            secret      => $Tomo::Test::Files::CHANNEL_SECRET,
            destination => $Tomo::Test::Files::BOT_USER_ID,
        );
    } 1 .. $n;
}

# Every acknowledged event is there; $once: exactly once (the generator did
# not have to send any twice).
sub complete_ok {
    my ($s, $loads, $name, $once) = @_;
    my ($acked, $missing, $again, @other) = (0, 0, 0);
    for my $load (@$loads) {
        my ($got, undef, $other) = $load->read_journal;
        $acked += keys %$got;
        $missing += grep { !$s->{ids}{$_} } keys %$got;
        $again   += grep { ($s->{ids}{$_} // 0) > 1 } keys %$got;
        push @other, @$other;
    }
    Test::More::cmp_ok($acked, '>', 100, "$name: the load was a load: $acked acknowledged");
    Test::More::is($missing, 0, "$name: acknowledged but missing");
    Test::More::is($again, 0, "$name: events twice") if $once;
    Test::More::is(scalar @{ $s->{twice} }, 0, "$name: records appended twice")
        or Test::More::diag("@{ $s->{twice} }[ 0 .. 3 ]");
    Test::More::is(scalar @{ $s->{disorder} }, 0, "$name: records out of order");
    Test::More::is("@other", '', "$name: answers other than 200");
    return;
}

1;
