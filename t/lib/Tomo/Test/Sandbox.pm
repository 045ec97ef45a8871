package Tomo::Test::Sandbox;

# A whole sandbox as scripts/run starts it, and the calls an outsider has:
# HTTP to the edge, the API and the simulator. Nothing here looks inside.

use strict;
use warnings;
use JSON::PP ();
use Tomo::Test ();

my %RUNNING;

# start(name => 'a'): in DIR/a, on free ports; dies with the output on failure.
sub start {
    my ($class, %o) = @_;
    my $self = bless { dir => Tomo::Test::temp_dir() . '/' . ($o{name} // 'run'),
        port => $o{port} // Tomo::Test::Ports::free_ports(2) }, $class;
    return $self->launch;
}

sub run_script { return Tomo::Test::top_dir() . '/scripts/run' }

# In the sanitized pass the sandbox builds and runs sanitized binaries as well.
sub launch {
    my ($self) = @_;
    local %ENV = (%ENV, Tomo::Test::Process::sanitizer_options('sandbox', 0),
        ($ENV{TOMO_BUILD} // '') =~ /asan/ ? (TOMO_SAN => 1) : ());
    my ($status, $output) = Tomo::Test::run_command(
        run_script(), '--detach', '--no-install', '--dir', $self->{dir}, '--port', $self->{port}
    );
    die "scripts/run failed ($status):\n$output\n" if $status != 0;
    $RUNNING{ $self->{dir} } = $self;
    Tomo::Test::Process::register($self);
    ($self->{token}) = Tomo::Test::read_file("$self->{dir}/api-token") =~ /(\S+)/;
    return $self;
}

sub running { return values %RUNNING }

sub stop {
    my ($self) = @_;
    delete $RUNNING{ $self->{dir} } or return 1;
    my ($status, $output) =
        Tomo::Test::run_command(run_script(), 'stop', '--dir', $self->{dir});
    return $status == 0;
}

sub dir  { return $_[0]{dir} }
sub port { return $_[0]{port} }

sub _json {
    my ($r, $what) = @_;
    die "no answer to $what\n" if !$r;
    $r->{json} = eval { JSON::PP::decode_json($r->{body}) };
    return $r;
}

# api('GET', '/accounts/demo/friends'): the response, with {json}
sub api {
    my ($self, $method, $path, $document) = @_;
    my @body = defined $document ? (JSON::PP::encode_json($document)) : ();
    return _json(
        Tomo::Test::http(
            $self->{port}, $method, "/api/v1$path",
            [
                Authorization => "Bearer $self->{token}",
                @body ? ('Content-Type' => 'application/json') : ()
            ],
            @body
        ),
        "$method $path"
    );
}

# sim('POST', '/sim/friends', {...}): the decoded answer; dies unless 2xx
sub sim {
    my ($self, $method, $path, $document) = @_;
    my @body = defined $document ? (JSON::PP::encode_json($document)) : ();
    my $r = _json(
        Tomo::Test::http($self->{port} + 1, $method, $path,
            [@body ? ('Content-Type' => 'application/json') : ()], @body),
        "$method $path"
    );
    die "simulator: $method $path: $r->{status} $r->{body}\n" if $r->{status} !~ /^2/;
    return $r->{json};
}

sub add_friend { return $_[0]->sim('POST', '/sim/friends', { display_name => $_[1] })->{user_id} }
sub inbox      { return $_[0]->sim('GET',  "/sim/friends/$_[1]/inbox") }

# The friend's record by LINE user id; undef when unknown.
sub friend {
    my ($self, $user) = @_;
    return $self->api('GET', "/accounts/demo/friends?user_id=$user")->{json}{friends}[0];
}

sub timeline {
    my ($self, $user) = @_;
    my $friend = $self->friend($user) or return [];
    return $self->api('GET', "/accounts/demo/friends/$friend->{id}/timeline?limit=500")->{json};
}

sub definition {
    my ($self, $kind, $id) = @_;
    return $self->api('GET', "/accounts/demo/definitions/$kind/$id")->{json};
}

sub now_ms { return $_[0]->api('GET', '/sandbox/clock')->{json}{now_ms} }

# Moves the clock to $at_ms (Unix, sandbox); the response.
sub advance_to {
    my ($self, $at_ms) = @_;
    my $seconds = int(($at_ms - $self->now_ms + 999) / 1000);
    return $self->advance($seconds < 0 ? 0 : $seconds);
}

# Moves the clock by $seconds and waits for the answer however long the walk.
sub advance {
    my ($self, $seconds) = @_;
    my $client = Tomo::Test::Http->connect($self->{port}, seconds => 300);
    return $client && _json(
        $client->ask(
            'POST',
            '/api/v1/sandbox/clock',
            [ Authorization => "Bearer $self->{token}", 'Content-Type' => 'application/json' ],
            JSON::PP::encode_json({ advance_s => $seconds })
        ),
        'POST /sandbox/clock'
    );
}

# A client of its Redis, for what the API does not show.
sub redis {
    my ($self) = @_;
    return bless { socket => "$self->{dir}/redis.sock" }, 'Tomo::Test::Redis';
}

# Pids of every process that names this folder.
sub processes {
    my ($self) = @_;
    my @found;
    for my $path (glob '/proc/[0-9]*') {
        my ($pid) = $path =~ /(\d+)$/;
        next if $pid == $$;
        my $line = Tomo::Test::read_file("$path/cmdline");
        my $cwd  = readlink("$path/cwd") // '';
        push @found, $pid if index($line, $self->{dir}) >= 0 || index($cwd, $self->{dir}) == 0;
    }
    return @found;
}

1;
