// What the browser tests share: TAP, a Chromium, axe, drawn pictures.
//
// Nothing waits for a fixed time: every wait is for something, with a limit
// that a loaded machine does not reach.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const PATIENCE_MS = 120000;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
let tests = 0;

export function ok(good, name, details) {
    console.log(`${good ? 'ok' : 'not ok'} ${++tests} - ${name}`);
    if (!good && details !== undefined) {
        console.error(`# ${name}: ${JSON.stringify(details, null, 1)}`);
    }
}

export function is(have, want, name) {
    ok(have === want, name, { have, want });
}

export function plan() {
    console.log(`1..${tests}`);
}

export function launch() {
    return chromium.launch({
        executablePath: process.env.TOMO_CHROMIUM || '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-dev-shm-usage'],
        timeout: PATIENCE_MS,
    });
}

// A browser of its own; requests to elsewhere get drawings or a short page.
// seen: what ran or was said that should not have been.
export async function visitor(browser, options = {}) {
    const context = await browser.newContext({ locale: 'ja-JP', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(keep_toasts);
    const seen = { elsewhere: [], said: [], dialogs: [] };
    await context.route(/^https:/, (route) => {
        seen.elsewhere.push(route.request().url());
        return elsewhere(route);
    });
    context.on('page', (page) => {
        page.on('dialog', (dialog) => {
            seen.dialogs.push(dialog.message());
            dialog.dismiss();
        });
        page.on('pageerror', (error) => seen.said.push(error.message));
        page.on('console', (m) => {
            if (['error', 'warning'].includes(m.type())
                && !/status of (4|5)\d\d|Failed to load resource/.test(m.text())) {
                seen.said.push(m.text());
            }
        });
    });
    return { context, seen };
}

// Toasts leave after some seconds: a slow machine may look too late.
function keep_toasts() {
    window.toasts = [];
    new MutationObserver((records) => records.forEach((record) => record.addedNodes.forEach(
        (node) => node.classList?.contains('toast') && window.toasts.push(node.textContent))))
        .observe(document, { childList: true, subtree: true });
}

// Waits for a toast that was not told of before.
export async function toast(page, text) {
    const found = await until(() => page.evaluate((part) => {
        const at = window.toasts.findIndex((one) => one.includes(part));
        return at >= 0 && window.toasts.splice(at, 1)[0];
    }, text));
    ok(Boolean(found), `the page says: ${text}`);
}

// Moves the clock by a button of the page; back when it has moved.
export async function advance(page, name) {
    const button = page.getByRole('button', { name, exact: true });
    const now = () => page.locator('.clock-now').textContent();
    const before = await now();
    await button.click();
    await until(async () => await now() !== before && await button.isEnabled());
}

function elsewhere(route) {
    const url = new URL(route.request().url());
    if (url.pathname.includes('missing')) return route.fulfill({ status: 404 });
    if (/\.(mp4|m4a)$/.test(url.pathname)) return route.fulfill({ status: 404 });
    if (route.request().resourceType() === 'document') {
        return route.fulfill({ contentType: 'text/html; charset=utf-8',
            body: '<!doctype html><html lang="ja"><title>カタログ</title><h1>カタログ</h1>' });
    }
    return route.fulfill({ contentType: 'image/svg+xml', body: drawing(url.pathname) });
}

// A picture by its name: a cup, a cake or beans on a colour of its own.
function drawing(name) {
    const hue = [...name].reduce((sum, c) => sum * 31 + c.charCodeAt(0) & 0xffff, 7) % 60 + 10;
    const cup = '<path d="M150 150h180v50a70 70 0 0 1-70 70h-40a70 70 0 0 1-70-70z" fill="#fff"/>'
        + '<path d="M330 165h26a28 28 0 0 1 0 56h-30" fill="none" stroke="#fff" stroke-width="14"/>'
        + '<path d="M205 125q-14-18 0-36t0-36M262 125q-14-18 0-36t0-36" fill="none" '
        + 'stroke="#fff" stroke-width="9" stroke-linecap="round" opacity=".7"/>';
    const cake = '<path d="M130 190 330 130l40 60v80H130z" fill="#fff"/>'
        + '<path d="M130 190h240M130 228h240" stroke="#d98c73" stroke-width="12"/>';
    const bean = (x, y, r) => `<g transform="translate(${x} ${y}) rotate(${r})">`
        + '<ellipse rx="46" ry="30" fill="#fff"/><path d="M-46 0q23-16 46 0t46 0" fill="none" '
        + 'stroke="#8a5a3c" stroke-width="6"/></g>';
    const star = '<path d="M250 60l32 66 72 10-52 51 12 72-64-34-64 34 12-72-52-51 72-10z" '
        + 'fill="#e0a526"/>';
    if (/star/.test(name)) {
        return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="140 55 220 210">${star}</svg>`;
    }
    const what = /cake|sweet/.test(name) ? cake
        : /bean/.test(name) ? bean(170, 150, -20) + bean(290, 130, 30) + bean(240, 215, 5) : cup;
    return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 330" width="500" '
        + 'height="330"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">'
        + `<stop offset="0" stop-color="hsl(${hue} 45% 62%)"/>`
        + `<stop offset="1" stop-color="hsl(${hue + 15} 40% 42%)"/></linearGradient></defs>`
        + `<rect width="500" height="330" fill="url(#g)"/>${what}</svg>`;
}

// What axe finds on the page as it is, as [rule, html].
export async function violations(page) {
    return page.evaluate(async ([source, rules]) => {
        (0, eval)(source);
        const result = await window.axe.run(document, { runOnly: rules });
        return result.violations.map((v) => [v.id, v.nodes.map((n) => [n.html.slice(0, 300),
            n.failureSummary])]);
    }, [axe, RULES]);
}

// Both colour schemes.
export async function accessible(page, name) {
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const found = await violations(page);
        ok(found.length === 0, `${name}, ${colorScheme}: no accessibility violation`, found);
    }
    await page.emulateMedia({ colorScheme: 'light' });
}

export function sticks_out(page) {
    return page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
}

// Resolves to the first true value of probe; undefined when time is over.
export async function until(probe) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
        const value = await probe();
        if (value || Date.now() > end) return value || undefined;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
