/*
 * What the page at `/` asks beside the control API, under /phone/api/: the
 * talk as the person sees it, and what Tomo says about it.
 */

import { answer_json } from './http.mjs';
import { as_person, Live } from './live.mjs';
import { TomoApi, TomoError } from './tomo-api.mjs';
import { USER_ID } from './ids.mjs';

const TALK = 200;
const ADVANCE_MAX_S = 366 * 86400;

export class PhoneApi {
    /* parts: clock, friends, bot, edge_url, dir. */
    constructor(parts) {
        Object.assign(this, parts);
        this.tomo = new TomoApi({ edge_url: parts.edge_url, dir: parts.dir,
            account: parts.bot.account });
        this.live = new Live({ clock: parts.clock, friends: parts.friends,
            tomo: this.tomo });
    }

    close() {
        this.live.close();
        this.tomo.close();
    }

    /* read: resolves to the request's JSON. */
    async handle(req, res, url, read) {
        try {
            await this.#route(req, res, url, read);
        } catch (error) {
            if (!(error instanceof TomoError)) {
                throw error;
            }
            answer_json(res, error.status, { error: error.message });
        }
    }

    async #route(req, res, url, read) {
        const rest = url.pathname.slice('/phone/api'.length);
        switch (`${req.method} ${rest}`) {
        case 'GET /events':
            return this.#events(res, url.searchParams.get('story'));
        case 'GET /account':
            return answer_json(res, 200, { account: this.bot.account,
                edge_url: this.edge_url });
        case 'GET /words':
            return answer_json(res, 200, await this.tomo.words());
        case 'GET /clock':
            return answer_json(res, 200, await this.tomo.clock());
        case 'POST /clock':
            return answer_json(res, 200, await this.#advance(await read()));
        default:
            return this.#friend(req, res, rest);
        }
    }

    #events(res, user_id) {
        if (!this.live.open(res, USER_ID.test(user_id) ? user_id : null)) {
            throw new TomoError(503, 'この画面を開いているタブが多すぎます。'
                + '使っていないタブを閉じてください。');
        }
    }

    async #advance({ advance_s }) {
        if (!Number.isInteger(advance_s) || advance_s < 1
            || advance_s > ADVANCE_MAX_S) {
            throw new TomoError(400, '進める時間は 1 秒から 366 日までです。');
        }
        const from_ms = this.clock.now_ms();
        this.live.move(from_ms, from_ms + advance_s * 1000);
        const before = this.friends.delivered;
        try {
            const { now_ms } = await this.tomo.advance(advance_s);
            return { now_ms, arrived: this.friends.delivered - before };
        } finally {
            this.live.moved();
        }
    }

    #friend(req, res, rest) {
        const found = /^\/(talk|story)\/(U[0-9a-f]{32})$/.exec(rest);
        const friend = found && this.friends.get(found[2]);
        if (!friend || req.method !== 'GET') {
            throw new TomoError(404, 'この人は見つかりません。'
                + '画面を読み込み直してください。');
        }
        if (found[1] === 'story') {
            return this.tomo.story(friend.user_id)
                .then((story) => answer_json(res, 200, story));
        }
        return answer_json(res, 200, {
            ...as_person(friend),
            inbox_from: Math.max(0, friend.inbox.length - TALK),
            inbox: friend.inbox.slice(-TALK),
            said: friend.said,
        });
    }
}
