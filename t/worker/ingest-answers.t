#!/usr/bin/env perl

# What becomes of answers that the edge has taken: B40 (a forwarded link),
# B49 (sent twice, two tabs), B52 (a machine's).

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

my $in = Tomo::Test::Ingest->start;
$in->greeted($_) for 1, 2;
ok $in->settle, 'two friends';

sub name_of {
    my ($user) = @_;
    my $value = $in->friend($user)->{ 'd:' . $in->no('field', 'real-name') };
    utf8::decode($value) if defined $value;
    return $value;
}

sub answers { return grep { $_->{kind} eq 'answer' } @{ $in->timeline($_[0]) } }

my @usual = ('q.birth' => '1990-02-28', 'q.sex' => 'female');

# --- B40: whoever holds the link answers for the friend it was made for ------
$in->answer(1, 'profile', 'q.name' => '花', @usual);
ok $in->settle, 'B40: answered by link';
is name_of(1), '花', 'B40: the answer is the link\'s friend\'s';
is name_of(2), undef, 'B40: and nobody else\'s';
$in->answer(1, 'profile', 'q.name' => '偽', check => $in->check(2), @usual);
ok $in->settle, 'B40: a link whose check is another person\'s';
is name_of(1), '花', 'B40: changes nobody';
is $in->quarantine->[-1][1]{why}, 'answer_anonymous', 'B40: and is kept for a person to look at';

# --- B49: once per nonce; another tab has another --------------------------------
my $before = answers(1);
$in->answer(1, 'profile', nonce => 'n' x 22, 'q.name' => '一', @usual) for 1 .. 5;
ok $in->settle, 'B49: sent five times';
is scalar(answers(1)) - $before, 1, 'B49: one answer';
$in->answer(1, 'profile', nonce => 'm' x 22, 'q.name' => '二', @usual);
ok $in->settle, 'B49: from a second tab';
is scalar(answers(1)) - $before, 2, 'B49: is an answer of its own';

# --- B52: what no person does -------------------------------------------------------
$before = answers(2);
my $aside = @{ $in->quarantine };
$in->answer(2, 'profile', trap => 1, 'q.name' => '罠', @usual);
$in->answer(2, 'profile', flood => 1, 'q.name' => '洪水', @usual);
ok $in->settle, 'B52: the trap, and one of too many';
is scalar(answers(2)), $before, 'B52: neither is an answer';
is name_of(2), undef, 'B52: neither changes the friend';
is_deeply [ map { $_->[1]{why} } @{ $in->quarantine }[ $aside .. $aside + 1 ] ],
    [qw(answer_trapped answer_flood)], 'B52: both are set aside, with the reason';
$in->answer(2, 'profile', quick => 1, 'q.name' => '速い', @usual);
ok $in->settle, 'B52: within 200 ms of its page';
is name_of(2), '速い', 'B52: is taken';
my ($row) = answers(2);
ok grep({ $_ eq 'quick' } Tomo::Test::Ingest::values_of($row, 'why')), 'B52: and told';

done_testing;
