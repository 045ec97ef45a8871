/* The date and time picker of `datetimepicker` actions. */

import { h } from './dom.mjs';

const INPUT = { date: 'date', time: 'time', datetime: 'datetime-local' };
const LABEL = { date: '日付', time: '時刻', datetime: '日時' };
const TITLE = { date: '日付を選ぶ', time: '時刻を選ぶ', datetime: '日時を選ぶ' };

/* Resolves to the value in LINE's form, or undefined when called off. */
export function pick_moment({ mode, initial, min, max, label }) {
    return new Promise((resolve) => {
        const title = TITLE[mode] ?? TITLE.date;
        const input = h('input', { type: INPUT[mode] ?? 'date', name: 'value',
            id: 'moment', required: true, min: local(min), max: local(max),
            value: local(initial) });
        const form = h('form', { method: 'dialog' },
            h('h2', { id: 'moment-title' }, label || title),
            h('label', { for: 'moment' }, LABEL[mode] ?? LABEL.date),
            input,
            h('div', { class: 'row' },
                h('button', { type: 'button', class: 'soft', on: {
                    click: () => dialog.close('') } }, 'キャンセル'),
                h('button', { type: 'submit', class: 'main-button',
                    value: 'send' }, '送信')));
        const dialog = h('dialog', { class: 'picker',
            'aria-labelledby': 'moment-title', on: {
                close: () => {
                    dialog.remove();
                    resolve(dialog.returnValue === 'send'
                        ? input.value || undefined : undefined);
                },
            } }, form);
        document.body.append(dialog);
        dialog.showModal();
    });
}

/* LINE writes 2026-11-22t10:00 or with T. */
function local(value) {
    return typeof value === 'string' ? value.replace('t', 'T') : undefined;
}
