/* api/accounts: the accounts, their counters, quarantine, commands' ends */

#include <stdlib.h>

#include "json.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"

#define ACCOUNTS_ROW_BYTES  400
#define ACCOUNTS_RESULTS    "1000"


http_rc_e
accounts_list(routes_t *routes, request_t *r, const route_match_t *m)
{
    const conf_t  *conf = routes->ctx->conf;

    (void) m;

    r->status = MHD_HTTP_OK;
    http_room(r, 64 + conf->n_accounts * 64);
    json_open(&r->out, NULL, '[');

    for (size_t i = 0; i < conf->n_accounts; i++) {
        json_open(&r->out, NULL, '{');
        json_put_c(&r->out, "id", conf->accounts[i].id);
        json_close(&r->out, '}');
    }

    json_close(&r->out, ']');

    return HTTP_ANSWERED;
}


/* entries of the lane behind the cursor; the stream is trimmed to it */
static tomo_rc_e
accounts_waiting(redis_t *redis, const char *key, tomo_str_t cursor,
    int64_t *n)
{
    tomo_rc_e     rc;
    redisReply   *reply;
    redis_args_t  args = { .args = NULL };
    char          from[48] = "(";
    tomo_buf_t    b;

    tomo_buf_init(&b, from, sizeof(from) - 1);
    tomo_buf_c(&b, cursor.len ? "(" : "-");
    tomo_buf_put(&b, cursor);

    redis_arg_c(&args, "XRANGE");
    redis_arg_c(&args, key);
    redis_arg(&args, tomo_buf_str(&b));
    redis_arg_c(&args, "+");
    redis_arg_c(&args, "COUNT");
    redis_arg_u64(&args, 10000);

    reply = redis_call(redis, &args);
    rc = redis_is(reply, REDIS_REPLY_ARRAY) ? TOMO_OK : TOMO_AGAIN;
    *n += (int64_t) redis_len(reply);

    freeReplyObject(reply);
    redis_args_free(&args);

    return rc;
}


static void
accounts_status_fill(redis_t *redis, request_t *r, tomo_str_t account)
{
    int64_t      waiting = 0, open = 0, scheduled = 0;
    read_key_t   cursor_key, in, bulk, out, sched;
    redisReply  *cursor, *reply;

    tomo_key_cursor(read_key(&cursor_key), account);
    tomo_key_in(read_key(&in), account);
    tomo_key_bulk(read_key(&bulk), account);
    tomo_key_out(read_key(&out), account);
    tomo_key_sched(read_key(&sched), account);

    cursor = redis_call_c(redis, "HGETALL", read_key_c(&cursor_key), NULL);

    if (!context_reply_ok(r, cursor, REDIS_REPLY_ARRAY)
        || accounts_waiting(redis, read_key_c(&in), redis_pair(cursor, "in"),
                            &waiting) != TOMO_OK
        || accounts_waiting(redis, read_key_c(&bulk),
                            redis_pair(cursor, "bulk"), &waiting) != TOMO_OK)
    {
        (void) context_reply_ok(r, NULL, REDIS_REPLY_ARRAY);
        freeReplyObject(cursor);
        return;
    }

    reply = redis_call_c(redis, "XLEN", read_key_c(&out), NULL);
    open = redis_int(reply, &open) == TOMO_OK ? open : 0;
    freeReplyObject(reply);

    reply = redis_call_c(redis, "ZCARD", read_key_c(&sched), NULL);
    scheduled = redis_int(reply, &scheduled) == TOMO_OK ? scheduled : 0;
    freeReplyObject(reply);

    r->status = MHD_HTTP_OK;
    json_open(&r->out, NULL, '{');
    json_put_i64(&r->out, "handled", read_pair_i64(cursor, "handled"));
    json_put_i64(&r->out, "quarantined", read_pair_i64(cursor, "quarantined"));
    json_put_i64(&r->out, "commits", read_pair_i64(cursor, "n"));
    json_put_i64(&r->out, "waiting", waiting);
    json_put_i64(&r->out, "open", open);
    json_put_i64(&r->out, "scheduled", scheduled);
    json_close(&r->out, '}');

    freeReplyObject(cursor);
}


http_rc_e
accounts_status(routes_t *routes, request_t *r, const route_match_t *m)
{
    redis_t  *redis;

    redis = context_redis(routes->ctx, r);

    if (redis) {
        accounts_status_fill(redis, r, tomo_str_c(m->account->id));
        context_redis_done(routes->ctx, redis);
    }

    return HTTP_ANSWERED;
}


static redisReply *
accounts_newest(redis_t *redis, const char *key, const char *count)
{
    return redis_call_c(redis, "XREVRANGE", key, "+", "-", "COUNT", count,
                        NULL);
}


http_rc_e
accounts_quarantine(routes_t *routes, request_t *r, const route_match_t *m)
{
    char               count[24];
    uint64_t           limit;
    redis_t           *redis;
    tomo_buf_t         b;
    read_key_t         key;
    redisReply        *reply;
    const redisReply  *pairs;

    if (!routes_limit(r, &limit)
        || (redis = context_redis(routes->ctx, r)) == NULL)
    {
        return HTTP_ANSWERED;
    }

    tomo_buf_init(&b, count, sizeof(count) - 1);
    tomo_buf_u64(&b, limit);
    count[b.len] = '\0';

    tomo_key_quarantine(read_key(&key), tomo_str_c(m->account->id));
    reply = accounts_newest(redis, read_key_c(&key), count);

    if (context_reply_ok(r, reply, REDIS_REPLY_ARRAY)) {
        r->status = MHD_HTTP_OK;
        http_room(r, 64 + redis_len(reply) * ACCOUNTS_ROW_BYTES);
        json_open(&r->out, NULL, '[');

        for (size_t i = 0; i < redis_len(reply); i++) {
            pairs = redis_at(redis_at(reply, i), 1);

            json_open(&r->out, NULL, '{');
            json_put_str(&r->out, "id", redis_str(redis_at(redis_at(reply, i),
                                                           0)));
            json_put_str(&r->out, "reason", redis_pair(pairs, "why"));
            json_put_str(&r->out, "origin", redis_pair(pairs, "origin"));
            json_put_str(&r->out, "kind", redis_pair(pairs, "kind"));
            json_put_i64(&r->out, "at", read_pair_i64(pairs, "at"));
            json_close(&r->out, '}');
        }

        json_close(&r->out, ']');
    }

    freeReplyObject(reply);
    context_redis_done(routes->ctx, redis);

    return HTTP_ANSWERED;
}


static bool
accounts_command_fill(request_t *r, const redisReply *entries, tomo_str_t id)
{
    uint64_t           status;
    const redisReply  *pairs;

    for (size_t i = 0; i < redis_len(entries); i++) {
        pairs = redis_at(redis_at(entries, i), 1);

        if (!tomo_str_eq(redis_pair(pairs, "id"), id)
            || tomo_u64_get(redis_pair(pairs, "status"), 599, &status)
               != TOMO_OK
            || !json_is_whole(redis_pair(pairs, "body")))
        {
            continue;
        }

        r->status = MHD_HTTP_OK;
        json_open(&r->out, NULL, '{');
        json_put_str(&r->out, "id", id);
        json_put_i64(&r->out, "status", (int64_t) status);
        json_put_raw(&r->out, "body", redis_pair(pairs, "body"));
        json_close(&r->out, '}');

        return true;
    }

    return false;
}


http_rc_e
accounts_command(routes_t *routes, request_t *r, const route_match_t *m)
{
    redis_t     *redis;
    read_key_t   key;
    redisReply  *reply;

    redis = context_redis(routes->ctx, r);
    if (redis == NULL) {
        return HTTP_ANSWERED;
    }

    tomo_key_result(read_key(&key), tomo_str_c(m->account->id));
    reply = accounts_newest(redis, read_key_c(&key), ACCOUNTS_RESULTS);

    if (context_reply_ok(r, reply, REDIS_REPLY_ARRAY)
        && !accounts_command_fill(r, reply, m->args[0]))
    {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "no answer of that id (yet): not decided so far, or not "
                   "among the newest 1,000");
    }

    freeReplyObject(reply);
    context_redis_done(routes->ctx, redis);

    return HTTP_ANSWERED;
}
