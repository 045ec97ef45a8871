/*
 * A server that speaks HTTP/2 over TLS as LINE does and lies in ways that no
 * simulator of LINE should.  What it does with a send is named by the first
 * message's text, `lie:NAME` or `lie:NAME=VALUE`; a key (or reply token) that
 * was accepted is answered 409 (or 400) from then on, so every lie can be
 * asked about.  With a file MODE beside the socket new connections fail:
 * `hang` (no TLS), `alert`, `close`, `mute` (TLS, but no HTTP/2); with a file
 * ALWAYS every call gets the redirect in it.
 *
 *   node liar.mjs SOCKET CERTIFICATE KEY LOG
 *
 * LOG gets one line of JSON for each request, written before the answer, and
 * one for each connection.
 */

import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';

const [socket, cert, key, log_file] = process.argv.slice(2);
const pair = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 80]);
const SENT = '{"sentMessages":[{"id":"461230966842064897"}]}';
const accepted = new Map();     /* by key or reply token */
const seen = new Map();
const fronts = new Set();
let number = 0;
let connections = 0;

function told_by(file) {
    try {
        return fs.readFileSync(`${socket}.${file}`, 'utf8').trim();
    } catch {
        return '';
    }
}

function note(what) {
    fs.appendFileSync(log_file, `${JSON.stringify(what)}\n`);
}

function id() {
    number++;
    return `0000-${number}`;
}

function reply(stream, status, body, headers = {}) {
    if (stream.destroyed) {
        return;
    }
    stream.respond({
        ':status': status, 'content-type': 'application/json',
        'x-line-request-id': id(), ...headers,
    }, { sendDate: headers.date === undefined });
    stream.end(body);
}

function forever(stream) {
    const part = Buffer.alloc(65536, ' ');
    const more = () => {
        while (!stream.destroyed && stream.write(part)) {
            /* until the other side has enough */
        }
    };
    stream.on('drain', more);
    more();
}

function everywhere(act) {
    for (const front of fronts) {
        act(front);
    }
}

const MISFORTUNES = {
    reset: (s) => s.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    refused: (s) => s.close(http2.constants.NGHTTP2_REFUSED_STREAM),
    alert: () => everywhere((front) => front.end(ALERT)),
    cut: () => everywhere((front) => front.destroy()),
    hang: () => {},
    goaway: (s) => {
        s.session.goaway(0, s.id);
        setTimeout(() => s.session?.destroy(), 50);
    },
    goaway_zero: (s) => {
        s.session.goaway(0, 0);
        setTimeout(() => s.session?.destroy(), 50);
    },
    vanish: () => {
        fs.renameSync(socket, `${socket}.away`);
        everywhere((front) => front.destroy());
        setTimeout(() => fs.renameSync(`${socket}.away`, socket), 1500);
    },
};

const ANSWERS = {
    empty: (s) => reply(s, 200),
    html: (s) => reply(s, 200, '<!doctype html><p>Ein Fehler</p>',
        { 'content-type': 'text/html' }),
    nul: (s) => reply(s, 200, '{"sentMessages":[{"id":"1\\u0000"}]}\0\0'),
    number: (s) => reply(s, 200,
        '{"sentMessages":[{"id":461230966842064897}]}'),
    odd_ids: (s) => reply(s, 200, '{"sentMessages":[{"id":null},{},7,'
        + `{"id":"${'9'.repeat(5000)}"},{"id":["1"]},{"id":"77"}]}`),
    truncated: (s) => {
        s.respond({ ':status': 200, 'content-length': 400 });
        s.write(SENT.slice(0, 20));
        setTimeout(() => s.close(http2.constants.NGHTTP2_INTERNAL_ERROR), 20);
    },
    endless: (s) => {
        s.respond({ ':status': 200, 'x-line-request-id': id() });
        forever(s);
    },
    silent_body: (s) => {
        s.respond({ ':status': 200, 'x-line-request-id': id() });
    },
    headers: (s) => {
        const many = {};
        for (let i = 0; i < 1000; i++) {
            many[`x-much-${i}`] = 'y'.repeat(1000);
        }
        reply(s, 200, SENT, many);
    },
    ids_twice: (s) => reply(s, 200, SENT,
        { 'x-line-request-id': ['first', 'second'] }),
    id_odd: (s) => reply(s, 200, SENT,
        { 'x-line-request-id': `${'z'.repeat(9000)}` }),
    date: (s) => reply(s, 200, SENT, { date: 'Thu, 99 Foo 99999 99:99:99' }),
    early: (s) => {
        s.additionalHeaders({ ':status': 103, link: '</x>' });
        reply(s, 200, SENT);
    },
};

const TOLD = {
    status: (s, value) => reply(s, Number(value), '{"message":"no"}'),
    conflict: (s, value) => (value === 'bare' ? reply(s, 409)
        : reply(s, 409, SENT.replace('{',
            '{"message":"The retry key is already accepted",'),
        { 'x-line-accepted-request-id': 'the-first' })),
    later: (s, value) => reply(s, 429, '{"message":"no"}',
        { 'retry-after': value }),
    away: (s, value) => {
        const [status, url] = value.split(' ');
        reply(s, Number(status), undefined, { location: url });
    },
};

/* Whether the lie is one that LINE has carried the call out for. */
function is_taken(name) {
    return name in ANSWERS || (name in MISFORTUNES && name !== 'refused')
        || name === '';
}

function send(stream, call) {
    const once = call.retry_key || call.body.replyToken || call.text;
    const found = /^lie:(\w+)(?:=(.*))?/.exec(call.text ?? '');
    const [, name, value] = found ?? ['', '', ''];
    if (accepted.has(once)) {
        return call.retry_key
            ? TOLD.conflict(stream)
            : reply(stream, 400, '{"message":"Invalid reply token"}');
    }
    const asked = seen.get(once) ?? 0;
    seen.set(once, asked + 1);
    if (is_taken(name)) {
        accepted.set(once, call.text);
    }
    if (asked > 0 && !is_taken(name)) {
        accepted.set(once, call.text);
        return reply(stream, 200, SENT);
    }
    const act = MISFORTUNES[name] ?? ANSWERS[name] ?? TOLD[name];
    return act ? act(stream, value) : reply(stream, 200, SENT);
}

const PROFILES = {
    b1: '{"displayName":null}',
    b2: `{"displayName":"${'な'.repeat(3500)}"}`,
    b3: '{"displayName":"Anna\\u202egnp.exe\\u2066 \\u0007B\\u0000o\\n\\tb"}',
    b4: '{"displayName":"P","pictureUrl":"javascript:alert(1)"}',
    b5: '{"displayName":"P","pictureUrl":"https://a.example/\\u202e.png"}',
    b6: `{"displayName":"P","pictureUrl":"https://a/${'x'.repeat(9000)}"}`,
    b7: '{"displayName":{"a":[1]},"language":7}',
    b8: '{"displayName":"P","displayName":"Q"}',
    b9: '[]',
    ba: '{"displayName":"P","pictureUrl":"https://a.example/p"}',
};

function route(stream, call) {
    const always = told_by('always');
    if (always !== '') {
        return TOLD.away(stream, always);
    }
    if (call.path === '/oauth2/v3/token') {
        return reply(stream, 200, '{"access_token":"liar-bearer",'
            + '"expires_in":900,"token_type":"Bearer"}');
    }
    if (call.path.startsWith('/v2/bot/profile/')) {
        return reply(stream, 200, PROFILES[call.path.slice(-2)]
            ?? '{"displayName":"Somebody"}');
    }
    if (call.path.startsWith('/v2/bot/message/quota')) {
        return reply(stream, 404, '{"message":"Not found"}');
    }
    return send(stream, call);
}

const inner = http2.createSecureServer({
    ...pair, maxSendHeaderBlockLength: 8 << 20,
});

inner.on('stream', (stream, headers) => {
    const parts = [];
    stream.on('error', () => {});
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
        const raw = Buffer.concat(parts).toString();
        const call = {
            at: Date.now(), method: headers[':method'],
            path: headers[':path'], retry_key: headers['x-line-retry-key'],
            authorization: headers.authorization, body: {},
        };
        try {
            call.body = JSON.parse(raw);
        } catch {
            call.raw = raw.replace(/client_secret=\w+/, 'client_secret=');
        }
        call.text = call.body.messages?.[0]?.text;
        note(call);
        route(stream, call);
    });
});
inner.on('sessionError', () => {});
inner.on('error', () => {});

const inner_socket = `${socket}.in`;
const mute = tls.createServer({ ...pair, ALPNProtocols: ['h2'] },
    (one) => one.on('error', () => {}));
mute.on('tlsClientError', () => {});

function front(client) {
    const how = told_by('mode');
    fronts.add(client);
    client.on('error', () => {});
    client.on('close', () => fronts.delete(client));
    note({ connection: ++connections, mode: how });
    if (how === 'hang') {
        return;
    }
    if (how === 'alert') {
        client.once('data', () => client.end(ALERT));
        return;
    }
    if (how === 'close') {
        client.destroy();
        return;
    }
    const back = net.connect(how === 'mute' ? `${inner_socket}.mute`
        : inner_socket);
    back.on('error', () => client.destroy());
    back.on('close', () => client.destroy());
    client.on('close', () => back.destroy());
    client.pipe(back).pipe(client);
}

mute.listen(`${inner_socket}.mute`, () => inner.listen(inner_socket, () => {
    net.createServer(front).listen(socket, () => {
        process.stdout.write('liar ready\n');
    });
}));
