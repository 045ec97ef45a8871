package Tomo::Test::Nginx;

# A real nginx with the module. Its folder is DIR/NAME, with nginx.conf,
# error.log, access.log and journal/.

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Process';
use Tomo::Test::Files ();

my $COUNT = 0;
my (@ALL, @ALLOWED);

sub binary { return $ENV{TOMO_NGINX} // '/usr/sbin/nginx' }

sub module_path {
    return Tomo::Test::build_path('ngx_http_tomo_module.so', 'TOMO_MODULE');
}

# start(redis => $redis, ...): all optional.
#   redis       the Tomo::Test::Redis it ships to, or a path; with it come the
#               tomo_ directives and locations of DESIGN's example
#   workers     number of worker processes, 2; connections of each, 512
#   zone, journal, redis_args, clock   arguments of the tomo_ directives
#   main, events, http, server   text added to these blocks
#   conf        a whole nginx.conf instead; %%DIR%% (its folder), %%PORT%%,
#               %%MAIN%% (module, pid, log …), %%HTTP%% (folders, access log),
#               %%EDGE%% (the tomo_ directives of http) are replaced
#   untitled    1: run by something that keeps nginx's processes from naming
#               themselves, such as valgrind
#   daemon      1: detached from the test, as upgrade() needs it
#   name        folder name; port; log (error_log level, info); user
sub new {
    my ($class, %o) = @_;
    my $name = $o{name} // ($COUNT++ ? "nginx$COUNT" : 'nginx');
    my $self = bless {
        %o,
        name    => $name,
        folder  => Tomo::Test::temp_dir() . "/$name",
        port    => $o{port} // Tomo::Test::free_port(),
        stop    => 'QUIT',
        leaks   => 0,
        workers => $o{workers} // 2,
    }, $class;
    mkdir $self->{folder};
    mkdir "$self->{folder}/journal", 0700;
    $self->write_conf;
    push @ALL, $self;
    return $self;
}

sub start {
    my ($class, %o) = @_;
    return $class->new(%o)->launch;
}

sub port      { return $_[0]{port} }
sub folder    { return $_[0]{folder} }
sub journal   { return "$_[0]{folder}/journal" }
sub error_log { return Tomo::Test::read_file("$_[0]{folder}/error.log") }

sub access_log { return Tomo::Test::read_file("$_[0]{folder}/access.log") }

# The tomo_ directives of the http block.
sub edge_directives {
    my ($self) = @_;
    return '' if !$self->{redis};
    my $redis = ref $self->{redis} ? $self->{redis}->socket : $self->{redis};
    $redis = "unix:$redis" if $redis =~ m{^/};
    my $zone    = $self->{zone}       // 'zone=tomo:16m';
    my $journal = $self->{journal}    // 'keep=1h max=256m segment=2m';
    my @login   = Tomo::Test::Redis::login($self->{redis}, 'edge');
    my $args    = join ' ', @login ? "user=$login[0] password_file=$login[1]" : (),
        $self->{redis_args} // ();
    my $key     = Tomo::Test::Files::path('edge.key');
    my $text    = "tomo_zone $zone snapshot=$self->{folder}/edge.snap;\n"
        . "tomo_redis $redis $args;\n"
        . "tomo_journal $self->{folder}/journal $journal;\n"
        . "tomo_key_file $key;\n";
    $text .= "tomo_clock_file $self->{clock};\n" if $self->{clock};
    return $text;
}

sub _parts {
    my ($self) = @_;
    my $dir    = $self->{folder};
    my $level  = $ENV{TOMO_LOG} // $self->{log} // 'info';
    my $module = $self->{no_module} ? '' : 'load_module ' . module_path() . ';';
    my $daemon = $self->{daemon} ? 'on' : 'off';
    my $user   = $self->{user} // ($> == 0 ? 'root' : undef);
    my $main   = join "\n", $module, ($user ? "user $user;" : ()), <<"END";
daemon $daemon;
worker_processes $self->{workers};
pid $dir/nginx.pid;
error_log $dir/error.log $level;
worker_shutdown_timeout 15s;
env LD_PRELOAD;
env ASAN_OPTIONS;
env UBSAN_OPTIONS;
END
    my $http = join "\n", "access_log $dir/access.log;",
        map {"${_}_temp_path $dir/tmp_$_;"} qw(client_body proxy fastcgi uwsgi scgi);
    return (
        DIR => $dir, PORT => $self->{port}, MAIN => $main, HTTP => $http,
        EDGE => $self->edge_directives,
    );
}

sub write_conf {
    my ($self, %changed) = @_;
    %$self = (%$self, %changed);
    my %part = $self->_parts;
    my $text = $self->{conf};
    if (!defined $text) {
        my %add = map { $_ => $self->{$_} // '' } qw(main events http server);
        my $edge = $self->{redis} ? <<'END' : '';
location /line/webhook/ { tomo_webhook; }
location /r/ { tomo_redirect; }
location /s/ { tomo_survey; }
location = /tomo/status { tomo_status; }
END
        $text = <<"END";
%%MAIN%%
$add{main}
events { worker_connections @{[ $self->{connections} // 512 ]}; $add{events} }
http {
%%HTTP%%
%%EDGE%%
$add{http}
server {
listen 127.0.0.1:%%PORT%%;
$edge
$add{server}
}
}
END
    }
    $text =~ s/%%(\w+)%%/$part{$1} \/\/ die "no such part: %%$1%%\n"/ge;
    return Tomo::Test::write_file("$self->{folder}/nginx.conf", $text);
}

sub _command {
    my ($self, @more) = @_;
    my $dir = $self->{folder};
    return (binary(), '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf", @more);
}

sub _env { return { $ENV{TOMO_PRELOAD} ? (LD_PRELOAD => $ENV{TOMO_PRELOAD}) : () } }

# `nginx -t`: (exit status, its output).
sub test_conf {
    my ($self) = @_;
    local $ENV{LD_PRELOAD} = $ENV{TOMO_PRELOAD} if $ENV{TOMO_PRELOAD};
    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0:detect_odr_violation=0';
    my @command = $self->_command('-t');
    $command[4] = 'stderr';
    return Tomo::Test::run_command(@command);
}

sub launch {
    my ($self) = @_;
    unlink "$self->{folder}/nginx.pid";
    my $process = Tomo::Test::Process->start(
        name    => $self->{name},
        command => [$self->_command],
        env     => _env(),
        stop    => 'QUIT',
        leaks   => 0,
    );
    delete @$self{qw(swept status foreign group)};
    @$self{qw(pid log_file)} = @$process{qw(pid log)};
    Tomo::Test::Process::replace_last($self);
    $self->_find_daemon if $self->{daemon};
    $self->ready_or_die(sub {
        -s "$self->{folder}/nginx.pid" && Tomo::Test::Http->connect($self->{port})
            && $self->worker_pids == $self->{workers};
    });
    return $self;
}

# A daemon's master is nobody's child here and leads a group of its own.
sub _find_daemon {
    my ($self) = @_;
    Tomo::Test::wait_for(sub { !$self->alive }, "$self->{name} detached", 10);

    # it writes its pid after the one that started it has ended
    my $file = "$self->{folder}/nginx.pid";
    my $pid  = Tomo::Test::wait_for(
        sub { (Tomo::Test::read_file($file) =~ /^(\d+)\n/)[0] }, "$self->{name} has a pid file", 10)
        or return;
    delete $self->{status};
    @$self{qw(pid group foreign)} = ($pid, $pid, 1);
    return;
}

sub output {
    my ($self) = @_;
    return Tomo::Test::read_file($self->{log_file}) . $self->error_log;
}

# Pids of the workers that take new connections.
sub worker_pids {
    my ($self) = @_;
    my @pids;
    for my $pid (Tomo::Test::Process::children($self->{pid})) {
        my $title = Tomo::Test::read_file("/proc/$pid/cmdline");
        push @pids, $pid if $self->{untitled} || $title =~ /worker process\0*$/;
    }
    return @pids;
}

# Kills a worker at random every so many seconds; how many of the $n it got.
sub kill_workers {
    my ($self, $n, $every_s) = @_;
    my ($kills, $next) = (0, 0);
    Tomo::Test::wait_for(
        sub {
            return 0 if Time::HiRes::time() < $next;
            my @pids = $self->worker_pids or return 0;
            $next = Time::HiRes::time() + $every_s;
            kill 'KILL', $pids[ rand @pids ] and $kills++;
            return $kills >= $n;
        },
        "$n workers of $self->{name} killed", 3 * $every_s * $n + 20
    );
    return $kills;
}

# HUP; returns when new workers serve and (unless `keep_old`) the old are gone.
sub reload {
    my ($self, %o) = @_;
    my %old = map { $_ => 1 } Tomo::Test::Process::children($self->{pid});
    $self->signal('HUP');
    return Tomo::Test::wait_for(
        sub {
            my @now = $self->worker_pids;
            return 0 if !@now || grep { $old{$_} } @now;
            return $o{keep_old}
                || !grep { $old{$_} } Tomo::Test::Process::children($self->{pid});
        },
        "$self->{name} reloaded", $o{seconds} // 20
    );
}

# Graceful end; true if it ended by itself in time.
sub quit { return $_[0]->SUPER::stop('QUIT', $_[1]) }

# Ends at once (TERM), then starts again with the same folder.
sub restart {
    my ($self, $signal) = @_;
    $self->stop($signal // 'QUIT');
    return $self->launch;
}

# USR2 and QUIT: a new binary and module take over; returns true when done.
# nginx ignores USR2 while the process that started it is its parent, so this
# needs `daemon => 1`.
sub upgrade {
    my ($self) = @_;
    my $old = $self->{pid};
    my $file = "$self->{folder}/nginx.pid";
    $self->signal('USR2');
    my $new = Tomo::Test::wait_for(
        sub { -s "$file.oldbin" && -s $file && (Tomo::Test::read_file($file) =~ /(\d+)/)[0] },
        'new master', 10
    ) or return 0;
    kill 'QUIT', $old;
    Tomo::Test::wait_for(sub { !$self->alive }, 'old master ended', 20) or return 0;
    $self->{pid} = $new;
    return 1;
}

# A test that provokes an alert (a killed worker) says so.
sub allow_alert {
    my ($self, $pattern) = @_;
    push @ALLOWED, $pattern;
    return;
}

sub all { return @ALL }

sub check_logs {
    my @bad;
    for my $file (glob(Tomo::Test::temp_dir() . '/*/{error.log,logs/error.log}')) {
        for my $line (split /\n/, Tomo::Test::read_file($file)) {
            next if $line !~ /\[(?:alert|emerg)\]/;
            next if grep { $line =~ $_ } @ALLOWED;
            push @bad, $line;
        }
    }
    Test::More::ok(!@bad, 'no alert in error.log')
        or Test::More::diag(substr join("\n", @bad), 0, 4000);
    return;
}

1;
