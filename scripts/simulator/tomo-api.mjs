/*
 * Asks Tomo's API for the page, with the sandbox's token, which stays here.
 * Only the calls below are made: the page cannot choose a path.
 */

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const READ_MS = 15 * 1000;
const WALK_MS = 30 * 60 * 1000;
const KINDS = ['tag', 'field', 'link', 'survey', 'scenario'];
const TIMELINE_ROWS = 100;

/* status: what the page is answered; the message says what to do. */
export class TomoError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

export class TomoApi {
    /* conf: edge_url, dir, account. */
    constructor(conf) {
        this.conf = conf;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    }

    close() {
        this.agent.destroy();
    }

    clock() {
        return this.#ask('GET', '/sandbox/clock', undefined, READ_MS);
    }

    /* Answers when all that fell due is settled, however long that takes. */
    advance(seconds) {
        return this.#ask('POST', '/sandbox/clock', { advance_s: seconds },
            WALK_MS);
    }

    /* The friend's record and timeline; friend null: Tomo does not know it. */
    async story(user_id) {
        const found = await this.#read(`/friends?user_id=${user_id}`);
        const friend = found.friends[0] ?? null;
        const timeline = friend ? await this.#read(
            `/friends/${friend.id}/timeline?limit=${TIMELINE_ROWS}`) : [];
        return { friend, timeline };
    }

    /* What ids are called: {tag: {ID: document}, …}. */
    async words() {
        const lists = await Promise.all(KINDS.map(
            (kind) => this.#read(`/definitions/${kind}`)));
        return Object.fromEntries(KINDS.map((kind, i) => [kind,
            Object.fromEntries(lists[i].definitions.map(
                (one) => [one.id, one]))]));
    }

    #read(rest) {
        return this.#ask('GET', `/accounts/${this.conf.account}${rest}`,
            undefined, READ_MS);
    }

    #token() {
        const file = path.join(this.conf.dir, 'api-token');
        try {
            return fs.readFileSync(file, 'utf8').trim();
        } catch {
            throw new TomoError(503, `${file} を読めません。シミュレーター`
                + 'だけが動いているようです。scripts/run で全体を起動してください。');
        }
    }

    async #ask(method, rest, body, limit_ms) {
        const { status, text } = await this.#exchange(method,
            `${this.conf.edge_url}/api/v1${rest}`, this.#token(), body,
            limit_ms);
        let value;
        try {
            value = JSON.parse(text);
        } catch {
            throw new TomoError(502, `Tomo の API が ${status} を返しました。`
                + 'tomo-worker が動いているか、サンドボックスの logs/ を'
                + '確かめてください。');
        }
        if (status !== 200) {
            throw said_no(status, value);
        }
        return value;
    }

    #exchange(method, url, token, body, limit_ms) {
        const raw = body === undefined ? undefined : JSON.stringify(body);
        return new Promise((resolve, reject) => {
            const fail = () => reject(new TomoError(503, `Tomo（${
                this.conf.edge_url}）が応答しません。scripts/run が動いて`
                + 'いるか確かめてください。動き出すと、この画面は自動で'
                + 'つながります。'));
            const req = http.request(url, {
                method,
                agent: this.agent,
                timeout: limit_ms,
                headers: {
                    authorization: `Bearer ${token}`,
                    ...raw && {
                        'content-type': 'application/json',
                        'content-length': Buffer.byteLength(raw),
                    },
                },
            }, (res) => {
                const parts = [];
                res.on('data', (part) => parts.push(part));
                res.on('error', fail);
                res.on('end', () => resolve({ status: res.statusCode,
                    text: Buffer.concat(parts).toString('utf8') }));
            });
            req.on('timeout', () => req.destroy(new Error('timeout')));
            req.on('error', fail);
            req.end(raw);
        });
    }
}

function said_no(status, value) {
    const code = value?.error?.code;
    if (code === 'clock_busy') {
        return new TomoError(409, '時計はすでに進んでいる途中です。'
            + '終わるまで少し待ってから、もう一度押してください。');
    }
    if (code === 'not_settled') {
        return new TomoError(503, '時計は途中で止まりました（'
            + `${value.error.message}）。もう一度押すと続きから進みます。`);
    }
    if (status === 401 || status === 403) {
        return new TomoError(502, 'Tomo の API がトークンを受け付けません。'
            + 'サンドボックスを止めて、同じ --dir で起動し直してください。');
    }
    return new TomoError(502, `Tomo の API が ${status} を返しました：${
        String(value?.error?.message ?? code ?? '').slice(0, 200)}`);
}
