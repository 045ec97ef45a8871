/*
 * The page at `/`: phones in the browser.  Its files lie in phone/ as they
 * are served: no build step, nothing from elsewhere.  Only what lies there
 * when the simulator starts is served.
 */

import crypto from 'node:crypto';
import fs from 'node:fs';
import { answer } from './http.mjs';

const FOLDER = new URL('./phone/', import.meta.url);
const TYPES = {
    html: 'text/html; charset=utf-8',
    css: 'text/css; charset=utf-8',
    mjs: 'text/javascript; charset=utf-8',
    svg: 'image/svg+xml',
};

/* Pictures and sounds are those of messages, from where they name them. */
const HEADERS = {
    'content-security-policy': "default-src 'none'; script-src 'self'; "
        + "style-src 'self'; img-src 'self' https:; media-src https:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cache-control': 'no-cache',
};

function load() {
    const files = new Map();
    for (const name of fs.readdirSync(FOLDER, { recursive: false })) {
        const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
        if (type) {
            const body = fs.readFileSync(new URL(name, FOLDER));
            const etag = `"${crypto.createHash('sha256').update(body)
                .digest('base64url').slice(0, 22)}"`;
            files.set(name === 'index.html' ? '/' : `/phone/${name}`,
                { body, headers: { ...HEADERS, etag, 'content-type': type } });
        }
    }
    return files;
}

let files;

/* Answers a GET or HEAD of one of the page's files; false: it is none. */
export function serve_page(req, res, pathname) {
    files ??= load();
    const file = files.get(pathname);
    if (!file || !['GET', 'HEAD'].includes(req.method)) {
        return false;
    }
    if (req.headers['if-none-match'] === file.headers.etag) {
        res.writeHead(304, file.headers);
        res.end();
        return true;
    }
    answer(res, 200, file.headers, file.body);
    return true;
}
