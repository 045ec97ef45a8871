/*
 * Actions (LINE.md 23).  Where an action sits decides its label's limit,
 * whether the label is required, and which kinds are allowed.
 */

import { action_uri, by_type, obj, str, words } from './schema.mjs';

const by_graphemes = (min, max) => str({ min, max, graphemes: true });

const MOMENT = {
    date: /^\d{4}-\d\d-\d\d$/,
    time: /^\d\d:\d\d$/,
    datetime: /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d$/,
};

function check_moments(action, property, out, fault) {
    for (const name of ['initial', 'min', 'max']) {
        const value = action[name];
        if (value !== undefined && !MOMENT[action.mode].test(value)) {
            fault(out, `${property}.${name}`, 'Invalid date format');
        }
    }
}

function check_postback(action, property, out, fault) {
    if (action.displayText !== undefined && action.text !== undefined) {
        fault(out, `${property}.text`,
            'displayText and text cannot be used together');
    }
    if (action.fillInText !== undefined
        && action.inputOption !== 'openKeyboard') {
        fault(out, `${property}.fillInText`,
            'fillInText needs inputOption openKeyboard');
    }
}

/* place: label_max, label_required, quick_reply. */
export function action(place) {
    const type = str();
    const label = str({
        min: place.label_required ? 1 : 0, max: place.label_max,
        graphemes: true,
    });
    const kind = (fields, required, then) => obj(
        { type, label, ...fields },
        place.label_required ? [...required, 'label'] : required, then);

    const rules = {
        postback: kind({
            data: str({ min: 1, max: 300 }),
            displayText: by_graphemes(1, 300),
            text: by_graphemes(1, 300),
            inputOption: words('closeRichMenu', 'openRichMenu',
                'openKeyboard', 'openVoice'),
            fillInText: by_graphemes(1, 300),
        }, ['data'], check_postback),
        message: kind({ text: by_graphemes(1, 300) }, ['text']),
        uri: kind(place.quick_reply ? { uri: action_uri } : {
            uri: action_uri,
            altUri: obj({ desktop: action_uri }),
        }, ['uri']),
        datetimepicker: kind({
            data: str({ min: 1, max: 300 }),
            mode: words('date', 'time', 'datetime'),
            initial: str(), max: str(), min: str(),
        }, ['data', 'mode'], check_moments),
        clipboard: kind({ clipboardText: str({ min: 1, max: 1000 }) },
            ['clipboardText']),
    };
    if (place.quick_reply) {
        rules.camera = kind({}, ['label']);
        rules.cameraRoll = kind({}, ['label']);
        rules.location = kind({}, ['label']);
    }
    return by_type(rules);
}

export const template_action = action(
    { label_max: 20, label_required: true });
export const default_action = action(
    { label_max: 20, label_required: false });
export const image_column_action = action(
    { label_max: 12, label_required: false });
export const quick_reply_action = action(
    { label_max: 20, label_required: true, quick_reply: true });
export const flex_button_action = action(
    { label_max: 40, label_required: true });
export const flex_action = action(
    { label_max: 40, label_required: false });
