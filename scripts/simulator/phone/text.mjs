/* Text of messages: addresses become links, LINE's own emoji are named. */

import { h } from './dom.mjs';

const URLS = /https?:\/\/[^\s<>"'「」、。（）]+/g;

/* Nodes for a text. */
export function text_nodes(text) {
    const nodes = [];
    let done = 0;
    for (const found of text.matchAll(URLS)) {
        const url = found[0].replace(/[.,:;!?]+$/, '');
        nodes.push(text.slice(done, found.index), h('a', { href: url,
            target: '_blank', rel: 'noopener noreferrer' }, url));
        done = found.index + url.length;
    }
    nodes.push(text.slice(done));
    return nodes;
}

function emoji(product, id) {
    return h('span', { class: 'line-emoji', role: 'img',
        'aria-label': 'LINE 絵文字', title: `LINE 絵文字 ${product}/${id}` },
    '☺');
}

/* type text: `emojis` stand at the $ they point at. */
export function plain_text(message) {
    const marks = [...message.emojis ?? []].sort((a, b) => a.index - b.index);
    const nodes = [];
    let done = 0;
    for (const mark of marks) {
        if (message.text[mark.index] === '$' && mark.index >= done) {
            nodes.push(...text_nodes(message.text.slice(done, mark.index)),
                emoji(mark.productId, mark.emojiId));
            done = mark.index + 1;
        }
    }
    return [...nodes, ...text_nodes(message.text.slice(done))];
}

/* type textV2: {names} stand for emoji and mentions. */
export function text_v2(message) {
    const parts = message.text.split(/(\{\{|\}\}|\{\w+\})/);
    return parts.flatMap((part) => {
        if (part === '{{' || part === '}}') {
            return part[0];
        }
        const name = /^\{(\w+)\}$/.exec(part)?.[1];
        const given = message.substitution ?? {};
        if (name && Object.hasOwn(given, name)) {
            const { type, productId, emojiId } = given[name];
            return type === 'emoji' ? emoji(productId, emojiId)
                : h('span', { class: 'mention' }, `@${name}`);
        }
        return text_nodes(part);
    });
}
