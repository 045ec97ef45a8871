/*
 * The people who know the account, and what arrived on their phones.
 *
 * An inbox holds what the account sent, oldest first; several inboxes may
 * share one array of messages (a multicast), so nobody changes an entry.
 */

import * as ids from './ids.mjs';

export class Friends {
    constructor(store) {
        this.store = store;
        this.by_id = new Map();
        this.list = [];
        store.on('friend', (r) => this.#apply_friend(r));
        store.on('status', (r) => this.#apply_status(r));
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

    /* Puts messages into the inboxes of those who have not blocked us. */
    deliver(user_ids, entry) {
        for (const user_id of user_ids) {
            this.by_id.get(user_id)?.inbox.push(entry);
        }
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
        };
        this.by_id.set(friend.user_id, friend);
        this.list.push(friend);
        return friend;
    }

    #apply_status(r) {
        const friend = this.by_id.get(r.user_id);
        if (friend) {
            friend.status = r.status;
        }
    }
}
