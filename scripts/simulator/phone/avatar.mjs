/* Faces of people and of the account: a letter on a colour of its own. */

import { h } from './dom.mjs';

/* Each carries white letters at 4.5:1 or better. */
const COLOURS = ['#8a4b2f', '#7a4a86', '#2f6690', '#9c3d54', '#4f6b2c',
    '#5b5aa6', '#87611a', '#276e6b'];

function pick(seed) {
    let sum = 0;
    for (const c of seed) {
        sum = (sum * 31 + c.codePointAt(0)) >>> 0;
    }
    return COLOURS[sum % COLOURS.length];
}

export function first_letter(name) {
    const [first] = new Intl.Segmenter('ja', { granularity: 'grapheme' })
        .segment(name.trim());
    return first?.segment ?? '？';
}

export function face(name, seed, size = 36) {
    return h('span', { class: 'face', 'aria-hidden': 'true', css: {
        'background-color': pick(seed), width: `${size}px`,
        height: `${size}px`, 'font-size': `${Math.round(size * 0.45)}px`,
    }, 'data-letter': first_letter(name) });
}
