package Tomo::Test::Ingest;

# A real Redis and a real worker with the ingest role alone, and the test as
# its edge and dispatch: entries are put into the streams in the forms of
# core/tomo_entry.h.

use strict;
use warnings;
use Digest::SHA ();
use JSON::PP ();
use Tomo::Test ();
use Tomo::Test::Files ();
use Tomo::Test::Redis ();
use Tomo::Test::Worker ();

my $WRITER = '00000000000000aa';

# start(definitions => FOLDER, env => {...}, ini => {...})
sub start {
    my ($class, %o) = @_;
    my $redis = Tomo::Test::Redis->start;
    my $self = bless { redis => $redis, seq => 0, ulid => 0 }, $class;
    $self->{worker} = Tomo::Test::Worker->start(
        redis   => $redis,
        role    => 'ingest',
        sandbox => 1,
        %o
    );
    return $self;
}

# now by the sandbox clock, ms
sub now { return Tomo::Test::now_ms() + ($_[0]{offset} // 0) }

sub redis  { return $_[0]{redis} }
sub worker { return $_[0]{worker} }
sub key    { return 'tomo:{' . ($_[0]{account} // 'demo') . "}:$_[1]" }

# --- entries ----------------------------------------------------------------

sub add {
    my ($self, $kind, $body, $lane, $at) = @_;
    my $seq = ++$self->{seq};
    return $self->redis->cmd('XADD', $self->key($lane // 'in'), '*', 'v', 1, 'k', $kind,
        't', $at // $self->now, 'o', "$WRITER-$seq", 'b', $body);
}

sub event_id {
    my ($self) = @_;
    return sprintf '01JTEST%019d', ++$self->{ulid};
}

sub user { return sprintf 'U%032x', $_[1] }

# event('follow', 7, replyToken => 'r'): what LINE sends, user 7
sub event {
    my ($self, $type, $user, %more) = @_;
    return {
        type            => $type,
        mode            => 'active',
        timestamp       => $self->now,
        source          => { type => 'user', userId => $self->user($user) },
        webhookEventId  => $self->event_id,
        deliveryContext => { isRedelivery => JSON::PP::false() },
        %more
    };
}

sub webhook {
    my ($self, @events) = @_;
    return $self->add('webhook', JSON::PP->new->canonical->utf8->encode(
        { destination => $self->{bot} // $Tomo::Test::Files::BOT_USER_ID, events => \@events }));
}

sub rec {
    my (@pairs) = @_;
    my @out;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        utf8::encode($value) if utf8::is_utf8($value);
        $value =~ s/([^A-Za-z0-9\-._~])/sprintf '%%%02X', ord $1/ge;
        push @out, "$name=$value";
    }
    return join '&', @out;
}

# one line of a record as [[name, value], ...] and, by name, the first of each
sub parse {
    my ($line) = @_;
    my (@all, %first);
    for my $pair (split /&/, $line // '') {
        my ($name, $value) = split /=/, $pair, 2;
        $value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
        push @all, [$name, $value];
        $first{$name} //= $value;
    }
    return { %first, '*' => \@all };
}

sub values_of { return map { $_->[1] } grep { $_->[0] eq $_[1] } @{ $_[0]{'*'} } }

# the verdict on a row [id, {fields}], as dispatch writes it
sub verdict {
    my ($self, $row, $send, %more) = @_;
    my $now = $self->now;
    my $via = $row->[1]{via};
    return $self->add('verdict', rec(
        row => $row->[0], key => $row->[1]{key} // '', via => $via, send => $send,
        status => 200, request => 'r', attempts => 1, first => $now, at => $now,
        friend => $row->[1]{friend}, %more), $via eq 'multicast' ? 'bulk' : 'in');
}

# what ties a token to a LINE user id (core/tomo_token.h); \'U…' for a whole id
sub check {
    my ($self, $user) = @_;
    my $key = Digest::SHA::hmac_sha256('token-check', "\xe5" x 32);
    my $uid = ref $user ? $$user : $self->user($user);
    return unpack 'N', "\0" . substr Digest::SHA::hmac_sha256($uid, $key), 0, 3;
}

# pairs of a record, the later of the same name in the place of the earlier
sub laid_over {
    my ($usual, @more) = @_;
    my @pairs = @$usual;
    while (my ($name, $value) = splice @more, 0, 2) {
        my ($i) = grep { $_ % 2 == 0 && $pairs[$_] eq $name && $name !~ /^q\./ } 0 .. $#pairs;
        if (defined $i) { $pairs[$i + 1] = $value } else { push @pairs, $name, $value }
    }
    return rec(@pairs);
}

sub click {
    my ($self, $user, $link, @more) = @_;
    return $self->add('click', laid_over([
        at => $self->now, link => $self->no('link', $link),
        friend => $self->serial($user) // 0, delivery => 1, day => 2500,
        check => $self->check($user), visit => 'human', ua => 'Line/15'], @more) . "\n");
}

# answer(7, 'profile', nonce => ..., 'q.name' => '花子')
sub answer {
    my ($self, $user, $survey, @more) = @_;
    return $self->add('answer', laid_over([
        at => $self->now, survey => $self->no('survey', $survey), rev => 1,
        friend => $self->serial($user) // 0, delivery => 1, day => 2500,
        check => $self->check($user), nonce => sprintf('%022d', ++$self->{nonce}),
        ua => 'Line/15'], @more));
}

# the sandbox clock, in s from now on
sub advance {
    my ($self, $s) = @_;
    $self->{offset} = ($self->{offset} // 0) + $s * 1000;
    Tomo::Test::Files::set_clock($self->{offset});
    return;
}

sub due {
    my ($self) = @_;
    return { @{ $self->redis->cmd('ZRANGE', $self->key('sched'), 0, -1, 'WITHSCORES') } };
}

sub command {
    my ($self, %command) = @_;
    my $id = $self->event_id;
    $self->add('command', JSON::PP->new->canonical->utf8->encode(
        { id => $id, actor => 'api:owner', %command }));
    my $answer;
    Tomo::Test::wait_for(sub {
        ($answer) = grep { $_->[1]{id} eq $id } @{ $self->redis->stream($self->key('result')) };
    }, "answer to $command{do}", 10) or return;
    return { status => $answer->[1]{status}, json => JSON::PP::decode_json($answer->[1]{body}) };
}

# --- what came of it --------------------------------------------------------

sub cursor { return $_[0]->redis->hash($_[0]->key('cursor')) }

# waits until everything put into the streams is decided
sub settle {
    my ($self, $seconds) = @_;
    return Tomo::Test::wait_for(sub {
        my $cursor = $self->cursor;
        for my $lane ('in', 'bulk') {
            my $last = $self->redis->cmd('XREVRANGE', $self->key($lane), '+', '-', 'COUNT', 1);
            next if !@$last;
            return 0 if ($cursor->{$lane} // '0-0') ne $last->[0][0];
        }
        return 1;
    }, 'all decided', $seconds // 10);
}

sub serial {
    my ($self, $user) = @_;
    my $uid = ref $user ? $$user : $self->user($user);
    return $self->redis->cmd('HGET', $self->key('uid:' . bucket($uid)), $uid);
}

# the N of the key `uid:N` that a user id stands in: CRC32C, low 16 bits
sub bucket {
    my ($uid) = @_;
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $uid) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    }
    return ($crc ^ 0xffffffff) & 0xffff;
}

sub friend {
    my ($self, $user) = @_;
    my $serial = $self->serial($user) // return;
    return $self->redis->hash($self->key("f:$serial"));
}

sub timeline {
    my ($self, $user) = @_;
    my $serial = $self->serial($user) // return;
    return [map { parse($_) } @{ $self->redis->cmd('LRANGE', $self->key("tl:$serial"), 0, -1) }];
}

sub out        { return $_[0]->redis->stream($_[0]->key('out')) }
sub quarantine { return $_[0]->redis->stream($_[0]->key('quarantine')) }

sub rows {
    my ($self, $via) = @_;
    return grep { $_->[1]{via} eq $via } @{ $self->out };
}

sub wait_rows {
    my ($self, $via, $n, $seconds) = @_;
    Tomo::Test::wait_for(sub { $n <= (() = $self->rows($via)) }, "$n rows $via", $seconds // 5);
    return $self->rows($via);
}

# numbers of definitions: no('tag', 'vip')
sub no {
    my ($self, $kind, $id) = @_;
    my $text = $self->redis->cmd('HGET', $self->key('defs'), "$kind/$id") // return;
    return JSON::PP::decode_json($text)->{no};
}

# tag ids of a friend, sorted
sub tags {
    my ($self, $user) = @_;
    my %name;
    my $defs = $self->redis->hash($self->key('defs'));
    for my $field (keys %$defs) {
        $name{ JSON::PP::decode_json($defs->{$field})->{no} } = $1 if $field =~ m{^tag/(.*)};
    }
    return join ' ', sort map { $name{$_} } split /,/, $self->friend($user)->{tags} // '';
}

# a following friend with a name, as after the greeting
sub greeted {
    my ($self, $user, $name) = @_;
    $self->webhook($self->event('follow', $user, replyToken => "reply$user",
        follow => { isUnblocked => JSON::PP::false() }));
    my ($profile);
    Tomo::Test::wait_for(sub {
        my $serial = $self->serial($user);
        ($profile) = grep { $serial && $_->[1]{friend} == $serial } $self->rows('profile');
    }, "profile row of $user", 5) or return;
    $self->verdict($profile, 'accepted', name => $name // "friend$user", language => 'ja');
    return $self->settle;
}

1;
