/*
 * The control API (DESIGN.md 8): people who act, what arrived on their
 * phones, what the LINE API was asked, and faults.  A call that causes a
 * webhook answers after the webhook's first attempt: `status` is what the
 * edge answered, 0 when it did not.
 */

import * as ids from './ids.mjs';
import { answer_json, read_body, TooLarge } from './http.mjs';
import { refuse_foreign } from './guard.mjs';
import { serve_page } from './page.mjs';
import { is_object } from './validate/schema.mjs';
import { is_2xx } from './webhook.mjs';

const MAX_BODY_BYTES = 4 << 20;
const PART = 1000;
const UNSENDABLE = ['text', 'sticker', 'location'];

export class ControlApi {
    /* parts: clock, friends, webhooks, request_log, faults, rates, quota,
       state, bot, phone. */
    constructor(parts) {
        Object.assign(this, parts);
        this.webhooks.on_heard = (event) => this.#heard(event, true);
    }

    async handle(req, res) {
        const foreign = refuse_foreign(req);
        if (foreign) {
            return answer_json(res, 403, { error: foreign });
        }
        const url = new URL(req.url, 'http://simulator');
        try {
            if (!serve_page(req, res, url.pathname)) {
                await this.#route(req, res, url);
            }
        } catch (error) {
            if (error instanceof Refusal) {
                answer_json(res, error.status, { error: error.message });
            } else if (error instanceof TooLarge) {
                answer_json(res, 413, { error: error.message });
            } else {
                process.stderr.write(`simulator: ${url.pathname}: `
                    + `${error.stack}\n`);
                answer_json(res, 500, { error: 'internal error' });
            }
        }
    }

    async #route(req, res, url) {
        const name = `${req.method} ${url.pathname}`;
        switch (name) {
        case 'GET /sim/state':
            return answer_json(res, 200, this.state());
        case 'POST /sim/verify':
            return answer_json(res, 200,
                { status: (await this.webhooks.post([])).status });
        case 'GET /sim/requests':
            return this.#requests(res, url.searchParams);
        case 'GET /sim/friends':
            return answer_json(res, 200, { friends: this.#people() });
        case 'POST /sim/friends':
            return answer_json(res, 200, await this.#add(await json(req)));
        case 'GET /sim/faults':
            return answer_json(res, 200, this.faults.list);
        case 'POST /sim/faults':
            return answer_json(res, 200,
                this.#set_faults(await json(req)));
        case 'POST /sim/rates':
            this.rates.restart();
            return answer_json(res, 200, {});
        case 'POST /sim/quota':
            return answer_json(res, 200, this.#set_quota(await json(req)));
        default:
            return url.pathname.startsWith('/phone/api/')
                ? this.phone.handle(req, res, url, () => json(req))
                : this.#friend_route(req, res, url);
        }
    }

    async #friend_route(req, res, url) {
        const found = /^\/sim\/friends\/([^/]+)\/([a-z]+)$/.exec(
            url.pathname);
        if (!found) {
            throw new Refusal(404, 'no such call; docs/simulator.md lists the calls');
        }
        const friend = this.friends.get(found[1]);
        if (!friend) {
            throw new Refusal(404, 'nobody has this user_id; '
                + 'POST /sim/friends makes a person');
        }
        if (req.method === 'GET' && found[2] === 'inbox') {
            return answer_json(res, 200, friend.inbox);
        }
        const act = Object.hasOwn(this.acts, found[2])
            && this.acts[found[2]];
        if (req.method !== 'POST' || !act) {
            throw new Refusal(404, 'no such call; docs/simulator.md lists the calls');
        }
        const { status, event } = await act.call(this, friend,
            await json(req));
        answer_json(res, 200, {
            status, user_id: friend.user_id,
            webhook_event_id: event.webhookEventId,
        });
    }

    async #add(body) {
        const { user_id, display_name, picture_url, language } = body;
        if (typeof display_name !== 'string') {
            throw new Refusal(400, 'display_name must be a string');
        }
        for (const one of [picture_url, language]) {
            if (one !== undefined && typeof one !== 'string') {
                throw new Refusal(400,
                    'picture_url and language must be strings');
            }
        }
        if (user_id !== undefined && !ids.USER_ID.test(user_id)) {
            throw new Refusal(400, 'user_id must be U and 32 hex digits');
        }
        if (this.friends.get(user_id)) {
            throw new Refusal(409, 'this person exists; use /unblock');
        }
        const friend = this.friends.add(
            { user_id, display_name, picture_url, language },
            this.clock.now_ms());
        const { status, event } = await this.#happens(friend,
            { kind: 'follow' },
            { type: 'follow', follow: { isUnblocked: false } }, true);
        return {
            user_id: friend.user_id, status,
            webhook_event_id: event.webhookEventId,
        };
    }

    /* What acts leave behind on the person's own phone is `what`. */
    async #happens(friend, what, fields, repliable) {
        const done = await this.webhooks.send(friend.user_id, fields,
            repliable, (event) => this.friends.say(friend.user_id,
                { ...what, id: said_id(event) }, event.timestamp));
        this.#heard(done.event, is_2xx(done.status));
        return done;
    }

    #heard(event, ok) {
        this.friends.heard(event.source.userId, said_id(event), ok);
    }

    #message(friend, kind, fields) {
        must_follow(friend);
        return this.#happens(friend, { kind, ...fields }, {
            type: 'message',
            message: { type: kind, id: ids.message_id(), ...fields,
                markAsReadToken: ids.opaque_token(32) },
        }, true);
    }

    acts = {
        text: (friend, body) => {
            must_be_text(body, 'text');
            must_follow(friend);
            return this.#happens(friend, { kind: 'text', text: body.text }, {
                type: 'message',
                message: {
                    type: 'text',
                    id: ids.message_id(),
                    quoteToken: ids.opaque_token(64),
                    markAsReadToken: ids.opaque_token(32),
                    text: body.text,
                },
            }, true);
        },
        sticker: (friend, { package_id, sticker_id }) => {
            for (const one of [package_id, sticker_id]) {
                if (!/^\d{1,20}$/.test(one)) {
                    throw new Refusal(400, 'package_id and sticker_id must '
                        + 'be strings of digits');
                }
            }
            return this.#message(friend, 'sticker', {
                packageId: package_id, stickerId: sticker_id,
                stickerResourceType: 'STATIC',
                quoteToken: ids.opaque_token(64),
            });
        },
        location: (friend, { title, address, latitude, longitude }) => {
            if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
                throw new Refusal(400, 'latitude and longitude must be '
                    + 'numbers of degrees');
            }
            return this.#message(friend, 'location', {
                ...typeof title === 'string' && { title },
                ...typeof address === 'string' && { address },
                latitude: Number(latitude), longitude: Number(longitude),
            });
        },
        postback: (friend, body) => {
            if (typeof body.data !== 'string') {
                throw new Refusal(400, 'data must be a string');
            }
            must_follow(friend);
            const text = typeof body.display_text === 'string'
                && body.display_text !== '' ? body.display_text : undefined;
            return this.#happens(friend, { kind: 'postback', text }, {
                type: 'postback',
                postback: {
                    data: body.data,
                    ...is_object(body.params) && { params: body.params },
                },
            }, true);
        },
        unsend: (friend, { message_id }) => {
            const one = friend.said.find((each) => each.id === message_id);
            if (!one || one.unsent || !UNSENDABLE.includes(one.kind)) {
                throw new Refusal(404, 'no such message of this person; '
                    + 'message_id is that of a message not unsent yet');
            }
            this.friends.unsay(friend.user_id, message_id);
            return this.webhooks.send(friend.user_id,
                { type: 'unsend', unsend: { messageId: message_id } }, false);
        },
        block: (friend) => {
            must_follow(friend);
            this.friends.set_status(friend.user_id, 'blocked');
            return this.#happens(friend, { kind: 'block' },
                { type: 'unfollow' }, false);
        },
        unblock: (friend) => {
            if (friend.status !== 'blocked') {
                throw new Refusal(409,
                    'this person has not blocked the account');
            }
            this.friends.set_status(friend.user_id, 'following');
            return this.#happens(friend, { kind: 'unblock' },
                { type: 'follow', follow: { isUnblocked: true } }, true);
        },
    };

    #set_faults(body) {
        const wrong = this.faults.replace(body);
        if (wrong) {
            throw new Refusal(400, wrong);
        }
        return { faults: this.faults.list.length };
    }

    #set_quota(body) {
        const { value } = body;
        if (value !== null && !(Number.isInteger(value) && value >= 0)) {
            throw new Refusal(400,
                'value must be people a month, or null for no limit');
        }
        this.quota.limit = value ?? undefined;
        return this.quota.as_answer();
    }

    #people() {
        return this.friends.list.map((one) => ({
            user_id: one.user_id,
            display_name: one.display_name,
            picture_url: one.picture_url,
            language: one.language,
            status: one.status,
            received: one.inbox.length,
        }));
    }

    /* Written in parts: 200,000 calls do not fit one string. */
    #requests(res, query) {
        const after = Number(query.get('after') ?? 0);
        if (!Number.isInteger(after) || after < 0) {
            throw new Refusal(400, 'after must be a number, 0 or more');
        }
        res.writeHead(200,
            { 'content-type': 'application/json; charset=utf-8' });
        let part = [];
        let glue = '[';
        for (const entry of this.request_log.after(after)) {
            part.push(JSON.stringify(entry));
            if (part.length === PART) {
                res.write(glue + part.join(','));
                part = [];
                glue = ',';
            }
        }
        const last = part.length > 0 ? glue + part.join(',')
            : glue === '[' ? '[' : '';
        res.end(`${last}]`);
    }
}

class Refusal extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

/* One act, one id: the message's where it is one, else the event's. */
function said_id(event) {
    return event.message?.id ?? event.webhookEventId;
}

function must_be_text(body, name) {
    if (typeof body[name] !== 'string' || body[name] === '') {
        throw new Refusal(400, `${name} must be a string, not empty`);
    }
}

function must_follow(friend) {
    if (friend.status !== 'following') {
        throw new Refusal(409, 'this person has blocked the account');
    }
}

async function json(req) {
    const raw = await read_body(req, MAX_BODY_BYTES);
    if (raw.length === 0) {
        return {};
    }
    try {
        const value = JSON.parse(raw.toString('utf8'));
        if (typeof value === 'object' && value !== null) {
            return value;
        }
    } catch {
        /* answered below */
    }
    throw new Refusal(400, 'the body must be JSON');
}
