package Tomo::Test::Http;

# An HTTP/1.1 client that sends exactly the bytes it is told to. Targets are a
# port on 127.0.0.1 or the path of a unix socket.
#
#   my $r = http_get($port, '/x', Host => 'a');         one connection each
#   my $r = http_post($port, '/x', $body, 'X-A' => 1, 'X-A' => 2);
#   my $c = Tomo::Test::Http->connect($port);           keepalive, part by part
#   $c->send("GET / HTT"); $c->send("P/1.1\r\nHost: a\r\n\r\n");
#   my $r = $c->response;
#
# A response is { status, reason, version, body, headers => { lower case name =>
# last value }, list => [[name, value], ...] }; undef if none came.

use strict;
use warnings;
use IO::Select ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use Socket qw(SOCK_STREAM SOL_SOCKET SO_LINGER);
use Time::HiRes ();

sub connect {
    my ($class, $target, %o) = @_;
    my $sock = $target =~ m{/}
        ? IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $target)
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target, Proto => 'tcp');
    return if !$sock;
    binmode $sock;
    return bless { sock => $sock, buffer => '', seconds => $o{seconds} // 10 }, $class;
}

# Sends all bytes; false if the other side closed.
sub send {
    my ($self, $bytes) = @_;
    utf8::encode($bytes) if utf8::is_utf8($bytes);
    while (length $bytes) {
        my $n = syswrite $self->{sock}, $bytes;
        return 0 if !$n;
        substr $bytes, 0, $n, '';
    }
    return 1;
}

# format_request('POST', '/x', [Host => 'a', ...], $body); Host and
# Content-Length are added unless given.
sub format_request {
    my ($method, $path, $headers, $body) = @_;
    if (defined $body && utf8::is_utf8($body)) {
        utf8::encode($body);
    }
    my @list = @$headers;
    my %has  = map { $_ % 2 ? () : (lc $list[$_] => 1) } 0 .. $#list;
    unshift @list, Host => '127.0.0.1' if !$has{host};
    push @list, 'Content-Length' => length $body
        if defined $body && !$has{'content-length'} && !$has{'transfer-encoding'};
    my $out = "$method $path HTTP/1.1\r\n";
    while (my ($name, $value) = splice @list, 0, 2) {
        $out .= "$name: $value\r\n" if defined $value;
    }
    return "$out\r\n" . ($body // '');
}

# One request on this connection; the response.
sub ask {
    my ($self, $method, $path, $headers, $body) = @_;
    $self->send(format_request($method, $path, $headers || [], $body));
    return $self->response($method eq 'HEAD');
}

sub _fill {
    my ($self, $end) = @_;
    my $left = $end - Time::HiRes::time();
    return 0 if $left <= 0 || !IO::Select->new($self->{sock})->can_read($left);
    my $n = sysread $self->{sock}, $self->{buffer}, 65536, length $self->{buffer};
    return $n ? 1 : 0;
}

sub response {
    my ($self, $no_body) = @_;
    my $end = Time::HiRes::time() + $self->{seconds} * Tomo::Test::slow();
    while ($self->{buffer} !~ /\r?\n\r?\n/) {
        $self->_fill($end) or return;
    }
    $self->{buffer} =~ s/^(.*?)\r?\n\r?\n//s;
    my ($first, @lines) = split /\r?\n/, $1;
    my ($version, $status, $reason) = $first =~ m{^HTTP/(\S+) (\d{3}) ?(.*)$} or return;
    my @list = map { /^([^:]+):\s*(.*)$/ ? [$1, $2] : () } @lines;
    my %r = (
        version => $version,
        status  => $status,
        reason  => $reason,
        list    => \@list,
        headers => { map { lc($_->[0]) => $_->[1] } @list },
    );
    return $self->response($no_body) if $status == 100;
    $r{body} = $no_body || $status == 204 || $status == 304 ? '' : $self->_body(\%r, $end);
    return \%r;
}

sub _body {
    my ($self, $r, $end) = @_;
    my $h = $r->{headers};
    if (lc($h->{'transfer-encoding'} // '') eq 'chunked') {
        my $body = '';
        for (;;) {
            while ($self->{buffer} !~ /\n/) { $self->_fill($end) or return $body }
            $self->{buffer} =~ s/^([0-9a-fA-F]+)[^\n]*\n// or return $body;
            my $size = hex $1;
            while (length $self->{buffer} < $size + 2) { $self->_fill($end) or return $body }
            $body .= substr $self->{buffer}, 0, $size, '';
            substr $self->{buffer}, 0, 2, '';
            return $body if $size == 0;
        }
    }
    if (defined(my $size = $h->{'content-length'})) {
        while (length $self->{buffer} < $size) { $self->_fill($end) or last }
        return substr $self->{buffer}, 0, $size, '';
    }
    1 while $self->_fill($end);
    return substr $self->{buffer}, 0, length $self->{buffer}, '';
}

# True if the other side closed the connection within the time limit.
sub eof {
    my ($self, $seconds) = @_;
    my $end = Time::HiRes::time() + ($seconds // 5) * Tomo::Test::slow();
    while (Time::HiRes::time() < $end) {
        IO::Select->new($self->{sock})->can_read(0.01) or next;
        my $n = sysread $self->{sock}, my $bytes, 65536;
        return 1 if !$n;
        $self->{buffer} .= $bytes;
    }
    return 0;
}

sub close { return CORE::close($_[0]{sock}) }

# Ends the connection with a TCP reset.
sub reset {
    my ($self) = @_;
    setsockopt $self->{sock}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    return CORE::close($self->{sock});
}

# request($target, $method, $path, [headers], $body): a connection of its own.
sub request {
    my ($target, $method, $path, $headers, $body) = @_;
    my $client = __PACKAGE__->connect($target) or return;
    my $r = $client->ask($method, $path, [@{ $headers || [] }, Connection => 'close'], $body);
    $client->close;
    return $r;
}

sub get {
    my ($target, $path, @headers) = @_;
    return request($target, 'GET', $path, \@headers);
}

sub post {
    my ($target, $path, $body, @headers) = @_;
    return request($target, 'POST', $path, \@headers, $body);
}

1;
