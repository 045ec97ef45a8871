/*
 * Who may drive the simulator: programs of this machine, and its own page.
 * A web page from elsewhere that a browser of this machine shows must not:
 * it may name 127.0.0.1 (then Origin or Sec-Fetch-Site give it away), or a
 * name of its own that suddenly means 127.0.0.1 (then Host does).
 */

import { is_loopback } from './http.mjs';

const SAFE_SITES = ['same-origin', 'none'];

/* What to answer a request that may not be served; undefined: serve it. */
export function refuse_foreign(req) {
    const host = req.headers.host ?? '';
    if (!is_loopback(host.replace(/:\d{1,5}$/, ''))) {
        return `the simulator is reached as 127.0.0.1 or localhost, not as ${
            host.slice(0, 100)}; open it by that address`;
    }
    const origin = req.headers.origin;
    if (origin !== undefined && origin !== `http://${host}`) {
        return 'a page of another site may not use the simulator; open '
            + `http://${host}/ itself`;
    }
    const site = req.headers['sec-fetch-site'];
    if (site !== undefined && !SAFE_SITES.includes(site)
        && !is_visit(req)) {
        return 'a page of another site may not use the simulator; open '
            + `http://${host}/ itself`;
    }
    return undefined;
}

/* A link from elsewhere may lead to the page as a whole, never into a frame. */
function is_visit(req) {
    return req.method === 'GET' && req.url === '/'
        && req.headers['sec-fetch-mode'] === 'navigate'
        && req.headers['sec-fetch-dest'] === 'document';
}
