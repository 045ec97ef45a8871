package SimTest;

# Starts the simulator in a temporary folder, with a tiny edge beside it that
# verifies signatures as LINE.md 2 says and notes what it was asked.  The edge
# here is a stand-in because the simulator is the thing tested.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_base64);
use File::Temp qw(tempdir);
use FindBin;
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw(time usleep);

our $ID     = '2000000001';
our $SECRET = '8c570fa6dd201bb328f1c1eac23a96d8';
our $BOT    = 'U8e742f61d673b39c7fff3cecb7536ef0';
our $MAIN   = "$FindBin::Bin/../../scripts/simulator/main.mjs";

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, @options) = @_;
    my $self = bless {
        dir => tempdir('sim-XXXXXX', TMPDIR => 1, CLEANUP => 1),
        options => [@options],
        owner => $$,
    }, $class;
    spew("$self->{dir}/channel-id", "$ID\n");
    spew("$self->{dir}/channel-secret", "$SECRET\n");
    spew("$self->{dir}/bot-user-id", "$BOT\n");
    $self->edge_answers(200);
    $self->start_edge;
    $self->start;
    return $self;
}

sub start {
    my ($self) = @_;
    my $out = "$self->{dir}/out";
    unlink $out;
    $self->{sim} = fork // die "fork: $!";
    if (!$self->{sim}) {
        open STDOUT, '>', $out or die $!;
        open STDERR, '>>', "$self->{dir}/err" or die $!;
        exec 'node', $MAIN, '--dir', $self->{dir}, '--port', 0,
            '--edge-url', "http://127.0.0.1:$self->{edge_port}",
            @{ $self->{options} };
        exit 127;
    }
    my $ready = until_true(20, sub {
        my $text = -e $out ? slurp($out) : '';
        return $text =~ m{ready: (http://\S+?)/ and} ? $1 : undef;
    }) or die 'the simulator did not start: ' . slurp("$self->{dir}/err");
    $self->{url} = $ready;
    $self->{http} = HTTP::Tiny->new(timeout => 10, keep_alive => 0);
    delete $self->{token};
}

sub stop {
    my ($self, $signal) = @_;
    my $pid = delete $self->{sim} or return;
    kill $signal // 'TERM', $pid;
    waitpid $pid, 0;
    return $?;
}

sub DESTROY {
    my ($self) = @_;
    return if $$ != $self->{owner};
    local $?;
    $self->stop;
    if (my $pid = delete $self->{edge}) {
        kill 'TERM', $pid;
        waitpid $pid, 0;
    }
}

# --- calls -------------------------------------------------------------------

# Returns (status, decoded body or text, headers).
sub call {
    my ($self, $method, $path, $body, %headers) = @_;
    my %args = (headers => \%headers);
    if (defined $body) {
        $args{content} = ref $body ? $json->encode($body) : $body;
        $headers{'content-type'} //= 'application/json';
    }
    my $r = $self->{http}->request($method, "$self->{url}$path", \%args);
    my $value = length $r->{content} < 5_000_000
        && eval { $json->decode($r->{content}) } || $r->{content};
    return ($r->{status}, $value, $r->{headers});
}

sub sim {
    my ($self, $method, $path, $body) = @_;
    my ($status, $value) = $self->call($method, "/sim/$path", $body);
    die "$method /sim/$path: $status: " . (ref $value
        ? $json->encode($value) : $value) if $status != 200;
    return $value;
}

# A call of the LINE API with a fresh access token.
sub line {
    my ($self, $method, $path, $body, %headers) = @_;
    $self->{token} //= $self->new_token;
    return $self->call($method, $path, $body,
        authorization => "Bearer $self->{token}", %headers);
}

sub new_token {
    my ($self) = @_;
    my ($status, $value) = $self->call('POST', '/oauth2/v3/token',
        "grant_type=client_credentials&client_id=$ID&client_secret=$SECRET",
        'content-type' => 'application/x-www-form-urlencoded');
    die "no token: $status" if $status != 200;
    return $value->{access_token};
}

sub friend {
    my ($self, %more) = @_;
    return $self->sim('POST', 'friends', { display_name => 'F', %more })
        ->{user_id};
}

# The same call n times, all written at once; returns {status => times}.
sub volley {
    my ($self, $n, $method, $path, $body) = @_;
    $self->{token} //= $self->new_token;
    my ($port) = $self->{url} =~ /:(\d+)$/;
    my $data = $json->encode($body);
    my $request = join "\r\n", "$method $path HTTP/1.1", 'Host: sim',
        "Authorization: Bearer $self->{token}",
        'Content-Type: application/json',
        'Content-Length: ' . length $data, '', $data;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
        or die "connect: $!";
    print $socket $request x $n;
    my ($got, %seen) = ('');
    until ((() = $got =~ m{HTTP/1\.1 \d+}g) >= $n) {
        sysread $socket, $got, 65536, length $got or last;
    }
    $seen{$1}++ while $got =~ m{HTTP/1\.1 (\d+)}g;
    return \%seen;
}

sub push_text {
    my ($self, $to, $text, %headers) = @_;
    return $self->line('POST', '/v2/bot/message/push',
        { to => $to, messages => [text($text)] }, %headers);
}

sub inbox {
    my ($self, $user_id) = @_;
    return $self->sim('GET', "friends/$user_id/inbox");
}

sub text { return { type => 'text', text => $_[0] } }

# Moves the sandbox clock to real time + this many seconds.
sub advance_to {
    my ($self, $offset_s) = @_;
    spew("$self->{dir}/clock", pack 'q<', $offset_s * 1000);
}

# --- the edge ----------------------------------------------------------------

# A status, or 'hang'.
sub edge_answers {
    my ($self, $what) = @_;
    spew("$self->{dir}/edge-answers.new", $what);
    rename "$self->{dir}/edge-answers.new", "$self->{dir}/edge-answers";
}

# What the edge was asked so far: method, path, headers, ok, and body.
sub edge_saw {
    my ($self) = @_;
    my $file = "$self->{dir}/edge.jsonl";
    return -e $file ? map { $json->decode($_) } split /\n/, slurp($file) : ();
}

sub last_event {
    my ($self) = @_;
    my ($last) = grep { $_->{method} eq 'POST' } reverse $self->edge_saw;
    return $last->{body}{events}[0];
}

sub start_edge {
    my ($self) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        Listen => 64, ReuseAddr => 1) or die "listen: $!";
    $self->{edge_port} = $listen->sockport;
    $self->{edge} = fork // die "fork: $!";
    return if $self->{edge};
    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = sub { require POSIX; POSIX::_exit(0) };
    my @held;
    while (1) {
        my $client = $listen->accept or next;
        my $request = read_request($client) or next;
        note_request($self->{dir}, $request);
        my $answer = slurp("$self->{dir}/edge-answers");
        if ($answer eq 'hang') {
            push @held, $client;
            next;
        }
        print $client edge_answer($request, $answer);
        close $client;
    }
}

sub read_request {
    my ($client) = @_;
    my $data = '';
    while ($data !~ /\r\n\r\n/) {
        sysread $client, $data, 65536, length $data or return;
    }
    my ($head, $body) = split /\r\n\r\n/, $data, 2;
    my ($first, @lines) = split /\r\n/, $head;
    my %headers = map { my ($n, $v) = split /:\s*/, $_, 2; (lc $n, $v) } @lines;
    my $length = $headers{'content-length'} // 0;
    while (length $body < $length) {
        sysread $client, $body, 65536, length $body or return;
    }
    my ($method, $path) = split / /, $first;
    return { method => $method, path => $path, headers => \%headers,
        raw => $body };
}

sub note_request {
    my ($dir, $request) = @_;
    my $raw = delete $request->{raw};
    my $mac = hmac_sha256_base64($raw, $SECRET);
    $mac .= '=' while length($mac) % 4;
    $request->{ok} = $mac eq ($request->{headers}{'x-line-signature'} // '')
        ? 1 : 0;
    $request->{body} = eval { $json->decode($raw) };
    open my $f, '>>', "$dir/edge.jsonl" or die $!;
    syswrite $f, $json->encode($request) . "\n";
    close $f;
}

sub edge_answer {
    my ($request, $status) = @_;
    my $more = '';
    if ($request->{path} =~ m{^/to/(\w+)}) {
        $status = 302;
        $more = 'Location: ' . ($1 eq 'outside'
            ? 'http://192.0.2.1/never' : "/landed/$1") . "\r\n";
    }
    return "HTTP/1.1 $status X\r\nContent-Length: 0\r\n$more"
        . "Connection: close\r\n\r\n";
}

# --- small things ------------------------------------------------------------

# Polls until the function answers something true, or the time is over.
sub until_true {
    my ($limit_s, $ask) = @_;
    my $end = time + $limit_s;
    while (1) {
        my $value = $ask->();
        return $value if $value || time > $end;
        usleep(5_000);
    }
}

sub slurp {
    open my $f, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return <$f> // '';
}

sub spew {
    my ($file, $data) = @_;
    open my $f, '>', $file or die "$file: $!";
    print $f $data;
    close $f or die "$file: $!";
}

1;
