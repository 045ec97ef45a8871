/* The components of a Flex bubble. */

import { h } from './dom.mjs';
import { action_node, cover, name_of } from './actions.mjs';
import { picture } from './media.mjs';
import { border, color, font, gradient, image_width, measure, ratio, space }
    from './flex-size.mjs';

const GRAVITY = { top: 'flex-start', center: 'center', bottom: 'flex-end' };
const MAX_DEPTH = 30;

/* around: layout and spacing of the box it stands in, first: no margin. */
export function component(one, around, ctx) {
    if ((around.depth ?? 0) > MAX_DEPTH) {
        return h('p', { class: 'flex-text' }, '（入れ子が深すぎます）');
    }
    const make = Object.hasOwn(PARTS, one.type) ? PARTS[one.type] : null;
    const node = make ? make(one, ctx, around)
        : h('p', { class: 'flex-text' }, `（${one.type} は表示できません）`);
    place(node, one, around);
    return node;
}

function place(node, one, around) {
    const set = (name, value) => value !== undefined
        && node.style.setProperty(name, value);
    const across = around.layout !== 'vertical';
    if (one.position === 'absolute') {
        set('position', 'absolute');
    } else {
        set('flex', grow(one, across));
        if (!around.first) {
            set(across ? 'margin-inline-start' : 'margin-block-start',
                space(one.margin) ?? around.spacing);
        }
        if (across && around.layout !== 'baseline') {
            set('align-self', GRAVITY[one.gravity]);
        }
    }
    set('inset-block-start', space(one.offsetTop));
    set('inset-block-end', space(one.offsetBottom));
    set('inset-inline-start', space(one.offsetStart));
    set('inset-inline-end', space(one.offsetEnd));
}

function grow(one, across) {
    const fixed = one.type === 'separator' || one.type === 'icon'
        || one.width !== undefined && across;
    if (fixed) {
        return '0 0 auto';
    }
    const share = one.flex ?? (one.type === 'filler' || across ? 1 : 0);
    return share === 0 ? '0 0 auto' : across ? `${share} 1 0`
        : `${share} 1 auto`;
}

function box(one, ctx, around) {
    const { layout } = one;
    const spacing = space(one.spacing);
    const node = h('div', { class: `flex-box flex-${layout} ${
        one.action ? 'tappable' : ''}`, css: {
        'background-color': color(one.backgroundColor),
        'background-image': gradient(one.background),
        'border-color': color(one.borderColor),
        'border-width': border(one.borderWidth),
        'border-radius': space(one.cornerRadius),
        width: measure(one.width), 'max-width': measure(one.maxWidth),
        height: measure(one.height), 'max-height': measure(one.maxHeight),
        padding: space(one.paddingAll),
        'padding-block-start': space(one.paddingTop),
        'padding-block-end': space(one.paddingBottom),
        'padding-inline-start': space(one.paddingStart),
        'padding-inline-end': space(one.paddingEnd),
        'justify-content': one.justifyContent,
        'align-items': one.alignItems,
    } }, one.action && cover(one.action, ctx));
    if (one.cornerRadius !== undefined) {
        node.style.setProperty('overflow', 'hidden');
    }
    let first = true;
    for (const each of one.contents) {
        node.append(component(each, { layout, spacing, first,
            depth: (around.depth ?? 0) + 1 }, ctx));
        first = first && each.position === 'absolute';
    }
    return node;
}

function look(one) {
    return {
        color: color(one.color),
        'font-weight': one.weight === 'bold' ? '700' : undefined,
        'font-style': one.style === 'italic' ? 'italic' : undefined,
        'text-decoration': one.decoration === 'none'
            ? undefined : one.decoration,
    };
}

function text(one, ctx) {
    const spans = one.contents?.map((span) => h('span', { css: {
        ...look(span), 'font-size': span.size && font(span.size),
    } }, span.text ?? ''));
    const lines = one.maxLines > 0 ? one.maxLines : undefined;
    const space_px = measure(one.lineSpacing);
    return h('div', {
        class: `flex-text ${one.wrap ? 'wrap' : ''} ${lines ? 'lines' : ''} ${
            one.action ? 'tappable' : ''}`,
        css: { ...look(one), 'font-size': font(one.size),
            'text-align': one.align, '-webkit-line-clamp': lines,
            'line-height': space_px && `calc(1.4em + ${space_px})` },
    }, one.action && cover(one.action, ctx), spans ?? one.text);
}

function button(one, ctx) {
    const style = one.style ?? 'link';
    return h('div', { class: 'flex-button-place' }, action_node(one.action,
        ctx, { class: `flex-button ${style} ${one.height ?? 'md'}`,
            css: style === 'link' ? { color: color(one.color) }
                : { 'background-color': color(one.color) } },
        h('span', {}, name_of(one.action))));
}

function image(one, ctx) {
    return h('div', { class: `flex-image ${one.action ? 'tappable' : ''}`,
        css: { 'justify-content': one.align ?? 'center' } },
    one.action && cover(one.action, ctx),
    picture(one.url, { css: {
        width: image_width(one.size), 'aspect-ratio': ratio(one.aspectRatio),
        'object-fit': one.aspectMode === 'cover' ? 'cover' : 'contain',
        'background-color': color(one.backgroundColor),
    } }));
}

function small_icon(one) {
    return h('span', { class: 'flex-icon' }, picture(one.url, { css: {
        height: font(one.size), 'aspect-ratio': ratio(one.aspectRatio) } }));
}

const PARTS = {
    box,
    text,
    button,
    image,
    icon: small_icon,
    separator: (one, ctx, around) => h('div', {
        class: around.layout === 'vertical' ? 'flex-rule' : 'flex-rule upright',
        css: { 'background-color': color(one.color) } }),
    filler: () => h('div', { class: 'flex-filler' }),
    spacer: () => h('div', { class: 'flex-filler' }),
};
