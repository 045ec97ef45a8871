/*
 * The LINE simulator: a stand-in for LINE's platform on one machine.  It
 * speaks the LINE API on DIR/line.sock (TLS, HTTP/2 or 1.1) and, with the
 * control API, in plain HTTP on 127.0.0.1:P.  It shares no code with the
 * programs it is used to try: what it knows of LINE it has from LINE.md.
 */

import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import path from 'node:path';
import { AccessTokens } from './access-tokens.mjs';
import { Buckets } from './buckets.mjs';
import { load_certificate } from './certificates.mjs';
import { Clock } from './clock.mjs';
import { ControlApi } from './control-api.mjs';
import { Faults } from './faults.mjs';
import { Friends } from './friends.mjs';
import { Info } from './line-info.mjs';
import { LineApi } from './line-api.mjs';
import { Sending } from './line-send.mjs';
import { parse_options, read_secrets, Usage, USAGE } from './options.mjs';
import { PhoneApi } from './phone-api.mjs';
import { Previewer } from './previewer.mjs';
import { Quota } from './quota.mjs';
import { Rates } from './line-rates.mjs';
import { ReplyTokens } from './reply-tokens.mjs';
import { RequestLog } from './request-log.mjs';
import { RetryKeys } from './retry-keys.mjs';
import { Routes } from './line-routes.mjs';
import { Store } from './store.mjs';
import { Webhooks } from './webhook.mjs';

/* Every part, wired; nothing listens yet. */
function assemble(options, secrets) {
    const clock = new Clock(path.join(options.dir, 'clock'));
    const store = new Store(path.join(options.dir, 'sim', 'log.jsonl'));
    const bot = { account: options.account, user_id: secrets.bot_user_id };
    const friends = new Friends(store);
    const quota = new Quota(options.quota);
    const retry_keys = new RetryKeys(clock);
    const reply_tokens = new ReplyTokens(store, clock);
    const previewer = new Previewer(options.preview);
    const buckets = new Buckets(options.rate_limits);
    const faults = new Faults();
    const rates = new Rates();
    const request_log = new RequestLog();
    const access_tokens = new AccessTokens(secrets.channel_id,
        secrets.channel_secret, clock);
    const webhooks = new Webhooks({
        url: `${options.edge_url}/line/webhook/${options.account}`,
        secret: secrets.channel_secret,
        bot_user_id: secrets.bot_user_id,
        redelivery: options.redelivery,
    }, store, clock, reply_tokens);
    const sending = new Sending({ store, clock, friends, retry_keys,
        reply_tokens, quota, previewer,
        multicast_unknown: options.multicast_unknown });
    const info = new Info({ clock, friends, quota, webhooks, access_tokens,
        bot });

    const state = () => ({
        ok: true,
        account: options.account,
        now_ms: clock.now_ms(),
        friends: friends.list.length,
        requests: request_log.seq,
        accepted: sending.accepted,
        retry_key_content_mismatch: retry_keys.content_mismatch,
        multicast_repeated_ids: sending.multicast_repeated_ids,
        rate_limited: buckets.refused,
        rates: rates.as_state(),
        webhooks: {
            ...webhooks.counts, waiting: webhooks.undelivered.size,
        },
        previews: {
            ...previewer.counts,
            waiting: previewer.waiting.length + previewer.running,
        },
        quota: {
            ...quota.as_answer(), used: quota.usage(clock.now_ms()),
        },
    });

    const routes = new Routes(sending, info);
    const line_api = new LineApi({ clock, routes, request_log, faults,
        buckets, rates, access_tokens });
    const phone = new PhoneApi({ clock, friends, bot,
        edge_url: options.edge_url, dir: options.dir });
    const control_api = new ControlApi({ clock, friends, webhooks,
        request_log, faults, rates, quota, state, bot, phone });
    return { store, webhooks, previewer, line_api, control_api, phone };
}

function is_line_path(url) {
    return url.startsWith('/v2/') || url.startsWith('/oauth2/');
}

function listen(server, ...where) {
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(...where, () => {
            server.off('error', reject);
            resolve();
        });
    });
}

/* A socket file left by a dead simulator is removed, a live one's is not. */
async function listen_on_socket(server, file) {
    try {
        await listen(server, file);
    } catch (error) {
        if (error.code !== 'EADDRINUSE' || await is_alive(file)) {
            throw error;
        }
        fs.rmSync(file);
        await listen(server, file);
    }
}

function is_alive(file) {
    return new Promise((resolve) => {
        const probe = http.request({ socketPath: file });
        probe.on('error', (error) => resolve(error.code !== 'ECONNREFUSED'));
        probe.on('response', () => resolve(true));
        probe.end();
    });
}

/* Remembers open connections, so that stopping does not wait for them. */
function track(server, sockets) {
    const keep = (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        socket.on('error', () => {});
    };
    server.on('connection', keep);
    server.on('secureConnection', keep);
    server.on('clientError', (_, socket) => socket.destroy());
    server.on('sessionError', () => {});
}

async function start(options) {
    const secrets = read_secrets(options.dir);
    const parts = assemble(options, secrets);
    const sockets = new Set();
    const plain = http.createServer((req, res) => {
        const api = is_line_path(req.url) ? parts.line_api
            : parts.control_api;
        api.handle(req, res);
    });
    const secure = http2.createSecureServer({
        ...load_certificate(options.dir),
        allowHTTP1: true,
        settings: { maxConcurrentStreams: 1000 },
    }, (req, res) => parts.line_api.handle(req, res));
    plain.keepAliveTimeout = 60 * 1000;
    track(plain, sockets);
    track(secure, sockets);

    /* The socket is also the folder's lock: only its holder opens the log,
       and does so before the first connection can be served. */
    await listen_on_socket(secure, options.socket);
    parts.store.open();
    await listen(plain, options.port, '127.0.0.1');

    const pid_file = path.join(options.dir, 'sim.pid');
    fs.writeFileSync(pid_file, `${process.pid}\n`);
    parts.webhooks.resume();

    const stop = () => {
        parts.webhooks.close();
        parts.phone.close();
        parts.previewer.close();
        for (const socket of sockets) {
            socket.destroy();
        }
        parts.store.close();
        fs.rmSync(options.socket, { force: true });
        fs.rmSync(pid_file, { force: true });
        process.exit(0);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.stdout.write('simulator ready: '
        + `http://127.0.0.1:${plain.address().port}/ and `
        + `${options.socket}\n`);
}

try {
    await start(parse_options(process.argv.slice(2)));
} catch (error) {
    if (error instanceof Usage) {
        process.stderr.write(`simulator: ${error.message}\n${USAGE}\n`);
        process.exit(2);
    }
    const why = error.code === 'EADDRINUSE'
        ? `the address is in use: ${error.address}:${error.port ?? ''}; `
          + 'stop what listens there or choose another --port'
        : error.message;
    process.stderr.write(`simulator: ${why}\n`);
    process.exit(1);
}
