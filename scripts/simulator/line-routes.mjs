/*
 * The table of the LINE API's calls: method, path (a trailing `*` stands for
 * one last segment), rate limit (LINE.md 11), what the body must be, whether
 * a retry key is allowed, whether an access token is needed.
 */

import { PER_HOUR, PER_MINUTE, PER_SECOND } from './buckets.mjs';

const USUAL = { count: 2000, per_ms: PER_SECOND };
const MULTICAST = { count: 200, per_ms: PER_SECOND };
const LOADING = { count: 100, per_ms: PER_SECOND };
const ENDPOINT = { count: 1000, per_ms: PER_MINUTE };
const SIXTY_AN_HOUR = { count: 60, per_ms: PER_HOUR };

export class Routes {
    constructor(sending, info) {
        this.exact = new Map();
        this.prefixes = [];
        this.#add_sending(sending);
        this.#add_info(info);
    }

    /* {route, rest} of a call, or undefined. */
    find(method, path) {
        const route = this.exact.get(`${method} ${path}`);
        if (route) {
            return { route, rest: '' };
        }
        for (const one of this.prefixes) {
            const rest = path.slice(one.prefix.length);
            if (one.method === method && path.startsWith(one.prefix)
                && rest !== '' && !rest.includes('/')) {
                return { route: one, rest };
            }
        }
        return undefined;
    }

    #add(method, path, limit, run, more = {}) {
        const route = {
            name: `${method} ${path}`, method, limit, run, auth: true,
            body: method === 'POST' || method === 'PUT' ? 'json' : 'none',
            ...more,
        };
        if (path.endsWith('*')) {
            this.prefixes.push({ ...route, prefix: path.slice(0, -1) });
        } else {
            this.exact.set(route.name, route);
        }
    }

    #add_sending(sending) {
        const path = '/v2/bot/message';
        const keyed = { retry_key: true };

        this.#add('POST', `${path}/reply`, USUAL, (c) => sending.reply(c));
        this.#add('POST', `${path}/push`, USUAL,
            (c) => sending.push(c), keyed);
        this.#add('POST', `${path}/multicast`, MULTICAST,
            (c) => sending.multicast(c), keyed);
        this.#add('POST', `${path}/broadcast`, SIXTY_AN_HOUR,
            (c) => sending.broadcast(c), keyed);
        for (const kind of ['reply', 'push', 'multicast', 'narrowcast',
            'broadcast']) {
            this.#add('POST', `${path}/validate/${kind}`, USUAL,
                (c) => sending.validate(c));
        }
    }

    #add_info(info) {
        const bot = '/v2/bot';
        const endpoint = `${bot}/channel/webhook/endpoint`;

        this.#add('GET', `${bot}/profile/*`, USUAL, (c) => info.profile(c));
        this.#add('GET', `${bot}/followers/ids`, USUAL,
            (c) => info.followers(c));
        this.#add('GET', `${bot}/info`, USUAL, () => info.bot_info());
        this.#add('GET', `${bot}/message/quota`, USUAL,
            () => info.message_quota());
        this.#add('GET', `${bot}/message/quota/consumption`, USUAL,
            () => info.consumption());
        this.#add('GET', endpoint, ENDPOINT, () => info.get_endpoint());
        this.#add('PUT', endpoint, ENDPOINT, (c) => info.set_endpoint(c));
        this.#add('POST', `${bot}/channel/webhook/test`, SIXTY_AN_HOUR,
            (c) => info.test_endpoint(c), { body: 'json?' });
        this.#add('POST', `${bot}/chat/loading/start`, LOADING,
            (c) => info.loading(c));
        this.#add('POST', '/oauth2/v3/token', USUAL,
            (c) => info.issue_token(c), { body: 'form', auth: false });
        this.#add('GET', '/oauth2/v2.1/verify', USUAL,
            (c) => info.verify_token(c), { auth: false });
    }
}
