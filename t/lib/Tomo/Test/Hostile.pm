package Tomo::Test::Hostile;

# A RESP server that lies (B98-B106). What it says is chosen by a word and can be
# changed while it runs. In front of a true Redis it passes on what the word does
# not touch; without one it answers as a harmless Redis without data would.
#
#   my $hostile = Tomo::Test::Hostile->start(redis => $redis);   # says the truth
#   my $edge = Tomo::Test::Nginx->start(redis => $hostile->socket);
#   $hostile->be('OOM');                 # writes are refused from now on
#   ok wait_for(sub { $hostile->met }, 'somebody was answered so', 5);
#   $hostile->be('pass');
#
# Words: `pass`; the errors of %ERROR (LOADING, BUSY, ... EXECABORT), each given
# to the commands that Redis gives it to; the kinds of %ANSWER, given to every
# command (integers, deep, long_bulk, twice, cut, silence, closes, ...); and
# `only:COMMAND:KIND`, a kind or an error for one command alone; `alone:COMMAND:KIND`,
# the same where it stands in no transaction; `shift:COMMAND`,
# that command is answered as the one before it was, and from then on each is,
# until the connection ends: one answer too many, and never a byte too many.
# rewrite() gives a pattern and its replacement for the answers of one command.

use strict;
use warnings;
use IO::Socket::UNIX ();
use POSIX ();
use Socket qw(SOCK_STREAM);
use Tomo::Test ();

my $COUNT = 0;

my $WRITE = qr/^(?:XADD|HSET|SET|SADD|DEL|EVALSHA|EVAL)$/;
my $KEYED = qr/^(?:XADD|HSET|HGET|HGETALL|SET|GET|SADD|SMEMBERS|EVALSHA|XLEN|XREAD)$/;

# error => [the commands that get it, the text behind the word]
my %ERROR = (
    LOADING    => [qr/^(?!AUTH)/, 'Redis is loading the dataset in memory'],
    BUSY       => [qr/^(?!AUTH)/, 'Redis is busy running a script.'],
    NOSCRIPT   => [qr/^EVALSHA$/, 'No matching script. Please use EVAL.'],
    MISCONF    => [qr/$WRITE|^PING$/, 'Errors writing to the AOF file: No space left on device'],
    OOM        => [$WRITE, "command not allowed when used memory > 'maxmemory'."],
    READONLY   => [$WRITE, "You can't write against a read only replica."],
    NOREPLICAS => [$WRITE, 'Not enough good replicas to write.'],
    NOAUTH     => [qr/^(?!AUTH)/, 'Authentication required.'],
    WRONGPASS  => [qr/^AUTH$/, 'invalid username-password pair or user is disabled.'],
    NOPERM     => [$WRITE, 'this user has no permissions to run this command'],
    MOVED      => [$KEYED, '3999 127.0.0.1:6381'],
    CROSSSLOT  => [$KEYED, "Keys in request don't hash to the same slot"],
    EXECABORT  => [qr/^EXEC$/, 'Transaction discarded because of previous errors.'],
);

sub errors { return sort keys %ERROR }

# What a command gets: bytes, or nothing for "as usual"; and how ('close',
# 'bytewise').  $_[1]: the usual answer.
my %ANSWER = (
    integers    => sub { return ":1\r\n" },
    strings     => sub { return "\$2\r\nhi\r\n" },
    arrays      => sub { return "*2\r\n:1\r\n\$-1\r\n" },
    nils        => sub { return $_[0] eq 'PING' ? undef : "\$-1\r\n" },
    errors      => sub { return $_[0] eq 'PING' ? undef : "-ERR \0\x01odd\r\n" },
    garbage     => sub { return "?x\r\n" },
    deep        => sub { return "*1\r\n" x 20 . ":1\r\n" },
    depth8      => sub { return "*1\r\n" x 8 . ":1\r\n" },
    long_bulk   => sub { return "\$2147483648\r\nabc" },
    long_array  => sub { return "*2147483648\r\n" },
    negative    => sub { return "*-5\r\n" },
    twice       => sub { return $_[1] x 2 },
    cut         => sub { return (substr($_[1], 0, length($_[1]) - 1), 'close') },
    silence     => sub { return $_[0] eq 'PING' ? undef : '' },
    exec_nil    => sub { return $_[0] eq 'EXEC' ? "*-1\r\n" : undef },
    exec_short  => sub { return $_[0] eq 'EXEC' ? "*1\r\n:1\r\n" : undef },
    exec_types  => sub { my $a = $_[1]; $a =~ s/\$3\r\n1-1/:7/g; return $a },
    exec_errors => sub { my $a = $_[1]; $a =~ s/\$3\r\n1-1/-WRONGTYPE x/g; return $a },
    mark_odd    => sub { return $_[0] eq 'HGET' ? "\$4\r\n-1e9\r\n" : undef },
    lies        => sub { return },
    pass        => sub { return },
    bytewise    => sub { return ($_[1], 'bytewise') },
    closes      => sub { return ('', 'close') },
    trickle     => sub { return ("*1\r\n*2\r\n\$1000\r\n", 'trickle') },
);

# trickle, a byte now and then without an end, is for tests that have the time
sub kinds { return sort grep { !/^(?:pass|trickle)$/ } keys %ANSWER }

# start(redis => $redis or its socket, kind => 'pass', path => FILE): without
# `redis` it stands alone.  One process for each connection.
sub start {
    my ($class, %o) = @_;
    my $redis = ref $o{redis} ? $o{redis}->socket : $o{redis};
    my $path  = $o{path} // Tomo::Test::temp_dir() . '/hostile' . ++$COUNT . '.sock';
    my $self  = bless { socket => $path, redis => $redis, pid => 0 }, $class;
    $self->be($o{kind} // 'pass');
    unlink $path;
    my $listen = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 64)
        or die "cannot listen on $path: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;
        $SIG{TERM} = $SIG{INT} = 'DEFAULT';
        $SIG{PIPE} = $SIG{CHLD} = 'IGNORE';
        my $ok = eval { $self->_accept($listen); 1 };
        print STDERR $@ if !$ok;
        POSIX::_exit($ok ? 0 : 1);
    }
    $self->{pid} = $pid;
    Tomo::Test::Process::register($self);
    return $self;
}

sub socket { return $_[0]{socket} }

sub _put {
    my ($self, $name, $text) = @_;
    Tomo::Test::write_file("$self->{socket}.$name.new", $text);
    rename "$self->{socket}.$name.new", "$self->{socket}.$name" or die "rename: $!\n";
    return;
}

# What it says from now on.
sub be {
    my ($self, $kind) = @_;
    my ($last) = reverse split /:/, $kind;
    die "no such answer: $kind\n" if !$ANSWER{$last} && !$ERROR{$last} && $kind !~ /^shift:/;
    unlink "$self->{socket}.met";
    $self->_put('kind', $kind);
    return;
}

# rewrite('INFO', 'redis_version:\S+', 'redis_version:6.2.1'); none: no more.
sub rewrite {
    my ($self, @rule) = @_;
    $self->_put('rewrite', join "\n", @rule);
    return;
}

# Has somebody been answered so since be()?
sub met { return -e "$_[0]{socket}.met" }

sub stop {
    my ($self) = @_;
    return 1 if !$self->{pid};
    kill 'KILL', -$self->{pid};
    local $?;
    waitpid $self->{pid}, 0;
    $self->{pid} = 0;
    return 1;
}

sub _accept {
    my ($self, $listen) = @_;
    while (my $client = $listen->accept) {
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            eval { $self->_serve($client) };
            POSIX::_exit(0);
        }
        close $client;
    }
    return;
}

# One command's arguments from the bytes of a client, or nothing yet.
sub _command {
    my ($buffer) = @_;
    my ($n) = $$buffer =~ /^\*(\d+)\r\n/ or return;
    my $at = length "*$n\r\n";
    my @args;
    for (1 .. $n) {
        my ($len) = substr($$buffer, $at, 32) =~ /^\$(\d+)\r\n/ or return;
        $at += length "\$$len\r\n";
        return if length $$buffer < $at + $len + 2;
        push @args, substr $$buffer, $at, $len;
        $at += $len + 2;
    }
    return (\@args, substr $$buffer, 0, $at, '');
}

# The bytes of the next whole reply of the true Redis.
sub _reply {
    my ($sock, $buffer) = @_;
    my ($at, $left) = (0, 1);
    while ($left > 0) {
        my $end = index $$buffer, "\r\n", $at;
        if ($end < 0) {
            sysread $sock, $$buffer, 65536, length $$buffer or die "the true Redis left\n";
            next;
        }
        my ($type, $n) = (substr($$buffer, $at, 1), substr $$buffer, $at + 1, $end - $at - 1);
        $at = $end + 2;
        $left--;
        $left += $n if $type eq '*' && $n > 0;
        next if $type ne '$' || $n < 0;
        while (length $$buffer < $at + $n + 2) {
            sysread $sock, $$buffer, 65536, length $$buffer or die "the true Redis left\n";
        }
        $at += $n + 2;
    }
    return substr $$buffer, 0, $at, '';
}

sub _bulk { return '$' . length($_[0]) . "\r\n$_[0]\r\n" }

my %CONFIG = (
    'appendfsync' => 'always', 'no-appendfsync-on-rewrite' => 'no', 'maxmemory' => 1 << 29,
    'maxmemory-policy' => 'noeviction', 'hash-max-listpack-value' => 1024,
    'set-max-intset-entries' => 16384, 'aof-load-truncated' => 'yes', 'save' => '3600 1',
    'stop-writes-on-bgsave-error' => 'yes', 'min-replicas-to-write' => 0, 'dir' => '/',
    'min-replicas-max-lag' => 10,
);

my $INFO = join "\r\n", 'redis_version:7.0.15', 'redis_mode:standalone', 'run_id:' . 'a' x 40,
    'role:master', 'master_replid:' . 'b' x 40, 'master_repl_offset:0', 'connected_slaves:0',
    'aof_enabled:1', 'aof_last_write_status:ok', 'aof_last_bgrewrite_status:ok', 'loading:0',
    'rdb_last_bgsave_status:ok', 'maxmemory:536870912', 'used_memory:1000000', 'evicted_keys:0',
    'total_system_memory:8000000000', 'cluster_enabled:0', '';

# What a harmless Redis without data would say, so that more is asked of it.
sub _usual {
    my ($args, $state) = @_;
    my $word = uc $args->[0];
    my $queued = $state->{multi} && $word ne 'EXEC';
    $state->{multi}++ if $queued;
    return "+QUEUED\r\n" if $queued;
    if ($word eq 'MULTI') { $state->{multi} = 1; return "+OK\r\n" }
    if ($word eq 'EXEC') {
        my $n = (delete($state->{multi}) // 1) - 1;
        return "*$n\r\n" . "\$3\r\n1-1\r\n" x ($n - 1) . ":1\r\n";
    }
    if ($word eq 'CONFIG') {
        my @known = grep { exists $CONFIG{$_} } @$args[2 .. $#$args];
        my $pairs = join "", map { _bulk($_) . _bulk($CONFIG{$_}) } @known;
        return "*" . 2 * @known . "\r\n$pairs";
    }
    return '*2' . "\r\n" . _bulk(time) . _bulk(1) if $word eq 'TIME';
    return _bulk($INFO) if $word eq 'INFO';
    return {
        PING => "+PONG\r\n", SMEMBERS => "*0\r\n", HSET => ":1\r\n", XLEN => ":0\r\n",
        HGET => "\$-1\r\n", HGETALL => "*0\r\n", ACL => _bulk('edge'), AUTH => "+OK\r\n",
        MODULE => "-NOPERM this user has no permissions\r\n",
    }->{$word} // "-ERR unknown command\r\n";
}

sub _true {
    my ($self, $bytes, $state) = @_;
    $state->{up} //= IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $self->{redis})
        or die "no true Redis: $!\n";
    syswrite $state->{up}, $bytes;
    return _reply($state->{up}, \($state->{from} //= ''));
}

sub _met { my ($self) = @_; Tomo::Test::write_file("$self->{socket}.met", ''); return }

# The answer to one command: bytes, and how they are sent.
sub _answer {
    my ($self, $args, $bytes, $state) = @_;
    my $word = uc $args->[0];
    my $kind = Tomo::Test::read_file("$self->{socket}.kind");
    if ($kind =~ /^shift:(\w+)$/) {
        if ($word eq $1) { $state->{shifted} = 1; $self->_met }
        $kind = 'pass';
    }
    if ($kind =~ /^(only|alone):(\w+):(\w+)$/) {
        $kind = $word eq $2 && ($1 eq 'only' || !$state->{in_multi}) ? $3 : 'pass';
    } elsif ($ERROR{$kind} && $word !~ $ERROR{$kind}[0]) {
        $kind = 'pass';
    }
    $self->_met if $kind ne 'pass';
    if ($ERROR{$kind}) {
        # what Redis refuses to queue makes it discard the whole transaction
        if ($self->{redis} && $word eq 'EXEC') { $self->_true("*1\r\n\$7\r\nDISCARD\r\n", $state) }
        $state->{dirty} = 1 if $state->{in_multi} && $word ne 'EXEC';
        $state->{in_multi} = 0 if $word eq 'EXEC';
        return "-$kind $ERROR{$kind}[1]\r\n";
    }
    if ($word eq 'EXEC' && delete $state->{dirty}) {
        $self->_true("*1\r\n\$7\r\nDISCARD\r\n", $state) if $self->{redis};
        delete @$state{qw(multi in_multi)};
        return "-EXECABORT Transaction discarded because of previous errors.\r\n";
    }
    $state->{in_multi} = $word eq 'MULTI' ? 1 : $word eq 'EXEC' ? 0 : $state->{in_multi};
    my $usual = $self->{redis} ? $self->_true($bytes, $state) : _usual($args, $state);
    my @rule = split /\n/, Tomo::Test::read_file("$self->{socket}.rewrite");
    $usual = _rewritten($usual, @rule[1, 2]) if @rule && uc $rule[0] eq $word;
    my ($false, $how) = $ANSWER{$kind}->($word, $usual);
    return ($false // $usual, $how);
}

# A bulk string, or an array of them, with a pattern replaced in each.
sub _rewritten {
    my ($reply, $pattern, $by) = @_;
    $reply =~ s{\$(\d+)\r\n}{\x00$1\x01}g;
    my $out = '';
    while ($reply =~ s/^([^\x00]*)\x00(\d+)\x01//) {
        my ($head, $text) = ($1, substr $reply, 0, $2, '');
        $text =~ s/$pattern/$by/g;
        $out .= $head . '$' . length($text) . "\r\n$text";
    }
    return $out . $reply;
}

sub _trickles { return Tomo::Test::read_file("$_[0]{socket}.kind") =~ /\btrickle$/ }

sub _serve {
    my ($self, $client) = @_;
    my ($buffer, %state) = ('');
    while (sysread $client, $buffer, 65536, length $buffer) {
        while (my ($args, $whole) = _command(\$buffer)) {
            my ($bytes, $how) = $self->_answer($args, $whole, \%state);
            $how //= '';
            my $last = $state{last} // $bytes;
            $state{last} = $bytes;
            $bytes = $last if $state{shifted};
            if ($how eq 'bytewise') { syswrite $client, $_ for split //, $bytes }
            else {
                while (length $bytes) {
                    my $n = syswrite $client, $bytes or return;
                    substr $bytes, 0, $n, '';
                }
            }
            while ($how eq 'trickle' && $self->_trickles) {
                syswrite $client, 'x' or return;
                select undef, undef, undef, 0.05;
            }
            return if $how =~ /^(?:close|trickle)$/;
        }
    }
    return;
}

1;
