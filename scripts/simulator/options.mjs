/* The command line, and the secrets of the sandbox folder. */

import fs from 'node:fs';
import path from 'node:path';
import { is_loopback } from './http.mjs';

export class Usage extends Error {}

export const USAGE = `usage: main.mjs --dir DIR --port P --edge-url URL
                [--account NAME] [--quota none|N] [--no-redelivery]
                [--no-preview] [--no-rate-limits]
                [--multicast-unknown drop|refuse]
  DIR holds channel-id, channel-secret and bot-user-id; URL is the edge's,
  such as http://127.0.0.1:8080`;

const SWITCHES = { 'no-redelivery': 'redelivery', 'no-preview': 'preview',
    'no-rate-limits': 'rate_limits' };
const VALUES = ['dir', 'port', 'edge-url', 'account', 'quota',
    'multicast-unknown'];
const MAX_SOCKET_PATH_BYTES = 107;

export function parse_options(args) {
    const given = { account: 'demo', quota: 'none',
        'multicast-unknown': 'drop' };
    const switches = { redelivery: true, preview: true, rate_limits: true };

    for (let i = 0; i < args.length; i++) {
        const name = args[i].startsWith('--') ? args[i].slice(2) : '';
        if (Object.hasOwn(SWITCHES, name)) {
            switches[SWITCHES[name]] = false;
        } else if (VALUES.includes(name) && args[i + 1] !== undefined) {
            given[name] = args[++i];
        } else {
            throw new Usage(VALUES.includes(name)
                ? `--${name} needs a value` : `unknown option: ${args[i]}`);
        }
    }
    for (const name of ['dir', 'port', 'edge-url']) {
        if (given[name] === undefined) {
            throw new Usage(`--${name} is missing`);
        }
    }
    return {
        ...switches,
        dir: path.resolve(given.dir),
        socket: socket_path(path.resolve(given.dir)),
        port: port(given.port),
        account: account(given.account),
        edge_url: edge_url(given['edge-url']),
        quota: quota(given.quota),
        multicast_unknown: one_of('multicast-unknown',
            given['multicast-unknown'], ['drop', 'refuse']),
    };
}

/* Reads what scripts/run put there once. */
export function read_secrets(dir) {
    const read = (name, pattern, form) => {
        const file = path.join(dir, name);
        let text;
        try {
            text = fs.readFileSync(file, 'utf8').trim();
        } catch (error) {
            throw new Usage(`cannot read ${file}: ${error.code}; it must `
                + `hold ${form}`);
        }
        if (!pattern.test(text)) {
            throw new Usage(`${file} must hold ${form}`);
        }
        return text;
    };
    return {
        channel_id: read('channel-id', /^\d{1,20}$/, 'a decimal number'),
        channel_secret: read('channel-secret', /^\S{1,256}$/,
            'the channel secret, one line'),
        bot_user_id: read('bot-user-id', /^U[0-9a-f]{32}$/,
            'U and 32 hex digits'),
    };
}

function socket_path(dir) {
    const file = path.join(dir, 'line.sock');
    if (Buffer.byteLength(file) > MAX_SOCKET_PATH_BYTES) {
        throw new Usage(`${file} is longer than ${MAX_SOCKET_PATH_BYTES} `
            + 'bytes, which no unix socket can be; use a shorter --dir');
    }
    return file;
}

function port(text) {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 0 || number > 65535) {
        throw new Usage(`--port must be 0 to 65535, not ${text}`);
    }
    return number;
}

function account(text) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) {
        throw new Usage('--account may hold letters, digits, _ and -');
    }
    return text;
}

function edge_url(text) {
    let url;
    try {
        url = new URL(text);
    } catch {
        throw new Usage(`--edge-url is not a URL: ${text}`);
    }
    if (url.protocol !== 'http:' || !is_loopback(url.hostname)) {
        throw new Usage('--edge-url must be http:// on loopback, such as '
            + 'http://127.0.0.1:8080');
    }
    return url.origin;
}

function quota(text) {
    if (text === 'none') {
        return undefined;
    }
    if (!/^\d{1,15}$/.test(text)) {
        throw new Usage('--quota must be none or a number of people');
    }
    return Number(text);
}

function one_of(name, text, list) {
    if (!list.includes(text)) {
        throw new Usage(`--${name} must be ${list.join(' or ')}`);
    }
    return text;
}
