/* Buttons, confirm, carousel and image carousel. */

import { h } from './dom.mjs';
import { action_node, cover, name_of } from './actions.mjs';
import { picture } from './media.mjs';
import { text_nodes } from './text.mjs';

function action_list(actions, ctx, props = {}) {
    return h('div', { class: 'card-actions', ...props }, actions.map(
        (action) => action_node(action, ctx, {}, name_of(action))));
}

/* What buttons and columns have in common. */
function card(one, shape, ctx) {
    return h('div', { class: 'card' },
        h('div', { class: 'tappable' },
            one.defaultAction && cover(one.defaultAction, ctx),
            one.thumbnailImageUrl && h('div', {
                class: `thumb ${shape.imageAspectRatio === 'square'
                    ? 'square' : ''}`,
                css: { 'background-color': one.imageBackgroundColor },
            }, picture(one.thumbnailImageUrl, { css: {
                'object-fit': shape.imageSize === 'contain'
                    ? 'contain' : 'cover' } }, one.title ?? '')),
            h('div', { class: 'card-body' },
                one.title && h('p', { class: 'card-title' }, one.title),
                h('p', { class: 'card-text' }, text_nodes(one.text)))),
        action_list(one.actions, ctx));
}

export function slider(name, items) {
    return h('div', { class: 'slider', role: 'group', 'aria-label': name,
        tabindex: 0 }, items);
}

const KINDS = {
    buttons: (t, ctx) => card(t, t, ctx),

    confirm: (t, ctx) => h('div', { class: 'card' },
        h('div', { class: 'card-body' },
            h('p', { class: 'card-text' }, text_nodes(t.text))),
        action_list(t.actions, ctx, { class: 'card-actions two' })),

    carousel: (t, ctx, alt) => slider(alt, t.columns.map((one) => card(
        { ...one }, t, ctx))),

    image_carousel: (t, ctx, alt) => slider(alt, t.columns.map(
        ({ imageUrl, action }) => h('div', { class: 'image-column tappable' },
            cover(action, ctx), picture(imageUrl),
            action.label && h('p', {}, action.label)))),
};

/* undefined: no template of a kind we know. */
export function template(message, ctx) {
    const t = message.template;
    return Object.hasOwn(KINDS, t?.type)
        ? KINDS[t.type](t, ctx, message.altText) : undefined;
}
