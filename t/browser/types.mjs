// Every kind of message on the phone page, what a tap on each does, and text
// that would like to be more than text. Prints TAP.
//
//   node types.mjs EDGE SIM DIR

import { accessible, is, launch, ok, plan, sticks_out, toast, until, visitor } from './lib.mjs';
import { Line } from './line.mjs';
import { hostile, messages } from './messages.mjs';

const [, sim, dir] = process.argv.slice(2);
const line = new Line(sim, dir);

// what stands on the phone for each message
const SEEN = {
    text: ['.bubble a[href="https://www.example.com/menu/"][target=_blank]'],
    emoji: ['.bubble:has-text("いらっしゃいませ") .line-emoji >> nth=1'],
    textV2: ['.bubble:has-text("本日の一杯 {深煎り}") .line-emoji'],
    sticker: ['.sticker:has-text("446 / 1988")'],
    image: ['a[href$="/cup-big"] img.photo'],
    missing: ['.broken:has-text("画像を表示できません")'],
    video: ['video[src$="drip.mp4"][poster$="bean-film"]'],
    audio: ['.audio:has-text("1:03") audio'],
    location: ['.place:has-text("御殿山")'],
    imagemap: ['.imagemap a.imagemap-area[href$="/menu/"]', '.imagemap button.imagemap-area'],
    buttons: ['.card:has-text("お席のご予約") .card-actions > * >> nth=3'],
    confirm: ['.card-actions.two button >> nth=1'],
    carousel: ['.slider .card >> nth=2'],
    image_carousel: ['.image-column:has-text("窓ぎわ") a.cover'],
    flex: ['.flex-bubble .flex-hero a.cover', '.flex-bubble .flex-button.primary',
        '.flex-bubble .flex-button.secondary', '.flex-bubble .flex-rule',
        '.flex-bubble .flex-text span:has-text("1,480円")'],
    flex_carousel: ['.slider .flex-bubble >> nth=2'],
    flex_layered: ['.flex-bubble:has-text("夜カフェ")'],
    sender: ['.from:has-text("店長 木村（")'],
    quick: ['.quick-item >> nth=3'],
};

async function open(browser, name) {
    const { context, seen } = await visitor(browser, {
        viewport: { width: 1280, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    const user = await line.add(name);
    await page.goto(sim);
    await page.locator(`[data-user="${user}"]`).or(page.locator('.person').first()).first()
        .waitFor();
    if (!await page.locator(`[data-user="${user}"]`).count()) {
        await page.locator('.person').first().click();
    }
    const phone = page.locator(`[data-user="${user}"]`);
    await phone.locator('.theirs').first().waitFor();
    return { context, seen, page, phone, user };
}

async function every_type(browser) {
    const { context, seen, page, phone, user } = await open(browser, '型見本');
    for (const [name, message] of Object.entries(messages)) {
        await line.push(user, message);
        for (const selector of SEEN[name]) {
            const node = phone.locator(selector).last();
            await node.waitFor({ state: 'attached' });
            ok(await node.count() === 1, `${name}: ${selector}`);
        }
    }
    ok(await phone.locator('.unknown').count() === 0, 'none is called unknown');
    await phone.locator('img').evaluateAll((all) => Promise.all(all.map((one) => one.complete
        || new Promise((done) => one.addEventListener('load', done)))));
    ok(!await sticks_out(page), 'every type: nothing sticks out sideways');
    const wide = await phone.locator('.talk').evaluate((t) => t.scrollWidth > t.clientWidth + 1);
    ok(!wide, 'every type: the talk does not scroll sideways');
    await flex_details(phone);
    await accessible(page, 'every type');
    await taps(context, page, phone);
    ok(seen.dialogs.length === 0 && seen.said.length === 0,
        'every type: the browser has nothing to complain about', seen);
    await context.close();
}

// Some measures of Flex that a wrong reading of its rules would change.
async function flex_details(phone) {
    const css = (selector, name) => phone.locator(selector).first().evaluate(
        (node, property) => getComputedStyle(node)[property], name);
    const width = (selector) => phone.locator(selector).first().evaluate(
        (node) => node.getBoundingClientRect().width);
    const bubble = '.flex-bubble:has-text("イルガチェフェ")';
    is(await css(`${bubble} .flex-text:has-text("イルガチェフェ")`, 'fontSize'), '22px',
        'Flex: xl letters are 22 px');
    is(await css(`${bubble} .flex-button.primary`, 'backgroundColor'), 'rgb(25, 122, 75)',
        'Flex: a button has its colour');
    const label = await width(`${bubble} .flex-text:text-is("風味")`);
    const value = await width(`${bubble} .flex-text:has-text("ジャスミン")`);
    ok(Math.abs(value / label - 4) < 0.2, 'Flex: shares of 1 and 4', { label, value });
    is(await css('.flex-bubble:has-text("あと7日") .flex-header .flex-box', 'backgroundImage'),
        'linear-gradient(135deg, rgb(39, 97, 63), rgb(25, 122, 75))', 'Flex: a gradient');
    const bar = await width('.flex-bubble:has-text("あと7日") .flex-box[style*="70%"]');
    const whole = await phone.locator(
        '.flex-bubble:has-text("あと7日") .flex-box:has(> .flex-box[style*="70%"])').first()
        .evaluate((node) => node.getBoundingClientRect().width);
    ok(Math.abs(bar / whole - 0.7) < 0.02, 'Flex: a width of 70 %', { bar, whole });
    is(await css('.flex-bubble:has-text("夜カフェ") .flex-box:has(> .flex-text:text-is("新作"))',
        'position'), 'absolute', 'Flex: a box out of the row');
}

async function taps(context, page, phone) {
    const last = (text) => phone.locator('.mine', { hasText: text }).last().waitFor();
    await phone.locator('.quick-item', { hasText: 'アイス' }).click();
    await last('アイスで');
    ok(await until(() => phone.locator('.quick').isHidden()),
        'a quick reply answers and is gone');
    await phone.getByRole('button', { name: '取り置きする' }).click();
    await last('取り置きをお願いします');
    await phone.getByRole('button', { name: 'ほかの豆を聞く' }).click();
    await last('ほかの豆を教えて');
    await phone.getByRole('button', { name: '焼き菓子を聞く' }).click();
    await last('焼き菓子を教えて');
    ok(true, 'postback, message and imagemap taps answer in the talk');

    await phone.getByRole('button', { name: '日付を選ぶ' }).click();
    await page.locator('dialog input').fill('2027-04-01');
    await page.locator('dialog').getByRole('button', { name: '送信' }).click();
    const postback = page.locator('[data-kind=postback]').first();
    await phone.getByText('ポストバック').last().waitFor();
    await postback.waitFor();
    ok(true, 'a date is picked and sent');

    await phone.getByRole('button', { name: '合言葉をコピー' }).click();
    await toast(page, 'コピーしました');
    is(await page.evaluate(() => navigator.clipboard.readText()), 'こもれび2027',
        'clipboard: the text is there');

    const [opened] = await Promise.all([context.waitForEvent('page'),
        phone.getByRole('link', { name: 'くわしく見る' }).click()]);
    await opened.waitForLoadState();
    is(opened.url(), 'https://www.example.com/menu/', 'uri: a new page');
    await opened.close();
}

// What the simulator would refuse is shown by the page's own hand.
async function unknown(browser) {
    const { context, seen, page } = await open(browser, '未知');
    const shown = await page.evaluate(async () => {
        const { message_node } = await import('/phone/message.mjs');
        const ctx = { act() {}, write() {} };
        const odd = [{ type: 'coupon', couponId: 'c' }, { type: 'constructor' }, {}, null,
            { type: 'template', altText: 'a', template: { type: 'toString' } },
            { type: 'flex', altText: 'a' }, { type: 'text' },
            { type: 'flex', altText: 'a', contents: { type: 'bubble', body: { type: 'box',
                layout: 'vertical', contents: [{ type: 'hologram' }] } } }];
        return odd.map((message) => message_node(message, ctx).textContent);
    });
    ok(shown.slice(0, 7).every((text) => text.includes('表示できない形式')),
        'what is not known is said to be so', shown);
    ok(shown[7].includes('hologram は表示できません'), '... in a Flex box as well', shown[7]);
    ok(seen.said.length === 0, '... and nothing breaks', seen);
    await context.close();
}

async function nothing_runs(browser) {
    const { context, seen, page, phone, user } = await open(browser, hostile[0]);
    const before = await page.evaluate(() => document.querySelectorAll('script').length);
    for (const text of hostile) {
        await line.add(text.slice(0, 60));
        await line.push(user, { type: 'text', text, sender: { name: text.slice(0, 20) } },
            { type: 'template', altText: text, template: { type: 'confirm', text, actions: [
                { type: 'message', label: text.slice(0, 20), text },
                { type: 'postback', label: text.slice(0, 20), data: text } ] } },
            { type: 'flex', altText: text, contents: { type: 'bubble', body: { type: 'box',
                layout: 'vertical', contents: [ { type: 'text', text, wrap: true },
                    { type: 'button', action: { type: 'message', label: text.slice(0, 40),
                        text } } ] } } });
        await phone.locator('.flex-text', { hasText: text.trim() }).last().waitFor(
            { state: 'attached' });
        const field = phone.getByLabel('メッセージ', { exact: true });
        await field.fill(text);
        await field.press('Enter');
        await phone.locator('.mine .bubble', { hasText: text.trim() }).last().waitFor();
    }
    await page.locator('.event-quote').first().waitFor();
    const found = await page.evaluate(() => ({
        ran: window.ran,
        scripts: document.querySelectorAll('script').length,
        odd: document.querySelectorAll('iframe,object,embed,style,base,math,[onclick],'
            + '[onerror],[onload],[srcdoc]').length,
        links: [...document.querySelectorAll('a')].filter((a) => !/^https?:/.test(a.href))
            .length,
    }));
    ok(found.ran === undefined && found.scripts === before && found.odd === 0
        && found.links === 0, 'nothing of a hostile text is more than letters', found);
    ok(seen.dialogs.length === 0 && seen.said.length === 0,
        'hostile texts: the browser has nothing to complain about', seen);
    ok(seen.elsewhere.length === 0, 'hostile texts: nothing is fetched', seen.elsewhere);
    await context.close();
}

const browser = await launch();
try {
    await every_type(browser);
    await unknown(browser);
    await nothing_runs(browser);
} finally {
    await browser.close();
}
plan();
