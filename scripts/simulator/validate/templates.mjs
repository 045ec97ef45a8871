/* Template messages: buttons, confirm, carousel, image carousel
   (LINE.md 22). */

import { arr, by_type, color, media_url, obj, str, words }
    from './schema.mjs';
import { default_action, image_column_action, template_action }
    from './actions.mjs';

const type = str();
const shown = (max) => str({ min: 1, max, graphemes: true });
const image_aspect = {
    imageAspectRatio: words('rectangle', 'square'),
    imageSize: words('cover', 'contain'),
};

/* The text may be longer when there is neither image nor title. */
function check_text(plain_max, decorated_max) {
    const decorated = shown(decorated_max);
    const plain = shown(plain_max);
    return (value, property, out) => {
        const is_decorated = value.title !== undefined
            || value.thumbnailImageUrl !== undefined;
        (is_decorated ? decorated : plain)(
            value.text, `${property}.text`, out);
    };
}

const check_buttons_text = check_text(160, 60);

const buttons = obj({
    type,
    thumbnailImageUrl: media_url,
    ...image_aspect,
    imageBackgroundColor: color,
    title: shown(40),
    text: str(),
    defaultAction: default_action,
    actions: arr(template_action, 1, 4),
}, ['text', 'actions'], check_buttons_text);

const confirm = obj({
    type,
    text: shown(240),
    actions: arr(template_action, 2, 2),
}, ['text', 'actions']);

const column = obj({
    thumbnailImageUrl: media_url,
    imageBackgroundColor: color,
    title: shown(40),
    text: str(),
    defaultAction: default_action,
    actions: arr(template_action, 1, 3),
}, ['text', 'actions'], check_text(120, 60));

function check_columns(value, property, out, fault) {
    const first = value.columns[0];
    const has = (one, name) => one[name] !== undefined;
    value.columns.forEach((one, i) => {
        const path = `${property}.columns[${i}]`;
        if (one.actions.length !== first.actions.length) {
            fault(out, `${path}.actions`,
                'The number of actions must be the same in every column');
        }
        for (const name of ['title', 'thumbnailImageUrl']) {
            if (has(one, name) !== has(first, name)) {
                fault(out, `${path}.${name}`,
                    'Must be set in every column or in none');
            }
        }
    });
}

const carousel = obj({
    type,
    columns: arr(column, 1, 10),
    ...image_aspect,
}, ['columns'], check_columns);

const image_carousel = obj({
    type,
    columns: arr(obj({ imageUrl: media_url, action: image_column_action },
        ['imageUrl', 'action']), 1, 10),
}, ['columns']);

export const template = by_type(
    { buttons, confirm, carousel, image_carousel });
