/*
 * Faults that a test switches on.  A fault looks at the path (a trailing `*`
 * matches any rest), perhaps the method and the recipient, and takes its share
 * of the calls by a seeded generator: the same list gives the same pattern.
 *
 * kind                 what the caller sees
 * 400 401 403 404 410 413 415 500 502 503 504   that status, nothing accepted
 * 429, 429_month, 429_user   rate limit, monthly limit, too many messages to
 *                      one person (that text is ours); nothing accepted
 * hang, reset, drop    no answer; stream reset; connection closed; nothing
 *                      accepted
 * hang_after_accept, reset_after_accept, drop_after_accept,
 * 500_after_accept     the same, but the call was carried out
 * slow                 carried out and answered, 2 seconds late
 * garbage, huge        carried out; the 200 has broken JSON or 10 MB
 *
 * On HTTP/1.1 a reset closes the connection too.
 */

const PLAIN = ['400', '401', '403', '404', '410', '413', '415', '429',
    '429_month', '429_user', '500', '502', '503', '504', 'hang', 'reset',
    'drop'];
const AFTER = ['hang_after_accept', 'reset_after_accept',
    'drop_after_accept', '500_after_accept', 'slow', 'garbage', 'huge'];

export class Faults {
    constructor() {
        this.list = [];
    }

    /* Takes over a list as it came in JSON; returns what is wrong, if so. */
    replace(list) {
        if (!Array.isArray(list)) {
            return 'send a JSON array of faults';
        }
        const made = [];
        for (const [i, fault] of list.entries()) {
            const wrong = check(fault);
            if (wrong) {
                return `[${i}]: ${wrong}`;
            }
            made.push({
                path: fault.path,
                method: fault.method,
                to: fault.to,
                share: fault.share ?? 1,
                kind: fault.kind,
                times: fault.times ?? Infinity,
                dice: dice(fault.seed ?? 1),
            });
        }
        this.list = made;
        return undefined;
    }

    /* The kind that strikes this call {method, path, body}, or undefined. */
    pick(call) {
        for (const fault of this.list) {
            if (!matches(fault, call) || fault.times <= 0) {
                continue;
            }
            if (fault.dice() < fault.share) {
                fault.times--;
                return fault.kind;
            }
        }
        return undefined;
    }
}

export function is_before_accept(kind) {
    return PLAIN.includes(kind);
}

function check(fault) {
    if (typeof fault !== 'object' || fault === null) {
        return 'a fault is an object with path, share and kind';
    }
    if (typeof fault.path !== 'string' || !fault.path.startsWith('/')) {
        return 'path must be a path such as "/v2/bot/message/push"';
    }
    if (![...PLAIN, ...AFTER].includes(fault.kind)) {
        return `kind must be one of ${[...PLAIN, ...AFTER].join(', ')}`;
    }
    const share = fault.share ?? 1;
    if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
        return 'share must be a number from 0 to 1';
    }
    if (!Number.isInteger(fault.seed ?? 1)) {
        return 'seed must be an integer';
    }
    if (fault.times !== undefined
        && !(Number.isInteger(fault.times) && fault.times >= 0)) {
        return 'times must be an integer, 0 or more';
    }
    return undefined;
}

function matches(fault, { method, path, body }) {
    if (fault.method !== undefined && fault.method !== method) {
        return false;
    }
    if (fault.to !== undefined && fault.to !== body?.to) {
        return false;
    }
    return fault.path.endsWith('*')
        ? path.startsWith(fault.path.slice(0, -1))
        : path === fault.path;
}

/* A small linear congruential mixer: 0 <= x < 1, repeatable by its seed. */
function dice(seed) {
    let state = (seed ^ 0x9e3779b9) >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        let x = state ^ (state >>> 16);
        x = Math.imul(x, 0x45d9f3b) >>> 0;
        x = (x ^ (x >>> 16)) >>> 0;
        return x / 0x100000000;
    };
}
