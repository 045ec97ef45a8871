/*
 * The table of accepted retry keys (LINE.md 12): for 24 hours of the sandbox
 * clock a key that was accepted is answered 409 with the id of the accepted
 * request.  A request refused with 4xx does not use its key up.
 */

import crypto from 'node:crypto';

const LIFE_MS = 24 * 3600 * 1000;
const SWEEP = 4;

export class RetryKeys {
    constructor(clock) {
        this.clock = clock;
        this.table = new Map();
        this.content_mismatch = 0;
    }

    static digest(path, raw) {
        return crypto.createHash('sha256').update(path).update('\n')
            .update(raw).digest('base64url').slice(0, 22);
    }

    /* The accepted request of this key, or undefined. */
    find(key, digest) {
        const name = key.toLowerCase();
        const found = this.table.get(name);
        if (!found) {
            return undefined;
        }
        if (this.#is_over(found)) {
            this.table.delete(name);
            return undefined;
        }
        if (found.digest !== digest) {
            this.content_mismatch++;
        }
        return found;
    }

    accept(key, entry) {
        this.#sweep();
        this.table.set(key.toLowerCase(), entry);
    }

    /* Oldest first, a few on every insert: no scan is ever needed. */
    #sweep() {
        let looked = 0;
        for (const [key, entry] of this.table) {
            if (looked++ === SWEEP || !this.#is_over(entry)) {
                return;
            }
            this.table.delete(key);
        }
    }

    #is_over(entry) {
        return this.clock.now_ms() - entry.at >= LIFE_MS;
    }
}
