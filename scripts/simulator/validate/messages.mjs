/*
 * Message objects and the bodies of the sending calls (LINE.md 13 and 22).
 * validate() answers LINE's error body, or undefined when nothing is wrong.
 */

import { arr, bool, by_type, int, is_object, media_url, num, obj, str,
    words, action_uri } from './schema.mjs';
import { quick_reply_action } from './actions.mjs';
import { template } from './templates.mjs';
import { flex_contents } from './flex.mjs';

const MAX_TEXT = 5000;
const MAX_EMOJIS = 20;
const MAX_SUBSTITUTIONS = 100;

const type = str();
const alt_text = str({ min: 1, max: 1500 });
const id = str({ min: 1 });
const quoteToken = str({ min: 1 });

const common = {
    type,
    quickReply: obj({
        items: arr(obj({
            type: words('action'),
            imageUrl: media_url,
            action: quick_reply_action,
        }, ['type', 'action']), 1, 13),
    }, ['items']),
    sender: obj({
        name: str({ min: 1, max: 20, pattern: /^(?!.*\bLINE\b)/i,
            wrong: 'Contains a word that cannot be used' }),
        iconUrl: media_url,
    }),
};

function message(fields, required, then) {
    return obj({ ...common, ...fields }, required, then);
}

function check_emojis(value, property, out, fault) {
    (value.emojis ?? []).forEach((emoji, i) => {
        if (value.text[emoji.index] !== '$') {
            fault(out, `${property}.emojis[${i}].index`,
                'Must point at a $ in the text');
        }
    });
}

const text = message({
    text: str({ min: 1, max: MAX_TEXT }),
    emojis: arr(obj({ index: int(0), productId: id, emojiId: id },
        ['index', 'productId', 'emojiId']), 0, MAX_EMOJIS),
    quoteToken,
}, ['text'], check_emojis);

/* Names in {braces}; doubled braces stand for themselves. */
function placeholders(source) {
    const plain = source.replace(/\{\{|\}\}/g, '');
    const found = plain.match(/\{[^{}]*\}/g) ?? [];
    const rest = plain.replace(/\{[^{}]*\}/g, '');
    return /[{}]/.test(rest) ? undefined : found.map((x) => x.slice(1, -1));
}

function check_substitution(value, property, out, fault) {
    const names = placeholders(value.text);
    const given = Object.keys(value.substitution ?? {});
    if (!names) {
        return fault(out, `${property}.text`, 'Unbalanced braces');
    }
    for (const name of names.filter((one) => !given.includes(one))) {
        fault(out, `${property}.text`,
            `No substitution is given for {${name}}`);
    }
    if (given.length > MAX_SUBSTITUTIONS) {
        fault(out, `${property}.substitution`,
            `Size must be between 0 and ${MAX_SUBSTITUTIONS}`);
    }
    for (const name of given.filter((one) => !/^\w{1,20}$/.test(one))) {
        fault(out, `${property}.substitution.${name}`, 'Invalid key');
    }
    const emojis = names.filter((one) => given.includes(one));
    if (emojis.length > MAX_EMOJIS) {
        fault(out, `${property}.substitution`,
            `At most ${MAX_EMOJIS} emojis can be used`);
    }
}

/* Every recipient here is one person, where mentions are not allowed. */
function refuse_mention(value, property, out) {
    out.push({ message: 'Mentions are for groups only', property });
}

const substitution_entry = by_type({
    emoji: obj({ type, productId: id, emojiId: id },
        ['productId', 'emojiId']),
    mention: refuse_mention,
});

function substitution(value, property, out) {
    if (!is_object(value)) {
        return out.push({ message: 'Must be an object', property });
    }
    for (const name of Object.keys(value)) {
        substitution_entry(value[name], `${property}.${name}`, out);
    }
}

const area = obj({ x: int(0), y: int(0), width: int(1), height: int(1) },
    ['x', 'y', 'width', 'height']);
const imagemap_label = str({ max: 100, graphemes: true });

const imagemap = message({
    baseUrl: media_url,
    altText: alt_text,
    baseSize: obj({ width: int(1040, 1040), height: int(1) },
        ['width', 'height']),
    actions: arr(by_type({
        uri: obj({ type, label: imagemap_label, linkUri: action_uri, area },
            ['linkUri', 'area']),
        message: obj({ type, label: imagemap_label, area,
            text: str({ min: 1, max: 400 }) }, ['text', 'area']),
        clipboard: obj({ type, label: imagemap_label, area,
            clipboardText: str({ min: 1, max: 1000 }) },
            ['clipboardText', 'area']),
    }), 0, 50),
    video: obj({
        originalContentUrl: media_url,
        previewImageUrl: media_url,
        area,
        externalLink: obj({ linkUri: action_uri,
            label: str({ min: 1, max: 30 }) }, ['linkUri', 'label']),
    }, ['originalContentUrl', 'previewImageUrl', 'area']),
}, ['baseUrl', 'altText', 'baseSize', 'actions']);

const media = {
    originalContentUrl: media_url,
    previewImageUrl: media_url,
};

const one_message = by_type({
    text,
    textV2: message({
        text: str({ min: 1, max: MAX_TEXT }), substitution, quoteToken,
    }, ['text'], check_substitution),
    sticker: message({
        packageId: str({ pattern: /^\d{1,20}$/ }),
        stickerId: str({ pattern: /^\d{1,20}$/ }),
        quoteToken,
    }, ['packageId', 'stickerId']),
    image: message(media, ['originalContentUrl', 'previewImageUrl']),
    video: message({
        ...media,
        trackingId: str({ min: 1, max: 100,
            pattern: /^[a-zA-Z0-9\-.=,+*()%$&;:@{}!?<>[\]]+$/ }),
    }, ['originalContentUrl', 'previewImageUrl']),
    audio: message({ originalContentUrl: media_url, duration: int(1) },
        ['originalContentUrl', 'duration']),
    location: message({
        title: str({ min: 1, max: 100 }),
        address: str({ min: 1, max: 100 }),
        latitude: num(-90, 90), longitude: num(-180, 180),
    }, ['title', 'address', 'latitude', 'longitude']),
    imagemap,
    template: message({ altText: alt_text, template },
        ['altText', 'template']),
    flex: message({ altText: alt_text, contents: flex_contents },
        ['altText', 'contents']),
});

const messages = arr(one_message, 1, 5);
const notificationDisabled = bool();
const customAggregationUnits = arr(
    str({ min: 1, pattern: /^\w{1,30}$/ }), 0, 1);

const BODIES = {
    reply: obj({ replyToken: str({ min: 1 }), messages,
        notificationDisabled }, ['replyToken', 'messages']),
    push: obj({ to: str({ min: 1 }), messages, notificationDisabled,
        customAggregationUnits }, ['to', 'messages']),
    multicast: obj({ to: arr(str({ min: 1 }), 1, 500), messages,
        notificationDisabled, customAggregationUnits }, ['to', 'messages']),
    broadcast: obj({ messages, notificationDisabled }, ['messages']),
    validate: obj({ messages }, ['messages']),
};

export function validate(kind, body) {
    const out = [];
    BODIES[kind](body, '', out);
    if (out.length === 0) {
        return undefined;
    }
    const plural = out.length === 1 ? 'error' : 'errors';
    return {
        message: `The request body has ${out.length} ${plural}`,
        details: out.slice(0, 100),
    };
}
