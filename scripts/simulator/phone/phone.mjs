/* One phone: head, talk, quick replies, the field to write in. */

import { fill, h, icon, toast } from './dom.mjs';
import { act, get } from './calls.mjs';
import { action_node, name_of } from './actions.mjs';
import { face } from './avatar.mjs';
import { picture, sticker } from './media.mjs';
import { Talk } from './talk.mjs';
import { hm } from './time.mjs';

const STICKERS = ['51626494', '51626495', '51626496', '51626497', '51626498',
    '51626499'];
const STICKER_PACKAGE = '11538';

export class Phone {
    /* on: focus(), close(). */
    constructor(person, account, on) {
        this.user_id = person.user_id;
        this.on = on;
        this.ctx = {
            account,
            act: (what, body) => act(this.user_id, what, body),
            write: (text) => this.#write(text),
            fault: (error) => toast(error.message, true),
        };
        this.talk = new Talk(this.ctx, person.display_name);
        this.talk_kept = undefined;
        this.loading = false;
        this.again = false;
        this.#build(person, account);
        this.set_person(person);
        this.refresh();
    }

    #build(person, account) {
        this.time = h('time', {});
        this.owner = h('h2', { class: 'owner-name' });
        this.state = h('span', { class: 'state' });
        this.menu = this.#menu();
        this.quick = h('div', { class: 'quick', role: 'group',
            'aria-label': 'クイックリプライ', hidden: true });
        this.blocked = this.#blocked();
        this.node = h('article', { class: 'phone-place',
            'data-user': this.user_id, on: {
                focusin: () => this.on.focus(),
                pointerdown: () => this.on.focus() } },
        h('header', { class: 'owner' },
            h('button', { type: 'button', class: 'owner-button', on: {
                click: () => this.on.focus() } },
            face(person.display_name, this.user_id, 30), this.owner,
            this.state),
            h('button', { type: 'button', class: 'bare', 'aria-label':
                `${person.display_name}さんのスマホを片づける`, on: {
                click: () => this.on.close() } }, icon('close', 18))),
        h('div', { class: 'device' },
            h('div', { class: 'status-bar', 'aria-hidden': 'true' }, this.time,
                h('span', { class: 'notch' }), h('span', { class: 'battery' })),
            h('div', { class: 'talk-head' },
                face(account, account, 30),
                h('p', { class: 'talk-name' }, account),
                this.menu),
            this.talk.node, this.talk.to_end, this.quick,
            h('div', { class: 'rich-menu', hidden: true }),
            this.#composer(), this.blocked));
    }

    #menu() {
        const go = (what) => () => {
            this.menu.open = false;
            this.ctx.act(what, {}).catch(this.ctx.fault);
        };
        this.block = h('button', { type: 'button', on: {
            click: go('block') } }, icon('block', 18), 'ブロックする');
        const details = h('details', { class: 'menu', on: {
            keydown: (event) => {
                if (event.key === 'Escape') {
                    details.open = false;
                    details.querySelector('summary').focus();
                }
            },
            focusout: (event) => {
                if (!details.contains(event.relatedTarget)) {
                    details.open = false;
                }
            } } },
        h('summary', { 'aria-label': 'トークのメニュー' }, icon('more', 22)),
        h('div', { class: 'menu-list' }, this.block));
        return details;
    }

    #blocked() {
        return h('div', { class: 'blocked-note', hidden: true },
            h('p', {}, 'このアカウントをブロックしています。'),
            h('button', { type: 'button', class: 'main-button', on: {
                click: () => this.ctx.act('unblock', {})
                    .catch(this.ctx.fault) } }, 'ブロックを解除'));
    }

    #composer() {
        this.field = h('textarea', { rows: 1, maxlength: 5000,
            placeholder: 'メッセージを入力', 'aria-label': 'メッセージ',
            enterkeyhint: 'send', on: {
                input: () => this.#grow(),
                keydown: (event) => this.#key(event) } });
        const send = h('button', { type: 'submit', class: 'send',
            'aria-label': '送信' }, icon('send'));
        this.composer = h('form', { class: 'composer', on: {
            submit: (event) => {
                event.preventDefault();
                this.#send();
            } } }, this.#drawer(), this.field, send);
        return this.composer;
    }

    #drawer() {
        const details = h('details', { class: 'menu drawer', on: {
            focusout: (event) => {
                if (!details.contains(event.relatedTarget)) {
                    details.open = false;
                }
            },
            keydown: (event) => {
                if (event.key === 'Escape') {
                    details.open = false;
                }
            } } });
        const give = (what, body) => () => {
            details.open = false;
            this.ctx.act(what, body).catch(this.ctx.fault);
        };
        const place = { title: '現在地', address: '東京都千代田区千代田1-1',
            latitude: 35.6852, longitude: 139.7528 };
        details.append(
            h('summary', { 'aria-label': 'スタンプや位置情報を送る' },
                icon('plus', 22)),
            h('div', { class: 'menu-list up' },
                h('div', { class: 'stickers' }, STICKERS.map((id) => h('button',
                    { type: 'button', 'aria-label': `スタンプ ${id} を送る`,
                        on: { click: give('sticker', { package_id:
                            STICKER_PACKAGE, sticker_id: id }) } },
                    sticker(STICKER_PACKAGE, id)))),
                h('button', { type: 'button', on: {
                    click: give('location', place) } }, icon('pin', 18),
                '位置情報を送る')));
        return details;
    }

    /* Enter sends, but never while an IME is composing; on touch screens, as
       on a phone, it breaks the line. */
    #key(event) {
        const composes = event.isComposing || event.keyCode === 229;
        if (event.key === 'Enter' && !event.shiftKey && !composes
            && !matchMedia('(pointer: coarse)').matches) {
            event.preventDefault();
            this.#send();
        }
    }

    #grow() {
        this.field.style.height = 'auto';
        this.field.style.height = `${Math.min(120,
            this.field.scrollHeight + 2)}px`;
    }

    #write(text) {
        this.field.value = text;
        this.#grow();
        this.field.focus();
    }

    async #send() {
        const text = this.field.value;
        if (text.trim() === '') {
            return;
        }
        this.#write('');
        this.talk.scroll_to_end();
        try {
            await this.ctx.act('text', { text });
        } catch (error) {
            if (this.field.value === '') {
                this.#write(text);
            }
            toast(error.message, true);
        }
    }

    set_person(person) {
        this.person = person;
        const is_blocked = person.status === 'blocked';
        this.owner.textContent = person.display_name;
        this.state.textContent = is_blocked ? 'ブロック中' : '';
        this.blocked.hidden = !is_blocked;
        this.composer.hidden = is_blocked;
        this.menu.hidden = is_blocked;
    }

    set_time(now_ms) {
        this.time.textContent = hm(now_ms);
    }

    set_focused(is_focused) {
        this.node.classList.toggle('focused', is_focused);
        this.node.querySelector('.owner-button').setAttribute('aria-pressed',
            is_focused);
    }

    /* Reads the talk again; calls while it is being read become one more. */
    async refresh() {
        if (this.loading) {
            this.again = true;
            return;
        }
        this.loading = true;
        try {
            const talk = await get(`/phone/api/talk/${this.user_id}`);
            this.set_person(talk);
            this.#quick(this.talk.show(talk));
        } catch {
            /* the stream of events tells when the simulator is back */
        }
        this.loading = false;
        if (this.again) {
            this.again = false;
            this.refresh();
        }
    }

    #quick(items) {
        const print = JSON.stringify(items);
        if (print === this.quick_kept) {
            return;
        }
        this.quick_kept = print;
        this.quick.hidden = items.length === 0;
        fill(this.quick, items.map(({ action, imageUrl }) => action_node(
            action, this.ctx, { class: 'quick-item' },
            imageUrl && picture(imageUrl, { class: 'quick-icon' }),
            h('span', {}, name_of(action)))));
    }
}
