/*
 * Identifiers in LINE's forms (LINE.md 1): user ids, message ids beyond 2^53,
 * ULIDs for webhook events, opaque reply and quote tokens.
 */

import crypto from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export const USER_ID = /^U[0-9a-f]{32}$/;
export const CHAT_ID = /^[UCR][0-9a-f]{32}$/;
export const UUID =
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/* Random bytes by the page: asking the kernel for each id is slow. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);

function dice(bytes) {
    if (pool.length < bytes) {
        pool = crypto.randomBytes(POOL_BYTES);
    }
    const taken = pool.subarray(0, bytes);
    pool = pool.subarray(bytes);
    return taken;
}

export function user_id() {
    return 'U' + dice(16).toString('hex');
}

export function request_id() {
    return crypto.randomUUID();
}

export function opaque_token(bytes) {
    return dice(bytes).toString('hex');
}

/* 26 characters: 48 bits of time, then 80 random bits. */
export function ulid(now_ms) {
    let time = '';
    let left = now_ms;
    for (let i = 0; i < 10; i++) {
        time = CROCKFORD[left % 32] + time;
        left = Math.floor(left / 32);
    }
    let rest = '';
    for (const byte of dice(16)) {
        rest += CROCKFORD[byte % 32];
    }
    return time + rest;
}

let last_message_id = 0n;

/* A decimal string that does not fit a double, unique and rising. */
export function message_id() {
    let id = BigInt(Date.now()) * 1000000n;
    if (id <= last_message_id) {
        id = last_message_id + 1n;
    }
    last_message_id = id;
    return id.toString();
}
