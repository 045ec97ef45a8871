/*
 * Sends webhooks to the edge as LINE does (LINE.md 2, 3, 7): signed raw
 * bytes, 2 seconds to answer, redirects not followed.  What was not answered
 * 2xx is sent again with the same ids and `isRedelivery` true, after 1, 2, 4
 * … seconds (never more than a minute), 20 tries in all.
 */

import crypto from 'node:crypto';
import http from 'node:http';
import * as ids from './ids.mjs';

const TIMEOUT_MS = 2000;
const MAX_TRIES = 20;
const MAX_WAIT_MS = 60 * 1000;

export function signature(secret, raw) {
    return crypto.createHmac('sha256', secret).update(raw).digest('base64');
}

export class Webhooks {
    /* conf: url, secret, bot_user_id, redelivery. */
    constructor(conf, store, clock, reply_tokens) {
        Object.assign(this, { conf, store, clock, reply_tokens });
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
        this.counts = { sent: 0, answered_2xx: 0, failed: 0,
            redelivered: 0, given_up: 0 };
        this.undelivered = new Map();
        this.timers = new Set();
        this.on_heard = () => {};
        store.on('unsent', (r) => this.undelivered.set(r.event
            .webhookEventId, { event: r.event, tries: r.tries }));
        store.on('settled', (r) => this.undelivered.delete(r.id));
    }

    /* After a restart: what was not delivered before it goes on. */
    resume() {
        for (const job of this.undelivered.values()) {
            this.#send_later(job);
        }
    }

    close() {
        for (const timer of this.timers) {
            clearTimeout(timer);
        }
        this.timers.clear();
        this.agent.destroy();
    }

    /*
     * One event of a person, first attempt.  Returns {status, event};
     * status 0 means that nothing answered in time.  before(event) runs when
     * the event has its ids and has not left yet.
     */
    async send(user_id, fields, repliable, before = () => {}) {
        const now_ms = this.clock.now_ms();
        const event = {
            ...fields,
            webhookEventId: ids.ulid(now_ms),
            deliveryContext: { isRedelivery: false },
            timestamp: now_ms,
            source: { type: 'user', userId: user_id },
            mode: 'active',
        };
        if (repliable) {
            event.replyToken = this.reply_tokens.issue(user_id, now_ms);
        }
        before(event);
        const { status } = await this.post([event]);
        if (!is_2xx(status) && this.conf.redelivery) {
            const job = { event, tries: 1 };
            this.store.commit({ k: 'unsent', ...job });
            this.#send_later(this.undelivered.get(event.webhookEventId));
        }
        return { status, event };
    }

    /* Posts events once.  Resolves to {status, why}, never rejects. */
    post(events) {
        const raw = Buffer.from(JSON.stringify({
            destination: this.conf.bot_user_id, events,
        }));
        this.counts.sent++;
        return new Promise((resolve) => {
            const req = http.request(this.conf.url, {
                method: 'POST',
                agent: this.agent,
                headers: {
                    'content-type': 'application/json; charset=utf-8',
                    'content-length': raw.length,
                    'user-agent': 'LineBotWebhook/2.0',
                    'x-line-signature': signature(this.conf.secret, raw),
                },
            });
            const limit = setTimeout(
                () => req.destroy(new Error('REQUEST_TIMEOUT')), TIMEOUT_MS);
            const settle = (status, why) => {
                clearTimeout(limit);
                this.counts[is_2xx(status) ? 'answered_2xx' : 'failed']++;
                resolve({ status, why });
            };
            req.on('response', (res) => {
                res.resume();
                settle(res.statusCode, is_2xx(res.statusCode)
                    ? 'OK' : 'ERROR_STATUS_CODE');
            });
            req.on('error', (error) => settle(0,
                error.message === 'REQUEST_TIMEOUT'
                    ? 'REQUEST_TIMEOUT' : 'COULD_NOT_CONNECT'));
            req.end(raw);
        });
    }

    #send_later(job) {
        const wait_ms = Math.min(MAX_WAIT_MS, 1000 * 2 ** (job.tries - 1));
        const timer = setTimeout(() => {
            this.timers.delete(timer);
            this.#send_again(job);
        }, wait_ms);
        this.timers.add(timer);
    }

    async #send_again(job) {
        job.event.deliveryContext.isRedelivery = true;
        if (job.event.replyToken) {
            this.reply_tokens.sent_again(job.event.replyToken);
        }
        this.counts.redelivered++;
        const { status } = await this.post([job.event]);
        job.tries++;
        if (is_2xx(status)) {
            this.on_heard(job.event);
        }
        if (is_2xx(status) || job.tries >= MAX_TRIES) {
            this.counts.given_up += is_2xx(status) ? 0 : 1;
            this.store.commit({
                k: 'settled', id: job.event.webhookEventId,
            });
            return;
        }
        this.#send_later(job);
    }
}

export function is_2xx(status) {
    return status >= 200 && status < 300;
}
