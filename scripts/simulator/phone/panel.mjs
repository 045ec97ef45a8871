/* 「何が起きたか」: what Tomo knows of one friend, and why. */

import { fill, h, icon } from './dom.mjs';
import { face } from './avatar.mjs';
import { explain, is_known } from './why.mjs';
import { day, day_key, hms } from './time.mjs';

const STATUS = { following: '友だち', blocked: 'ブロック中',
    unknown: '友だちかどうか不明' };
const URL_TAIL = /(https?:\/\/[^\s/]+\/[rs]\/)[\w-]{12,}/g;

export class Panel {
    constructor(node, names) {
        this.node = node;
        this.names = names;
        this.seen = new Set();
        this.user_id = undefined;
        this.asked = new Set();
        this.head = h('div', { class: 'panel-head' });
        this.now = h('div', { class: 'panel-now' });
        this.rows = h('ol', { class: 'story' });
        fill(node, h('h2', { id: 'panel-title' }, '何が起きたか'), this.head,
            this.now, this.rows);
    }

    /* Before the first answer about a person. */
    wait(person) {
        this.node.hidden = false;
        this.user_id = person.user_id;
        this.seen.clear();
        this.story = undefined;
        this.#head(person, null);
        fill(this.now);
        fill(this.rows, h('li', { class: 'panel-note' }, '読み込んでいます…'));
    }

    /* news: {user_id, friend, timeline} or {user_id, error} of the stream. */
    show(person, news) {
        this.node.hidden = false;
        this.person = person;
        if (news.error) {
            fill(this.now, h('p', { class: 'panel-fault', role: 'alert' },
                news.error));
            return;
        }
        this.story = news;
        this.#head(person, news.friend);
        this.#facts(news.friend);
        this.#list(news.timeline);
        this.#learn(news.timeline);
    }

    #head(person, friend) {
        const status = friend?.status
            ?? (person.status === 'blocked' ? 'blocked' : undefined);
        fill(this.head, face(person.display_name, person.user_id, 36),
            h('div', {}, h('p', { class: 'panel-name' }, person.display_name),
                h('p', { class: 'small' }, friend
                    ? `Tomo の友だち番号 ${friend.id}` : 'Tomo はまだ知りません')),
            status && h('span', { class: `badge ${status}` },
                STATUS[status] ?? status));
    }

    #facts(friend) {
        const tags = friend?.tags ?? [];
        const fields = Object.entries(friend?.fields ?? {});
        fill(this.now,
            h('h3', {}, 'いまのタグ'),
            tags.length > 0 ? h('ul', { class: 'chips' }, tags.map((id) => h(
                'li', { class: 'chip' }, icon('tag', 14),
                this.names.of('tag', id))))
                : h('p', { class: 'small' }, 'まだありません'),
            h('h3', {}, '友だち情報'),
            fields.length > 0 ? h('dl', { class: 'fields' },
                fields.map(([id, value]) => h('div', {},
                    h('dt', {}, this.names.of('field', id)),
                    h('dd', {}, this.names.value(id, value)))))
                : h('p', { class: 'small' }, 'まだありません'),
            h('h3', {}, 'できごと（新しい順）'));
    }

    #list(timeline) {
        const by_id = new Map(timeline.map((row) => [row.id, row]));
        const is_first = this.seen.size === 0;
        let last_day;
        const nodes = [];
        timeline.forEach((row, i) => {
            const key = day_key(row.at);
            if (key !== last_day) {
                nodes.push(h('li', { class: 'story-day' }, day(row.at)));
                last_day = key;
            }
            const print = `${row.id} ${row.kind} ${timeline.length - i}`;
            const is_new = !is_first && !this.seen.has(print);
            this.seen.add(print);
            nodes.push(this.#row(row, by_id, is_new));
        });
        fill(this.rows, nodes.length > 0 ? nodes : h('li',
            { class: 'panel-note' }, 'まだ何も起きていません。'));
    }

    #row(row, by_id, is_new) {
        const said = explain(row, this.names, by_id);
        return h('li', { class: `event ${said.look} ${is_new ? 'new' : ''}`,
            'data-event': row.id, 'data-kind': row.kind, tabindex: -1, on: {
                animationend: (event) => event.currentTarget.classList
                    .remove('new') } },
        h('span', { class: 'event-mark' }, icon(said.icon, 16)),
        h('div', { class: 'event-body' },
            h('p', { class: 'event-title' }, said.title,
                h('time', {}, hms(row.at))),
            said.quote && h('p', { class: 'event-quote' },
                said.quote.trim().replace(URL_TAIL, '$1…')),
            said.chain.length > 0 && h('p', { class: 'event-why' },
                h('span', { class: 'why-word' }, 'なぜ'),
                said.chain.map((link, i) => h('span', {}, i > 0 && h('span', {
                    class: 'arrow' }, '→ '), this.#link(link)))),
            said.effects.length > 0 && h('ul', { class: 'effects' },
                said.effects.map(({ look, text }) => h('li',
                    { class: look }, text)))));
    }

    #link({ text, event }) {
        return event ? h('button', { type: 'button', class: 'why-link', on: {
            click: () => this.#point_at(event) } }, text)
            : h('span', {}, text);
    }

    #point_at(id) {
        const row = [...this.rows.children].find(
            (one) => one.dataset.event === id);
        row?.scrollIntoView({ block: 'center' });
        row?.focus({ preventScroll: true });
    }

    /* Once for each id that nobody has a name for: it may be new. */
    async #learn(timeline) {
        const unknown = timeline.find((row) => !this.asked.has(row.id)
            && !is_known(row, this.names));
        if (!unknown) {
            return;
        }
        this.asked.add(unknown.id);
        try {
            await this.names.read();
        } catch {
            return;
        }
        if (this.story?.timeline === timeline) {
            this.show(this.person, this.story);
        }
    }
}
