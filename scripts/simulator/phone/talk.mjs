/*
 * The talk of one phone: what arrived and what the person did, in order.
 * A row that has not changed keeps its node, so that a film goes on playing
 * and what somebody is reading stays where it is.
 */

import { h, icon } from './dom.mjs';
import { face } from './avatar.mjs';
import { message_node } from './message.mjs';
import { location, sticker } from './media.mjs';
import { text_nodes } from './text.mjs';
import { day, day_key, hm } from './time.mjs';

const VIA = {
    reply: ['無料の応答', '応答メッセージ（reply）。通数に数えません'],
    push: ['プッシュ', '1 人あてのプッシュメッセージ。1 通に数えます'],
    multicast: ['マルチキャスト', '同じ内容を何人にも（multicast）。1 人 1 通に数えます'],
    broadcast: ['一斉配信', '友だち全員あて（broadcast）。1 人 1 通に数えます'],
    narrowcast: ['絞り込み配信', '絞り込み配信（narrowcast）。1 人 1 通に数えます'],
};
const NOTES = {
    follow: '友だちに追加しました',
    block: 'ブロックしました。ここから先のメッセージは届きません',
    unblock: 'ブロックを解除しました',
    postback: 'ボタンを押しました（ポストバック。トークには文字が出ません）',
};

/* Deliveries and own acts, oldest first: [{key, at, …}]. */
function rows_of(talk) {
    const said = talk.said.map((one) => ({ key: `s${one.id}`, at: one.at,
        said: one }));
    const inbox = talk.inbox.map((one, i) => ({
        key: `i${talk.inbox_from + i}`, at: one.at, delivery: one }));
    const rows = [];
    let s = 0;
    let i = 0;
    while (s < said.length || i < inbox.length) {
        const next = i >= inbox.length
            || s < said.length && said[s].at <= inbox[i].at
            ? said[s++] : inbox[i++];
        if (rows.length === 0 || day_key(next.at) !== day_key(rows.at(-1).at)) {
            rows.push({ key: `d${day_key(next.at)}`, at: next.at, day: true });
        }
        rows.push(next);
    }
    return rows;
}

export class Talk {
    /* ctx: act, write (actions.mjs), account; whose: a person's name. */
    constructor(ctx, whose) {
        this.ctx = ctx;
        this.nodes = new Map();
        this.list = h('div', { class: 'talk-rows', role: 'log',
            'aria-live': 'off' });
        this.node = h('div', { class: 'talk', tabindex: 0, role: 'region',
            'aria-label': `${whose}さんのトーク`, on: {
                scroll: () => this.#scrolled() } },
        this.list);
        this.is_at_end = true;
        this.height = 0;
        const sizes = new ResizeObserver(() => this.#resized());
        sizes.observe(this.node);
        sizes.observe(this.list);
        this.to_end = h('button', { type: 'button', class: 'to-end',
            hidden: true, on: { click: () => this.scroll_to_end() } });
    }

    show(talk) {
        const was_at_end = this.is_at_end;
        const rows = rows_of(talk);
        const kept = new Map();
        let fresh = 0;
        let last = null;
        for (const row of rows) {
            const print = row.said ? JSON.stringify(row.said) : '';
            let held = this.nodes.get(row.key);
            if (!held || held.print !== print) {
                held = { print, node: this.#row(row) };
                fresh += row.delivery ? 1 : 0;
            }
            kept.set(row.key, held);
            const here = last ? last.nextSibling : this.list.firstChild;
            if (here !== held.node) {
                this.list.insertBefore(held.node, here);
            }
            last = held.node;
        }
        while (last && last.nextSibling) {
            last.nextSibling.remove();
        }
        this.nodes = kept;
        if (was_at_end) {
            this.scroll_to_end();
        } else if (fresh > 0) {
            this.#note_unseen(fresh);
        }
        return quick_reply(rows);
    }

    scroll_to_end() {
        this.node.scrollTop = this.node.scrollHeight;
        this.is_at_end = true;
        this.#note_unseen(0);
    }

    #scrolled() {
        if (this.node.clientHeight === this.height) {
            this.is_at_end = this.#at_end();
        }
        if (this.is_at_end) {
            this.#note_unseen(0);
        }
    }

    /* Who is at the end stays there when a picture arrives, the quick
       replies take their room, or the window changes. */
    #resized() {
        this.height = this.node.clientHeight;
        if (this.is_at_end && this.height > 0) {
            this.node.scrollTop = this.node.scrollHeight;
        }
    }

    #at_end() {
        const { scrollTop, scrollHeight, clientHeight } = this.node;
        return scrollHeight - scrollTop - clientHeight < 60;
    }

    #note_unseen(n) {
        this.to_end.hidden = n === 0;
        this.to_end.replaceChildren('新しいメッセージ', icon('down', 16));
    }

    #row(row) {
        if (row.day) {
            return h('p', { class: 'talk-day' }, h('span', {}, day(row.at)));
        }
        return row.delivery ? this.#delivery(row.delivery)
            : this.#said(row.said);
    }

    #delivery(one) {
        const { account } = this.ctx;
        const [short, long] = VIA[one.via] ?? [one.via, one.via];
        return h('div', { class: 'theirs', role: 'group',
            'aria-label': `${hm(one.at)} に届いたメッセージ` }, one.messages.map((message, i) => {
            const sender = message.sender?.name;
            const is_last = i === one.messages.length - 1;
            return h('div', { class: `their-row of-${message.type}` },
                i === 0 || sender ? face(sender ?? account, account, 34)
                    : h('span', { class: 'no-face' }),
                h('div', { class: 'their-side' },
                    (i === 0 || sender) && h('p', { class: 'from' },
                        sender ? `${sender}（${account}）` : account),
                    message_node(message, this.ctx),
                    is_last && h('p', { class: 'stamp' },
                        h('time', {}, hm(one.at)),
                        h('span', { class: `via ${one.via}`, title: long },
                            short))));
        }));
    }

    #said(one) {
        if (one.unsent) {
            return h('p', { class: 'talk-note' },
                'メッセージの送信を取り消しました');
        }
        const is_shown = one.kind === 'text' || one.kind === 'sticker'
            || one.kind === 'location'
            || one.kind === 'postback' && one.text !== undefined;
        const lost = one.heard === false && h('span', { class: 'lost' },
            'まだ届いていません（自動で送り直します）');
        if (!is_shown) {
            return h('p', { class: 'talk-note' }, NOTES[one.kind] ?? one.kind,
                lost);
        }
        return h('div', { class: 'mine', role: 'group',
            'aria-label': '自分のメッセージ' },
            h('p', { class: 'stamp' },
                one.kind !== 'postback' && h('button', { type: 'button',
                    class: 'unsend', on: { click: () => this.ctx.act('unsend',
                        { message_id: one.id }).catch(this.ctx.fault) } },
                '取り消す'),
                lost || h('span', { class: 'read' },
                    one.heard ? '既読' : '送信中'),
                h('time', {}, hm(one.at))),
            said_node(one));
    }
}

function said_node(one) {
    if (one.kind === 'sticker') {
        return sticker(one.packageId, one.stickerId);
    }
    return one.kind === 'location' ? location(one)
        : h('div', { class: 'bubble' }, text_nodes(one.text));
}

/* Those of the newest message, as long as nothing came after it. */
function quick_reply(rows) {
    const last = rows.at(-1)?.delivery?.messages.at(-1);
    return last?.quickReply?.items ?? [];
}
