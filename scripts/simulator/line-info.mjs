/*
 * The calls that read or set something other than messages: profile,
 * followers, bot, quota, webhook endpoint, loading animation and channel
 * access tokens (LINE.md 8, 13, 15, 16, 20).
 */

import * as ids from './ids.mjs';
import { is_object } from './validate/schema.mjs';
import { refuse } from './line-send.mjs';

const PAGE_MAX = 1000;
const PAGE_DEFAULT = 300;

export class Info {
    /* parts: clock, friends, quota, webhooks, access_tokens, bot. */
    constructor(parts) {
        Object.assign(this, parts);
    }

    profile(call) {
        if (!ids.USER_ID.test(call.rest)) {
            return refuse(400, 'The value for the \'userId\' parameter is '
                + 'invalid');
        }
        const friend = this.friends.get(call.rest);
        if (friend?.status !== 'following') {
            return refuse(404, 'Not found');
        }
        return {
            status: 200,
            body: {
                displayName: friend.display_name,
                userId: friend.user_id,
                pictureUrl: friend.picture_url,
                language: friend.language,
            },
        };
    }

    /* A page covers `limit` people; blocked ones are left out of it. */
    followers(call) {
        const limit = Number(call.query.get('limit') ?? PAGE_DEFAULT);
        if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
            return refuse(400, `limit must be between 1 and ${PAGE_MAX}`);
        }
        const start = from_page_token(call.query.get('start'));
        if (start === undefined) {
            return refuse(400, 'Invalid start parameter');
        }
        const { list } = this.friends;
        const end = start + limit;
        return {
            status: 200,
            body: {
                userIds: list.slice(start, end)
                    .filter((one) => one.status === 'following')
                    .map((one) => one.user_id),
                next: end < list.length ? to_page_token(end) : undefined,
            },
        };
    }

    bot_info() {
        return {
            status: 200,
            body: {
                userId: this.bot.user_id,
                basicId: `@${this.bot.account}`,
                displayName: this.bot.account,
                chatMode: 'bot',
                markAsReadMode: 'auto',
            },
        };
    }

    message_quota() {
        return { status: 200, body: this.quota.as_answer() };
    }

    consumption() {
        return {
            status: 200,
            body: { totalUsage: this.quota.usage(this.clock.now_ms()) },
        };
    }

    get_endpoint() {
        return {
            status: 200,
            body: { endpoint: this.webhooks.conf.url, active: true },
        };
    }

    /* The simulator serves one edge only and never posts elsewhere. */
    set_endpoint(call) {
        return call.body.endpoint === this.webhooks.conf.url
            ? { status: 200, body: {} }
            : refuse(400, 'Invalid webhook endpoint URL');
    }

    async test_endpoint(call) {
        const endpoint = call.body?.endpoint ?? this.webhooks.conf.url;
        if (endpoint !== this.webhooks.conf.url) {
            return refuse(400, 'Invalid webhook endpoint URL');
        }
        const now = new Date(this.clock.now_ms());
        const { status, why } = await this.webhooks.post([]);
        return {
            status: 200,
            body: {
                success: why === 'OK',
                timestamp: now.toISOString(),
                statusCode: status,
                reason: why,
                detail: status ? String(status) : why,
            },
        };
    }

    loading(call) {
        if (!is_object(call.body) || !ids.USER_ID.test(call.body.chatId)) {
            return refuse(400, 'The property, chatId, in the request body is '
                + 'invalid (line: -, column: -)');
        }
        const seconds = call.body.loadingSeconds ?? 20;
        if (!(seconds >= 5 && seconds <= 60)) {
            return refuse(400, 'Must be between 5 and 60');
        }
        return seconds % 5 === 0
            ? { status: 202, body: {} }
            : refuse(400, 'loadingSeconds must be a multiple of five');
    }

    issue_token(call) {
        const form = call.body;
        if (form.grant_type !== 'client_credentials') {
            return oauth_error('invalid_request',
                'grant_type must be client_credentials');
        }
        if (form.client_assertion !== undefined) {
            return oauth_error('invalid_request',
                'this simulator knows client_id with client_secret only');
        }
        return this.access_tokens.is_client(form.client_id,
            form.client_secret)
            ? { status: 200, body: this.access_tokens.issue() }
            : oauth_error('invalid_client', 'invalid client credentials');
    }

    verify_token(call) {
        const left_s = this.access_tokens.left_s(
            call.query.get('access_token') ?? '');
        return left_s > 0
            ? {
                status: 200,
                body: {
                    client_id: this.access_tokens.channel_id,
                    expires_in: left_s,
                    scope: 'profile chat_message.write',
                },
            }
            : oauth_error('invalid_request', 'access token expired');
    }
}

function oauth_error(error, error_description) {
    return { status: 400, body: { error, error_description } };
}

function to_page_token(position) {
    return Buffer.from(`page:${position}`).toString('base64url');
}

function from_page_token(token) {
    if (token === null) {
        return 0;
    }
    const text = Buffer.from(token, 'base64url').toString('latin1');
    const found = /^page:(\d{1,12})$/.exec(text);
    return found ? Number(found[1]) : undefined;
}
