# Definitions by command: revisions, faults with their place, what edits do to
# those under way; scenarios' policies; multicasts; loops (B59, B61-B63, B66).

use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Ingest;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $in = Tomo::Test::Ingest->start;
my $no = JSON::PP::false();

sub put {
    my ($kind, $id, %document) = @_;
    return $in->command(do => 'definition.put', kind => $kind, key => $id,
        document => { kind => $kind, id => $id, %document });
}

sub stored {
    my ($kind, $id) = @_;
    return JSON::PP::decode_json($in->redis->cmd('HGET', $in->key('defs'), "$kind/$id"));
}

sub text { return { type => 'text', text => $_[0] } }

# --- revisions --------------------------------------------------------------

ok wait_for(sub { $in->redis->cmd('HEXISTS', $in->key('feed'), 'secret/1') }, 'feed'), 'loaded';
my $feed = $in->redis->cmd('HGET', $in->key('feed'), 'version');
my $r = put('tag', 'vip', name => 'VIP');
is $r->{status}, 200, 'a new document';
is $r->{json}{revision}, 1, 'has revision 1';
is put('tag', 'vip', name => 'VIP2')->{status}, 409, 'B66: without its revision it is stale';
is put('tag', 'vip', name => 'VIP2', revision => 1)->{json}{revision}, 2, 'with it, the next';
$r = put('tag', 'vip', name => 'VIP3', revision => 1);
is $r->{status}, 409, 'B66: the second admin is refused';
is $r->{json}{error}{revision}, 2, 'and told the revision that stands';
is stored('tag', 'vip')->{document}{name}, 'VIP2', 'nothing was overwritten';
is stored('tag', 'vip')->{document}{revision}, 2, 'the document carries its revision';
is $in->redis->cmd('LLEN', $in->key('history:tag/vip')), 2, 'history keeps both';
is $in->redis->cmd('HGET', $in->key('feed'), 'version'), $feed, 'a tag does not concern the edge';
$r = put('link', 'shop', name => 'Shop', url => 'https://shop.example/');
cmp_ok $in->redis->cmd('HGET', $in->key('feed'), 'version'), '>', $feed, 'a link does';
is $in->redis->hash($in->key('feed'))->{'link/2'}, 'url=https%3A%2F%2Fshop.example%2F&open=1',
    'in the feed';
is put('colour', 'x')->{status}, 404, 'an unknown kind';
is $in->command(do => 'rm -rf')->{status}, 400, 'an unknown command';

# --- faults, with their place -----------------------------------------------

my @step = (after => { minutes => 0 }, messages => [text('x')]);
for my $case (
    ['tag', 'Bad Id', { name => 'x' }, '/id'],
    ['tag', 'a', {}, '/name'],
    ['tag', 'a', { name => 'x', colour => 'red' }, '/colour'],
    ['tag', 'a', { name => 'x', id => 'b' }, '/id'],
    ['tag', 'a', { name => 'x', actions => [{ do => 'tag.add', tag => 'vip' },
        { do => 'fly' }] }, '/actions/1/do'],
    ['tag', 'a', { name => 'x', actions => [{ do => 'tag.add', tag => 'nobody' }] },
        '/actions/0/tag'],
    ['field', 'a', { name => 'x', type => 'colour' }, '/type'],
    ['link', 'a', { name => 'x', url => 'javascript:alert(1)' }, '/url'],
    ['link', 'a', { name => 'x', url => 'https://good@evil.example/' }, '/url'],
    ['survey', 'a', { title => 'x', questions => [] }, '/questions'],
    ['survey', 'a', { title => 'x', questions => [{ id => 'q', type => 'single', label => 'Q',
        options => [{ id => 'o', label => 'O' }, { id => 'o', label => 'P' }] }] },
            '/questions/0/options/1/id'],
    ['survey', 'a', { title => 'x', questions => [{ id => 'q', type => 'text', label => 'Q',
        field => 'nope' }] },
        '/questions/0/field'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's' }] }, '/steps/0'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => { minutes => -1 },
        messages => [text('x')] }] },
        '/steps/0/after/minutes'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => { minutes => 2**31 },
        messages => [text('x')] }] },
        '/steps/0/after/minutes'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', at => { day => 1, time => '24:00' },
        messages => [text('x')] }] },
        '/steps/0/at/time'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', @step }, { id => 's', @step }] },
        '/steps/1/id'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', @step,
        when => { not => { tag => 'nobody' } } }] },
        '/steps/0/when/not/tag'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', @step,
        when => { any => [{ tag => 'vip' }, {}] } }] },
        '/steps/0/when/any/1'],
    ['scenario', 'a', { name => 'x', start => [{ on => 'tag.added' }], steps => [{ id => 's',
        @step }] }, '/start/0/id'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [(text('x')) x 6] }] },
        '/steps/0/messages'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [text('x' x 5001)] }] },
        '/steps/0/messages/0/text'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [text("\x{1F34E}" x 2501)] }] },
        '/steps/0/messages/0/text'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [text('{{secret}}')] }] },
        '/steps/0/messages/0/text'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [text('{{link:none}}')] }] },
        '/steps/0/messages/0/text'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [{ type => 'image',
        originalContentUrl => 'http://x.example/a.png',
            previewImageUrl => 'https://x.example/b.png' }] }] },
        '/steps/0/messages/0/originalContentUrl'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [{ type => 'template',
        altText => 'x', template => { type => 'confirm', text => 'x',
            actions => [{ type => 'message', label => 'a', text => 'b' }] } }] }] },
        '/steps/0/messages/0/template/actions'],
    ['scenario', 'a', { name => 'x', steps => [{ id => 's', after => {},
        messages => [{ type => 'flex', altText => 'x',
        contents => { type => 'bubble', body => { type => 'box', layout => 'vertical',
            contents => [
            { type => 'button', action => { type => 'uri', label => 'x',
                uri => 'javascript:1' } }] } } }] }] },
        '/steps/0/messages/0/contents/body/contents/0/action/uri'],
) {
    my ($kind, $id, $document, $path) = @$case;
    my $got = put($kind, $id, %$document);
    is "$got->{status} $got->{json}{error}{path}", "422 $path",
        "$kind: fault at $path: $got->{json}{error}{message}";
}

# --- actions run through one function each ----------------------------------

put('tag', 'b', name => 'B');
put('tag', 'a', name => 'A', actions => [{ do => 'tag.remove', tag => 'b' }, { do => 'tag.add',
    tag => 'b' }]);
put('tag', 'b', name => 'B', revision => 1, actions => [{ do => 'tag.remove', tag => 'a' },
    { do => 'tag.add', tag => 'a' },
    { do => 'send', messages => [text('hello from b')] }]);
put('field', 'rank', name => 'Rank', type => 'text');
is put('link', 'loop', name => 'Loop', url => 'https://loop.example/',
    actions => [{ do => 'tag.add', tag => 'a' },
    { do => 'field.set', field => 'rank', value => 'gold' }])->{status}, 200,
        'a loop of tags can be stored';
$in->greeted(1, '花子');
$in->verdict($_, 'accepted') for $in->rows('reply');
$in->settle;
$in->click(1, 'loop');
ok $in->settle, 'B59: the loop ends';
my $row = $in->timeline(1)->[0];
my @fx  = Tomo::Test::Ingest::values_of($row, 'fx');
ok grep({/^cut:/} @fx), 'B59: what was cut is on the timeline';
cmp_ok $in->cursor->{cut}, '>', 0, 'B59: and counted';
is $in->friend(1)->{ 'd:' . $in->no('field', 'rank') }, 'gold', 'a field set by a click';
my ($push) = $in->rows('push');
like $push->[1]{body}, qr/hello from b/, 'a send by a tag, without a reply token: a push';
$in->redis->cmd('DEL', $in->key('out'));

# --- policies ---------------------------------------------------------------

put('tag', $_, name => $_) for qw(go-ignore go-restart go-finished);
for my $again (qw(ignore restart if_finished)) {
    my $tag = 'go-' . ($again eq 'if_finished' ? 'finished' : $again);
    is put('scenario', "s-$tag", name => $again, again => $again, start => [{ on => 'tag.added',
        id => $tag }],
        steps => [{ id => 'one', after => { minutes => 0 }, messages => [text("$again one")] },
            { id => 'two', after => { hours => 1 },
                messages => [text("$again two {{name|x}}")] }])->{status},
        200, "scenario with again=$again";
    put('link', "l-$tag", name => 'x', url => 'https://x.example/', actions_once => $no,
        actions => [{ do => 'tag.remove', tag => $tag }, { do => 'tag.add', tag => $tag }]);
}

sub texts {
    my @texts = map { map { $_->{text} } @{ JSON::PP::decode_json($_->[1]{body}) } } @{ $in->out };
    $in->redis->cmd('DEL', $in->key('out'));
    return join ', ', sort @texts;
}

$in->click(1, "l-go-$_") for qw(ignore restart finished);
$in->settle;
is texts(), 'if_finished one, ignore one, restart one', 'elapsed 0: at once';
$in->click(1, "l-go-$_") for qw(ignore restart finished);
$in->settle;
is texts(), 'restart one', 'again while running: only restart';
$in->advance(3601);
wait_for(sub { @{ $in->out } == 3 }, 'second steps', 5);
is texts(), 'if_finished two 花子, ignore two 花子, restart two 花子', 'an hour later';
$in->click(1, "l-go-$_") for qw(ignore restart finished);
$in->settle;
is texts(), 'if_finished one, restart one', 'again when finished: not with ignore';

# --- edits reach those under way --------------------------------------------

my $scenario = $in->no('scenario', 's-go-restart');
my $due = $in->due->{"1:s:$scenario"};
is put('scenario', 's-go-restart', revision => 1, name => 'x', again => 'restart',
    start => [{ on => 'tag.added', id => 'go-restart' }],
    steps => [{ id => 'one', after => { minutes => 0 }, messages => [text('one')] },
        { id => 'between', after => { minutes => 30 }, messages => [text('between')] },
        { id => 'two', after => { hours => 2 }, messages => [text('two')] }])->{status}, 200,
            'the scenario is edited';
ok wait_for(sub { $in->due->{"1:s:$scenario"} != $due }, 'planned again', 5),
    'the next step is planned again';
is $due - $in->due->{"1:s:$scenario"}, 30 * 60 * 1000,
    'half an hour earlier: the step in between';
$in->advance(1801);
wait_for(sub { @{ $in->out } == 1 }, 'between', 5);
is texts(), 'between', 'it is sent';
is $in->due->{"1:s:$scenario"} - $due, 60 * 60 * 1000, 'then the later one';

# --- block and return -------------------------------------------------------

$in->webhook($in->event('unfollow', 1, timestamp => $in->now));
$in->settle;
is $in->friend(1)->{st}, 'blocked', 'blocked';
is_deeply $in->due, {}, 'what was running pauses';
$in->webhook($in->event('follow', 1, timestamp => $in->now + 10, replyToken => 'rr',
    follow => { isUnblocked => JSON::PP::true() }));
$in->settle;
is $in->friend(1)->{st}, 'following', 'back';
is_deeply $in->due, {}, 'and ends, so that no pile of late messages comes';
is texts(), '', 'no second welcome';

# --- a step without inserts for many ----------------------------------------

put('tag', 'many', name => 'many');
put('link', 'l-many', name => 'x', url => 'https://x.example/', actions => [{ do => 'tag.add',
    tag => 'many' }]);
put('scenario', 'mass', name => 'mass', start => [{ on => 'tag.added', id => 'many' }], steps => [
    { id => 'news', at => { day => 1, time => '09:00' }, branches => [
        { when => { tag => 'vip' }, messages => [text('for vip')] },
            { messages => [text('for all')] }] }]);
my $FRIENDS = 20;
$in->advance(-$in->{offset} / 1000);
$in->webhook(map { $in->event('follow', 100 + $_,
    follow => { isUnblocked => $no }) } 1 .. $FRIENDS);
$in->settle;
for my $profile ($in->rows('profile')) {
    $in->verdict($profile, 'accepted', name => 'n');
}
$in->settle;
texts();
$in->click(100 + $_, 'l-many') for 1 .. $FRIENDS;
$in->settle;
texts();
my $mass = $in->no('scenario', 'mass');
my ($at) = map { $in->due->{$_} } grep {/:s:$mass$/} keys %{ $in->due };
# the demo's own scenario is out of the way
$in->redis->cmd('ZREM', $in->key('sched'), grep { !/:s:$mass$/ } keys %{ $in->due });
$in->advance($at / 1000 - time + 1);
my ($multi) = $in->wait_rows('multicast', 1);
my @to = split /,/, $multi->[1]{to};
is scalar @to, $FRIENDS, "one multicast for $FRIENDS friends";
is scalar(split /,/, $multi->[1]{serials}), $FRIENDS, 'with their serials';
is scalar @{ $in->out }, 1, 'and nothing else';
like $multi->[1]{body}, qr/for all/, 'of the branch they take';
my ($left) = split /,/, $multi->[1]{serials};
$in->verdict($multi, 'accepted', left => $left);
$in->settle;
my @push = $in->wait_rows('push', 1);
is_deeply [map { $_->[1]{friend} } @push], [$left],
    'who was left out of the frozen list gets a push';
is $push[0][1]{body}, $multi->[1]{body}, 'of the same bubbles';
is $in->timeline(100 + $FRIENDS)->[0]{kind}, 'send', 'the others have it on their timeline';
is $in->cursor->{bulk} ne '0-0', 1, 'verdicts of multicasts come in bulk';

# --- many bubbles at once ---------------------------------------------------

put('scenario', 'flood', name => 'flood', start => [{ on => 'friend.added' }],
    steps => [{ id => 'a', after => {}, messages => [map { text("a$_") } 1 .. 5] },
        { id => 'b', after => {}, messages => [map { text("b$_") } 1 .. 5] }]);
$in->advance(-$in->{offset} / 1000);
$in->greeted(500);
my ($reply) = $in->rows('reply');
is scalar @{ JSON::PP::decode_json($reply->[1]{body}) }, 5, 'five bubbles in the free reply';
is scalar @{ JSON::PP::decode_json($reply->[1]{next}) }, 7, 'the rest waits for its verdict';
$in->verdict($reply, 'accepted');
my @next = grep { $_->[1]{friend} == $in->serial(500) } $in->wait_rows('push', 3);
is join('+', map { scalar @{ JSON::PP::decode_json($_->[1]{body}) } } @next), '5+2',
    'then pushes of five';
isnt $next[0][1]{key}, $next[1][1]{key}, 'each with a key of its own';

# --- pause ------------------------------------------------------------------

$in->add('verdict', 'send=pause&why=quota&until=1234567890123&at=1');
$in->settle;
is $in->redis->cmd('HGET', $in->key('meta'), 'pause'), 1234567890123,
    'the quota is out: counted sends wait';

my $cursor = $in->cursor;
is $cursor->{quarantined}, 0, 'nothing was set aside';

done_testing;
