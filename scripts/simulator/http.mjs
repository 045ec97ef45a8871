/*
 * What every server here needs: reading a body with a limit, answering JSON,
 * and ending a request without an answer.  Works for HTTP/1.1 and HTTP/2
 * through Node's common request and response objects.
 */

import http2 from 'node:http2';

export class TooLarge extends Error {}

export function read_body(req, max_bytes) {
    return new Promise((resolve, reject) => {
        const parts = [];
        let bytes = 0;
        req.on('data', (part) => {
            bytes += part.length;
            if (bytes <= max_bytes) {
                parts.push(part);
            }
        });
        req.on('end', () => {
            if (bytes > max_bytes) {
                reject(new TooLarge(`more than ${max_bytes} bytes`));
            } else {
                resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts));
            }
        });
        req.on('error', reject);
        req.on('aborted', () => reject(new Error('the client left')));
    });
}

export function answer(res, status, headers, body) {
    if (res.destroyed || res.writableEnded) {
        return;
    }
    const data = Buffer.isBuffer(body) ? body : Buffer.from(body);
    res.writeHead(status, { ...headers, 'content-length': data.length });
    res.end(data);
}

export function answer_json(res, status, value, headers = {}) {
    answer(res, status, {
        'content-type': 'application/json; charset=utf-8', ...headers,
    }, JSON.stringify(value));
}

/* Ends one request without an answer: the stream on HTTP/2, else the
   connection. */
export function reset(req) {
    if (req.stream && req.httpVersionMajor === 2) {
        req.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    } else {
        req.socket.destroy();
    }
}

/* Closes the whole connection with everything in flight on it. */
export function drop(req) {
    if (req.stream && req.httpVersionMajor === 2) {
        req.stream.session.destroy();
    } else {
        req.socket.destroy();
    }
}

/* Lower-case names, no pseudo headers, `host` on HTTP/2 as well. */
export function plain_headers(req) {
    const headers = {};
    if (req.headers[':authority'] !== undefined) {
        headers.host = req.headers[':authority'];
    }
    for (const name of Object.keys(req.headers)) {
        if (!name.startsWith(':')) {
            headers[name] = req.headers[name];
        }
    }
    return headers;
}

/* Loopback by address or by the one name that always means it. */
export function is_loopback(hostname) {
    return hostname === 'localhost' || hostname === '[::1]'
        || /^127(\.\d{1,3}){3}$/.test(hostname);
}
