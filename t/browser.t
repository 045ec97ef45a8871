#!/usr/bin/perl

# Surveys in a real Chromium at a real edge (t/browser/survey.mjs): nothing
# for axe to find, no script needed, the whole way to the stream. scripts/test
# installs Chromium, fonts and the two packages of t/browser/package-lock.json.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Tomo::Test;
use Tomo::Test::Token;
use Tomo::Test::Browser;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $form = rec('survey', no => 3, rev => 1, id => 'profile', open => 1,
    title => 'プロフィールを教えてください', intro => "1分ほどで終わります。",
    submit => '回答を送信する', thanks => 'ご協力ありがとうございます。')
    . rec('q', id => 'name', kind => 'text', label => 'お名前', help => 'ニックネームでも。',
    required => 1, max => 40)
    . rec('q', id => 'birth', kind => 'date', label => '生年月日')
    . rec('q', id => 'sex', kind => 'single', label => '性別', required => 0)
    . rec('o', id => 'female', label => '女性') . rec('o', id => 'male', label => '男性')
    . rec('q', id => 'interests', kind => 'multi', label => '興味のあるもの', required => 1)
    . rec('o', id => 'tea', label => '紅茶') . rec('o', id => 'sweets', label => 'お菓子')
    . rec('q', id => 'tel', kind => 'tel', label => '電話番号')
    . rec('q', id => 'pref', kind => 'select', label => '都道府県')
    . rec('o', id => 'tokyo', label => '東京都')
    . rec('q', id => 'free', kind => 'long_text', label => 'ご意見');

my $redis = Tomo::Test::Redis->start;
put_feed($redis, 'survey/3' => $form);
my $edge = Tomo::Test::Nginx->start(redis => $redis);
my $path = '/s/' . issue_token(kind => 'survey', target => 3, friend => 7);

ok wait_for(sub { my $r = http_get($edge->port, $path); $r && $r->{status} == 200 },
    'the survey is known', 10), 'the edge knows the survey';

run_browser('survey.mjs', 'http://127.0.0.1:' . $edge->port, $path,
    '/s/' . issue_token(kind => 'survey', target => 999),
    '/r/' . issue_token(kind => 'link', target => 999));

my $list = $redis->stream('tomo:{demo}:in');
is scalar @$list, 1, 'F1: one answer in the stream';
like $list->[0][1]{b}, qr/q\.birth=1990-02-03/, 'with the date that was chosen';

done_testing;
