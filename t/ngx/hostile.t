#!/usr/bin/perl

# B98–B106 at the edge: a Redis that answers with wrong types, cut replies,
# replies nobody asked for, garbage, silence and lies.  Nothing is lost, the
# edge goes on accepting, and a true Redis afterwards has all of it once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select ();
use IO::Socket::UNIX ();
use Socket qw(SOCK_STREAM);
use Time::HiRes ();
use Tomo::Test;
use Tomo::Test::Feed;
use Tomo::Test::Snapshot;
use Tomo::Test::Stream;

my $path = temp_dir() . '/r.sock';

# One command's arguments from the bytes of a client, or nothing yet.
sub command {
    my ($buffer) = @_;
    my ($n) = $$buffer =~ /^\*(\d+)\r\n/ or return;
    my $at = length "*$n\r\n";
    my @args;
    for (1 .. $n) {
        my ($len) = substr($$buffer, $at) =~ /^\$(\d+)\r\n/ or return;
        $at += length "\$$len\r\n";
        return if length $$buffer < $at + $len + 2;
        push @args, substr $$buffer, $at, $len;
        $at += $len + 2;
    }
    substr $$buffer, 0, $at, '';
    return \@args;
}

# What a harmless Redis without data would say, so that more is asked of it.
sub usual {
    my ($args, $state) = @_;
    my $word = uc $args->[0];
    my $queued = $state->{multi} && $word ne 'EXEC';
    $state->{multi}++ if $queued;
    return "+QUEUED\r\n" if $queued;
    if ($word eq 'MULTI') { $state->{multi} = 1; return "+OK\r\n" }
    if ($word eq 'EXEC') {
        my $n = delete($state->{multi}) - 1;
        return "*$n\r\n" . "\$3\r\n1-1\r\n" x ($n - 1) . ":1\r\n";
    }
    return {
        PING => "+PONG\r\n", SMEMBERS => "*0\r\n", HSET => ":1\r\n", XLEN => ":0\r\n",
        HGET => "\$-1\r\n", HGETALL => "*0\r\n",
    }->{$word} // "-ERR unknown command\r\n";
}

my %answer = (
    integers     => sub { return ":1\r\n" },
    strings      => sub { return "\$2\r\nhi\r\n" },
    arrays       => sub { return "*2\r\n:1\r\n\$-1\r\n" },
    nils         => sub { return $_[0][0] eq 'PING' ? "+PONG\r\n" : "\$-1\r\n" },
    errors       => sub { return $_[0][0] eq 'PING' ? "+PONG\r\n" : "-ERR \0\x01odd\r\n" },
    garbage      => sub { return "?x\r\n" },
    deep         => sub { return "*1\r\n" x 20 . ":1\r\n" },
    long_bulk    => sub { return "\$2147483648\r\nabc" },
    negative     => sub { return "*-5\r\n" },
    twice        => sub { return usual(@_) x 2 },
    cut          => sub { my $a = usual(@_); return (substr($a, 0, length($a) - 1), 'close') },
    silence      => sub { return $_[0][0] eq 'PING' ? "+PONG\r\n" : '' },
    exec_nil     => sub { my $a = usual(@_); return $_[0][0] eq 'EXEC' ? "*-1\r\n" : $a },
    exec_short   => sub { my $a = usual(@_); return $_[0][0] eq 'EXEC' ? "*1\r\n:1\r\n" : $a },
    exec_types   => sub { my $a = usual(@_); $a =~ s/\$3\r\n1-1/:7/g; return $a },
    exec_errors  => sub { my $a = usual(@_); $a =~ s/\$3\r\n1-1/-WRONGTYPE x/g; return $a },
    mark_odd     => sub { return $_[0][0] eq 'HGET' ? "\$4\r\n-1e9\r\n" : usual(@_) },
    lies         => sub { return usual(@_) },
    bytewise     => sub { return usual(@_), 'bytewise' },
    closes       => sub { return '', 'close' },
);

# A process that answers as told until it is ended.
sub serve {
    my ($kind) = @_;
    my $file = "$path.$kind";
    unlink $file;
    my $pid = fork // die "fork: $!\n";
    return ($pid, $file) if $pid;
    my $listen = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $file, Listen => 64);
    my $select = IO::Select->new($listen);
    my (%buffer, %state);
    $SIG{PIPE} = 'IGNORE';
    for (;;) {
        for my $sock ($select->can_read) {
            if ($sock == $listen) { $select->add(scalar $listen->accept); next }
            if (!sysread $sock, $buffer{$sock}, 65536, length($buffer{$sock} // '')) {
                $select->remove($sock);
                delete @$_{$sock} for \%buffer, \%state;
                close $sock;
                next;
            }
            while (my $args = command(\$buffer{$sock})) {
                write_file("$file.met", '') if !-e "$file.met";
                my ($bytes, $how) = $answer{$kind}->($args, $state{$sock} //= {});
                $how //= '';
                if ($how eq 'bytewise') { syswrite $sock, $_ for split //, $bytes }
                else                    { syswrite $sock, $bytes }
                next if $how ne 'close';
                $select->remove($sock);
                delete @$_{$sock} for \%buffer, \%state;
                close $sock;
                last;
            }
        }
    }
}

my $edge = Tomo::Test::Nginx->new(
    redis      => $path,
    redis_args => 'timeout=400ms connect_timeout=200ms',
);
write_snapshot($edge);
$edge->allow_alert(qr/exited on signal/);
$edge->launch;
my @loads = start_loads($edge, 1, 100);
my @pids  = sort $edge->worker_pids;
my $redis = Tomo::Test::Redis->start;

sub counter { return Tomo::Test::Status::counter($edge, $_[0]) }
sub shipped { return Tomo::Test::Status::fetch($edge)->{shipped} }

# From now on the edge's Redis is the one that listens there.
sub point_at {
    my ($socket) = @_;
    unlink "$path.new";
    symlink $socket, "$path.new" or die "symlink: $!\n";
    rename "$path.new", $path or die "rename: $!\n";
    return;
}

# With a true Redis in between, so that each false one is asked soon.
for my $kind (sort keys %answer) {
    my ($pid, $file) = serve($kind);
    wait_for(sub { -S $file }, "the false Redis ($kind)", 5);
    point_at($file);
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal');
    ok wait_for(sub { -e "$file.met" }, "$kind is asked", 10), "$kind is asked";
    my $before = counter('webhook_accepted');
    ok wait_for(sub { counter('webhook_accepted') > $before + 30 }, "webhooks during $kind", 10),
        "B106: $kind: webhooks are accepted";
    point_at($redis->socket);
    kill 'KILL', $pid;
    waitpid $pid, 0;
    my $shipped = shipped();
    ok wait_for(sub { shipped() > $shipped }, "shipped after $kind", 10),
        "B106: $kind: and shipped to a true Redis afterwards";
}
is join(' ', sort $edge->worker_pids), "@pids", 'B106: no worker had to be replaced';
cmp_ok counter('redis_surprises'), '>', 5, 'surprises are counted';

$_->stop for @loads;
my $s;
wait_for(
    sub {
        $s = read_stream($redis);
        my ($acked) = $loads[0]->read_journal;
        return !grep { !$s->{ids}{$_} } keys %$acked;
    },
    'all in the true Redis', 30
);
complete_ok($s, \@loads, 'B106', 1);
ok Tomo::Test::Status::wait_shipped($edge), 'B106: the journal is drained';

done_testing;
