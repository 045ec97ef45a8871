#!/usr/bin/perl

# The demo account's whole journey through the sandbox's HTTP calls alone:
# what somebody sees who tries Tomo. Texts, hours and targets are read from the
# definitions, so that nothing here (or in the code) knows the demo by heart.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Sandbox;
use Tomo::Test::Survey;
use Tomo::Test::Webhook;
use JSON::PP ();

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $box  = Tomo::Test::Sandbox->start;
my $JST  = 9 * 3_600_000;
my $DAY  = 86_400_000;

# text of every bubble of a delivery
sub texts { return map { $_->{text} // '' } @{ $_[0]{messages} } }

# the rendered form of a template: inserts stand for anything
sub pattern {
    my ($text) = @_;
    my $p = join '.+?', map { quotemeta } split /\{\{(?!\{).*?\}\}/, $text, -1;
    return qr/\A$p\z/s;
}

# does the delivery show exactly these message templates, in order?
sub shows {
    my ($delivery, $messages) = @_;
    my @have = texts($delivery);
    return 0 if @have != @$messages;
    return !grep { $have[$_] !~ pattern($messages->[$_]{text}) } 0 .. $#have;
}

sub link_in {
    my ($delivery, $kind) = @_;
    my ($url) = join("\n", texts($delivery)) =~ m{(http://\S+/$kind/[A-Za-z0-9_-]{39})};
    return $url;
}

sub path_of { return $_[0] =~ m{^http://127\.0\.0\.1:\d+(/.*)} ? $1 : '' }

sub inbox_of {
    my ($user, $n) = @_;
    wait_for(sub { @{ $box->inbox($user) } >= $n }, "$n deliveries", 10);
    return $box->inbox($user);
}

# local day $n after the follow at $at_ms, at HH:MM in Japan
sub local_ms {
    my ($at_ms, $n, $hhmm) = @_;
    my ($h, $m) = split /:/, $hhmm;
    return int(($at_ms + $JST) / $DAY) * $DAY - $JST + $n * $DAY + ($h * 60 + $m) * 60_000;
}

my $scenario = $box->definition('scenario', 'welcome');
my $catalog  = $box->definition('link',     'catalog');
my $survey   = $box->definition('survey',   'profile');
my ($hello, $day1, $day3) = @{ $scenario->{steps} };

# --- three people add the account -------------------------------------------

my $followed = $box->now_ms;
my %user = map { $_ => $box->add_friend($_) } qw(さくら 健太 みどり);

for my $name (sort keys %user) {
    my $inbox = inbox_of($user{$name}, 1);
    is @$inbox, 1, "$name: one delivery";
    is $inbox->[0]{via}, 'reply', "$name: greeted by a free reply";
    ok shows($inbox->[0], $hello->{messages}), "$name: with the greeting's text";
    like +(texts($inbox->[0]))[0], qr/\Q$name\E/, "$name: by the right name";
    is $box->friend($user{$name})->{display_name}, $name, "$name: the record has the name";
    is $box->friend($user{$name})->{status}, 'following', "$name: follows";
}

my %url    = map { $_ => link_in($box->inbox($user{$_})->[0], 'r') } keys %user;
my %survey = map { $_ => link_in($box->inbox($user{$_})->[0], 's') } keys %user;
isnt $url{'さくら'}, $url{'健太'}, 'tracked URLs are personal';

# --- さくら taps the link ----------------------------------------------------

my $r = http_get($box->port, path_of($url{'さくら'}), 'User-Agent' => 'Mozilla/5.0 Line/15.12.1');
is $r->{status}, 302, 'the tracked URL redirects';
is $r->{headers}{location}, $catalog->{url}, '... to its stored target';
ok wait_for(sub { grep { $_ eq 'saw-catalog' } @{ $box->friend($user{'さくら'})->{tags} } },
    'the tag', 1), 'the tag is there within a second';
is_deeply $box->friend($user{'健太'})->{tags}, [], 'nobody else got it, previews count for nothing';

# --- みどり answers the survey, without script, and sends it twice -----------

my $form = Tomo::Test::Survey->open($box->port, path_of($survey{'みどり'}));
my %answer;
my @interests;
for my $q (@{ $survey->{questions} }) {
    my $value =
          $q->{type} eq 'date'                  ? '1988-11-03'
        : $q->{type} eq 'multi'                 ? [ map { $_->{id} } @{ $q->{options} }[ 0, 1 ] ]
        : $q->{type} =~ /^(?:single|select)$/   ? $q->{options}[0]{id}
        : $q->{type} eq 'long_text'             ? "豆の挽き方も\n知りたいです <b>"
        :                                         '山田 みどり';
    $form->fill($q->{id}, $value);
    $answer{ $q->{id} } = $value;
    @interests = @{ $q->{options} }[ 0, 1 ] if $q->{type} eq 'multi';
}
$r = $form->post;
is $r->{status}, 303, 'the survey is taken with a redirect to the thanks';
is http_get($box->port, path_of("http://127.0.0.1:0$r->{headers}{location}"))->{status}, 200,
    'the thanks page shows';
is $form->post->{status}, 303, 'a double post is answered alike';

my $fields = wait_for(
    sub { my $f = $box->friend($user{'みどり'})->{fields}; return keys %$f ? $f : undef },
    'the fields', 5
);
for my $q (grep { $_->{field} } @{ $survey->{questions} }) {
    is_deeply $fields->{ $q->{field} }, $answer{ $q->{id} }, "field $q->{field} has the answer";
}
my @want = map { map { $_->{tag} } grep { $_->{do} eq 'tag.add' } @{ $_->{actions} } } @interests;
is_deeply [ sort @{ $box->friend($user{'みどり'})->{tags} } ], [ sort @want ],
    'one tag per interest';

# --- day 1, 10:01 -----------------------------------------------------------

$r = $box->advance_to(local_ms($followed, 1, '10:01'));
is $r->{status}, 200, 'the clock moves to day 1, 10:01';
is $r->{json}{zone}, 'Asia/Tokyo', 'in the account\'s zone';

my ($clicked, $other) = @{ $day1->{branches} };
for my $name (sort keys %user) {
    my $inbox = $box->inbox($user{$name});
    is @$inbox, 2, "$name: one more delivery and nothing else";
    my $branch = $name eq 'さくら' ? $clicked : $other;
    ok shows($inbox->[1], $branch->{messages}), "$name: the step that fits";
    my $late = $inbox->[1]{at} - local_ms($followed, 1, $day1->{at}{time});
    ok $late >= 0 && $late < 60_000, "$name: in its minute ($late ms)";
}

# --- day 3 ------------------------------------------------------------------

is $box->advance_to($followed + 3 * $DAY + 120_000)->{status}, 200, 'the clock moves to day 3';
is @{ $box->inbox($user{'みどり'}) }, 2, 'who answered gets no reminder';
for my $name (qw(さくら 健太)) {
    my $inbox = $box->inbox($user{$name});
    is @$inbox, 3, "$name: who did not answer gets one";
    ok shows($inbox->[2], $day3->{messages}), "$name: the reminder";
}

# --- why --------------------------------------------------------------------

for my $name (sort keys %user) {
    my @rows  = reverse @{ $box->timeline($user{$name}) };
    my @sends = grep { $_->{kind} eq 'send' } @rows;
    my $inbox = $box->inbox($user{$name});
    is @sends, @$inbox, "$name: a row of the timeline for each delivery";
    my ($follow) = grep { $_->{kind} eq 'follow' } @rows;
    ok $follow, "$name: the follow is there";
    for my $i (0 .. $#sends) {
        my @why = @{ $sends[$i]{why} };
        ok +(grep { index($_, $follow->{id}) >= 0 } @why), "$name: send $i comes from the follow";
        ok +(grep { /welcome/ } @why), "$name: by scenario welcome";
        ok +(grep { index($_, $scenario->{steps}[$i]{id}) >= 0 } @why), "$name: and its step";
    }
    my $answers = grep { $_->{kind} eq 'answer' } @rows;
    is $answers, $name eq 'みどり' ? 1 : 0, "$name: F1: an answer counts once";
}

# --- the scenario changes: another text, another hour, branches turned round --

my $changed = JSON::PP->new->decode(JSON::PP->new->encode($scenario));
$changed->{steps}[0]{messages}[0]{text} = '{{name|お客さま}}さん、新しいごあいさつです。 {{link:catalog}}';
$changed->{steps}[1]{at}{time} = '08:30';
my $branches = $changed->{steps}[1]{branches};
@$branches[ 0, 1 ] = (
    { %{ $branches->[0] }, messages => $other->{messages} },
    { %{ $branches->[1] }, messages => $clicked->{messages} }
);
$r = $box->api('PUT', '/accounts/demo/definitions/scenario/welcome', $changed);
is $r->{status}, 200, 'the changed scenario is taken';
is $r->{json}{revision}, $scenario->{revision} + 1, '... as the next revision';
is $box->api('PUT', '/accounts/demo/definitions/scenario/welcome', $changed)->{status}, 409,
    'a stale revision is refused';
my $broken = { %$changed, revision => $r->{json}{revision}, steps => [ { id => 'x' } ] };
$r = $box->api('PUT', '/accounts/demo/definitions/scenario/welcome', $broken);
is $r->{status}, 422, 'a broken one too';
like $r->{json}{error}{path}, qr{^/steps/0}, '... with the path of the fault';

$followed = $box->now_ms;
$user{$_} = $box->add_friend($_) for qw(りく あおい);
my $first = inbox_of($user{'りく'}, 1)->[0];
ok shows($first, $changed->{steps}[0]{messages}), 'the next friend gets the new greeting';
http_get($box->port, path_of(link_in($first, 'r')), 'User-Agent' => 'Mozilla/5.0');
ok wait_for(sub { @{ $box->friend($user{'りく'})->{tags} } }, 'the tag', 5), 'りく clicks';
inbox_of($user{'あおい'}, 1);
$box->advance_to(local_ms($followed, 1, '08:29'));
is @{ $box->inbox($user{'りく'}) }, 1, 'nothing before the new hour';
$box->advance_to(local_ms($followed, 1, '08:31'));
ok shows($box->inbox($user{'りく'})->[1],   $other->{messages}),   'turned round for who clicked';
ok shows($box->inbox($user{'あおい'})->[1], $clicked->{messages}), '... and for who did not';

# --- the end ----------------------------------------------------------------

my $state = $box->api('GET', '/accounts/demo/status')->{json};
is $state->{waiting}, 0, 'nothing waits';
is $state->{open},    0, 'nothing is open';
is $state->{quarantined}, 0, 'nothing was set aside';
my $status = http_get($box->port, '/tomo/status?format=json');
my $edge = JSON::PP::decode_json($status->{body});
is $edge->{received}, $edge->{shipped} + $edge->{waiting} + $edge->{quarantined},
    'the edge\'s counters balance';

# An old body comes again: it is answered, set aside and shown.
my ($secret, $bot) = map { read_file($box->dir . "/$_") =~ /(\S+)/ } qw(channel-secret bot-user-id);
my $old = Tomo::Test::Webhook::text_event($user{'さくら'}, 'from long ago');
$old->{timestamp} -= 400 * $DAY;
my $taken = Tomo::Test::Webhook::send_webhook($box->port,
    JSON::PP::encode_json({ destination => $bot, events => [$old] }), secret => $secret);
is $taken->{status}, 200, 'W9: an old body is taken';
my $aside = wait_for(sub { $box->api('GET', '/accounts/demo/quarantine')->{json}[0] },
    'W9: it is shown as set aside', 10);
is_deeply [ @$aside{qw(reason kind)} ], [qw(too_old message)], 'W9: with its reason and kind';
like $aside->{at}, qr/^\d{13}$/, '... when it came';
ok length $aside->{origin}, '... and from which edge';

my $id = $box->friend($user{'さくら'})->{id};
ok $box->stop, 'scripts/run stop';
is_deeply [ $box->processes ], [], '... leaves no process';
$box->launch;
is $box->friend($user{'さくら'})->{id}, $id, 'started again it still knows its friends';
is @{ $box->inbox($user{'さくら'}) }, 3, '... and sends nothing twice';

done_testing;
