/*
 * One call of the LINE API, from the socket to the answer: read, log, perhaps
 * a fault, token, rate, body, route, answer.  LINE.md 10 gives the statuses.
 */

import * as ids from './ids.mjs';
import { is_before_accept } from './faults.mjs';
import { answer, drop, plain_headers, read_body, reset, TooLarge }
    from './http.mjs';
import { refuse } from './line-send.mjs';
import { is_object } from './validate/schema.mjs';

const MAX_BODY_BYTES = 2 << 20;
const SLOW_MS = 2000;
const HUGE_BYTES = 10 << 20;
const RATE_LIMIT = 'The API rate limit has been exceeded. Try again later.';
const MONTHLY_LIMIT = 'You have reached your monthly limit.';
const TOO_MANY = 'Too many messages to the same person.';
const BAD_TOKEN = 'Authentication failed due to the following reason: '
    + 'invalid token. Confirm that the access token in the authorization '
    + 'header is valid.';

export class LineApi {
    /* parts: clock, routes, request_log, faults, buckets, rates,
       access_tokens. */
    constructor(parts) {
        Object.assign(this, parts);
    }

    async handle(req, res) {
        const call = this.#describe(req);
        try {
            call.raw = await read_body(req, MAX_BODY_BYTES);
        } catch (error) {
            if (!(error instanceof TooLarge)) {
                return;
            }
            call.too_large = true;
            call.raw = Buffer.alloc(0);
        }
        parse_body(call);
        const entry = this.#log(call, req);
        this.rates.count(call.path);
        const kind = this.faults.pick(call);

        if (kind && is_before_accept(kind)) {
            entry.fault = kind;
            this.#refuse_by_fault(kind, call, entry, req, res);
            return;
        }
        const result = await this.#run(call);
        if (kind) {
            entry.fault = kind;
            this.#spoil(kind, call, result, entry, req, res);
            return;
        }
        send(call, result, entry, res);
    }

    #describe(req) {
        const cut = req.url.indexOf('?');
        return {
            request_id: ids.request_id(),
            method: req.method,
            path: cut < 0 ? req.url : req.url.slice(0, cut),
            query: new URLSearchParams(cut < 0 ? '' : req.url.slice(cut)),
            type: req.headers['content-type'] ?? '',
            authorization: req.headers.authorization ?? '',
            retry_key: req.headers['x-line-retry-key'],
        };
    }

    #log(call, req) {
        return this.request_log.add({
            at: this.clock.now_ms(),
            real_at: Date.now(),
            method: call.method,
            path: call.path,
            query: call.query.toString() || undefined,
            headers: plain_headers(req),
            body: call.logged,
        }, call.raw.length);
    }

    async #run(call) {
        try {
            return await this.#route(call);
        } catch (error) {
            process.stderr.write(`simulator: ${call.method} ${call.path}: `
                + `${error.stack}\n`);
            return refuse(500, 'Internal server error');
        }
    }

    #route(call) {
        const found = this.routes.find(call.method, call.path);
        if (call.too_large) {
            return refuse(413, 'Request body is larger than 2 MB');
        }
        if (!found) {
            return refuse(404, 'Not found');
        }
        const { route, rest } = found;
        call.rest = rest;
        const wrong = this.#check_token(route, call)
            ?? this.#check_rate(route)
            ?? check_retry_key(route, call)
            ?? check_body(route, call);
        return wrong ?? route.run(call);
    }

    #check_token(route, call) {
        if (!route.auth) {
            return undefined;
        }
        const found = /^Bearer +(\S+)$/i.exec(call.authorization);
        return found && this.access_tokens.left_s(found[1]) > 0
            ? undefined
            : refuse(401, BAD_TOKEN);
    }

    #check_rate(route) {
        return this.buckets.take(route.name, route.limit)
            ? undefined : refuse(429, RATE_LIMIT);
    }

    #refuse_by_fault(kind, call, entry, req, res) {
        switch (kind) {
        case 'hang':
            return;
        case 'reset':
            reset(req);
            return;
        case 'drop':
            drop(req);
            return;
        case '429':
            return send(call, refuse(429, RATE_LIMIT), entry, res);
        case '429_month':
            return send(call, refuse(429, MONTHLY_LIMIT), entry, res);
        case '429_user':
            return send(call, refuse(429, TOO_MANY), entry, res);
        case '401':
            return send(call, refuse(401, BAD_TOKEN), entry, res);
        default:
            return send(call, refuse(Number(kind),
                `Injected fault: ${kind}`), entry, res);
        }
    }

    #spoil(kind, call, result, entry, req, res) {
        switch (kind) {
        case 'hang_after_accept':
            return;
        case 'reset_after_accept':
            reset(req);
            return;
        case 'drop_after_accept':
            drop(req);
            return;
        case 'slow':
            setTimeout(() => send(call, result, entry, res), SLOW_MS);
            return;
        case '500_after_accept':
            return send(call, refuse(500, 'Internal server error'), entry,
                res);
        default:
            return spoil_body(kind, call, result, entry, res);
        }
    }
}

function spoil_body(kind, call, result, entry, res) {
    if (result.status !== 200) {
        return send(call, result, entry, res);
    }
    const body = kind === 'huge'
        ? Buffer.alloc(HUGE_BYTES, ' ')
        : Buffer.from('{"sentMessages":[{"id":"46');
    entry.status = 200;
    answer(res, 200, answer_headers(call, result), body);
}

function send(call, result, entry, res) {
    entry.status = result.status;
    answer(res, result.status, answer_headers(call, result),
        JSON.stringify(result.body));
}

function answer_headers(call, result) {
    return {
        'content-type': 'application/json',
        'x-line-request-id': call.request_id,
        ...result.headers,
    };
}

function check_retry_key(route, call) {
    return call.retry_key !== undefined && !route.retry_key
        ? refuse(400, 'The retry key is not supported by this endpoint')
        : undefined;
}

function check_body(route, call) {
    if (route.body === 'none' || route.body === 'form') {
        return undefined;
    }
    if (route.body === 'json?' && call.raw.length === 0) {
        return undefined;
    }
    if (!/^application\/json\b/i.test(call.type)) {
        return refuse(415, 'Content-Type must be application/json');
    }
    return is_object(call.body)
        ? undefined
        : refuse(400, 'The request body could not be parsed as JSON');
}

/* Sets body, and what the request log shows of it: never the secret. */
function parse_body(call) {
    if (/^application\/x-www-form-urlencoded\b/i.test(call.type)) {
        call.body = Object.fromEntries(
            new URLSearchParams(call.raw.toString('latin1')));
        call.logged = { ...call.body };
        if (call.logged.client_secret !== undefined) {
            call.logged.client_secret = '(hidden)';
        }
        return;
    }
    try {
        const text = new TextDecoder('utf-8', { fatal: true })
            .decode(call.raw);
        call.body = text === '' ? undefined : JSON.parse(text);
        call.logged = call.body;
    } catch {
        call.body = undefined;
        call.logged = call.raw.toString('utf8');
    }
    call.body ??= {};
}
