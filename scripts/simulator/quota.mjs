/*
 * The monthly quota (LINE.md 15): people reached by counted calls, by month
 * of the sandbox clock in UTC+9.  Replies are never counted; who blocked us
 * is not reached and not counted.
 */

const HOUR_MS = 3600 * 1000;
const UTC9_MS = 9 * HOUR_MS;

export class Quota {
    /* limit: people a month, or undefined for none. */
    constructor(limit) {
        this.limit = limit;
        this.used = new Map();
        this.hour = undefined;
    }

    usage(now_ms) {
        return this.used.get(this.#month(now_ms)) ?? 0;
    }

    has_room(people, now_ms) {
        return this.limit === undefined
            || this.usage(now_ms) + people <= this.limit;
    }

    count(people, now_ms) {
        this.used.set(this.#month(now_ms), this.usage(now_ms) + people);
    }

    /* Such as 2026-11; worked out once an hour of the clock. */
    #month(now_ms) {
        const hour = Math.floor(now_ms / HOUR_MS);
        if (hour !== this.hour) {
            this.hour = hour;
            this.name = new Date(now_ms + UTC9_MS).toISOString().slice(0, 7);
        }
        return this.name;
    }

    as_answer() {
        return this.limit === undefined
            ? { type: 'none' }
            : { type: 'limited', value: this.limit };
    }
}
