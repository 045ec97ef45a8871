# What is larger than one commit: folders, effects, multicasts, everybody due
# at once; and commits refused while the next batch is under way.  DESIGN.md,
# decisions 3, 4 and 6.

use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $TAGS = 900;
my $no   = JSON::PP::false();

sub text { return { type => 'text', text => $_[0] } }

# --- a folder of 1,000 definitions ------------------------------------------

my $folder = temp_dir() . '/large';
mkdir $folder;

sub document {
    my ($kind, $id, %document) = @_;
    mkdir "$folder/$kind";
    write_file("$folder/$kind/$id.json", JSON::PP->new->canonical->utf8->encode(\%document));
    return;
}

document('tag', "t$_", name => "タグ$_") for 1 .. $TAGS;
for my $part (1 .. 7) {
    document('tag', "part$part", name => 'x', actions => [
        map { { do => 'tag.add', tag => 't' . (50 * ($part - 1) + $_) } } 1 .. 50 ]);
}
document('tag', 'burst', name => 'x',
    actions => [map { { do => 'tag.add', tag => "part$_" } } 1 .. 7]);
document('link', "l$_", name => 'x', url => "https://x.example/$_",
    actions => [{ do => 'tag.add', tag => $_ == 1 ? 'burst' : "t$_" }]) for 1 .. 90;
document('scenario', 'mass', name => 'x', start => [{ on => 'tag.added', id => 't899' }],
    steps => [{ id => 'news', at => { day => 1, time => '09:00' }, messages => [text('news')] }]);
document('field', 'memo', name => 'x', type => 'long_text');
document('scenario', 'long', name => 'x', start => [{ on => 'tag.added', id => 't900' }],
    steps => [{ id => 'hello', after => { minutes => 0 },
        messages => [text('{{name}}' . "\x{1F600}" x 2490), text('short')] }]);

my $in = Tomo::Test::Ingest->start(definitions => $folder);
ok wait_for(sub { ($in->redis->cmd('HGET', $in->key('meta'), 'defs') // 0) == 1 }, 'loaded', 10),
    'a folder of 1,000 definitions loads';
is $in->redis->cmd('HLEN', $in->key('defs')), $TAGS + 7 + 1 + 90 + 1 + 2, 'all of them';
is $in->redis->cmd('HGET', $in->key('meta'), 'loading'), undef, 'and nothing is left to load';
cmp_ok $in->cursor->{n}, '>=', 3, 'in several commits (' . $in->cursor->{n} . ')';
$in->worker->stop;

# a first try that ended in the middle
my %numbers = map { $_ => $in->no('tag', "t$_") } 1, 500, $TAGS;
$in->redis->cmd('HSET', $in->key('meta'), 'loading', 1);
$in->redis->cmd('HDEL', $in->key('meta'), 'defs');
$in->redis->cmd('HDEL', $in->key('defs'), map { "tag/t$_" } 100 .. $TAGS);
$in->worker->launch;
ok wait_for(sub { $in->redis->cmd('HGET', $in->key('meta'), 'defs') }, 'loaded', 10),
    'what was loaded in part is loaded again';
is_deeply { map { $_ => $in->no('tag', "t$_") } 1, 500, $TAGS }, \%numbers, 'with the same numbers';
is $in->redis->cmd('LLEN', $in->key('history:tag/t1')), 1, 'and one row of history';

# --- very many effects ------------------------------------------------------

$in->greeted(1);
$in->click(1, 'l1');
$in->settle;
my ($row) = grep { $_->{kind} eq 'click' } @{ $in->timeline(1) };
my ($cut) = grep {/^cut:/} Tomo::Test::Ingest::values_of($row, 'fx');
my $tags = split /,/, $in->friend(1)->{tags};
is $tags, 256, 'an event has 256 effects';
ok scalar(grep {/^more:\d+$/} Tomo::Test::Ingest::values_of($row, 'fx')),
    'the row lists the first of them and how many there are more';
# and the click's own event leaves room for 255 derived ones
is $cut, 'cut:' . (1 + 7 + 350 - 256 + 1), 'what is cut stands on the timeline';
is scalar @{ $in->quarantine }, 0, 'and nothing goes to the quarantine';

# --- a name that makes a text too long --------------------------------------

my $name = "\x{1F431}" x 20;
$in->greeted(2, $name);
$in->redis->cmd('DEL', $in->key('out'));
my $started = $in->command(do => 'definition.put', kind => 'tag', key => 't2', document => {
    revision => 1, name => 'x', actions => [{ do => 'scenario.start', scenario => 'long' }] });
is $started->{status}, 200, 'an edit among a thousand';
$in->click(2, 'l2');
my ($push) = $in->wait_rows('push', 1);
my $bubbles = JSON::PP::decode_json($push->[1]{body});
is length($bubbles->[0]{text}), 2500, '5,000 UTF-16 units, cut at a whole character';
like $bubbles->[0]{text}, qr/^\Q$name\E\x{1F600}+$/, 'from its beginning';
is $bubbles->[1]{text}, 'short', 'the other bubble is whole';
ok scalar(grep { $_ eq 'cut:text' } Tomo::Test::Ingest::values_of($in->timeline(2)->[0], 'fx')),
    'the row on the timeline says that it was cut';

# --- a multicast of which everybody is left ---------------------------------

sub multicast {
    my ($body, @serials) = @_;
    return $in->redis->cmd('XADD', $in->key('out'), '*', via => 'multicast', medium => 'line',
        friend => 0, to => join(',', map { $in->user($_) } @serials),
        serials => join(',', @serials), key => 'k', body => $body, def => 'scenario/mass',
        step => 'news', gen => 1, due => 1000, delivery => 1, links => 0,
        event => join(',', map {"e$_"} @serials));
}

sub left_out {
    my ($id, @serials) = @_;
    return $in->add('verdict', Tomo::Test::Ingest::rec(row => $id, key => 'k', via => 'multicast',
        send => 'accepted', status => 200, attempts => 1, first => 1, at => 5, friend => 0,
        map { (left => $_) } @serials), 'bulk');
}

my @all = (3000 .. 3255);
for my $case (
    ['everybody of 256', '[{"type":"text","text":"x"}]', @all],
    ['half of them', '[{"type":"text","text":"x"}]', grep { $_ % 2 } @all],
    ['everybody, five long bubbles',
        JSON::PP->new->utf8->encode([map { text('長' x 5000) } 1 .. 5]), @all])
{
    my ($what, $body, @left) = @$case;
    $in->redis->cmd('DEL', $in->key('out'));
    $in->redis->cmd('DEL', map { $in->key("tl:$_") } @all);
    my $id = multicast($body, @all);
    left_out($id, @left);
    my @push = $in->wait_rows('push', scalar @left, 20);
    $in->settle;
    is join(' ', sort map { $_->[1]{friend} } @push), join(' ', sort @left),
        "left: $what: everyone gets a push";
    my %key = map { $_->[1]{key} => 1 } @push;
    is scalar keys %key, scalar @left, 'under a key of their own';
    is scalar(grep { $_->[1]{body} ne $body || $_->[1]{to} ne $in->user($_->[1]{friend})
        || $_->[1]{event} ne "e$_->[1]{friend}" } @push), 0,
        'with the same bubbles, for the same reason';
    my $rows = 0;
    $rows += @{ $in->redis->cmd('LRANGE', $in->key("tl:$_"), 0, -1) } for @all;
    is $rows, @all - @left, 'who was covered has it on the timeline, once';
    is scalar @{ $in->quarantine }, 0, 'nothing in the quarantine';
}

# --- more than ten thousand due at the same moment --------------------------

my $DUE = 10_400;
my $FIRST = 9_000;      # in the order of the schedule 10000 stands before 9000
$in->redis->cmd('DEL', $in->key('out'), $in->key('sched'));
$in->click(1, 'l3');
$in->click(2, 'l90');
$in->command(do => 'definition.put', kind => 'tag', key => 't90', document => {
    revision => 1, name => 'x', actions => [{ do => 'scenario.start', scenario => 'mass' }] });
$in->greeted(3);
$in->click(3, 'l90');
$in->settle;
my $mass = $in->no('scenario', 'mass');
my ($member) = grep {/:s:$mass$/} keys %{ $in->due };
my $at = $in->due->{$member};
$in->redis->cmd('DEL', $in->key('out'), $in->key('sched'));
my @seed = ($FIRST, $DUE, $mass, $in->friend(3)->{"s:$mass"}, $at);
$in->redis->cmd('EVAL', <<'LUA', 0, $in->key(''), @seed);
for serial = ARGV[2], ARGV[2] + ARGV[3] - 1 do
    redis.call('HSET', ARGV[1] .. 'f:' .. serial, 'uid', 'U' .. string.format('%032x', serial),
        'st', 'following', 's:' .. ARGV[4], ARGV[5])
    redis.call('ZADD', ARGV[1] .. 'sched', ARGV[6], serial .. ':s:' .. ARGV[4])
end
LUA
my $timers = $in->cursor->{timers};
$in->advance($at / 1000 - time + 1);
ok wait_for(sub { !%{ $in->due } }, 'all decided', 120), "$DUE friends due at the same moment";
is $in->cursor->{timers} - $timers, $DUE, 'each decided once';
my (%got, %keys);
for my $row (@{ $in->out }) {
    $got{$_}++ for split /,/, $row->[1]{serials} // $row->[1]{friend};
    push @{ $keys{ $row->[1]{key} } }, $row;
}
is scalar keys %got, $DUE, 'everybody stands in a row';
is scalar(grep { $_ != 1 } values %got), 0, 'in one';
cmp_ok scalar @{ $in->out }, '<=', $DUE / 256 + 12, 'in whole windows (' . @{ $in->out } . ' rows)';

# A turn that ends inside a window, or at the ten thousandth, cuts it: its rows
# share a key. Dispatch's frozen list makes the second one's friends left, and
# they get pushes.
for my $rows (values %keys) {
    $in->verdict($rows->[0], 'accepted');
    left_out($_->[0], split /,/, $_->[1]{serials}) for @$rows[1 .. $#$rows];
}
$in->settle(30);
my @pushes = $in->rows('push');
my %again = map { $_->[1]{friend} => 1 } @pushes;
my $left = 0;
$left += split /,/, $_->[1]{serials} for map { @$_[1 .. $#$_] } values %keys;
is scalar keys %again, $left, "who was in the second row of a window gets a push ($left)";

# --- refusals while the next batch is under way -----------------------------

$in->advance(-$in->{offset} / 1000);
$in->redis->cmd('DEL', $in->key('out'), $in->key('sched'));
$in->worker->stop;
my $EVENTS = 6000;
my $USERS  = 60;
my $before = $in->cursor;
my $first  = $in->{seq};
for my $n (1 .. $EVENTS) {
    $in->webhook($in->event('message', 5000 + $n % $USERS,
        message => { type => 'text', id => "$n", text => "m$n" }));
}
$in->worker->launch;
my ($stolen, $moved) = (0, 0);
wait_for(sub {
    my $handled = $in->cursor->{handled} - $before->{handled};
    return 1 if $handled >= $EVENTS;
    return 0 if $handled < 300 * (1 + $stolen + $moved);
    if ($stolen > $moved) {
        $in->redis->cmd('HINCRBY', $in->key('cursor'), 'n', 1);
        $moved++;
    }
    else {
        $in->redis->cmd('SET', $in->key('lease:ingest'), 'somebody.1', 'PX', 30);
        $stolen++;
    }
    return 0;
}, 'all decided', 60);
ok $in->settle(30), "all decided: the lease was stolen $stolen times, n moved $moved times";
cmp_ok $stolen + $moved, '>=', 4, 'in the middle';
my $cursor = $in->cursor;
is $cursor->{handled} - $before->{handled}, $EVENTS, 'every event is counted once';
is $cursor->{duplicates}, $before->{duplicates}, 'none was decided before';
my ($missing, $double, $order) = (0, 0, 0);
for my $user (0 .. $USERS - 1) {
    my @texts = reverse map { $_->{text} // () } @{ $in->timeline(5000 + $user) };
    my @want = map {"m$_"} grep { $_ % $USERS == $user } 1 .. $EVENTS;
    my %seen;
    $seen{$_}++ for @texts;
    $missing += grep { !$seen{$_} } @want;
    $double  += grep { $_ > 1 } values %seen;
    $order   += "@texts" ne "@want";
}
is "$missing $double $order", '0 0 0', 'nothing is missing, double or out of order';
is $in->redis->cmd('HGET', $in->key('meta'), 'serial') - 3, $USERS, 'no serial was left out';
is scalar(() = $in->rows('profile')), $USERS, 'one profile row for each new friend';
is scalar @{ $in->quarantine }, 0, 'nothing in the quarantine';

done_testing;
