/*
 * One token bucket per channel and endpoint (LINE.md 11), refilled steadily
 * on real monotonic time, as LINE's are; the sandbox clock does not touch
 * them.  The burst LINE allows is undisclosed: here it is the rate's count.
 */

import { performance } from 'node:perf_hooks';

export const PER_SECOND = 1000;
export const PER_MINUTE = 60 * PER_SECOND;
export const PER_HOUR = 60 * PER_MINUTE;

export class Buckets {
    constructor(enabled) {
        this.enabled = enabled;
        this.table = new Map();
        this.refused = 0;
    }

    /* limit: {count, per_ms}.  True when the request may pass. */
    take(endpoint, limit) {
        if (!this.enabled) {
            return true;
        }
        const now_ms = performance.now();
        let bucket = this.table.get(endpoint);
        if (!bucket) {
            bucket = { level: limit.count, at_ms: now_ms };
            this.table.set(endpoint, bucket);
        }
        const gained = (now_ms - bucket.at_ms) * limit.count / limit.per_ms;
        bucket.level = Math.min(limit.count, bucket.level + gained);
        bucket.at_ms = now_ms;
        if (bucket.level < 1) {
            this.refused++;
            return false;
        }
        bucket.level -= 1;
        return true;
    }
}
