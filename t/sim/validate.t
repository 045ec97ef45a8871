#!/usr/bin/env perl
# Message objects are checked as strictly as LINE.md 22 and 23 say, and the
# fault is named by its property.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use SimTest;
use Test::More;

my $t = SimTest->new;
my $IMAGE = 'https://example.com/a.png';
my $URI = { type => 'uri', label => '開く', uri => 'http://127.0.0.1:1/r/x' };

sub check {
    my (@messages) = @_;
    return $t->line('POST', '/v2/bot/message/validate/push',
        { messages => [@messages] });
}

sub good {
    my ($name, @messages) = @_;
    my ($status, $body) = check(@messages);
    is($status, 200, "good: $name")
        or diag(JSON::PP->new->canonical->encode($body));
}

# The properties that are at fault, in order.
sub bad {
    my ($name, $message, @properties) = @_;
    my ($status, $body) = check($message);
    is($status, 400, "bad: $name");
    is_deeply([map { $_->{property} } @{ $body->{details} // [] }],
        [map { "messages[0]$_" } @properties], "  at @properties")
        or diag(JSON::PP->new->canonical->encode($body));
}

sub text { return { type => 'text', text => $_[0], @_[1 .. $#_] } }
sub template { return { type => 'template', altText => 'a', template => $_[0] } }
sub flex { return { type => 'flex', altText => 'a', contents => $_[0] } }
sub box { return { type => 'box', layout => 'vertical', contents => [@_] } }
sub bubble { return { type => 'bubble', body => box(@_) } }

# --- how many ----------------------------------------------------------------
my ($status, $body) = check();
is_deeply([$status, $body], [400, {
    message => 'The request body has 1 error',
    details => [{ message => 'Size must be between 1 and 5',
        property => 'messages' }],
}], 'no message, in LINE\'s words');
is((check(map { text('x') } 1 .. 6))[0], 400, 'six are too many');
good('five', map { text('x') } 1 .. 5);

# --- text --------------------------------------------------------------------
good('5,000 units', text('あ' x 5000));
bad('5,001 units', text('a' x 5001), '.text');
good('2,500 apples', text('🍎' x 2500));
bad('2,501 apples count twice', text('🍎' x 2500 . 'a'), '.text');
bad('empty', text(''), '.text');
bad('no text', { type => 'text' }, '.text');
bad('a number', text(1), '.text');
bad('unknown property', text('x', wrong => 1), '.wrong');
bad('unknown type', { type => 'poem' }, '.type');
bad('no type', {}, '.type');
bad('no object', 'x', '');
good('emoji', text('a $', emojis => [
    { index => 2, productId => '5ac1', emojiId => '001' }]));
bad('emoji not at a $', text('a $', emojis => [
    { index => 0, productId => '5ac1', emojiId => '001' }]),
    '.emojis[0].index');
good('textV2', { type => 'textV2', text => '{{a}} {e}', substitution =>
    { e => { type => 'emoji', productId => '5', emojiId => '1' } } });
bad('textV2 without substitution', { type => 'textV2', text => '{e}' },
    '.text');
bad('textV2 with a mention', { type => 'textV2', text => '{m}',
    substitution => { m => { type => 'mention',
        mentionee => { type => 'all' } } } }, '.substitution.m');

# --- quick reply and sender ----------------------------------------------------
my $item = { type => 'action', action =>
    { type => 'message', label => 'はい', text => 'はい' } };
good('quick reply', text('x', quickReply => { items => [($item) x 13] }));
bad('14 items', text('x', quickReply => { items => [($item) x 14] }),
    '.quickReply.items');
good('location in a quick reply', text('x', quickReply => { items => [
    { type => 'action', action =>
        { type => 'location', label => 'x' } }] }));
bad('no label', text('x', quickReply => { items => [
    { type => 'action', action => { type => 'message', text => 'x' } }] }),
    '.quickReply.items[0].action.label');
good('sender', text('x', sender => { name => '店長', iconUrl => $IMAGE }));
bad('sender named LINE', text('x', sender => { name => 'LINE news' }),
    '.sender.name');
bad('21 characters', text('x', sender => { name => 'x' x 21 }),
    '.sender.name');

# --- media -------------------------------------------------------------------
my %pair = (originalContentUrl => $IMAGE, previewImageUrl => $IMAGE);
good('image', { type => 'image', %pair });
bad('image over HTTP', { type => 'image', %pair,
    previewImageUrl => 'http://example.com/' }, '.previewImageUrl');
bad('not percent-encoded', { type => 'image', %pair,
    previewImageUrl => 'https://example.com/あ' }, '.previewImageUrl');
good('video', { type => 'video', %pair, trackingId => 'a-1' });
bad('tracking id', { type => 'video', %pair, trackingId => 'あ' },
    '.trackingId');
good('audio', { type => 'audio', originalContentUrl => $IMAGE,
    duration => 1000 });
bad('duration', { type => 'audio', originalContentUrl => $IMAGE,
    duration => '1' }, '.duration');
good('sticker', { type => 'sticker', packageId => '446',
    stickerId => '1988' });
my %place = (type => 'location', title => 'x', address => 'y',
    latitude => 35.6, longitude => 139.7);
good('location', { %place });
bad('latitude', { %place, latitude => 91 }, '.latitude');
bad('long address', { %place, address => 'x' x 101 }, '.address');

# --- imagemap ----------------------------------------------------------------
my $area = { x => 0, y => 0, width => 100, height => 100 };
my %map = (type => 'imagemap', baseUrl => 'https://example.com/m',
    altText => 'a', baseSize => { width => 1040, height => 520 },
    actions => [{ type => 'uri', linkUri => 'https://example.com/',
        area => $area }]);
good('imagemap', { %map });
bad('width 1000', { %map, baseSize => { width => 1000, height => 1 } },
    '.baseSize.width');
bad('51 actions', { %map, actions => [($map{actions}[0]) x 51] },
    '.actions');

# --- templates ---------------------------------------------------------------
sub buttons { return template({ type => 'buttons', text => 'x',
    actions => [$URI], @_ }) }
good('buttons', buttons());
good('160 characters', buttons(text => 'x' x 160));
bad('161 characters', buttons(text => 'x' x 161), '.template.text');
bad('61 with a title', buttons(text => 'x' x 61, title => 't'),
    '.template.text');
bad('five actions', buttons(actions => [($URI) x 5]), '.template.actions');
bad('label of 21', buttons(actions => [{ %$URI, label => 'x' x 21 }]),
    '.template.actions[0].label');
good('label of 20 family emoji',
    buttons(actions => [{ %$URI, label => "👋🏻" x 20 }]));
bad('no label', buttons(actions => [{ type => 'uri',
    uri => 'https://example.com/' }]), '.template.actions[0].label');
good('confirm', template({ type => 'confirm', text => 'x',
    actions => [$URI, $URI] }));
bad('confirm with one', template({ type => 'confirm', text => 'x',
    actions => [$URI] }), '.template.actions');
my $column = { text => 'x', actions => [$URI] };
good('carousel', template({ type => 'carousel', columns => [($column) x 10] }));
bad('11 columns', template({ type => 'carousel',
    columns => [($column) x 11] }), '.template.columns');
bad('uneven columns', template({ type => 'carousel',
    columns => [$column, { %$column, actions => [$URI, $URI] }] }),
    '.template.columns[1].actions');
bad('title in one only', template({ type => 'carousel',
    columns => [$column, { %$column, title => 't' }] }),
    '.template.columns[1].title');
good('image carousel', template({ type => 'image_carousel',
    columns => [{ imageUrl => $IMAGE, action => $URI }] }));

# --- actions -----------------------------------------------------------------
sub with { return buttons(actions => [{ label => 'x', @_ }]) }
my $at = '.template.actions[0]';
good('postback', with(type => 'postback', data => 'd' x 300,
    displayText => 'x'));
bad('301 of data', with(type => 'postback', data => 'd' x 301), "$at.data");
bad('both texts', with(type => 'postback', data => 'd', displayText => 'x',
    text => 'x'), "$at.text");
bad('fillInText alone', with(type => 'postback', data => 'd',
    fillInText => 'x'), "$at.fillInText");
good('tel', with(type => 'uri', uri => 'tel:0312345678'));
bad('javascript', with(type => 'uri', uri => 'javascript:alert(1)'),
    "$at.uri");
bad('1,001 of URI', with(type => 'uri',
    uri => 'https://example.com/' . 'x' x 981), "$at.uri");
good('datetimepicker', with(type => 'datetimepicker', data => 'd',
    mode => 'date', initial => '2026-11-21'));
bad('its form', with(type => 'datetimepicker', data => 'd',
    mode => 'date', initial => '10:00'), "$at.initial");
good('clipboard', with(type => 'clipboard', clipboardText => 'x'));
bad('camera outside a quick reply', with(type => 'camera'), "$at.type");
bad('richmenuswitch', with(type => 'richmenuswitch', data => 'x',
    richMenuAliasId => 'a'), "$at.type");

# --- Flex --------------------------------------------------------------------
my $word = { type => 'text', text => 'x', size => 'lg', color => '#112233',
    wrap => JSON::PP::true };
my $button = { type => 'button', action => { %$URI, label => 'x' x 40 } };
good('bubble', flex(bubble($word, $button)));
good('carousel', flex({ type => 'carousel',
    contents => [(bubble($word)) x 12] }));
bad('13 bubbles', flex({ type => 'carousel',
    contents => [(bubble($word)) x 13] }), '.contents.contents');
bad('two sizes', flex({ type => 'carousel', contents =>
    [bubble($word), { %{ bubble($word) }, size => 'kilo' }] }),
    '.contents.contents[1].size');
bad('unknown component', flex(bubble({ type => 'poem' })),
    '.contents.body.contents[0].type');
bad('color', flex(bubble({ %$word, color => 'red' })),
    '.contents.body.contents[0].color');
bad('empty text', flex(bubble({ type => 'text', text => '' })),
    '.contents.body.contents[0].text');
good('spans', flex(bubble({ type => 'text',
    contents => [{ type => 'span', text => 'x' }] })));
bad('icon in a vertical box', flex(bubble({ type => 'icon',
    url => $IMAGE })), '.contents.body.contents[0].type');
bad('button label of 41', flex(bubble({ type => 'button',
    action => { %$URI, label => 'x' x 41 } })),
    '.contents.body.contents[0].action.label');
bad('bubble over 30 KB', flex(bubble({ %$word, text => 'x' x 31000 })),
    '.contents');
bad('no layout', flex({ type => 'bubble',
    body => { type => 'box', contents => [] } }), '.contents.body.layout');
bad('long altText', { %{ flex(bubble($word)) }, altText => 'x' x 1501 },
    '.altText');

# --- the body ----------------------------------------------------------------
my $id = $t->friend;
($status, $body) = $t->line('POST', '/v2/bot/message/push',
    { to => $id, messages => [text('x')], wrong => 1 });
is_deeply([$status, $body->{details}[0]{property}], [400, 'wrong'],
    'unknown property of the body');
($status, $body) = $t->line('POST', '/v2/bot/message/push',
    { to => $id, messages => [text('x'), text('')] });
is_deeply([$status, $body->{details}], [400, [{ message =>
    'May not be empty', property => 'messages[1].text' }]],
    'a fault in the second message');
is_deeply($t->inbox($id), [], 'a 4xx sends nothing to anybody');

done_testing();
