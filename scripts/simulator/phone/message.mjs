/* One LINE message object as a node.  What is not known is said to be so. */

import { h } from './dom.mjs';
import { flex } from './flex.mjs';
import { audio, image, imagemap, location, sticker, video } from './media.mjs';
import { template } from './template.mjs';
import { plain_text, text_v2 } from './text.mjs';

const KINDS = {
    text: (m) => h('div', { class: 'bubble' }, plain_text(m)),
    textV2: (m) => h('div', { class: 'bubble' }, text_v2(m)),
    sticker: (m) => sticker(m.packageId, m.stickerId),
    image,
    video,
    audio,
    location,
    imagemap,
    template,
    flex,
};

export function message_node(message, ctx) {
    const known = Object.hasOwn(KINDS, message?.type)
        ? KINDS[message.type] : null;
    let node;
    try {
        node = known?.(message, ctx);
    } catch {
        /* a message the simulator took and this page cannot draw */
    }
    return node ?? unknown(message);
}

function unknown(message) {
    const kind = message?.type === 'template'
        ? `template / ${message.template?.type}` : message?.type;
    return h('div', { class: 'bubble unknown' },
        h('p', {}, `「${kind}」は、このスマホでは表示できない形式です。`
            + '届いた内容はそのまま下にあります。'),
        message?.altText && h('p', {}, `代替テキスト：${message.altText}`),
        h('details', {}, h('summary', {}, '届いた JSON を見る'),
            h('pre', { tabindex: 0 }, JSON.stringify(message, null, 1))));
}

const BRIEF = { sticker: 'スタンプ', image: '画像', video: '動画',
    audio: '音声', location: '位置情報' };

/* One line about a message, for those who are not looking at it. */
export function brief(message) {
    return message.altText ?? message.text ?? BRIEF[message.type]
        ?? `（${message.type}）`;
}
