/*
 * Actions of messages (what a tap does).  An address is a link that opens a
 * new page; everything else is a button.
 */

import { h, toast } from './dom.mjs';
import { pick_moment } from './picker.mjs';

const OPENABLE = /^(https?:\/\/|tel:)/i;
const INSIDE_LINE = /^line:/i;

export function name_of(action) {
    return action?.label || action?.text || action?.displayText
        || action?.uri || action?.linkUri || 'タップできるところ';
}

/*
 * An <a> or <button> for the action.  ctx.act(what, body) makes the person
 * act; ctx.write(text) puts text into the field below the talk.
 */
export function action_node(action, ctx, props, ...children) {
    const uri = action?.uri ?? action?.linkUri;
    if (uri !== undefined && OPENABLE.test(uri)) {
        return h('a', { ...props, href: uri, target: '_blank',
            rel: 'noopener noreferrer', referrerpolicy: 'no-referrer' },
        ...children);
    }
    return h('button', { ...props, type: 'button',
        on: { click: () => run(action, ctx) } }, ...children);
}

/* A transparent action over a whole box; what can be tapped inside stays
   above it. */
export function cover(action, ctx) {
    return action_node(action, ctx, { class: 'cover',
        'aria-label': name_of(action) });
}

const RUN = {
    message: (action, ctx) => ctx.act('text', { text: action.text }),

    postback: (action, ctx) => {
        if (action.inputOption === 'openKeyboard') {
            ctx.write(action.fillInText ?? '');
        }
        return ctx.act('postback', { data: action.data,
            display_text: action.displayText ?? action.text });
    },

    datetimepicker: async (action, ctx) => {
        const value = await pick_moment(action);
        if (value) {
            await ctx.act('postback', { data: action.data,
                params: { [action.mode]: value } });
        }
    },

    clipboard: async (action) => {
        try {
            await navigator.clipboard.writeText(action.clipboardText);
            toast('コピーしました。');
        } catch {
            toast('コピーできませんでした。この文字を選んでコピーしてください：'
                + action.clipboardText, true);
        }
    },

    location: (action, ctx) => ctx.act('location', { title: '現在地',
        address: '東京都千代田区千代田1-1', latitude: 35.6852,
        longitude: 139.7528 }),

    uri: (action) => toast(INSIDE_LINE.test(action.uri ?? action.linkUri)
        ? 'LINE アプリの中の画面は、シミュレーターにはありません：'
          + (action.uri ?? action.linkUri)
        : 'このアドレスは開けません（http、https、tel だけです）。', true),
};

async function run(action, ctx) {
    const known = Object.hasOwn(RUN, action?.type) ? RUN[action.type] : null;
    if (!known) {
        toast(`このアクション（${action?.type}）は、シミュレーターにはありません。`,
            true);
        return;
    }
    try {
        await known(action, ctx);
    } catch (error) {
        toast(error.message, true);
    }
}
