package Tomo::Test::Dispatch;

# What the tests of the dispatch role share: rows put into the outbox as ingest
# does, verdicts read from the streams as ingest does, and a receiver of
# webhooks, from which reply tokens come.
#
#   my $d = Tomo::Test::Dispatch->new;          # Redis, simulator, one friend
#   my $id = $d->push(1, 'hello');              # serial 1; the stream id
#   my $v = $d->verdict($id);                   # waits; { send => 'accepted' … }

use strict;
use warnings;
use Digest::SHA ();
use IO::Socket::INET ();
use JSON::PP ();
use Tomo::Test;

# new(friends => 3, quota => 10, rate => 100, set => {…}): everything but the
# role, which start() starts.
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, users => [] }, $class;
    $self->{redis} = Tomo::Test::Redis->start($o{set} ? (set => $o{set}) : ());
    $self->_receiver;
    $self->{sim} = Tomo::Test::Sim->start(
        edge => $self->{receiver},
        args => ['--no-preview', '--no-redelivery', @{ $o{sim_args} || [] }],
    );
    $self->add_friend("Friend $_") for 1 .. $o{friends} // 1;
    return $self;
}

# Answers 200 to every webhook and keeps the bodies in a file.
sub _receiver {
    my ($self) = @_;
    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 32, ReuseAddr => 1
    ) or die "cannot listen: $!\n";
    $self->{receiver} = $listen->sockport;
    $self->{webhooks} = Tomo::Test::temp_dir() . '/webhooks';
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{TERM} = 'DEFAULT';
        _receive($listen, $self->{webhooks});
        POSIX::_exit(0);
    }
    $self->{receiver_pid} = $pid;
    close $listen;
    return;
}

sub _receive {
    my ($listen, $path) = @_;
    open my $out, '>>', $path or return;
    $out->autoflush(1);
    while (my $client = $listen->accept) {
        my ($length, $body) = (0);
        while (defined(my $line = <$client>)) {
            $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
            last if $line =~ /^\r?\n$/;
        }
        read $client, $body, $length;
        print {$out} "$body\n";
        print {$client} "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        close $client;
    }
    return;
}

sub DESTROY {
    my ($self) = @_;
    if ($self->{receiver_pid}) {
        local $?;
        kill 'TERM', $self->{receiver_pid};
        waitpid $self->{receiver_pid}, 0;
    }
    return;
}

sub redis { return $_[0]{redis} }
sub sim   { return $_[0]{sim} }
sub user  { return $_[0]{users}[$_[1] - 1] }

# A person at the simulator, and her record; the serial.
sub add_friend {
    my ($self, $name) = @_;
    CORE::push @{ $self->{users} }, $self->{sim}->add_friend($name);
    my $serial = @{ $self->{users} };
    $self->{redis}->cmd('HSET', "tomo:{demo}:f:$serial", uid => $self->user($serial),
        st => 'following');
    return $serial;
}

# Makes the person write, and returns the reply token of her message.
sub reply_token {
    my ($self, $serial) = @_;
    $self->{sim}->say($self->user($serial), 'hi');
    my @events = map { @{ JSON::PP::decode_json($_)->{events} } }
        grep {/\S/} split /\n/, Tomo::Test::read_file($self->{webhooks});
    my ($last) = grep { ($_->{source}{userId} // '') eq $self->user($serial) } reverse @events;
    return $last->{replyToken};
}

# Starts the role; options as of Tomo::Test::Worker.
sub start {
    my ($self, %o) = @_;
    $o{ini}{line}{rate_per_s} //= $self->{rate} if $self->{rate};
    $self->{worker} = Tomo::Test::Worker->start(
        role => 'dispatch', redis => $self->{redis}, sim => $self->{sim},
        sandbox => 1, %o
    );
    return $self->{worker};
}

sub worker { return $_[0]{worker} }

sub uuid {
    my ($text) = @_;
    my $hex = Digest::SHA::sha256_hex($text);
    return sprintf '%s-%s-4%s-a%s-%s', substr($hex, 0, 8), substr($hex, 8, 4),
        substr($hex, 13, 3), substr($hex, 17, 3), substr $hex, 20, 12;
}

sub messages { return JSON::PP::encode_json([map { { type => 'text', text => $_ } } @_]) }

# A row as ingest writes it; the stream id.
sub row {
    my ($self, %fields) = @_;
    return $self->{redis}->cmd(_adding(\%fields));
}

# Many on their way together, hashes; their stream ids.
sub rows {
    my ($self, @rows) = @_;
    return $self->{redis}->pipeline(map { [_adding($_)] } @rows);
}

sub _adding {
    my ($fields) = @_;
    my %row = (key => '', token => '', medium => 'line', %$fields);
    return ('XADD', 'tomo:{demo}:out', '*', %row);
}

my $n = 0;

sub push {
    my ($self, $serial, $text, %more) = @_;
    $n++;
    return $self->row(
        via => 'push', friend => $serial, to => $self->user($serial),
        key => uuid("$$ $n"), body => messages($text), %more
    );
}

sub reply {
    my ($self, $serial, $token, $text, %more) = @_;
    return $self->row(
        via => 'reply', friend => $serial, to => $self->user($serial), token => $token,
        token_at => Tomo::Test::now_ms(), body => messages($text), %more
    );
}

sub profile {
    my ($self, $serial, %more) = @_;
    return $self->row(via => 'profile', friend => $serial, to => $self->user($serial), %more);
}

sub multicast {
    my ($self, $serials, $text, %more) = @_;
    $n++;
    return $self->row(
        via => 'multicast', friend => 0, to => join(',', map { $self->user($_) } @$serials),
        serials => join(',', @$serials), key => uuid("$$ $n"), body => messages($text), %more
    );
}

# Everything dispatch reported so far, oldest first: hashes of its fields,
# repeated ones (sent, left) as lists.
sub verdicts {
    my ($self) = @_;
    my @all;
    for my $stream (qw(in bulk)) {
        for my $entry (@{ $self->{redis}->stream("tomo:{demo}:$stream") }) {
            my $fields = $entry->[1];
            next if $fields->{k} ne 'verdict';
            my %v = (lane => $stream, origin => $fields->{o}, sent => [], left => []);
            for my $pair (split /&/, $fields->{b}) {
                my ($name, $value) = split /=/, $pair, 2;
                $value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
                if ($name eq 'sent' || $name eq 'left') {
                    CORE::push @{ $v{$name} }, $value;
                } else {
                    $v{$name} = $value;
                }
            }
            CORE::push @all, \%v;
        }
    }
    return \@all;
}

sub verdicts_of {
    my ($self, $id) = @_;
    return [grep { ($_->{row} // '') eq $id } @{ $self->verdicts }];
}

# The verdict of a row, within some seconds; deletes the row as ingest does.
sub verdict {
    my ($self, $id, $seconds) = @_;
    my $v = Tomo::Test::wait_for(sub { $self->verdicts_of($id)->[0] }, "verdict of $id",
        $seconds // 10);
    $self->{redis}->cmd('XDEL', 'tomo:{demo}:out', $id) if $v;
    return $v // {};
}

# Everything the simulator ever accepted, from its own record: hashes of via,
# at, key, to, messages.
sub accepted {
    my ($self) = @_;
    my $text = Tomo::Test::read_file("$self->{sim}{folder}/sim/log.jsonl");
    return [map { JSON::PP::decode_json($_) } grep {/^\{"k":"send",.*\}$/} split /\n/, $text];
}

# retry key => how often a message was accepted under it
sub accepted_keys {
    my ($self) = @_;
    my %n;
    $n{ $_->{key} }++ for grep { $_->{key} } @{ $self->accepted };
    return \%n;
}

# Waits until so many verdicts are told, pauses not counted.
sub settled {
    my ($self, $n, $seconds) = @_;
    return Tomo::Test::wait_for(
        sub {
            my $told = 0;
            $told += $self->{redis}->cmd('XLEN', "tomo:{demo}:$_") for qw(in bulk);
            return $told >= $n && $n <= grep { $_->{row} } @{ $self->verdicts };
        },
        "$n verdicts", $seconds // 30
    );
}

# Texts the person sees, oldest first.
sub texts {
    my ($self, $serial) = @_;
    return [map { map { $_->{text} } @{ $_->{messages} } }
        @{ $self->{sim}->inbox($self->user($serial)) }];
}

1;
