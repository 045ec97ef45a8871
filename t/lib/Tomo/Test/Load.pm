package Tomo::Test::Load;

# A generator of webhooks with a journal of its own: each event's id is written
# down before it is sent and again once it was answered 200, so that the
# checker depends on no counter of the tested software. What stays unanswered
# (a reset, a killed worker) is sent again with the same id, as LINE does.

use strict;
use warnings;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();
use Tomo::Test ();

my $JSON = JSON::PP->new->utf8;

# start(port => N, users => [...], rate => per second, secret, destination,
#       name): a process of its own that runs until stop.
sub start {
    my ($class, %o) = @_;
    my $self = bless { %o, journal => Tomo::Test::temp_dir() . "/$o{name}.journal" }, $class;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $stop = 0;
        local $SIG{TERM} = sub { $stop = 1 };
        local $SIG{INT}  = sub { $stop = 1 };
        my $ok = eval { $self->_run(\$stop); 1 };
        print STDERR $@ if !$ok;
        POSIX::_exit($ok ? 0 : 1);
    }
    $self->{pid} = $pid;
    return $self;
}

sub _run {
    my ($self, $stop) = @_;
    open my $journal, '>:raw', $self->{journal} or die "$self->{journal}: $!\n";
    $journal->autoflush(1);
    my ($client, $n) = (undef, 0);
    my $next = Time::HiRes::time();
    while (!$$stop) {
        my $wait = $next - Time::HiRes::time();
        select undef, undef, undef, $wait if $wait > 0;
        $next += 1 / $self->{rate};
        $next = Time::HiRes::time() if $next < Time::HiRes::time() - 1;
        my $user = $self->{users}[ $n++ % @{ $self->{users} } ];
        my $text = "$self->{name}-$n";
        my $event = Tomo::Test::Webhook::event('message', $user,
            message => { type => 'text', id => $$ . $n, text => $text, quoteToken => 'q' });
        delete $event->{replyToken};
        my $id = $event->{webhookEventId};
        print {$journal} "S $id $user $text\n";
        until ($self->_once(\$client, $event, $journal)) {
            return if $$stop;
        }
        print {$journal} "A $id\n";
    }
    return;
}

# One attempt; true once it was answered 200.
sub _once {
    my ($self, $client, $event, $journal) = @_;
    my $body = $JSON->encode({ destination => $self->{destination}, events => [$event] });
    $$client //= eval { Tomo::Test::Http->connect($self->{port}) };
    my $r = $$client && eval {
        $$client->send(
            Tomo::Test::Http::format_request(
                'POST', '/line/webhook/demo',
                [
                    'Content-Type'     => 'application/json',
                    'x-line-signature' => Tomo::Test::Webhook::sign($body, $self->{secret})
                ],
                $body
            )
        ) && $$client->response;
    };
    if (!$r) {
        undef $$client;
        $event->{deliveryContext}{isRedelivery} = JSON::PP::true();
        select undef, undef, undef, 0.005;
        return 0;
    }
    undef $$client if lc($r->{headers}{connection} // '') eq 'close';
    print {$journal} "E $r->{status} $event->{webhookEventId}\n" if $r->{status} != 200;
    return $r->{status} == 200;
}

sub stop {
    my ($self) = @_;
    return if !$self->{pid};
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $self->{pid};
    return;
}

# ({ id => [user, text] } of what was answered 200, { id => … } of all that was
# ever sent, [other statuses])
sub read_journal {
    my ($self) = @_;
    my (%sent, %acked, @other);
    for (split /\n/, Tomo::Test::read_file($self->{journal})) {
        my @w = split / /;
        if    ($w[0] eq 'S') { $sent{ $w[1] } = [ @w[ 2, 3 ] ] }
        elsif ($w[0] eq 'A') { $acked{ $w[1] } = $sent{ $w[1] } }
        else                 { push @other, $w[1] }
    }
    return (\%acked, \%sent, \@other);
}


1;
