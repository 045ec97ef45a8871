package Tomo::Test::Liar;

# A server in LINE's place that lies (t/lib/liar.mjs): each send names its lie
# in its text. It has the certificate of a simulator, and no memory but of what
# it accepted.

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Process';
use JSON::PP ();

my $COUNT = 0;

# start(sim => $sim): the simulator whose certificate it takes.
sub start {
    my ($class, %o) = @_;
    my $name = 'liar' . ++$COUNT;
    my $path = Tomo::Test::temp_dir() . "/$name";
    my $cert = "$o{sim}{folder}/sim/line";
    my $self = Tomo::Test::Process::start(
        $class,
        name    => $name,
        path    => $path,
        command => [
            '/usr/bin/env', 'node', Tomo::Test::top_dir() . '/t/lib/liar.mjs',
            "$path.sock", "$cert.crt", "$cert.key", "$path.jsonl"
        ],
    );
    return $self->ready_or_die(sub { $self->output =~ /liar ready/ });
}

sub line_socket { return "$_[0]{path}.sock" }

# Every call is answered by this redirect ("301 URL") from now on.
sub always {
    my ($self, $redirect) = @_;
    return Tomo::Test::write_file($self->line_socket . '.always', $redirect);
}

# All it ever heard, as text; how many connections that were.
sub text        { return Tomo::Test::read_file("$_[0]{path}.jsonl") }
sub connections { return scalar grep { exists $_->{connection} } $_[0]->_log }

# How connections fail from now on: hang, alert, close, mute; undef: they work.
sub mode {
    my ($self, $mode) = @_;
    my $path = $self->line_socket . '.mode';
    if (!defined $mode) {
        unlink $path;
        return;
    }
    Tomo::Test::write_file("$path.new", $mode);
    rename "$path.new", $path or die "$path: $!\n";
    return;
}

sub _log {
    my ($self) = @_;
    return map { JSON::PP::decode_json($_) }
        grep {/\}$/} split /\n/, Tomo::Test::read_file("$self->{path}.jsonl");
}

# Requests so far, oldest first; only those with $text as first message if given.
sub requests {
    my ($self, $text) = @_;
    return [grep { $_->{path} && (!defined $text || ($_->{text} // '') eq $text) } $self->_log];
}

# How many connections failed by that mode.
sub failed {
    my ($self, $mode) = @_;
    return scalar grep { ($_->{mode} // '') eq $mode } $self->_log;
}

1;
