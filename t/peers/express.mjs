// A peer for scripts/bench: a tracked URL and a LINE webhook as most guides
// write them, with Express, LINE's own SDK and ioredis.
//
//   node express.mjs PORT REDIS_SOCKET CHANNEL_SECRET

import express from 'express';
import { Redis } from 'ioredis';
import { middleware } from '@line/bot-sdk';

const [port, socket, channelSecret] = process.argv.slice(2);
const redis = new Redis({ path: socket, enableAutoPipelining: true });
const app = express();

app.disable('x-powered-by');
app.disable('etag');

// one round trip: the target, and the click's entry
app.get('/r/:token', async (request, response) => {
    const { token } = request.params;
    const [[url]] = await Promise.all([
        redis.hmget(`link:${token}`, 'url', 'friend'),
        redis.xadd('clicks', '*', 'token', token, 'at', Date.now(),
            'agent', request.get('user-agent') ?? ''),
    ]);
    if (!url) {
        response.sendStatus(404);
        return;
    }
    response.set('Cache-Control', 'no-store');
    response.redirect(302, url);
});

app.post('/line/webhook/:account', middleware({ channelSecret }), async (request, response) => {
    await redis.xadd('webhooks', '*', 'at', Date.now(), 'body', JSON.stringify(request.body));
    response.sendStatus(200);
});

app.listen(Number(port), '127.0.0.1', () => console.log('ready'));
