#!/usr/bin/env perl
# Whatever LINE answers, or whoever answers in its place (B87-B90, B92-B97):
# the status decides, what is unknown is asked again with the same key, and a
# message is accepted once. B91 is in dispatch-limits.t.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();
use Tomo::Test::Liar ();

my $d    = Tomo::Test::Dispatch->new(friends => 1);
my $liar = Tomo::Test::Liar->start(sim => $d->sim);
my $worker = $d->start(ini => { line => { unix_socket => $liar->line_socket } });
my $friend = 100;

# Each lie to a friend of its own, so that none waits for another.
sub lie {
    my ($lie, %more) = @_;
    return [$lie, $d->row(via => 'push', friend => $friend++, to => $d->user(1),
        key => Tomo::Test::Dispatch::uuid("lie $lie"), due => now_ms(),
        body => Tomo::Test::Dispatch::messages($lie), %more)];
}

sub lie_in_reply {
    my ($lie) = @_;
    return [$lie, $d->row(via => 'reply', friend => $friend++, to => $d->user(1),
        token => "token of $lie", token_at => now_ms(),
        body => Tomo::Test::Dispatch::messages($lie)), 1];
}

# The verdict on it; the requests that it took.
sub told {
    my ($told, $seconds) = @_;
    my ($lie, $id, $reply) = @$told;
    my $v = $d->verdict($id, $seconds // 20);
    my $path = '/v2/bot/message/' . ($reply ? 'reply' : 'push');
    return ($v, [grep { $_->{path} eq $path } @{ $liar->requests($lie) }]);
}

sub keys_of { my %k = map { ($_->{retry_key} => 1) } @{ $_[0] }; return scalar keys %k }

# What waits for a time limit is asked first and looked at last.
my @slow = map { lie("lie:$_") } qw(endless silent_body hang);
my @slow_reply = lie_in_reply('lie:hang');

# --- B87: a body that is none ---------------------------------------------
my @afters = (0, -1, 'soon', '99999999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT');
my %later  = map { ($_ => lie("lie:later=$_")) } @afters;
my $away   = 'https://elsewhere.example/take';
my %away   = map { ($_ => lie("lie:away=$_ $away")) } 301, 302, 303, 307, 308;

for my $lie (qw(empty html nul truncated)) {
    my ($v, $requests) = told(lie("lie:$lie"));
    is $v->{send}, 'accepted', "B87: 200 with $lie: the status decides";
    is @$requests, 1, "B87: 200 with $lie: asked once";
}

# --- B88: ids ---------------------------------------------------------------
my ($v, $requests) = told(lie('lie:number'));
is_deeply $v->{sent}, ['461230966842064897'], 'B88: an id that is a number beyond 2^53';
($v) = told(lie('no lie'));
is_deeply $v->{sent}, ['461230966842064897'], 'B88: an id that is a string';
($v) = told(lie('lie:odd_ids'));
is $v->{send}, 'accepted', 'B88: ids that are none: accepted';
is_deeply $v->{sent}, ['77'], 'B88: the one that is an id is kept';

# --- B89: 409 ---------------------------------------------------------------
($v, $requests) = told(lie('lie:conflict=told'));
is $v->{send}, 'accepted', 'B89: 409 to a first attempt: accepted';
is $v->{attempts}, 1, 'B89: and asked once';
is $v->{request}, 'the-first', 'B89: under the id of the accepted request';
is_deeply $v->{sent}, ['461230966842064897'], 'B89: with its messages';
($v) = told(lie('lie:conflict=bare'));
is $v->{send}, 'accepted', 'B89: 409 without ids or body: accepted';
is_deeply $v->{sent}, [], 'B89: no ids then';

# --- B90: Retry-After is not LINE's -------------------------------------------
for my $after (@afters) {
    ($v, $requests) = told($later{$after});
    is $v->{send}, 'accepted', "B90: 429, Retry-After $after: accepted in the end";
    is @$requests, 2, "B90: 429, Retry-After $after: by the second attempt";
    my $waited = $requests->[1]{at} - $requests->[0]{at};
    cmp_ok $waited, '>=', 990, "B90: 429, Retry-After $after: after a second";
}

# --- B92: refusals are final --------------------------------------------------
for my $status (400, 403, 404, 410, 413, 415) {
    ($v, $requests) = told(lie("lie:status=$status"));
    is $v->{send}, 'refused', "B92: $status: refused";
    is $v->{status}, $status, "B92: $status: which is told";
    is $v->{message}, 'no', "B92: $status: with LINE's text";
    is @$requests, 1, "B92: $status: asked once";
}

# --- B94: redirects -------------------------------------------------------------
for my $status (sort keys %away) {
    ($v, $requests) = told($away{$status});
    is $v->{send}, 'accepted', "B94: $status: tried again where it belongs";
    is_deeply [map { $_->{path} } @$requests], [('/v2/bot/message/push') x 2],
        "B94: $status: and only there";
}
is scalar(grep { $_->{path} =~ /take/ } @{ $liar->requests }), 0, 'B94: nobody went elsewhere';

# --- B93: unknown outcomes ------------------------------------------------------
for my $lie (qw(reset alert cut goaway goaway_zero vanish)) {
    ($v, $requests) = told(lie("lie:$lie"));
    is $v->{send}, 'accepted', "B93: $lie after the request was taken: accepted";
    is $v->{status}, 409, "B93: $lie: LINE knows the key";
    cmp_ok scalar @$requests, '>=', 2, "B93: $lie: asked again";
    is keys_of($requests), 1, "B93: $lie: with the same key";

    my $reply = lie_in_reply("lie:$lie");
    ($v, $requests) = told($reply);
    is $v->{send}, 'probably', "B93: a reply, $lie: 400 on the repeat is no refusal";
    is @$requests, 2, "B93: a reply, $lie: asked twice, never behind our back (T44)";
}
($v, $requests) = told(lie('lie:refused'));
is $v->{send}, 'accepted', 'B93: a stream refused unread: accepted';
is keys_of($requests), 1, 'B93: with one key';

for my $how (qw(close alert)) {
    $liar->mode($how);
    my $cut = lie("lie:cut=$how");
    ok wait_for(sub { $liar->failed($how) >= 2 }, 'connections', 20), "B93: $how: is met";
    my $first = lie("first by $how");
    my $reply = lie_in_reply("reply by $how");
    my $n = $liar->failed($how);
    wait_for(sub { $liar->failed($how) > $n + 1 }, 'more connections', 20);
    $liar->mode(undef);
    is +(told($_))[0]{send}, 'accepted', "B93: $how while connecting: $_->[0] is accepted"
        for $cut, $first, $reply;
}

# --- B95: profiles ----------------------------------------------------------------
my %profile;
for my $which (qw(b1 b2 b3 b4 b5 b6 b7 b8 b9 ba)) {
    my $row = $d->row(via => 'profile', friend => $friend++, to => 'U' . '0' x 30 . $which);
    $profile{$which} = $d->verdict($row);
    is $profile{$which}{send}, 'accepted', "B95: profile $which is settled";
}
is $profile{b1}{name}, undef, 'B95: a name that is null: none';
is length($profile{b2}{name}), 399, 'B95: a name of 10 KB is cut between characters';
is $profile{b3}{name}, 'Annagnp.exe B o b', 'B95: control and direction marks are left out';
is $profile{b4}{picture}, undef, 'B95: a picture by javascript: is dropped';
is $profile{b5}{picture}, undef, 'B95: a picture with a direction mark is dropped';
is $profile{b6}{picture}, undef, 'B95: a picture with too long a URL is dropped';
is $profile{b7}{name}, undef, 'B95: a name that is an object: none';
is $profile{b8}{name}, undef, 'B95: two names: none';
is $profile{b9}{name}, undef, 'B95: an array: none';
is $profile{ba}{picture}, 'https://a.example/p', 'B95: a good picture is kept';

# --- B97: headers -----------------------------------------------------------------
($v, $requests) = told(lie('lie:headers'));
is $v->{send}, 'accepted', 'B97: 1 MB of headers: accepted';
is keys_of($requests), 1, 'B97: with one key';
($v) = told(lie('lie:ids_twice'));
like $v->{request}, qr/^(?:first|second)$/, 'B97: two request ids: one is kept';
($v) = told(lie('lie:id_odd'));
is length $v->{request}, 64, 'B97: a request id of 9 KB is cut';
($v) = told(lie('lie:date'));
is $v->{send}, 'accepted', 'B97: a date that is none: accepted';
($v) = told(lie('lie:early'));
is $v->{status}, 200, 'B97: an early hint is no answer';

# --- what needed its time -----------------------------------------------------------
for my $told (@slow[0, 1]) {
    ($v, $requests) = told($told, 30);
    is $v->{send}, 'accepted', "B87: $told->[0]: the status decides";
    is @$requests, 1, "B87: $told->[0]: asked once";
}
($v, $requests) = told($slow[2], 30);
is $v->{status}, 409, 'B93: no answer at all: the same key again';
is keys_of($requests), 1, 'B93: and no other';
($v, $requests) = told($slow_reply[0], 30);
is $v->{send}, 'probably', 'B93: a reply without an answer: probably';
is @$requests, 2, 'B93: it was asked twice';

my %bearer = map { ($_->{authorization} => 1) } grep { $_->{authorization} } @{ $liar->requests };
is_deeply [keys %bearer], ['Bearer liar-bearer'], 'one bearer throughout';
ok $worker->alive, 'the role has survived it all';

done_testing;
