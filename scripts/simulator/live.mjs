/*
 * Tells open pages what changed, by server-sent events:
 *   people {total, people:[newest], changed:[user ids] or null for all}
 *   story  {user_id, friend, timeline} or {user_id, error}, of one friend
 *   clock  {now_ms, moving: null or {from_ms, to_ms}}
 * While nobody looks, nothing is asked and nothing is kept.
 */

const GATHER_MS = 30;
const LOOK_MS = 500;
const NEWEST = 60;
const MAX_PAGES = 64;
const MANY = 200;
const SHIFT_MS = 400;

export class Live {
    /* parts: friends, clock, tomo. */
    constructor(parts) {
        Object.assign(this, parts);
        this.pages = new Set();
        this.changed = new Set();
        this.timer = undefined;
        this.moving = null;
        this.friends.on_change = (ids) => this.#note(ids);
    }

    close() {
        for (const page of this.pages) {
            page.res.end();
        }
        clearTimeout(this.timer);
    }

    /* Takes the response over; false: too many pages. */
    open(res, user_id) {
        if (this.pages.size >= MAX_PAGES) {
            return false;
        }
        const page = { res, user_id, told: '', shift_ms: undefined,
            timer: undefined };
        this.pages.add(page);
        res.writeHead(200, {
            'content-type': 'text/event-stream; charset=utf-8',
            'cache-control': 'no-store',
        });
        res.on('close', () => {
            clearTimeout(page.timer);
            this.pages.delete(page);
        });
        send(page, 'people', this.#people(null));
        this.#look(page);
        return true;
    }

    /* The clock is being moved, from here: pages show how far it is. */
    move(from_ms, to_ms) {
        this.moving = { from_ms, to_ms };
        this.look_now();
    }

    moved() {
        this.moving = null;
        this.look_now();
    }

    /* Something was done that Tomo will decide at once. */
    look_now() {
        for (const page of this.pages) {
            clearTimeout(page.timer);
            page.shift_ms = undefined;
            this.#look(page);
        }
    }

    #note(ids) {
        if (this.pages.size === 0) {
            return;
        }
        for (const id of ids.length > MANY ? [] : ids) {
            this.changed.add(id);
        }
        if (ids.length > MANY || this.changed.size > MANY) {
            this.changed_all = true;
            this.changed.clear();
        }
        this.timer ??= setTimeout(() => this.#tell(), GATHER_MS);
    }

    #tell() {
        this.timer = undefined;
        const changed = this.changed_all ? null : [...this.changed];
        this.changed_all = false;
        this.changed = new Set();
        const news = this.#people(changed);
        for (const page of this.pages) {
            send(page, 'people', news);
            if (changed === null || changed.includes(page.user_id)) {
                clearTimeout(page.timer);
                this.#look(page);
            }
        }
    }

    #people(changed) {
        const list = this.friends.list;
        return {
            total: list.length,
            people: list.slice(-NEWEST).map(as_person),
            changed,
        };
    }

    /* Asks Tomo for the page's friend, tells what is new, and comes again. */
    async #look(page) {
        page.turn = (page.turn ?? 0) + 1;
        const turn = page.turn;
        this.#tell_clock(page);
        if (page.user_id) {
            const news = await this.#story(page.user_id);
            const text = JSON.stringify(news);
            if (page.turn !== turn) {
                return;
            }
            if (text !== page.told && !page.res.writableEnded) {
                page.told = text;
                page.res.write(`event: story\ndata: ${text}\n\n`);
            }
        }
        if (this.pages.has(page)) {
            page.timer = setTimeout(() => this.#look(page), LOOK_MS);
        }
    }

    async #story(user_id) {
        try {
            return { user_id, ...await this.tomo.story(user_id) };
        } catch (error) {
            return { user_id, error: error.message };
        }
    }

    #tell_clock(page) {
        const now_ms = this.clock.now_ms();
        const shift_ms = now_ms - Date.now();
        if (page.shift_ms === undefined
            || Math.abs(shift_ms - page.shift_ms) > SHIFT_MS) {
            page.shift_ms = shift_ms;
            send(page, 'clock', { now_ms, moving: this.moving });
        }
    }
}

export function as_person(one) {
    return {
        user_id: one.user_id,
        display_name: one.display_name,
        status: one.status,
        received: one.inbox.length,
    };
}

function send(page, name, value) {
    page.res.write(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
}
