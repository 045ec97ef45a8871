// The phone page in a real Chromium: the demo account's journey as somebody
// sees it who tries Tomo. Prints TAP.
//
//   node phone.mjs EDGE SIM DIR

import { readFileSync } from 'node:fs';
import { accessible, advance, is, launch, ok, plan, sticks_out, toast, until, visitor }
    from './lib.mjs';
import { Line } from './line.mjs';

const [edge, sim, dir] = process.argv.slice(2);
const line = new Line(sim, dir);
const NARROW = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const DESK = { viewport: { width: 1280, height: 800 } };

const phone_of = (page, name) => page.locator('.phone-place').filter(
    { has: page.getByRole('heading', { name, exact: true, includeHidden: true }) });

// Adds a person by the page and waits for the greeting; their phone.
async function add(page, name, first = false) {
    await page.getByLabel(first ? 'あなたの名前' : '友だちの名前').fill(name);
    await page.locator('.adder:visible').getByRole('button').click();
    const phone = phone_of(page, name);
    await phone.getByText(`${name}さん、はじめまして`).waitFor();
    return phone;
}

async function first_visit(page) {
    await page.goto(sim);
    await page.getByRole('heading', { name: '友だちになってみましょう' }).waitFor();
    ok(!await sticks_out(page), 'empty: nothing sticks out sideways');
    await accessible(page, 'empty');
}

async function desk(browser) {
    const { context, seen } = await visitor(browser, DESK);
    const page = await context.newPage();
    const bodies = [];
    page.on('response', (r) => {
        if (!/event-stream/.test(r.headers()['content-type'] ?? '')) {
            r.text().then((text) => bodies.push(text), () => {});
        }
    });
    await first_visit(page);

    const sakura = await add(page, 'さくら', true);
    ok(await sakura.getByText('無料の応答').isVisible(), 'the greeting is shown as a free reply');
    const panel = page.getByRole('complementary', { name: '何が起きたか' });
    await panel.getByText('メッセージを送った').waitFor();
    const why = panel.locator('[data-kind=send] .event-why').first();
    ok(/友だち追加.*シナリオ「.+」.*通目/s.test(await why.innerText()),
        'the panel says why it came: event, scenario, step', await why.innerText());

    const links = sakura.locator('.bubble a');
    const [catalog] = await Promise.all([context.waitForEvent('page'), links.nth(0).click()]);
    await catalog.getByRole('heading', { name: 'カタログ' }).waitFor();
    is(await catalog.evaluate(() => window.opener), null, 'a link opens a page of its own');
    await catalog.close();
    await panel.locator('.chip', { hasText: 'カタログを見た' }).waitFor();
    ok(true, 'the tap sets the tag, and the panel shows it by its name');

    const [survey] = await Promise.all([context.waitForEvent('page'), links.nth(1).click()]);
    ok(survey.url().startsWith(`${edge}/s/`), 'the survey opens at the edge', survey.url());
    await answer(survey, '佐藤 さくら', 'desk');
    await panel.locator('.fields', { hasText: '佐藤 さくら' }).waitFor();
    ok(true, 'the answer is in the panel');

    await later(page, sakura);
    const step = panel.locator('[data-kind=send]').first();
    await step.getByText('2 通目').waitFor();
    ok(/10:0\d:\d\d/.test(await step.innerText()), 'the step is there, at its hour, and why');
    await step.getByRole('button', { name: '友だち追加' }).click();
    ok(await page.evaluate(() => document.activeElement.dataset.kind)
        === 'friend.added' || await page.evaluate(() => document.activeElement.dataset.kind)
        === 'follow', 'the reason leads to the event it began with');

    await accessible(page, 'journey');
    await writing(page, sakura);
    await two(page, sakura);
    const token = readFileSync(`${dir}/api-token`, 'utf8').trim();
    ok(bodies.length > 10 && !bodies.some((text) => text.includes(token)),
        'the API token never reaches the page');
    ok(seen.dialogs.length === 0 && seen.said.length === 0, 'the browser has nothing to '
        + 'complain about', seen);
    await context.close();
}

// Presses +1日 until the step of 10:00 has come: at most twice.
async function later(page, phone) {
    const step = phone.getByText('おはようございます').first();
    for (let i = 0; i < 2 && !await step.isVisible(); i++) {
        await advance(page, '+1日');
        await toast(page, '+1日進みました');
    }
    await step.waitFor();
    ok(await page.getByRole('progressbar').isHidden(), '+1日: the step comes, progress ends');
}

async function answer(page, name, size) {
    await page.getByRole('heading', { level: 1 }).waitFor();
    ok(!await sticks_out(page), `survey, ${size}: nothing sticks out sideways`);
    await page.getByLabel('お名前').fill(name);
    await page.getByLabel('年', { exact: true }).selectOption('1990');
    await page.getByLabel('月', { exact: true }).selectOption('4');
    await page.getByLabel('日', { exact: true }).selectOption('1');
    await page.getByRole('checkbox', { name: 'コーヒー豆' }).check();
    await page.getByRole('button', { name: 'この内容で送る' }).click();
    await page.getByRole('heading', { name: 'ありがとうございました' }).waitFor();
    ok(page.url().endsWith('?thanks=1'), `survey, ${size}: answered`);
    await page.close();
}

// Enter sends, an Enter that ends a composition does not; unsend, block.
async function writing(page, phone) {
    const field = phone.getByLabel('メッセージ', { exact: true });
    await field.focus();
    const session = await page.context().newCDPSession(page);
    await session.send('Input.imeSetComposition',
        { text: 'こんにちは', selectionStart: 5, selectionEnd: 5 });
    await field.evaluate((node) => node.dispatchEvent(new KeyboardEvent('keydown', {
        key: 'Enter', keyCode: 229, isComposing: true, bubbles: true, cancelable: true })));
    await session.send('Input.insertText', { text: 'こんにちは' });
    is(await field.inputValue(), 'こんにちは', 'Enter while composing sends nothing');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('abc');
    is(await field.inputValue(), 'こんにちは\nabc', 'Shift and Enter break the line');
    await page.keyboard.press('Enter');
    const mine = phone.locator('.mine', { hasText: 'こんにちは' });
    await mine.getByText('既読').waitFor();
    is(await field.inputValue(), '', 'Enter sends, and Tomo has it');

    await mine.getByRole('button', { name: '取り消す' }).click();
    await phone.getByText('送信を取り消しました').waitFor();
    await page.locator('[data-kind=unsend]').first().waitFor();
    ok(true, 'unsending takes it back and reaches Tomo');

    await phone.getByLabel('スタンプや位置情報を送る').click();
    await phone.getByRole('button', { name: '位置情報を送る' }).click();
    await phone.locator('.mine .place').waitFor();
    ok(true, 'a place can be sent');
}

async function two(page, sakura) {
    const kenta = await add(page, '健太');
    ok(await sakura.isVisible() && await kenta.isVisible(), 'two friends side by side');
    const left = await sakura.boundingBox();
    const right = await kenta.boundingBox();
    ok(left.x + left.width <= right.x, '... not one over the other', { left, right });
    is(await kenta.locator('.mine').count(), 0, '... each with a talk of its own');

    await kenta.getByLabel('トークのメニュー').click();
    await kenta.getByRole('button', { name: 'ブロックする' }).click();
    await kenta.getByRole('button', { name: 'ブロックを解除' }).waitFor();
    await page.locator('.badge.blocked').waitFor();
    ok(await sakura.getByLabel('メッセージ', { exact: true }).isVisible(),
        'one blocks, the other does not');
    await line.push(await kenta.getAttribute('data-user'), { type: 'text', text: '届かない' });
    await line.push(await sakura.getAttribute('data-user'), { type: 'text', text: '届きます' });
    await sakura.getByText('届きます').waitFor();
    is(await kenta.getByText('届かない').count(), 0, 'a blocked account reaches nobody');
    await kenta.getByRole('button', { name: 'ブロックを解除' }).click();
    await kenta.getByText('ブロックを解除しました').waitFor();
    await accessible(page, 'two phones');

    await kenta.getByRole('button', { name: '健太さんのスマホを片づける' }).click();
    ok(await until(async () => !await kenta.isVisible()), 'a phone can be put away');
    const ids = await page.locator('.phone-place').evaluateAll(
        (all) => all.map((one) => one.dataset.user));
    await page.reload();
    await sakura.waitFor();
    is(await page.locator('.phone-place').count(), ids.length,
        'after a reload the same phones are there');
    await page.getByRole('button', { name: /^健太/ }).press('Enter');
    await kenta.waitFor();
    const link = kenta.locator('.bubble a').first();
    await link.focus();
    const [opened] = await Promise.all([page.context().waitForEvent('page'),
        page.keyboard.press('Enter')]);
    await opened.close();
    await kenta.getByLabel('トークのメニュー').press('Enter');
    await page.keyboard.press('Escape');
    ok(await until(() => kenta.getByRole('button', { name: 'ブロックする' }).isHidden()),
        'keys alone choose a person, open a link, open and close a menu');
}

async function narrow(browser) {
    const { context, seen } = await visitor(browser, NARROW);
    const page = await context.newPage();
    await page.goto(sim);
    const midori = await add(page, 'みどり');
    ok(!await sticks_out(page), 'narrow: nothing sticks out sideways');
    is(await page.locator('.phone-place:visible').count(), 1, 'narrow: one phone at a time');
    await accessible(page, 'narrow talk');
    const [survey] = await Promise.all([context.waitForEvent('page'),
        midori.locator('.bubble a').nth(1).tap()]);
    await answer(survey, 'みどり', 'phone');
    await page.getByRole('button', { name: '何が起きたか' }).tap();
    await page.locator('.fields', { hasText: 'みどり' }).waitFor();
    ok(await midori.isHidden(), 'narrow: the panel has the screen to itself');
    ok(!await sticks_out(page), 'narrow panel: nothing sticks out sideways');
    await accessible(page, 'narrow panel');
    await page.getByRole('button', { name: 'トーク', exact: true }).tap();
    await page.getByRole('button', { name: /^さくら/ }).tap();
    await phone_of(page, 'さくら').waitFor();
    ok(await midori.isHidden(), 'narrow: the switcher changes the phone');
    ok(seen.dialogs.length === 0 && seen.said.length === 0,
        'narrow: the browser has nothing to complain about', seen);
    await context.close();
}

// What goes wrong is said in words that help, and nothing written is lost.
async function faults(browser) {
    const { context } = await visitor(browser, DESK);
    const page = await context.newPage();
    await page.goto(sim);
    const phone = page.locator('.phone-place').first();
    await phone.locator('.theirs').first().waitFor();
    const body = '{"error":"Tomo が応答しません。起動してください。"}';
    await page.route('**/phone/api/clock', (route) => route.fulfill({ status: 503,
        contentType: 'application/json', body }));
    await page.getByRole('button', { name: '+1時間' }).click();
    await toast(page, '起動してください');
    ok(await until(() => page.getByRole('button', { name: '+1時間' }).isEnabled()),
        'a clock that did not move says why, and can be tried again');

    await page.route('**/sim/friends/*/text', (route) => route.abort());
    const field = phone.getByLabel('メッセージ', { exact: true });
    await field.fill('なくさないで');
    await field.press('Enter');
    await toast(page, 'scripts/run');
    is(await until(() => field.inputValue()), 'なくさないで', 'what could not be sent is still there');

    await page.route('**/phone/api/events*', (route) => route.abort());
    await page.locator('.person[aria-pressed=false]').first().click();
    await toast(page, '接続が切れました');
    await page.unroute('**/phone/api/events*');
    await toast(page, 'つながりました');
    ok(await until(async () => !await page.locator('body.cut').count()),
        'a cut line is told of, and mends by itself');
    await context.close();
}

// A page of another address cannot drive the simulator or hold it in a frame.
async function foreign(browser) {
    const { context } = await visitor(browser, DESK);
    const page = await context.newPage();
    await page.goto(`${edge}/r/unknown`);
    const before = (await (await fetch(`${sim}/sim/friends`)).json()).friends.length;
    const reached = await page.evaluate(async (url) => Promise.all([
        fetch(`${url}/sim/friends`, { method: 'POST', mode: 'no-cors',
            body: '{"display_name":"x"}' }).then(() => 'sent', () => 'refused'),
        fetch(`${url}/phone/api/clock`).then(() => 'read', () => 'refused'),
    ]), sim);
    const { friends } = await (await fetch(`${sim}/sim/friends`)).json();
    ok(friends.length === before && reached[1] === 'refused',
        'a foreign page adds nobody and reads nothing', reached);
    await page.setContent(`<iframe src="${sim}/"></iframe>`);
    await page.waitForLoadState('networkidle');
    is(await page.frames()[1]?.locator('.brand').count().catch(() => 0) ?? 0, 0,
        'the page is in no frame');
    await context.close();
}

const browser = await launch();
try {
    await desk(browser);
    await narrow(browser);
    await faults(browser);
    await foreign(browser);
} finally {
    await browser.close();
}
plan();
