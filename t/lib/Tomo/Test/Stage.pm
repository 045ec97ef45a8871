package Tomo::Test::Stage;

# What most promises of the edge are proved on: a Redis, an edge that knows one
# link and one survey, and numbered load against it.
#
#   my $stage = Tomo::Test::Stage->start(edge => { workers => 2 });
#   my $load  = $stage->load(webhooks => 500, events => 3, clicks => 1000);
#   my $seen  = $load->stop;
#   my $found = $stage->drained;                # read_stream, once all is shipped
#   is $stage->missing($seen, $found), 0, 'nothing acknowledged is missing';

use strict;
use warnings;
use Tomo::Test ();
use Tomo::Test::Feed ();
use Tomo::Test::Generator;
use Tomo::Test::Promise ();
use Tomo::Test::Stream ();
use Tomo::Test::Token ();
use Tomo::Test::Webhook ();
use Time::HiRes ();

our $URL = 'https://shop.example/catalog';

# the compiled form of docs/formats.md 10
our $FORM = "survey no=3&rev=1&id=profile&open=1&title=T&submit=OK&thanks=Thanks\n"
    . "q id=name&kind=text&label=Name&required=1&max=40\n";

# start(edge => {for Nginx}, redis => {for Redis} or an object, alone => 1: the
# edge's Redis is an address where nobody answers; its table is a snapshot's)
sub start {
    my ($class, %o) = @_;
    my %feed = (version => 1, links => { 1 => $URL }, surveys => { 3 => $FORM });
    my $self = bless { feed => \%feed }, $class;
    if ($o{alone}) {
        require Tomo::Test::Snapshot;
        $self->{edge} = Tomo::Test::Nginx->new(redis => '/nowhere.sock', %{ $o{edge} || {} });
        Tomo::Test::Snapshot::write_snapshot($self->{edge},
            { id => 'demo', number => 1, secrets => [$Tomo::Test::Files::CHANNEL_SECRET],
                %{ $self->{feed} } });
        $self->{edge}->launch;
        return $self;
    }
    my $redis = $self->{redis} =
        ref $o{redis} eq 'HASH' || !$o{redis}
        ? Tomo::Test::Redis->start(%{ $o{redis} || {} })
        : $o{redis};
    Tomo::Test::Feed::publish($redis, $self->{feed});
    $self->{edge} = Tomo::Test::Nginx->start(redis => $redis, %{ $o{edge} || {} });
    Tomo::Test::Feed::wait_served($redis, 1) or die "the edge does not serve its feed\n";
    return $self;
}

sub edge  { return $_[0]{edge} }
sub redis { return $_[0]{redis} }

# Tokens of n friends: links and surveys.
sub tokens {
    my ($self, $n) = @_;
    return Tomo::Test::Feed::tokens(map { { link => 1, friend => $_ } } 1 .. $n);
}

sub forms {
    my ($self, $n) = @_;
    return Tomo::Test::Feed::tokens(map { { kind => 2, link => 3, friend => $_ } } 1 .. $n);
}

# load(webhooks => rate, clicks => rate, answers => rate, …): see Generator
sub load {
    my ($self, %o) = @_;
    return Tomo::Test::Generator->start(
        port   => $self->edge->port,
        users  => [ map { Tomo::Test::Webhook::user_id($_) } 1 .. ($o{friends} // 100) ],
        tokens => $o{clicks}  ? [ $self->tokens(20) ] : [],
        forms  => $o{answers} ? [ $self->forms(20) ]  : [],
        fields => 'q.name=n%N',
        %o,
    );
}

# More webhooks are acknowledged from now on: true.
sub serves_on {
    my ($self, $load, $more, $seconds) = @_;
    my $n = $load->acknowledged('webhook');
    return Tomo::Test::wait_for(sub { $load->acknowledged('webhook') > $n + $more },
        "$more webhooks more", $seconds);
}

# The stream once everything is shipped; undef if it does not come to that. Taps
# lie in memory for a moment, and a dead writer's folder is found after a second:
# with what the generator saw it is read until nothing is missing, or time is
# up; without, until it stands still.
sub drained {
    my ($self, $seconds, $seen) = @_;
    $seconds //= 30;
    Tomo::Test::Status::wait_shipped($self->edge, $seconds) or return;
    my ($found, $before, $since) = (undef, -1, 0);
    Tomo::Test::wait_for(
        sub {
            my $n   = $self->redis->cmd('XLEN', 'tomo:{demo}:in');
            my $now = Time::HiRes::time();
            ($before, $since) = ($n, $now) if $n != $before;
            return 0 if $now < $since + 0.3;
            $since = $now;
            $found = Tomo::Test::Stream::read_stream($self->redis);
            return !$seen || !grep { $self->missing($seen, $found, $_) } keys %$seen;
        },
        'all that was acknowledged is in the stream', $seconds
    );
    return $found;
}

my %KEPT = (webhook => 'ids', click => 'clicks', answer => 'answers');

# How many that were answered well are not in the stream; with a kind, of that.
sub missing {
    my ($self, $seen, $found, $kind) = @_;
    my $n = 0;
    for my $k ($kind // grep { $_ ne 'click' } keys %$seen) {
        $n += grep { !$found->{ $KEPT{$k} }{$_} } keys %{ $seen->{$k}{acked} };
    }
    return $n;
}

# Answers that are not what they should be, by kind and status. In the short
# form a disk that stood still for a second does not count: the machine that
# runs all tests at once has such moments, and 503 is what they call for.
sub _refused {
    my ($seen) = @_;
    my %n;
    for my $k (sort keys %$seen) {
        my %status = %{ $seen->{$k}{status} };
        $status{503} -= $seen->{$k}{stalled} if $status{503} && !Tomo::Test::Promise::full();
        $n{"$k $_"} = $status{$_} for grep { $status{$_} } keys %status;
    }
    return \%n;
}

# How many; and "webhook 503: 12; click 0: 1".
sub refused {
    my ($self, $seen) = @_;
    my $n = 0;
    $n += $_ for values %{ _refused($seen) };
    return $n;
}

sub refusals {
    my ($self, $seen) = @_;
    my $n = _refused($seen);
    return join('; ', map {"$_: $n->{$_}"} sort keys %$n) || 'none';
}

# L1 of the promises, as a share: 1 is 500 webhooks of 3 events, 1,000 clicks
# and 50 survey posts a second.
sub l1 {
    my ($share) = @_;
    return (webhooks => 500 * $share, events => 3, clicks => 1000 * $share,
        answers => 50 * $share);
}

1;
