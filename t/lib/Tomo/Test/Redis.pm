package Tomo::Test::Redis;

# A real redis-server on a unix socket, with the settings that Tomo demands,
# and a client of the protocol (RESP2) without any library.

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Process';
use IO::Socket::UNIX ();
use Socket ();

my $COUNT = 0;

my %SETTINGS = (
    'port'                      => 0,
    'appendonly'                => 'yes',
    'appendfsync'               => 'always',
    'no-appendfsync-on-rewrite' => 'no',
    'save'                      => '""',
    'maxmemory'                 => '512mb',
    'maxmemory-policy'          => 'noeviction',
    'hash-max-listpack-value'   => 1024,
    'set-max-intset-entries'    => 16384,
    'stream-node-max-entries'   => 1,
    'daemonize'                 => 'no',
);

# start(set => { 'maxmemory' => '1gb' }, lines => "...\n")
# `set` replaces single settings, `lines` are added to redis.conf as they are.
# It has the users of conf/redis-users.acl, so that edges and workers of a test
# run with their rights and no more; the test itself stays the default user, who
# may do all. With `own_users` it has those of the caller's lines or aclfile.
sub start {
    my ($class, %o) = @_;
    my $name = $o{name} // ($COUNT++ ? "redis$COUNT" : 'redis');
    my $self = bless {
        options => \%o,
        name    => $name,
        folder  => Tomo::Test::temp_dir() . "/$name",
    }, $class;
    mkdir $self->{folder};
    $self->{socket} = "$self->{folder}/redis.sock";
    $self->_launch;
    return $self;
}

sub _launch {
    my ($self) = @_;
    my %set = (%SETTINGS, %{ $self->{options}{set} || {} });
    my $conf = join '', map {"$_ $set{$_}\n"} sort keys %set;
    $conf .= "dir $self->{folder}\nunixsocket $self->{socket}\nunixsocketperm 777\n";
    $conf .= $self->{options}{lines} // '';
    $conf .= $self->_users if !$self->{options}{own_users};
    my $path = Tomo::Test::write_file("$self->{folder}/redis.conf", $conf);
    my $process = Tomo::Test::Process->start(
        name    => $self->{name},
        command => ['/usr/bin/redis-server', $path],
    );
    %$self = (%$self, %$process);
    delete $self->{swept};
    delete $self->{status};
    # END stops this object, which knows about later restarts.
    Tomo::Test::Process::replace_last($self);
    $self->ready_or_die(
        sub {
            my $answer = eval { $self->cmd('PING') };
            return $answer && $answer eq 'PONG' || $@ && $@ =~ /^NOAUTH/;
        }
    );
    return $self;
}

# The users' lines with passwords, which also stand in FOLDER/USER.pw.
sub users {
    my ($self) = @_;
    my $text = Tomo::Test::read_file(Tomo::Test::top_dir() . '/conf/redis-users.acl');
    for my $user ($text =~ /^user (\w+) on >/mg) {
        my $password = "password of $user";
        $password =~ tr/ /-/;
        Tomo::Test::write_file("$self->{folder}/$user.pw", "$password\n", 0600);
        $text =~ s/^(user $user on >)\w+/$1$password/m;
    }
    return $text;
}

sub _users {
    my ($self) = @_;
    $self->{users} = 1;
    return $self->users =~ s/^user default .*\n//mr;
}

# (user, file with its password) for a program of this test; () without users
sub login {
    my ($self, $user) = @_;
    return ref $self && $self->{users} ? ($user, "$self->{folder}/$user.pw") : ();
}

sub socket { return $_[0]{socket} }

# Starts it again after stop, kill_now or a crash; its data is kept.
sub restart {
    my ($self) = @_;
    $self->stop;
    delete $self->{client};
    return $self->_launch;
}

# Starts it again without any data, as after a loss of its disk.
sub restart_empty {
    my ($self) = @_;
    $self->kill_now;
    require File::Path;
    File::Path::remove_tree("$self->{folder}/appendonlydir");
    unlink glob "$self->{folder}/*.rdb";
    return $self->restart;
}

# A connection of its own: $redis->client->cmd(...), for blocking commands.
sub client {
    my ($self) = @_;
    my $sock = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Peer => $self->{socket})
        or die "cannot connect to $self->{socket}: $!\n";
    return bless { sock => $sock, buffer => '', at => 0 }, 'Tomo::Test::Redis::Client';
}

# cmd('SET', 'k', 'v'): status and bulk as strings, integers as numbers, nil as
# undef, arrays as array references; an error dies with its text.
sub cmd {
    my ($self, @words) = @_;
    my $client = $self->{client};
    if (!$client || !$client->{sock} || !$client->{sock}->connected) {
        $client = $self->{client} = $self->client;
    }
    my $value = eval { $client->cmd(@words) };
    if ($@) {
        delete $self->{client} if $@ =~ /^connection/;
        die $@;
    }
    return $value;
}

# Many commands, [words] each, on their way together; their replies.
sub pipeline {
    my ($self, @commands) = @_;
    $self->cmd('PING');     # connected
    my @replies;
    while (my @some = splice @commands, 0, 200) {
        $self->{client}->send_command(@$_) for @some;
        push @replies, map { $self->{client}->reply } @some;
    }
    return @replies;
}

# A hash's fields as a hash reference.
sub hash {
    my ($self, $key) = @_;
    return { @{ $self->cmd('HGETALL', $key) } };
}

# A stream's entries, oldest first: [[id, {field => value}], ...].
sub stream {
    my ($self, $key) = @_;
    return [map { [$_->[0], { @{ $_->[1] } }] } @{ $self->cmd('XRANGE', $key, '-', '+') }];
}


package Tomo::Test::Redis::Client;

use IO::Select ();

sub send_command {
    my ($self, @words) = @_;
    my $out = '*' . scalar(@words) . "\r\n";
    for my $word (@words) {
        my $bytes = "$word";
        utf8::encode($bytes) if utf8::is_utf8($bytes);
        $out .= '$' . length($bytes) . "\r\n$bytes\r\n";
    }
    while (length $out) {
        my $n = syswrite $self->{sock}, $out;
        die "connection to Redis lost\n" if !$n;
        substr $out, 0, $n, '';
    }
    return;
}

sub cmd {
    my ($self, @words) = @_;
    $self->send_command(@words);
    return $self->reply;
}

sub reply {
    my ($self, $seconds) = @_;
    $self->{seconds} = $seconds // 30 * Tomo::Test::slow();
    my $value = $self->_value;
    die "$$value\n" if ref $value eq 'SCALAR';
    return $value;
}

# An error is a scalar reference here, so that it can stand inside an array.
sub _value {
    my ($self) = @_;
    my $line = $self->_line;
    my ($type, $rest) = (substr($line, 0, 1), substr $line, 1);
    return $rest     if $type eq '+';
    return 0 + $rest if $type eq ':';
    return \$rest    if $type eq '-';
    if ($type eq '$') {
        return if $rest < 0;
        my $bytes = $self->_take($rest + 2);
        return substr $bytes, 0, $rest;
    }
    if ($type eq '*') {
        return if $rest < 0;
        return [map { scalar $self->_value } 1 .. $rest];
    }
    die "connection: Redis sent '$line'\n";
}

# What was read stands in the buffer from `at` on; nothing is cut off for each
# value, which would copy the rest of it.
sub _line {
    my ($self) = @_;
    my $end;
    $self->_more while ($end = index $self->{buffer}, "\r\n", $self->{at}) < 0;
    my $line = substr $self->{buffer}, $self->{at}, $end - $self->{at};
    $self->{at} = $end + 2;
    return $line;
}

sub _take {
    my ($self, $n) = @_;
    $self->_more while length($self->{buffer}) - $self->{at} < $n;
    $self->{at} += $n;
    return substr $self->{buffer}, $self->{at} - $n, $n;
}

sub _more {
    my ($self) = @_;
    IO::Select->new($self->{sock})->can_read($self->{seconds})
        or die "connection: Redis did not answer within $self->{seconds} s\n";
    substr $self->{buffer}, 0, $self->{at}, '';
    $self->{at} = 0;
    sysread $self->{sock}, $self->{buffer}, 65536, length $self->{buffer}
        or die "connection to Redis lost\n";
    return;
}

1;
