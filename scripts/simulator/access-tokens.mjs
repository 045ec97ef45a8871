/*
 * Stateless channel access tokens (LINE.md 20): 15 minutes of the sandbox
 * clock, any number of them, none revocable.  They prove themselves by a MAC
 * under the channel secret, so they also survive a restart.
 */

import crypto from 'node:crypto';

const LIFE_S = 900;
const HEAD = 'sim';
const MAX_KNOWN = 100;

export class AccessTokens {
    constructor(channel_id, channel_secret, clock) {
        this.channel_id = channel_id;
        this.channel_secret = channel_secret;
        this.clock = clock;
        this.known = new Map();
    }

    issue() {
        const until_ms = this.clock.now_ms() + LIFE_S * 1000;
        const dice = crypto.randomBytes(9).toString('base64url');
        const text = `${HEAD}.${until_ms}.${dice}`;
        return {
            token_type: 'Bearer',
            access_token: `${text}.${this.#mac(text)}`,
            expires_in: LIFE_S,
        };
    }

    /* Seconds a token still lives; 0 when it is over or was never ours. */
    left_s(token) {
        let until_ms = this.known.get(token);
        if (until_ms === undefined) {
            until_ms = this.#proven_until_ms(token);
            if (this.known.size >= MAX_KNOWN) {
                this.known.clear();
            }
            this.known.set(token, until_ms);
        }
        const left_ms = until_ms - this.clock.now_ms();
        return left_ms > 0 ? Math.ceil(left_ms / 1000) : 0;
    }

    #proven_until_ms(token) {
        const cut = token.lastIndexOf('.');
        const text = token.slice(0, Math.max(cut, 0));
        const parts = text.split('.');
        const is_ours = parts.length === 3 && parts[0] === HEAD
            && same(token.slice(cut + 1), this.#mac(text));
        return is_ours ? Number(parts[1]) : 0;
    }

    is_client(id, secret) {
        return same(id ?? '', this.channel_id)
            && same(secret ?? '', this.channel_secret);
    }

    #mac(text) {
        return crypto.createHmac('sha256', this.channel_secret)
            .update('access-token\n').update(text).digest('base64url');
    }
}

function same(a, b) {
    const x = Buffer.from(a);
    const y = Buffer.from(b);
    return x.length === y.length && crypto.timingSafeEqual(x, y);
}
