/*
 * The sending calls (LINE.md 13): reply, push, multicast, broadcast and
 * validate.  What is accepted becomes one record: it fills inboxes, the
 * retry-key table and the quota at run time and at replay alike.
 */

import * as ids from './ids.mjs';
import { RetryKeys } from './retry-keys.mjs';
import { validate } from './validate/messages.mjs';

const QUOTABLE = ['text', 'textV2', 'sticker', 'image', 'video', 'template',
    'flex'];

export class Sending {
    /* parts: store, clock, friends, retry_keys, reply_tokens, quota,
       previewer; multicast_unknown: 'drop' or 'refuse'. */
    constructor(parts) {
        Object.assign(this, parts);
        this.accepted = 0;
        this.multicast_repeated_ids = 0;
        this.store.on('send', (r) => this.#apply(r));
    }

    reply(call) {
        const wrong = this.#check('reply', call);
        if (wrong) {
            return wrong;
        }
        const { replyToken, messages } = call.body;
        const user_id = this.reply_tokens.owner(replyToken);
        if (!user_id) {
            return refuse(400, 'Invalid reply token');
        }
        const sent = sent_messages(messages);
        this.#accept(call, 'reply', [user_id], messages, {
            token: replyToken, sent,
        });
        return { status: 200, body: { sentMessages: sent } };
    }

    push(call) {
        const stop = this.#check('push', call) ?? this.#known_key(call);
        if (stop) {
            return stop;
        }
        const { to, messages } = call.body;
        if (!ids.CHAT_ID.test(to)) {
            return bad_property('to');
        }
        if (!this.friends.get(to)) {
            return refuse(400, 'Failed to send messages');
        }
        const full = this.#over_quota([to]);
        if (full) {
            return full;
        }
        const sent = sent_messages(messages);
        this.#accept(call, 'push', [to], messages, { sent, counted: true });
        return { status: 200, body: { sentMessages: sent } };
    }

    multicast(call) {
        const stop = this.#check('multicast', call) ?? this.#known_key(call);
        if (stop) {
            return stop;
        }
        const { to, messages } = call.body;
        const malformed = to.findIndex((id) => !ids.USER_ID.test(id));
        if (malformed >= 0) {
            return bad_property(`to[${malformed}]`);
        }
        const known = new Set(to.filter((id) => this.friends.get(id)));
        if (this.multicast_unknown === 'refuse'
            && to.some((id) => !known.has(id))) {
            return refuse(400, 'Failed to send messages');
        }
        const full = this.#over_quota([...known]);
        if (full) {
            return full;
        }
        this.multicast_repeated_ids += to.length - new Set(to).size;
        this.#accept(call, 'multicast', [...known], messages,
            { counted: true });
        return { status: 200, body: {} };
    }

    broadcast(call) {
        const stop = this.#check('broadcast', call) ?? this.#known_key(call);
        if (stop) {
            return stop;
        }
        const everyone = this.friends.list.map((one) => one.user_id);
        const full = this.#over_quota(everyone);
        if (full) {
            return full;
        }
        this.#accept(call, 'broadcast', everyone, call.body.messages,
            { counted: true });
        return { status: 200, body: {} };
    }

    validate(call) {
        return this.#check('validate', call) ?? { status: 200, body: {} };
    }

    #check(kind, call) {
        const body = validate(kind, call.body);
        return body ? { status: 400, body } : undefined;
    }

    /* 409 when the key was accepted before, 400 when it is no UUID. */
    #known_key(call) {
        if (call.retry_key === undefined) {
            return undefined;
        }
        if (!ids.UUID.test(call.retry_key)) {
            return refuse(400, 'The retry key must be a UUID');
        }
        call.digest = RetryKeys.digest(call.path, call.raw);
        const first = this.retry_keys.find(call.retry_key, call.digest);
        return first && {
            status: 409,
            headers: { 'x-line-accepted-request-id': first.rid },
            body: {
                message: 'The retry key is already accepted',
                ...first.sent && { sentMessages: first.sent },
            },
        };
    }

    #over_quota(user_ids) {
        const people = this.#reached(user_ids).length;
        return this.quota.has_room(people, this.clock.now_ms())
            ? undefined
            : refuse(429, 'You have reached your monthly limit.');
    }

    #reached(user_ids) {
        return user_ids.filter((id) => this.friends.is_following(id));
    }

    #accept(call, via, user_ids, messages, more) {
        this.store.commit({
            k: 'send',
            via,
            at: this.clock.now_ms(),
            rid: call.request_id,
            to: this.#reached(user_ids),
            messages,
            key: call.retry_key,
            digest: call.digest,
            ...more,
        });
        this.previewer.look_at(messages);
    }

    #apply(r) {
        this.accepted++;
        this.friends.deliver(r.to, {
            at: r.at, via: r.via, messages: r.messages, request_id: r.rid,
        });
        if (r.token) {
            this.reply_tokens.use(r.token);
        }
        if (r.key) {
            this.retry_keys.accept(r.key, {
                at: r.at, rid: r.rid, digest: r.digest, sent: r.sent,
            });
        }
        if (r.counted) {
            this.quota.count(r.to.length, r.at);
        }
    }
}

export function refuse(status, message) {
    return { status, body: { message } };
}

function bad_property(name) {
    return refuse(400, `The property, ${name}, in the request body is `
        + 'invalid (line: -, column: -)');
}

function sent_messages(messages) {
    return messages.map((message) => ({
        id: ids.message_id(),
        ...QUOTABLE.includes(message.type)
            && { quoteToken: ids.opaque_token(64) },
    }));
}
