/*
 * LINE's URL previewer (LINE.md 25): a URL in a text message is really
 * fetched, once per message, with the user agent below.  Here only loopback
 * is ever contacted, and a redirect is followed only while it stays there.
 */

import http from 'node:http';
import { is_loopback } from './http.mjs';

const USER_AGENT = 'facebookexternalhit/1.1;line-poker/1.0';
const URLS = /https?:\/\/[^\s<>"'「」、。（）]+/g;
const AT_ONCE = 8;
const MAX_WAITING = 10000;
const MAX_REDIRECTS = 3;
const TIMEOUT_MS = 5000;

export class Previewer {
    constructor(enabled) {
        this.enabled = enabled;
        this.waiting = [];
        this.running = 0;
        this.counts = { fetched: 0, failed: 0, elsewhere: 0, dropped: 0 };
        this.agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
    }

    look_at(messages) {
        if (!this.enabled) {
            return;
        }
        for (const message of messages) {
            const is_text = message.type === 'text'
                || message.type === 'textV2';
            const urls = is_text ? message.text.match(URLS) ?? [] : [];
            for (const url of new Set(urls)) {
                this.#enqueue(url);
            }
        }
        this.#pump();
    }

    close() {
        this.waiting = [];
        this.agent.destroy();
    }

    #enqueue(url) {
        if (this.waiting.length >= MAX_WAITING) {
            this.counts.dropped++;
            return;
        }
        this.waiting.push({ url, redirects: 0 });
    }

    #pump() {
        while (this.running < AT_ONCE && this.waiting.length > 0) {
            const job = this.waiting.shift();
            const target = near(job.url);
            if (!target) {
                this.counts.elsewhere++;
                continue;
            }
            this.running++;
            this.#fetch(job, target);
        }
    }

    #fetch(job, target) {
        let settled = false;
        const done = (what) => {
            if (!settled) {
                settled = true;
                this.counts[what]++;
                this.running--;
                this.#pump();
            }
        };
        const req = http.get(target, {
            agent: this.agent,
            timeout: TIMEOUT_MS,
            headers: { 'user-agent': USER_AGENT, accept: '*/*' },
        }, (res) => {
            res.resume();
            res.on('error', () => done('failed'));
            res.on('end', () => {
                this.#follow(job, target, res);
                done('fetched');
            });
        });
        req.on('timeout', () => req.destroy(new Error('timeout')));
        req.on('error', () => done('failed'));
    }

    #follow(job, target, res) {
        const to = res.headers.location;
        const is_redirect = res.statusCode >= 300 && res.statusCode < 400;
        if (is_redirect && to && job.redirects < MAX_REDIRECTS) {
            const next = try_url(to, target);
            if (next) {
                this.waiting.push({
                    url: next.href, redirects: job.redirects + 1,
                });
            }
        }
    }
}

function try_url(text, base) {
    try {
        return new URL(text, base);
    } catch {
        return undefined;
    }
}

/* A plain-HTTP URL on loopback, or undefined. */
function near(text) {
    const url = try_url(text);
    if (!url || url.protocol !== 'http:' || !is_loopback(url.hostname)) {
        return undefined;
    }
    if (url.hostname === 'localhost') {
        url.hostname = '127.0.0.1';
    }
    return url;
}
