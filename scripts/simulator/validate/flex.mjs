/*
 * Flex messages: structure, enums and sizes (LINE.md 22 and 23; the
 * property names are those of LINE's published API description).
 */

import { arr, bool, by_type, color, int, lazy, media_url, obj, str, words }
    from './schema.mjs';
import { flex_action, flex_button_action } from './actions.mjs';

const MAX_BUBBLE_BYTES = 30 * 1024;
const MAX_CAROUSEL_BYTES = 50 * 1024;
const MAX_BUBBLES = 12;

const type = str();
const PIXELS = '\\d{1,5}(\\.\\d+)?px';
const SPACES = 'none|xs|sm|md|lg|xl|xxl';
const SIZES = 'xxs|xs|sm|md|lg|xl|xxl|3xl|4xl|5xl';

function measure(pattern) {
    return str({ pattern: new RegExp(`^(${pattern})$`),
        wrong: 'Invalid size' });
}

const space = measure(`${SPACES}|${PIXELS}`);
const offset = measure(`${SPACES}|-?${PIXELS}|-?\\d{1,3}(\\.\\d+)?%`);
const length = measure(`${PIXELS}|\\d{1,3}(\\.\\d+)?%`);
const padding = measure(`${SPACES}|${PIXELS}|\\d{1,3}(\\.\\d+)?%`);
const font_size = measure(`${SIZES}|${PIXELS}`);
const aspect_ratio = str({
    pattern: /^\d{1,6}(\.\d+)?:\d{1,6}(\.\d+)?$/,
    wrong: 'Must be width:height',
});
const flex = int(0);

const placed = {
    margin: space,
    position: words('relative', 'absolute'),
    offsetTop: offset, offsetBottom: offset,
    offsetStart: offset, offsetEnd: offset,
};
const align = words('start', 'end', 'center');
const gravity = words('top', 'bottom', 'center');

const component = lazy(() => by_name);
const box = lazy(() => by_name_box);

const background = by_type({
    linearGradient: obj({
        type,
        angle: str({ pattern: /^-?\d{1,3}(\.\d+)?deg$/ }),
        startColor: color, endColor: color, centerColor: color,
        centerPosition: str({ pattern: /^\d{1,3}(\.\d+)?%$/ }),
    }, ['angle', 'startColor', 'endColor']),
});

function check_box(value, property, out, fault) {
    const allowed = value.layout === 'baseline'
        ? ['icon', 'text', 'filler']
        : ['box', 'button', 'image', 'text', 'separator', 'filler'];
    value.contents.forEach((one, i) => {
        if (!allowed.includes(one.type)) {
            fault(out, `${property}.contents[${i}].type`,
                `Not allowed in a ${value.layout} box`);
        }
    });
}

const by_name_box = by_type({
    box: obj({
        type,
        layout: words('horizontal', 'vertical', 'baseline'),
        flex,
        contents: arr(component),
        spacing: space,
        ...placed,
        backgroundColor: color,
        borderColor: color,
        borderWidth: measure(
            `none|light|normal|medium|semi-bold|bold|${PIXELS}`),
        cornerRadius: space,
        width: length, maxWidth: length, height: length, maxHeight: length,
        paddingAll: padding, paddingTop: padding, paddingBottom: padding,
        paddingStart: padding, paddingEnd: padding,
        action: flex_action,
        justifyContent: words('center', 'flex-start', 'flex-end',
            'space-between', 'space-around', 'space-evenly'),
        alignItems: words('center', 'flex-start', 'flex-end'),
        background,
    }, ['layout', 'contents'], check_box),
});

const button = obj({
    type, flex, ...placed,
    color,
    style: words('primary', 'secondary', 'link'),
    action: flex_button_action,
    gravity,
    height: words('md', 'sm'),
    adjustMode: words('shrink-to-fit'),
    scaling: bool(),
}, ['action']);

const image = obj({
    type, flex, ...placed,
    url: media_url,
    align, gravity,
    size: measure(`${SIZES}|full|${PIXELS}|\\d{1,3}(\\.\\d+)?%`),
    aspectRatio: aspect_ratio,
    aspectMode: words('fit', 'cover'),
    backgroundColor: color,
    action: flex_action,
    animated: bool(),
}, ['url']);

const icon = obj({
    type, ...placed,
    url: media_url,
    size: font_size,
    aspectRatio: aspect_ratio,
    scaling: bool(),
}, ['url']);

const look = {
    size: font_size,
    color,
    weight: words('regular', 'bold'),
    style: words('normal', 'italic'),
    decoration: words('none', 'underline', 'line-through'),
};

const span = by_type({ span: obj({ type, text: str(), ...look }) });

function check_flex_text(value, property, out, fault) {
    if (value.contents === undefined && !value.text) {
        fault(out, `${property}.text`, 'May not be empty');
    }
}

const text = obj({
    type, flex, ...placed, ...look,
    text: str(),
    align, gravity,
    wrap: bool(),
    lineSpacing: str({ pattern: /^\d{1,5}(\.\d+)?px$/ }),
    action: flex_action,
    maxLines: int(0),
    contents: arr(span),
    adjustMode: words('shrink-to-fit'),
    scaling: bool(),
}, [], check_flex_text);

const by_name = by_type({
    box,
    button, image, icon, text,
    separator: obj({ type, margin: space, color }),
    filler: obj({ type, flex }),
});

const video = obj({
    type,
    url: media_url,
    previewUrl: media_url,
    altContent: by_type({ box, image }),
    aspectRatio: aspect_ratio,
    action: flex_action,
}, ['url', 'previewUrl', 'altContent']);

const block = obj({
    backgroundColor: color, separator: bool(), separatorColor: color,
});

const WIDE = ['kilo', 'mega', 'giga'];

function check_hero(value, property, out, fault) {
    const size = value.size ?? 'mega';
    if (value.hero?.type === 'video' && !WIDE.includes(size)) {
        fault(out, `${property}.hero`,
            'A video needs a bubble of size kilo, mega or giga');
    }
}

const bubble = obj({
    type,
    size: words('nano', 'micro', 'deca', 'hecto', 'kilo', 'mega', 'giga'),
    direction: words('ltr', 'rtl'),
    header: box,
    hero: by_type({ box, image, video }),
    body: box,
    footer: box,
    styles: obj({ header: block, hero: block, body: block, footer: block }),
    action: flex_action,
}, [], check_hero);

function check_carousel(value, property, out, fault) {
    const size = (one) => one.size ?? 'mega';
    value.contents.forEach((one, i) => {
        const path = `${property}.contents[${i}]`;
        if (size(one) !== size(value.contents[0])) {
            fault(out, `${path}.size`,
                'Bubbles of a carousel must have the same size');
        }
        if (one.hero?.type === 'video') {
            fault(out, `${path}.hero`, 'No video in a carousel');
        }
        check_bytes(one, path, out, fault, MAX_BUBBLE_BYTES);
    });
}

function check_bytes(value, property, out, fault, max_bytes) {
    const is_large = Buffer.byteLength(JSON.stringify(value)) > max_bytes;
    if (is_large) {
        fault(out, property, `Must be ${max_bytes / 1024} KB or less`);
    }
    return is_large;
}

const shape = by_type({
    bubble,
    carousel: obj({
        type, contents: arr(by_type({ bubble }), 1, MAX_BUBBLES),
    }, ['contents'], check_carousel),
});

export function flex_contents(value, property, out) {
    const fault = (list, path, message) => list.push(
        { message, property: path });
    const max_bytes = value?.type === 'carousel'
        ? MAX_CAROUSEL_BYTES : MAX_BUBBLE_BYTES;
    if (!check_bytes(value, property, out, fault, max_bytes)) {
        shape(value, property, out);
    }
}
