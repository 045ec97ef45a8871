/*
 * A small checker for JSON values.  A rule is a function (value, property,
 * out) that appends {message, property} to `out` for each fault it finds;
 * `property` is the path LINE would name, such as `messages[0].text`.
 */

export const EMPTY = 'May not be empty';

function fault(out, property, message) {
    out.push({ message, property });
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/* Grapheme clusters, for the fields that LINE counts so (LINE.md 23). */
function graphemes(text) {
    let count = 0;
    for (const _ of segmenter.segment(text)) {
        count++;
    }
    return count;
}

const LONE_SURROGATE = /[\ud800-\udfff]/u;

/* limits: min, max (UTF-16 units, or graphemes: true), pattern, one_of. */
export function str(limits = {}) {
    const { min = 0, max = Infinity, pattern, one_of } = limits;
    return (value, property, out) => {
        if (typeof value !== 'string') {
            return fault(out, property, 'Must be a string');
        }
        if (value === '' && min > 0) {
            return fault(out, property, EMPTY);
        }
        if (value.length < min || is_longer(value, max, limits.graphemes)) {
            return fault(out, property,
                `Length must be between ${min} and ${max}`);
        }
        if (one_of && !one_of.includes(value)) {
            return fault(out, property,
                `Must be one of the following values: [${one_of.join(', ')}]`);
        }
        if (LONE_SURROGATE.test(value)
            || (pattern && !pattern.test(value))) {
            return fault(out, property, limits.wrong ?? 'Invalid format');
        }
    };
}

function is_longer(text, max, by_graphemes) {
    return text.length > max && (!by_graphemes || graphemes(text) > max);
}

export function int(min = -Infinity, max = Infinity) {
    return (value, property, out) => {
        if (!Number.isInteger(value)) {
            fault(out, property, 'Must be an integer');
        } else if (value < min || value > max) {
            fault(out, property, max === Infinity
                ? `Must be ${min} or more`
                : `Must be between ${min} and ${max}`);
        }
    };
}

export function num(min, max) {
    return (value, property, out) => {
        if (typeof value !== 'number') {
            fault(out, property, 'Must be a number');
        } else if (value < min || value > max) {
            fault(out, property, `Must be between ${min} and ${max}`);
        }
    };
}

export function bool() {
    return (value, property, out) => {
        if (typeof value !== 'boolean') {
            fault(out, property, 'Must be true or false');
        }
    };
}

export function arr(item, min = 0, max = Infinity) {
    return (value, property, out) => {
        if (!Array.isArray(value)) {
            return fault(out, property, 'Must be an array');
        }
        if (value.length < min || value.length > max) {
            return fault(out, property, max === Infinity
                ? EMPTY : `Size must be between ${min} and ${max}`);
        }
        value.forEach((one, i) => item(one, `${property}[${i}]`, out));
    };
}

/*
 * fields: name -> rule.  required: names that must be there.  then: further
 * checks of the whole object, run only when nothing was wrong so far.
 * Properties that have no rule are refused.
 */
export function obj(fields, required = [], then = undefined) {
    return (value, property, out) => {
        if (!is_object(value)) {
            return fault(out, property, 'Must be an object');
        }
        const before = out.length;
        for (const name of required) {
            if (value[name] === undefined || value[name] === null) {
                fault(out, at(property, name), EMPTY);
            }
        }
        for (const name of Object.keys(value)) {
            const rule = Object.hasOwn(fields, name) ? fields[name] : null;
            if (!rule) {
                fault(out, at(property, name), 'Unknown property');
            } else if (value[name] !== null && value[name] !== undefined) {
                rule(value[name], at(property, name), out);
            } else if (!required.includes(name)) {
                fault(out, at(property, name), 'May not be null');
            }
        }
        if (then && out.length === before) {
            then(value, property, out, fault);
        }
    };
}

/* Picks the rule by the object's `type`. */
export function by_type(rules) {
    return (value, property, out) => {
        if (!is_object(value)) {
            return fault(out, property, 'Must be an object');
        }
        const rule = typeof value.type === 'string'
            && Object.hasOwn(rules, value.type) ? rules[value.type] : null;
        if (!rule) {
            return fault(out, at(property, 'type'), value.type === undefined
                ? EMPTY
                : 'Must be one of the following values: '
                  + `[${Object.keys(rules).join(', ')}]`);
        }
        rule(value, property, out);
    };
}

/* Delays looking a rule up, for rules that contain each other. */
export function lazy(get) {
    return (value, property, out) => get()(value, property, out);
}

export function is_object(value) {
    return typeof value === 'object' && value !== null
        && !Array.isArray(value);
}

function at(property, name) {
    return property === '' ? name : `${property}.${name}`;
}

/* Percent-encoded URLs only: LINE.md 10, 22 and 23. */
export const media_url = str({
    min: 1, max: 2000, pattern: /^https:\/\/[!-~]+$/,
    wrong: 'Must be a percent-encoded HTTPS URL',
});

export const action_uri = str({
    min: 1, max: 1000,
    pattern: /^(https?:\/\/[!-~]+|line:\/\/[!-~]+|tel:[!-~]+)$/,
    wrong: 'Invalid action URI',
});

export const color = str({
    pattern: /^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$/,
    wrong: 'Must be a color such as #RRGGBB or #RRGGBBAA',
});

export function words(...list) {
    return str({ one_of: list });
}
