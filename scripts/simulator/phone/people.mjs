/* Who is there: one button a person, and the field that adds one. */

import { fill, h, icon, toast } from './dom.mjs';
import { post } from './calls.mjs';
import { face } from './avatar.mjs';

const NAME_MAX = 20;

/* The form; added(user_id) is called when the person is there. */
export function adder(added, is_large) {
    const id = is_large ? 'first-name' : 'name';
    const field = h('input', { id, name: 'name', autocomplete: 'off',
        maxlength: NAME_MAX, required: true, placeholder: is_large
            ? 'さくら' : '名前', 'aria-label': is_large
            ? null : '友だちの名前' });
    const button = h('button', { type: 'submit', class: 'main-button' },
        icon('plus', 18), '友だち追加');
    const form = h('form', { class: is_large ? 'adder large' : 'adder', on: {
        submit: async (event) => {
            event.preventDefault();
            const display_name = field.value.trim()
                || (is_large ? field.placeholder : '');
            if (display_name === '' || form.inert) {
                field.focus();
                return;
            }
            form.inert = true;
            try {
                const { user_id, status } = await post('/sim/friends',
                    { display_name });
                field.value = '';
                added(user_id);
                if (status < 200 || status > 299) {
                    toast('友だち追加の知らせが Tomo に届きませんでした（応答 '
                        + `${status}）。自動で送り直します。nginx が動いているか`
                        + '確かめてください。', true);
                }
            } catch (error) {
                toast(error.message, true);
            }
            form.inert = false;
        } } },
    is_large && h('label', { for: id }, 'あなたの名前（仮の名前でかまいません）'),
    h('div', { class: 'adder-row' }, field, button));
    form.noValidate = is_large;
    return form;
}

export class People {
    /* on: choose(user_id), added(user_id). */
    constructor(node, on) {
        this.node = node;
        this.on = on;
        this.list = h('div', { class: 'people-list' });
        this.form = adder(on.added, false);
        fill(node, this.list, this.form);
        this.seen = new Map();
    }

    /* open: Set of user ids with a phone; focused: user id. */
    show(people, total, open, focused) {
        const newest = [...people].reverse();
        this.node.hidden = total === 0;
        fill(this.list, newest.map((one) => this.#button(one,
            open.has(one.user_id), one.user_id === focused)),
        total > people.length && h('span', { class: 'people-more' },
            `ほか ${total - people.length} 人`));
    }

    #button(one, is_open, is_focused) {
        if (is_open || !this.seen.has(one.user_id)) {
            this.seen.set(one.user_id, one.received);
        }
        const unread = one.received - this.seen.get(one.user_id);
        return h('button', { type: 'button', 'aria-pressed': is_focused,
            class: `person ${is_open ? 'open' : ''} ${one.status}`,
            on: { click: () => this.on.choose(one.user_id) } },
        face(one.display_name, one.user_id, 30),
        h('span', { class: 'person-name' }, one.display_name),
        one.status === 'blocked' && h('span', { class: 'heard' }, 'ブロック中'),
        unread > 0 && h('span', { class: 'unread' },
            h('span', { class: 'heard' }, '未読'), String(unread)));
    }
}
