/*
 * The people who know the account, and what arrived on their phones.
 *
 * An inbox holds what the account sent, oldest first; several inboxes may
 * share one array of messages (a multicast), so nobody changes an entry.
 * `said` is the person's own side of the talk, the newest 200.
 */

import * as ids from './ids.mjs';

const SAID_MAX = 200;

export class Friends {
    constructor(store) {
        this.store = store;
        this.by_id = new Map();
        this.list = [];
        this.delivered = 0;
        this.on_change = () => {};
        store.on('friend', (r) => this.#apply_friend(r));
        store.on('status', (r) => this.#apply_status(r));
        store.on('said', (r) => this.#apply_said(r));
        store.on('heard', (r) => this.#apply_heard(r));
        store.on('unsaid', (r) => this.#apply_unsaid(r));
    }

    get(user_id) {
        return this.by_id.get(user_id);
    }

    is_following(user_id) {
        return this.by_id.get(user_id)?.status === 'following';
    }

    /* profile: display_name, and perhaps user_id, picture_url, language. */
    add(profile, now_ms) {
        return this.store.commit({
            k: 'friend',
            user_id: profile.user_id ?? ids.user_id(),
            display_name: profile.display_name,
            picture_url: profile.picture_url,
            language: profile.language ?? 'ja',
            at: now_ms,
        });
    }

    set_status(user_id, status) {
        this.store.commit({ k: 'status', user_id, status });
    }

    /*
     * What the person did, for their own phone: kind, and text, sticker,
     * location … as the talk shows it.  Answers its id.
     */
    say(user_id, what, now_ms) {
        const id = what.id ?? ids.message_id();
        this.store.commit({ k: 'said', user_id, at: now_ms, ...what, id });
        return id;
    }

    /* The account's side answered the webhook (2xx) or did not. */
    heard(user_id, id, ok) {
        this.store.commit({ k: 'heard', user_id, id, ok });
    }

    unsay(user_id, id) {
        this.store.commit({ k: 'unsaid', user_id, id });
    }

    /* Puts messages into the inboxes of those who have not blocked us. */
    deliver(user_ids, entry) {
        for (const user_id of user_ids) {
            this.by_id.get(user_id)?.inbox.push(entry);
        }
        this.delivered += user_ids.length;
        this.on_change(user_ids);
    }

    #apply_friend(r) {
        const friend = {
            user_id: r.user_id,
            display_name: r.display_name,
            picture_url: r.picture_url,
            language: r.language,
            added_ms: r.at,
            status: 'following',
            inbox: [],
            said: [],
        };
        this.by_id.set(friend.user_id, friend);
        this.list.push(friend);
        this.on_change([r.user_id]);
        return friend;
    }

    #apply_status(r) {
        const friend = this.by_id.get(r.user_id);
        if (friend) {
            friend.status = r.status;
            this.on_change([r.user_id]);
        }
    }

    #apply_said({ k: _, user_id, ...what }) {
        const said = this.by_id.get(user_id)?.said;
        if (said) {
            said.push({ ...what, heard: null });
            if (said.length > SAID_MAX) {
                said.shift();
            }
            this.on_change([user_id]);
        }
    }

    #apply_heard(r) {
        const one = this.#said(r);
        if (one) {
            one.heard = r.ok;
            this.on_change([r.user_id]);
        }
    }

    #apply_unsaid(r) {
        const one = this.#said(r);
        if (one) {
            one.unsent = true;
            delete one.text;
            this.on_change([r.user_id]);
        }
    }

    #said(r) {
        return this.by_id.get(r.user_id)?.said.findLast(
            (one) => one.id === r.id);
    }
}
