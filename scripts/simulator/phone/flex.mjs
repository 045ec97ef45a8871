/* Flex messages: bubbles and carousels of them. */

import { h } from './dom.mjs';
import { cover } from './actions.mjs';
import { component } from './flex-parts.mjs';
import { film } from './media.mjs';
import { slider } from './template.mjs';

const WIDTHS = { nano: 120, micro: 160, deca: 220, hecto: 241, kilo: 260,
    mega: 300, giga: 386 };
const BLOCKS = ['header', 'hero', 'body', 'footer'];

export function flex(message, ctx) {
    const { contents } = message;
    return contents.type === 'carousel'
        ? slider(message.altText, contents.contents.map(
            (one) => bubble(one, ctx)))
        : bubble(contents, ctx, message.altText);
}

function bubble(one, ctx, name) {
    const width = WIDTHS[one.size ?? 'mega'] ?? WIDTHS.mega;
    return h('div', { class: 'flex-bubble', dir: one.direction ?? 'ltr',
        role: name ? 'group' : null, 'aria-label': name,
        css: { width: `${width}px` } },
    one.action && cover(one.action, ctx),
    BLOCKS.filter((block) => one[block]).map((block, i) => part(
        block, one[block], one.styles?.[block] ?? {}, i, one, ctx)));
}

function part(block, content, style, index, whole, ctx) {
    const seam = style.separator && index > 0 && h('div', {
        class: 'flex-seam', css: { 'background-color': style.separatorColor },
    });
    const node = content.type === 'video'
        ? film(content.url, content.previewUrl, { class: 'flex-film', css: {
            'aspect-ratio': (content.aspectRatio ?? '16:9').replace(':', '/'),
        } })
        : component(content, { layout: 'vertical', block }, ctx);
    return h('div', { class: `flex-block flex-${block} ${
        block === 'body' && whole.footer ? 'before-footer' : ''}`,
    css: { 'background-color': style.backgroundColor } }, seam, node);
}
