// Surveys in a real Chromium, at the size of a phone and of a desk: what
// t/browser.t asks for. Prints TAP.
//
//   node survey.mjs BASE SURVEY_PATH GONE_PATH DEAD_LINK_PATH
//
// Node's standard library, playwright-core and axe-core; nothing is loaded
// from elsewhere.

import { accessible, launch, ok, PATIENCE_MS, plan } from './lib.mjs';

const [base, surveyPath, gonePath, linkPath] = process.argv.slice(2);
const sizes = {
    phone: { width: 390, height: 844 },
    desk: { width: 1280, height: 900 },
};
// A page in a browser of its own, with a note of all it asked for or said.
async function open(browser, size, options = {}) {
    const context = await browser.newContext({
        viewport: sizes[size], locale: 'ja-JP', hasTouch: size === 'phone', ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const seen = { elsewhere: [], said: [] };
    page.on('request', (r) => {
        if (!r.url().startsWith(base)) seen.elsewhere.push(r.url());
    });
    page.on('console', (m) => {
        if (!/status of 4\d\d/.test(m.text())) seen.said.push(m.text());
    });
    return { context, page, seen };
}

// What every page must hold to.
async function holds(page, seen, name) {
    await accessible(page, name);
    const found = await page.evaluate(() => {
        const fields = [...document.querySelectorAll('input,select,textarea,button')]
            .filter((e) => e.type !== 'hidden' && e.name !== 'hp');
        const small = fields.filter((e) => {
            const box = (e.closest('label') || e).getBoundingClientRect();
            return box.height < 48 || parseFloat(getComputedStyle(e).fontSize) < 16;
        });
        return {
            wide: document.documentElement.scrollWidth > innerWidth,
            small: small.map((e) => e.name || e.type),
            styled: getComputedStyle(document.querySelector('main')).maxWidth !== 'none',
        };
    });
    ok(!found.wide, `${name}: nothing sticks out sideways`);
    ok(found.small.length === 0, `${name}: fields are 48 px high, letters 16 px`, found.small);
    ok(found.styled, `${name}: the security policy lets the style in`);
    ok(seen.elsewhere.length === 0, `${name}: nothing is loaded from elsewhere`, seen.elsewhere);
    ok(seen.said.length === 0, `${name}: the browser has nothing to complain about`, seen.said);
}

async function pages(browser, size) {
    const { context, page, seen } = await open(browser, size, { bypassCSP: false });
    await page.goto(base + surveyPath);
    await holds(page, seen, `${size}, blank`);

    await page.click('button');
    await page.waitForSelector('[role=alert]');
    await holds(page, seen, `${size}, errors`);
    const summary = await page.evaluate(() => ({
        focused: document.activeElement === document.querySelector('[role=alert]'),
        links: [...document.querySelectorAll('[role=alert] a')]
            .map((a) => Boolean(document.querySelector(a.hash)?.matches('input,select,textarea'))),
    }));
    ok(summary.focused, `${size}, errors: the summary has the focus`);
    ok(summary.links.length > 0 && summary.links.every(Boolean),
        `${size}, errors: each line leads to its field`, summary.links);

    await page.goto(`${base}${surveyPath}?thanks=1`);
    await holds(page, seen, `${size}, thanks`);
    await page.goto(base + gonePath);
    await holds(page, seen, `${size}, gone`);
    await page.goto(base + linkPath);
    await page.getByRole('heading', { name: 'リンクを開けませんでした' }).waitFor();
    await holds(page, seen, `${size}, dead link`);
    await context.close();
}

// The way of a friend who has no script, by the names that are read out.
async function journey(browser) {
    const { context, page, seen } = await open(browser, 'phone', { javaScriptEnabled: false });
    await page.goto(base + surveyPath);
    await page.getByLabel('年', { exact: true }).selectOption({ label: '1990年（平成2年）' });
    await page.getByLabel('月', { exact: true }).selectOption('2');
    await page.getByLabel('日', { exact: true }).selectOption('30');
    await page.getByRole('checkbox', { name: '紅茶' }).check();
    await page.getByLabel('ご意見').fill('一行目\n"><svg onload=alert(1)>');
    await page.getByRole('button', { name: '送信' }).click();
    await page.getByRole('alert').waitFor();
    ok(await page.getByRole('checkbox', { name: '紅茶' }).isChecked(), 'no script: choice is kept');
    ok(await page.getByLabel('日', { exact: true }).inputValue() === '30',
        'no script: date is kept');
    ok(await page.getByLabel('ご意見').inputValue() === '一行目\n"><svg onload=alert(1)>',
        'no script, F3: text is kept as typed');

    await page.getByRole('alert').getByRole('link', { name: /お名前/ }).click();
    await page.getByLabel('お名前').fill('友');
    await page.getByLabel('日', { exact: true }).selectOption('3');
    await page.getByRole('button', { name: '送信' }).click();
    await page.getByRole('heading', { name: 'ありがとうございました' }).waitFor();
    ok(page.url().endsWith('?thanks=1'), 'no script, F1: thanks after a redirect');
    await page.reload();
    ok(await page.getByRole('heading', { name: 'ありがとうございました' }).isVisible(),
        'no script, B49: a reload sends nothing again');
    ok(seen.elsewhere.length === 0, 'no script: nothing is loaded from elsewhere');
    await context.close();
}

// The trap is out of the way of fingers, keys and those who listen.
async function trap(browser) {
    const { context, page } = await open(browser, 'phone');
    await page.goto(base + surveyPath);
    const reached = [];
    for (let i = 0; i < 30; i++) {
        await page.keyboard.press('Tab');
        reached.push(await page.evaluate(() => document.activeElement.name || ''));
    }
    ok(reached.includes('q.name') && !reached.includes('hp'), 'B52: Tab never reaches the trap');
    ok(await page.getByRole('textbox', { name: '入力しないで' }).count() === 0,
        'B52: nobody is told of the trap');
    await context.close();
}

// B41: a foreign page cannot hold the form in a frame.
async function framed(browser) {
    const { context, page } = await open(browser, 'desk');
    await page.setContent(`<iframe src="${base}${surveyPath}"></iframe>`);
    await page.waitForLoadState('networkidle');
    const inside = await page.frames()[1]?.locator('form').count().catch(() => 0);
    ok(!inside, 'B41: no form in a frame');
    await context.close();
}

const browser = await launch();
try {
    for (const size of Object.keys(sizes)) await pages(browser, size);
    await journey(browser);
    await trap(browser);
    await framed(browser);
} finally {
    await browser.close();
}
plan();
