package Tomo::Test::Worker;

# A real tomo-worker, whole or one role, with an INI file in DIR/NAME. It is
# ready when it says so: READY=1 on the notify socket, as to systemd; a role
# alone by its log line.

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Process';
use IO::Socket::UNIX ();
use JSON::PP ();
use Socket qw(SOCK_DGRAM);
use Tomo::Test::Files ();

my $COUNT = 0;
my @ALL;

sub all { return @ALL }

sub binary { return Tomo::Test::build_path('tomo-worker', 'TOMO_WORKER') }

# start(redis => $redis, sim => $sim, edge => $edge, ...): redis is required.
#   role         one role alone; without it the supervisor and all three
#   ini          { section => { key => value or undef to leave out } } laid over
#                the usual one (docs/formats.md, section 12)
#   sandbox      1: the clock file is configured
#   definitions  folder loaded into the account; default conf/demo if there
#   name, args   folder name; more arguments
#   prefix       a command that runs the worker, such as strace, with its options
#   undecided    1: entries may be left undecided at the end of the test
#   unaccounted  1: the test takes entries or counters away
sub new {
    my ($class, %o) = @_;
    my $name = $o{name} // ($COUNT++ ? "worker$COUNT" : 'worker');
    my $dir  = Tomo::Test::temp_dir() . "/$name";
    my $self = bless { %o, name => $name, folder => $dir, stop => 'TERM', leaks => 1 }, $class;
    mkdir $dir, 0700;
    mkdir "$dir/journal", 0700;
    $self->write_ini;
    push @ALL, $self;
    return $self;
}

sub start {
    my ($class, %o) = @_;
    return $class->new(%o)->launch;
}

sub folder     { return $_[0]{folder} }
sub api_socket { return "$_[0]{folder}/api.sock" }
sub ini_path   { return "$_[0]{folder}/tomo.ini" }

sub _sections {
    my ($self) = @_;
    my $dir   = $self->{folder};
    my $redis = ref $self->{redis} ? $self->{redis}->socket : $self->{redis} // '';
    my @login = Tomo::Test::Redis::login($self->{redis}, 'worker');
    my $port  = $self->{edge} ? $self->{edge}->port : 8080;
    my $demo  = $self->{definitions} // Tomo::Test::top_dir() . '/conf/demo';
    my %ini   = (
        worker => {
            run_dir    => $dir,
            journal    => "$dir/journal",
            edge_key   => Tomo::Test::Files::path('edge.key'),
            worker_key => Tomo::Test::Files::path('worker.key'),
            base_url   => "http://127.0.0.1:$port",
            log_format => 'text',
        },
        redis => {
            address => $redis =~ m{^/} ? "unix:$redis" : $redis,
            @login ? (user => $login[0], password_file => $login[1]) : (),
        },
        line  => {
            url => 'https://api.line.me',
            $self->{sim}
            ? (unix_socket => $self->{sim}->line_socket, ca_file => $self->{sim}->ca_file)
            : (),
        },
        api => {
            socket     => "$dir/api.sock",
            token_file => Tomo::Test::Files::path('api-token'),
        },
        'account demo' => {
            number              => 1,
            channel_id          => 1234567890,
            channel_secret_file => Tomo::Test::Files::path('channel-secret'),
            bot_user_id_file    => Tomo::Test::Files::path('bot-user-id'),
            -d $demo ? (definitions => $demo) : (),
            zone => 'Asia/Tokyo',
        },
    );
    $ini{sandbox} = { clock_file => Tomo::Test::Files::path('clock') } if $self->{sandbox};
    return %ini;
}

sub write_ini {
    my ($self, %more) = @_;
    my %ini = $self->_sections;
    for my $over ($self->{ini} || {}, \%more) {
        for my $section (keys %$over) {
            $ini{$section} = { %{ $ini{$section} || {} }, %{ $over->{$section} } };
        }
    }
    my $text = '';
    for my $section (sort keys %ini) {
        my $keys = $ini{$section};
        $text .= "[$section]\n";
        $text .= "$_ = $keys->{$_}\n" for grep { defined $keys->{$_} } sort keys %$keys;
    }
    return Tomo::Test::write_file($self->ini_path, $text, 0600);
}

# A command of the binary that ends by itself: check('--check') gives
# (exit status, output).
sub check {
    my ($self, @args) = @_;
    return Tomo::Test::run_command(binary(), '--config', $self->ini_path, @args);
}

sub launch {
    my ($self) = @_;
    my $path = "$self->{folder}/notify.sock";
    unlink $path;
    my $notify = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path)
        or die "cannot bind $path: $!\n";
    $notify->blocking(0);
    my $before  = -s(Tomo::Test::temp_dir() . "/$self->{name}.log") // 0;
    my $process = Tomo::Test::Process->start(
        name    => $self->{name},
        command => [
            @{ $self->{prefix} || [] }, binary(), '--config', $self->ini_path,
            $self->{role} ? "--role=$self->{role}" : (), @{ $self->{args} || [] }
        ],
        env => { NOTIFY_SOCKET => $path, %{ $self->{env} || {} } },
    );
    delete @$self{qw(swept status told)};
    @$self{qw(pid log)} = @$process{qw(pid log)};
    $self->{notify} = $notify;
    Tomo::Test::Process::replace_last($self);
    my $ready = $self->{role}
        ? sub { substr($self->output, $before) =~ /\b$self->{role} is ready\b/ }
        : sub { $self->told(qr/^READY=1$/m) };
    $self->ready_or_die($ready, 15);
    return $self;
}

# True once the worker sent a notification that matches.
sub told {
    my ($self, $pattern) = @_;
    while (defined $self->{notify}->recv(my $text, 4096)) {
        $self->{told} .= "$text\n";
    }
    return ($self->{told} // '') =~ $pattern;
}

sub restart {
    my ($self) = @_;
    $self->stop;
    return $self->launch;
}

# Pids of the roles: { ingest => 123, ... }, read from their command lines.
sub roles {
    my ($self) = @_;
    my %pids;
    for my $pid (Tomo::Test::Process::children($self->{pid})) {
        my $title = Tomo::Test::read_file("/proc/$pid/cmdline");
        $pids{$1} = $pid if $title =~ /--role[=\0](ingest|dispatch|api)\b/;
    }
    return \%pids;
}

# A call of the API over its unix socket: api('GET', '/accounts/demo/friends').
# Returns the response with {json} decoded.
sub api {
    my ($self, $method, $path, $document) = @_;
    my $body = defined $document ? JSON::PP::encode_json($document) : undef;
    my $r = Tomo::Test::Http::request(
        $self->api_socket, $method, "/api/v1$path",
        [
            Authorization => "Bearer $Tomo::Test::Files::API_TOKEN",
            defined $body ? ('Content-Type' => 'application/json') : ()
        ],
        $body
    ) or return;
    $r->{json} = eval { JSON::PP::decode_json($r->{body}) };
    return $r;
}

1;
