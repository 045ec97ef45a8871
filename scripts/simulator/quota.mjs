/*
 * The monthly quota (LINE.md 15): people reached by counted calls, by month
 * of the sandbox clock in UTC+9.  Replies are never counted; who blocked us
 * is not reached and not counted.
 */

const UTC9_MS = 9 * 3600 * 1000;

export class Quota {
    /* limit: people a month, or undefined for none. */
    constructor(limit) {
        this.limit = limit;
        this.used = new Map();
    }

    static month(now_ms) {
        return new Date(now_ms + UTC9_MS).toISOString().slice(0, 7);
    }

    usage(now_ms) {
        return this.used.get(Quota.month(now_ms)) ?? 0;
    }

    has_room(people, now_ms) {
        return this.limit === undefined
            || this.usage(now_ms) + people <= this.limit;
    }

    count(people, now_ms) {
        this.used.set(Quota.month(now_ms), this.usage(now_ms) + people);
    }

    as_answer() {
        return this.limit === undefined
            ? { type: 'none' }
            : { type: 'limited', value: this.limit };
    }
}
