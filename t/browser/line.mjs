// Sends as the account does: through the simulator's LINE API.

import { readFileSync } from 'node:fs';
import { ok } from './lib.mjs';

const read = (dir, name) => readFileSync(`${dir}/${name}`, 'utf8').trim();

export class Line {
    constructor(sim, dir) {
        this.sim = sim;
        this.dir = dir;
    }

    async #access() {
        const response = await fetch(`${this.sim}/oauth2/v3/token`, {
            method: 'POST',
            body: new URLSearchParams({ grant_type: 'client_credentials',
                client_id: read(this.dir, 'channel-id'),
                client_secret: read(this.dir, 'channel-secret') }),
        });
        return (await response.json()).access_token;
    }

    async #post(path, body) {
        this.token ??= await this.#access();
        const response = await fetch(`${this.sim}/v2/bot/message/${path}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${this.token}`,
                'content-type': 'application/json' },
            body: JSON.stringify(body),
        });
        if (response.status !== 200) {
            ok(false, `LINE takes the ${path}`, await response.text());
        }
    }

    push(to, ...messages) {
        return this.#post('push', { to, messages });
    }

    multicast(to, ...messages) {
        return this.#post('multicast', { to, messages });
    }

    async add(display_name) {
        const response = await fetch(`${this.sim}/sim/friends`, { method: 'POST',
            body: JSON.stringify({ display_name }) });
        return (await response.json()).user_id;
    }
}
