/*
 * Making nodes.  Text is only ever text: nothing here, or in any other file
 * of the page, parses a string as HTML.
 */

const SVG = 'http://www.w3.org/2000/svg';

/*
 * props: class, attributes, `on` {event: listener}, `css` {property: value}
 * (through the CSSOM: the page's policy allows no style attributes).
 * Absent values (undefined, null, false) are left out.
 */
export function h(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    set_props(node, props);
    node.append(...children.flat(Infinity).filter(is_there));
    return node;
}

export function svg(tag, props = {}, ...children) {
    const node = document.createElementNS(SVG, tag);
    set_props(node, props);
    node.append(...children.flat(Infinity).filter(is_there));
    return node;
}

function is_there(value) {
    return value !== undefined && value !== null && value !== false;
}

function set_props(node, props) {
    for (const [name, value] of Object.entries(props)) {
        if (value === undefined || value === null) {
            continue;
        }
        if (name === 'on') {
            for (const [event, listener] of Object.entries(value)) {
                node.addEventListener(event, listener);
            }
        } else if (name === 'css') {
            for (const [property, to] of Object.entries(value)) {
                if (is_there(to)) {
                    node.style.setProperty(property, to);
                }
            }
        } else if (name.startsWith('aria-')) {
            node.setAttribute(name, String(value));
        } else if (value !== false) {
            node.setAttribute(name, value === true ? '' : value);
        }
    }
}

/* Icons, drawn on 24 × 24. */
const ICONS = {
    send: 'M4 12 20 4l-5 16-3.500-6.500z',
    plus: 'M12 5v14M5 12h14',
    close: 'M6 6l12 12M18 6 6 18',
    more: 'M5 12h.01M12 12h.01M19 12h.01',
    down: 'M6 9l6 6 6-6',
    left: 'M15 5l-7 7 7 7',
    pin: 'M12 21c-4-4.500-6.500-7.800-6.500-11a6.500 6.500 0 0 1 13 0c0 3.200-2.500 6.500'
        + '-6.500 11zM12 12.200a2.300 2.300 0 1 0 0-4.600 2.300 2.300 0 0 0 0 4.600z',
    smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c2 2.300 5 2.300 7 0'
        + 'M9 9.500h.01M15 9.500h.01',
    image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9h.01',
    sound: 'M5 10v4h3l4 3.500v-11L8 10zM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0'
        + ' 11',
    link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0'
        + ' 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1',
    person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20c1-4 4-6 7.500-6s6.500 2'
        + ' 7.500 6',
    block: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.700 5.700l12.600 12.600',
    tap: 'M9 11V5.500a1.500 1.500 0 0 1 3 0V11l5 1.200c1.200.3 2 1.400 1.800 2.600l-.8'
        + ' 5.200h-7L6.500 15a1.500 1.500 0 0 1 2.200-2z',
    form: 'M6 3h12v18H6zM9 8h6M9 12h6M9 16h3',
    clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
    tag: 'M4 4h8l8 8-8 8-8-8zM8.500 8.500h.01',
    chat: 'M4 5h16v11H10l-4.500 4V16H4z',
    rule: 'M6 4v6a3 3 0 0 0 3 3h9M14 9l4 4-4 4',
    copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
    phone: 'M7 3h10v18H7zM11 18h2',
    list: 'M5 6h14M5 12h14M5 18h9',
    wait: 'M7 4h10M7 20h10M8 4c0 5 8 6 8 11v5H8v-5c0-5 8-6 8-11',
};

export function icon(name, size = 20) {
    return svg('svg', { viewBox: '0 0 24 24', width: size, height: size,
        class: 'icon', 'aria-hidden': 'true', focusable: 'false' },
        svg('path', { d: ICONS[name] }));
}

/* Replaces what a node holds. */
export function fill(node, ...children) {
    node.replaceChildren(...children.flat(Infinity).filter(is_there));
    return node;
}

/* A few words at the foot of the page, read out as well. */
export function toast(text, is_fault = false) {
    const box = document.getElementById('toasts');
    const close = () => node.remove();
    const node = h('div', { class: is_fault ? 'toast fault' : 'toast' },
        h('p', {}, text),
        h('button', { type: 'button', class: 'bare', 'aria-label':
            'お知らせを閉じる', on: { click: close } }, icon('close', 18)));
    for (const old of box.querySelectorAll('.toast:not(.fault)')) {
        old.remove();
    }
    while (box.children.length >= 3) {
        box.firstElementChild.remove();
    }
    box.append(node);
    setTimeout(close, is_fault ? 20000 : 5000);
}
