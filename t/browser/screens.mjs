// Pictures of the pages for docs/screens (scripts/screens calls it).
//
//   node screens.mjs EDGE SIM DIR OUT

import { writeFileSync } from 'node:fs';
import { advance, launch, until, visitor } from './lib.mjs';
import { Line } from './line.mjs';
import { messages } from './messages.mjs';
import { smaller } from './png.mjs';

const [, sim, dir, out] = process.argv.slice(2);
const line = new Line(sim, dir);
const MAX_BYTES = 150000;
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };

async function shot(page, name) {
    await until(async () => await page.locator('.toast').count() === 0);
    await page.evaluate(() => Promise.all([...document.images].map((one) => one.complete
        || new Promise((done) => one.addEventListener('load', done)))));
    const png = smaller(await page.screenshot({ animations: 'disabled', caret: 'hide' }));
    writeFileSync(`${out}/${name}.png`, png);
    console.log(`${name}.png ${png.length}`);
    if (png.length > MAX_BYTES) {
        throw new Error(`${name}.png has ${png.length} bytes; ${MAX_BYTES} are allowed`);
    }
}

async function dark(page, name) {
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await shot(page, name);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

async function survey(context, url, viewport) {
    const page = await context.newPage();
    await page.setViewportSize(viewport);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.goto(url);
    return page;
}

async function surveys(context, url) {
    const page = await survey(context, url, PHONE);
    await shot(page, 'survey');
    await dark(page, 'survey-dark');
    await page.getByLabel('月', { exact: true }).selectOption('2');
    await page.getByLabel('日', { exact: true }).selectOption('30');
    await page.getByRole('button', { name: 'この内容で送る' }).click();
    await page.getByRole('alert').waitFor();
    await shot(page, 'survey-errors');
    await page.goto(`${url}0`);
    await shot(page, 'gone');
    await dark(page, 'gone-dark');
    await page.close();

    const desk = await survey(context, url, { width: 1280, height: 800 });
    await desk.getByLabel('お名前').fill('佐藤 さくら');
    await desk.getByLabel('年', { exact: true }).selectOption('1990');
    await desk.getByLabel('月', { exact: true }).selectOption('4');
    await desk.getByLabel('日', { exact: true }).selectOption('1');
    await desk.getByRole('checkbox', { name: 'コーヒー豆' }).check();
    await desk.getByRole('checkbox', { name: '焼き菓子' }).check();
    await desk.evaluate(() => {
        document.activeElement.blur();
        scrollTo(0, 0);
    });
    await desk.mouse.move(0, 0);
    await shot(desk, 'survey-desk');
    await desk.getByRole('button', { name: 'この内容で送る' }).click();
    await desk.getByRole('heading', { name: 'ありがとうございました' }).waitFor();
    await desk.setViewportSize(PHONE);
    await shot(desk, 'survey-thanks');
    await desk.close();
}

const place_of = (page, user) => page.locator(`[data-user="${user}"]`);

async function opened(page, user) {
    await until(async () => await place_of(page, user).count() > 0
        || await page.locator('.person').first().click().then(() => false));
    await place_of(page, user).locator('.theirs').first().waitFor();
}

async function journey(context, page) {
    await page.goto(sim);
    await page.getByRole('heading', { name: '友だちになってみましょう' }).waitFor();
    await shot(page, 'phone-empty');
    const sakura = await line.add('さくら');
    await opened(page, sakura);
    const links = place_of(page, sakura).locator('.bubble a');
    const [catalog] = await Promise.all([context.waitForEvent('page'), links.first().click()]);
    await catalog.close();
    await surveys(context, await links.nth(1).getAttribute('href'));
    const kenta = await line.add('健太');
    await page.locator('.person').first().click();
    await opened(page, kenta);
    const [second] = await Promise.all([context.waitForEvent('page'),
        place_of(page, kenta).locator('.bubble a').first().click()]);
    await second.close();
    await place_of(page, kenta).getByLabel('メッセージ', { exact: true }).fill('おすすめ');
    await page.keyboard.press('Enter');
    await place_of(page, kenta).getByText('既読').waitFor();
    for (let i = 0; i < 2; i++) await advance(page, '+1日');
    await place_of(page, sakura).getByText('おはようございます').waitFor();
    await place_of(page, sakura).locator('.owner-button').click();
    await page.locator('[data-kind=answer]').first().waitFor();
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());
    await shot(page, 'phone');
    await dark(page, 'phone-dark');
    await page.setViewportSize(PHONE);
    await place_of(page, sakura).locator('.talk').evaluate((t) => t.scrollTo(0, 1e6));
    await shot(page, 'phone-narrow');
    await page.getByRole('button', { name: '何が起きたか' }).click();
    await page.evaluate(() => document.activeElement.blur());
    await shot(page, 'phone-narrow-why');
    await page.getByRole('button', { name: 'トーク', exact: true }).click();
    await page.setViewportSize(DESK);
}

async function types(page) {
    const parts = { 見本1: ['imagemap', 'flex'], 見本2: ['buttons', 'location', 'sticker'],
        見本3: ['flex_carousel', 'flex_layered', 'quick'], 見本4: ['carousel', 'confirm',
            'audio', 'image'] };
    await page.setViewportSize({ width: 2000, height: 1000 });
    const away = page.getByRole('button', { name: '片づける' });
    while (await away.count() > 0) await away.first().click();
    for (const [name, kinds] of Object.entries(parts)) {
        const user = await line.add(name);
        await page.locator('.person', { hasText: name }).click();
        await opened(page, user);
        await line.push(user, ...kinds.map((kind) => messages[kind]));
        await place_of(page, user).getByText('プッシュ').first().waitFor();
        await place_of(page, user).locator('.talk').evaluate((t) => t.scrollTo(0, 1e6));
    }
    await page.evaluate(() => document.activeElement.blur());
    await shot(page, 'messages');
}

const browser = await launch();
try {
    const { context } = await visitor(browser, { viewport: DESK, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await journey(context, page);
    await types(page);
} finally {
    await browser.close();
}
