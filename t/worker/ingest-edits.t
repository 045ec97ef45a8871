# What edits and missing values do to messages on their way: steps that change
# places while a friend walks, texts that come out empty or too long, inserts
# of fields, actions that send. RELIABILITY.md B24, B61, B62, B63; D1, D7.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Encode ();
use Tomo::Test;
use Tomo::Test::Ingest;

my $folder = temp_dir() . '/none';
mkdir $folder;
my $in = Tomo::Test::Ingest->start(definitions => $folder);

sub put {
    my ($kind, $id, %document) = @_;
    return $in->command(do => 'definition.put', kind => $kind, key => $id,
        document => { kind => $kind, id => $id, %document });
}

sub text { return { type => 'text', text => $_[0] } }

# texts of all rows ever written, oldest first, and of those since the last call
my $last = '-';

sub texts {
    my @rows = @{ $in->redis->cmd('XRANGE', $in->key('out'), $last, '+') };
    $last = "($rows[-1][0]" if @rows;
    return map {
        my %row = @{ $_->[1] };
        map { $_->{text} } @{ JSON::PP::decode_json($row{body} || '[]') };
    } @rows;
}

# --- steps change places ----------------------------------------------------

my %step = (
    a => { after => { minutes => 0 } }, b => { after => { days => 1 } },
    c => { after => { days => 2 } }, d => { after => { days => 3 } },
    late => { after => { hours => 1 } },
);

sub steps {
    return (name => 'r', start => [{ on => 'friend.added' }], steps => [map {
        { id => $_, %{ $step{$_} }, messages => [text("{{name|you}} $_")] }
    } @_]);
}

sub day {
    $in->advance(86_400);
    wait_for(sub { !$in->redis->cmd('ZCOUNT', $in->key('sched'), '-inf', $in->now) },
        'nothing is due', 20);
    $in->settle;
    return join ',', texts();
}

is put('scenario', 'r', steps(qw(a b c d)))->{status}, 200, 'a scenario of four steps';
$in->greeted(1, 'Hana');
is join(',', texts()), 'Hana a', 'the first step goes out';
is day(), 'Hana b', 'a day later the second';
is put('scenario', 'r', revision => 1, steps(qw(b a late c d)))->{status}, 200,
    'the two change places, another is put in behind them';
is day(), 'Hana late,Hana c', 'no step comes again; what is put in behind comes';
is put('scenario', 'r', revision => 2, steps(qw(d c a b)))->{status}, 200,
    'the last becomes the first';
is day(), 'Hana d', 'it still comes, and no other';
is day(), '', 'and that is the end';
is $in->redis->cmd('ZCARD', $in->key('sched')), 0, 'nothing is planned any more';
unlike $in->friend(1)->{'s:1'}, qr/past=/, 'a finished walk remembers no steps';

# --- texts without anything to read -----------------------------------------

is put('field', 'note', name => 'note', type => 'text')->{status}, 200, 'a field';
for my $case (
    ['{{name}}', '/steps/0/messages/0/text'], [" {{field:note}}\n{{name| }}",
        '/steps/0/messages/0/text'],
) {
    my $r = put('scenario', 'e', name => 'e', start => [{ on => 'friend.added' }],
        steps => [{ id => 'a', after => { minutes => 0 }, messages => [text($case->[0])] }]);
    is $r->{status}, 422, 'a text that may come out empty is refused';
    is $r->{json}{error}{path}, $case->[1], 'with its place';
}
is put('scenario', 'e', name => 'e', start => [{ on => 'friend.added' }], steps => [
    { id => 'a', after => { minutes => 0 }, messages => [text('{{name|{you}}}'), text('x')] },
])->{status}, 200, 'one with a fallback is taken';
$in->greeted(2, "\x{3000} ");
my @texts = texts();
is scalar(grep {/^\{you\}/} @texts), 1, 'a name of white space is no name: the fallback';
is scalar(grep { !/\S/ } @texts), 0, 'nothing empty is sent';

# --- inserts of fields --------------------------------------------------------

my $no = JSON::PP::false();
my @options = ({ id => 'red', label => "\x{8D64}" }, { id => 'blue', label => "\x{9752}" });
put('field', 'color', name => 'color', type => 'choice', options => \@options);
put('field', 'likes', name => 'likes', type => 'multi', options => \@options);
put('tag', 'go', name => 'go');
put('scenario', 'f', name => 'f', again => 'restart', start => [{ on => 'tag.added', id => 'go' }],
    steps => [{ id => 'a', after => { minutes => 0 }, messages => [
        text('<{{field:note|none}} {{field:color|none}} {{field:likes}}>')] }]);
my @go = map { { do => "tag.$_", tag => 'go' } } qw(remove add);
my %set = (note => 'a {{name}}', color => 'red', likes => "blue\nred\ngreen");
put('link', 'bare', name => 'x', url => 'https://example.com/', actions_once => $no,
    actions => \@go);
put('link', 'paint', name => 'x', url => 'https://example.com/', actions => [
    (map { { do => 'field.set', field => $_, value => $set{$_} } } sort keys %set), @go]);

sub shown {
    $in->click(2, $_[0]);
    $in->settle;
    return join ',', grep {/^</} texts();
}

is shown('bare'), '<none none >', 'without a value the fallback stands, or nothing';
is shown('paint'), "<a {{name}} \x{8D64} \x{9752}\x{3001}\x{8D64}\x{3001}green>",
    'a value stands as it is, a choice by its label';
is put('field', 'color', revision => 1, name => 'color', type => 'choice',
    options => [$options[1]])->{status}, 200, 'an option is taken away';
is shown('bare'), "<a {{name}} red \x{9752}\x{3001}\x{8D64}\x{3001}green>",
    'who chose it keeps it, by its id';

# --- sends and scenarios by an action, to friends as they are -------------------

put('scenario', 'g', name => 'g', again => 'restart',
    start => [{ on => 'tag.added', id => 'go' }],
    steps => [{ id => 'a', after => { days => 1 }, messages => [text('tomorrow')] }]);
put('link', 'stop', name => 'x', url => 'https://example.com/',
    actions => [{ do => 'scenario.stop', scenario => 'g' }]);
put('link', 'send', name => 'x', url => 'https://example.com/', actions_once => $no,
    actions => [{ do => 'send', messages => [text('thank you')] },
        { do => 'scenario.start', scenario => 'g' }]);
my $timer = $in->serial(2) . ':s:' . $in->no('scenario', 'g');

# what the newest row of friend 2 tells of effects of these names
sub effects {
    my ($names) = @_;
    return join ',', map { /^($names)(:.*)?$/ ? $_ : () }
        Tomo::Test::Ingest::values_of($in->timeline(2)->[0], 'fx');
}

shown('bare');
ok exists $in->due->{$timer}, 'a scenario waits for its day';
shown('stop');
ok !exists $in->due->{$timer}, 'an action stops it: nothing is due any more';
is effects('scenario\.\w+'), 'scenario.stop:g', 'and the timeline says so';
$in->click(2, 'send');
$in->settle;
is join(',', texts()), 'thank you', 'an action sends to a friend who follows';
$in->webhook($in->event('unfollow', 2));
$in->settle;
$in->click(2, 'send');
$in->settle;
is join(',', texts()), '', 'and nothing to one who blocks';
is effects('send\S*|scenario\.\w+'), 'send.cancelled:blocked,scenario.refused:g',
    'D7: the timeline says why';
put('scenario', 'h', name => 'h', start => [{ on => 'scenario.stopped', id => 'g' }],
    steps => [{ id => 'a', after => { minutes => 0 }, messages => [text('no more')] }]);
$in->webhook($in->event('follow', 2, mode => 'standby', timestamp => $in->now + 10,
    follow => { isUnblocked => JSON::PP::true() }));
$in->settle;
is $in->friend(2)->{st}, 'following', 'B24: back while another has the channel';
is effects('send\S*|scenario\.\w+:[gh]'),
    'scenario.stop:g,scenario.start:h,send.cancelled:standby',
    'B24: what ends and what begins stands on the timeline, and that nothing is sent';
is join(',', texts()), '', 'B24: and nothing is';

# --- an edit while many walk ----------------------------------------------------

my $WALKERS = 600;      # the schedule is gone through a hundred at a time
my $FIRST   = 10_000;
my @walk = (name => 'w', start => [{ on => 'tag.added', id => 'walk' }]);

sub news { return (steps => [{ id => 'a', after => $_[0], messages => [text('news')] }]) }

put('tag', 'walk', name => 'walk');
put('link', 'walk', name => 'x', url => 'https://example.com/',
    actions => [{ do => 'tag.add', tag => 'walk' }]);
put('scenario', 'w', @walk, news({ days => 1 }));
put('scenario', 'other', @walk, news({ days => 1 }));
$in->click(2, 'walk');
$in->settle;
my ($w, $other) = map { $in->no('scenario', $_) } qw(w other);
my $due = $in->due->{ $in->serial(2) . ":s:$w" };
$in->redis->cmd('EVAL', <<'LUA', 0, $in->key(''), $FIRST, $WALKERS, $w, $in->serial(2), $due,
local place = redis.call('HGET', ARGV[1] .. 'f:' .. ARGV[5], 's:' .. ARGV[4])
for serial = ARGV[2], ARGV[2] + ARGV[3] - 1 do
    redis.call('HSET', ARGV[1] .. 'f:' .. serial, 'uid', 'U' .. string.format('%032x', serial),
        'st', 'following', 's:' .. ARGV[4], place)
    redis.call('ZADD', ARGV[1] .. 'sched', ARGV[6], serial .. ':s:' .. ARGV[4])
    redis.call('ZADD', ARGV[1] .. 'sched', ARGV[6], serial .. ':s:' .. ARGV[7])
end
LUA
    $other);
is put('scenario', 'w', revision => 1, @walk, news({ days => 2 }))->{status}, 200,
    "a scenario that $WALKERS friends walk is edited";
my @walkers = ($in->serial(2), $FIRST .. $FIRST + $WALKERS - 1);
ok wait_for(sub {
    my $now = $in->due;
    return !grep { $now->{"$_:s:$w"} != $due + 86_400_000 } @walkers;
}, 'planned again', 30), 'everybody is planned again, a day later';
ok $in->settle, 'the last page is the end';
my $now = $in->due;
is scalar(grep {/:s:$w$/} keys %$now), @walkers, 'nobody twice';
is scalar(grep { $now->{"$_:s:$other"} != $due } @walkers), 0, 'and no other scenario';
my $place = $in->friend(2)->{"s:$w"};
is scalar(grep { $in->redis->cmd('HGET', $in->key("f:$_"), "s:$w") ne $place } @walkers), 0,
    'the friends know their new place';
is $in->cursor->{quarantined}, 0, 'nothing was set aside';
$in->redis->cmd('ZREM', $in->key('sched'), map { ("$_:s:$w", "$_:s:$other") } @walkers);

# --- texts that are too long, with an address where they end ----------------

is put('link', 'l', name => 'l', url => 'https://example.com/')->{status}, 200, 'a link';
is put('scenario', 'u', name => 'u', start => [{ on => 'friend.added' }], steps => [
    { id => 'a', after => { minutes => 0 },
        messages => [text('{{name|you}}' . 'x' x 4930 . ' {{link:l}}')] },
])->{status}, 200, 'a text that leaves little room';
for my $n (1, 15, 20, 60) {
    $in->greeted(10 + $n, 'y' x $n);
    my ($long) = grep {/x{4930}/} texts();
    cmp_ok length $long, '<=', 5000, "name of $n: not longer than LINE takes";
    my ($address) = $long =~ /(http\S*)/;
    ok !defined $address || $address =~ m{^http://127\.0\.0\.1:\d+/r/[\w-]{39}$},
        "name of $n: an address is whole or not there";
    my ($row) = grep { ($_->{kind} // '') eq 'friend.added' } @{ $in->timeline(10 + $n) };
    is scalar(grep { $_ eq 'cut:text' } Tomo::Test::Ingest::values_of($row, 'fx')),
        defined $address ? 0 : 1, "name of $n: a cut is told";
}

done_testing;
