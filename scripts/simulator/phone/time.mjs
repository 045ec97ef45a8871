/* Times as people in the account's zone read them. */

let zone = 'Asia/Tokyo';
const made = new Map();

function format(name, options) {
    if (!made.has(name)) {
        made.set(name, new Intl.DateTimeFormat('ja-JP',
            { timeZone: zone, ...options }));
    }
    return made.get(name);
}

/* `zone` is a name; an offset such as +09:00 is one for newer browsers. */
export function use_zone(name) {
    try {
        new Intl.DateTimeFormat('ja-JP', { timeZone: name });
    } catch {
        return;
    }
    if (name !== zone) {
        zone = name;
        made.clear();
    }
}

export function hm(ms) {
    return format('hm', { hour: '2-digit', minute: '2-digit' }).format(ms);
}

export function hms(ms) {
    return format('hms', { hour: '2-digit', minute: '2-digit',
        second: '2-digit' }).format(ms);
}

export function day(ms) {
    return format('day', { month: 'long', day: 'numeric', weekday: 'short' })
        .format(ms);
}

export function day_with_year(ms) {
    return format('dayy', { year: 'numeric', month: 'long', day: 'numeric',
        weekday: 'short' }).format(ms);
}

/* Two moments of one local day have the same key. */
export function day_key(ms) {
    return format('key', { year: 'numeric', month: '2-digit',
        day: '2-digit' }).format(ms);
}
