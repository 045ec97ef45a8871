package Tomo::Test::Sim;

# The LINE simulator (scripts/simulator), the only stand-in in the tests.

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Process';
use JSON::PP ();
use Tomo::Test::Files ();

my $COUNT = 0;

# start(edge => $edge, args => [...]): `edge` (its object or port) gets the
# webhooks; `args` are more options of the simulator, such as '--no-preview'.
# It shares the test's sandbox clock and its account's secrets.
sub start {
    my ($class, %o) = @_;
    my $name = $o{name} // ($COUNT++ ? "sim$COUNT" : 'sim');
    my $self = bless {
        %o,
        name   => $name,
        folder => Tomo::Test::temp_dir() . "/$name",
        port   => $o{port} // Tomo::Test::free_port(),
    }, $class;
    mkdir $self->{folder}, 0700;
    return $self->launch;
}

sub launch {
    my ($self) = @_;
    my $dir  = $self->{folder};
    my $edge = ref $self->{edge} ? $self->{edge}->port : $self->{edge} // 1;
    Tomo::Test::Files::link_into($dir, qw(channel-id channel-secret bot-user-id clock));
    my $process = Tomo::Test::Process->start(
        name    => $self->{name},
        command => [
            '/usr/bin/env', 'node', Tomo::Test::top_dir() . '/scripts/simulator/main.mjs',
            '--dir', $dir, '--port', $self->{port},
            '--edge-url', "http://127.0.0.1:$edge",
            @{ $self->{args} || [] },
        ],
        stop => 'TERM',
    );
    delete @$self{qw(swept status)};
    @$self{qw(pid log stop)} = @$process{qw(pid log stop)};
    Tomo::Test::Process::replace_last($self);
    $self->ready_or_die(
        sub {
            my $r = eval { $self->call('GET', '/sim/requests?after=0') };
            return $r && -S $self->line_socket;
        }
    );
    return $self;
}

sub port        { return $_[0]{port} }
sub line_socket { return "$_[0]{folder}/line.sock" }
sub ca_file     { return "$_[0]{folder}/ca.pem" }

sub restart {
    my ($self) = @_;
    $self->SUPER::stop;
    return $self->launch;
}

# A control call; its decoded answer, dies unless it is 2xx.
sub call {
    my ($self, $method, $path, $document) = @_;
    my @body = defined $document ? (JSON::PP::encode_json($document)) : ();
    my $r = Tomo::Test::Http::request($self->{port}, $method, $path,
        [@body ? ('Content-Type' => 'application/json') : ()], @body);
    die "simulator: no answer to $method $path\n" if !$r;
    die "simulator: $method $path: $r->{status} $r->{body}\n" if $r->{status} !~ /^2/;
    return $r->{body} =~ /\S/ ? JSON::PP::decode_json($r->{body}) : 1;
}

# A new person adds the account; the user id.
sub add_friend {
    my ($self, $name) = @_;
    return $self->call('POST', '/sim/friends', { display_name => $name })->{user_id};
}

# say($user, 'text'), tap($user, 'postback data'), block($user), unblock($user)
sub say     { return $_[0]->call('POST', "/sim/friends/$_[1]/text",     { text => $_[2] }) }
sub tap     { return $_[0]->call('POST', "/sim/friends/$_[1]/postback", { data => $_[2] }) }
sub block   { return $_[0]->call('POST', "/sim/friends/$_[1]/block",    {}) }
sub unblock { return $_[0]->call('POST', "/sim/friends/$_[1]/unblock",  {}) }

# What the person's phone shows, oldest first.
sub inbox { return $_[0]->call('GET', "/sim/friends/$_[1]/inbox") }

# API calls received after number N; only those to $path if given.
sub requests {
    my ($self, $after, $path) = @_;
    my $list = $self->call('GET', '/sim/requests?after=' . ($after // 0));
    return [grep { !defined $path || $_->{path} eq $path } @$list];
}

# Replaces the list of faults: faults({ path => …, share => 1, kind => '500' }).
sub faults {
    my ($self, @faults) = @_;
    return $self->call('POST', '/sim/faults', \@faults);
}

1;
