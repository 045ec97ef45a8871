package Tomo::Test::Peers;

# What scripts/bench compares the edge with: the same two jobs, a tracked URL
# and a webhook, in nginx + Lua and in Express (t/peers/), each with a Redis of
# its own. A peer answers when Redis has taken the entry: by default Redis syncs
# every second, as installed; `fsync` has it sync before it answers, which is
# what the edge's journal does.

use strict;
use warnings;
use Tomo::Test ();
use Tomo::Test::Process ();
use Tomo::Test::Redis ();

my %COMMAND = (
    lua     => \&_lua,
    express => \&_express,
);

# new(secret => channel secret, links => [tokens], url => where they lead)
sub new {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
    $self->{redis} = Tomo::Test::Redis->start(
        name => 'peer-redis',
        set  => { appendfsync => 'everysec', maxmemory => '4gb' },
    );
    $self->{redis}->cmd('HSET', "link:$_", 'url', $self->{url}, 'friend', 1)
        for @{ $self->{links} };
    return $self;
}

# Starts a peer, lua or express: { port, pid of the process that answers }.
sub start {
    my ($self, $kind) = @_;
    my $port = Tomo::Test::Ports::free_ports(1);
    my $process = Tomo::Test::Process->start(
        name    => "peer-$kind",
        command => [ $COMMAND{$kind}->($self, $port) ],
        env     => { NODE_ENV => 'production' },
        leaks   => 0,
    );
    $process->ready_or_die(sub { Tomo::Test::Http->connect($port) }, 20);
    my ($worker) = Tomo::Test::Process::children($process->pid);
    return { process => $process, port => $port, pid => $worker // $process->pid };
}

sub _lua {
    my ($self, $port) = @_;
    my $dir = Tomo::Test::temp_dir() . '/peer-lua';
    mkdir $dir or die "$dir: $!\n";
    my $top = Tomo::Test::top_dir();
    my %is = (
        DIR    => $dir,
        TOP    => $top,
        PORT   => $port,
        REDIS  => $self->{redis}->socket,
        SECRET => $self->{secret},
    );
    my $conf = Tomo::Test::read_file("$top/t/peers/lua.conf") =~ s/\@([A-Z]+)\@/$is{$1}/gr;
    Tomo::Test::write_file("$dir/nginx.conf", $conf);
    return ('/usr/sbin/nginx', '-p', '/usr/share/nginx/', '-e', "$dir/error.log",
        '-c', "$dir/nginx.conf");
}

sub _express {
    my ($self, $port) = @_;
    return ('node', Tomo::Test::top_dir() . '/t/peers/express.mjs', $port,
        $self->{redis}->socket, $self->{secret});
}

# Whether Redis syncs each write before it answers; starts from nothing.
sub fsync {
    my ($self, $on) = @_;
    $self->{redis}->cmd('CONFIG', 'SET', 'appendfsync', $on ? 'always' : 'everysec');
    $self->forget;
    return;
}

# Drops what the peers wrote, so that memory does not run out.
sub forget {
    my ($self) = @_;
    $self->{redis}->cmd('DEL', 'clicks', 'webhooks');
    return;
}

sub redis_pid { return $_[0]{redis}->pid }

1;
