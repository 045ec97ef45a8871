/*
 * Reply tokens (LINE.md 6): one use, within a minute of the webhook that
 * carried them, a redelivered webhook included, but never later than twenty
 * minutes after the event.  All on the sandbox clock.
 */

import * as ids from './ids.mjs';

const LIFE_MS = 60 * 1000;
const EVENT_LIFE_MS = 20 * 60 * 1000;
const SWEEP = 4;

export class ReplyTokens {
    constructor(store, clock) {
        this.store = store;
        this.clock = clock;
        this.table = new Map();
        store.on('token', (r) => this.#apply(r));
    }

    issue(user_id, event_ms) {
        const token = ids.opaque_token(16);
        this.store.commit({ k: 'token', token, user_id, at: event_ms });
        return token;
    }

    /* The webhook that carries the token went out once more. */
    sent_again(token) {
        const entry = this.table.get(token);
        if (entry) {
            entry.sent_ms = this.clock.now_ms();
        }
    }

    /* Whose token it is while it can be used, else undefined. */
    owner(token) {
        const entry = this.table.get(token);
        return entry && !this.#is_over(entry) ? entry.user_id : undefined;
    }

    use(token) {
        this.table.delete(token);
    }

    #apply(r) {
        this.#sweep();
        this.table.set(r.token, {
            user_id: r.user_id, event_ms: r.at, sent_ms: r.at,
        });
    }

    #sweep() {
        let looked = 0;
        for (const [token, entry] of this.table) {
            const age_ms = this.clock.now_ms() - entry.event_ms;
            if (looked++ === SWEEP || age_ms <= EVENT_LIFE_MS) {
                return;
            }
            this.table.delete(token);
        }
    }

    #is_over(entry) {
        const now_ms = this.clock.now_ms();
        return now_ms - entry.sent_ms > LIFE_MS
            || now_ms - entry.event_ms > EVENT_LIFE_MS;
    }
}
