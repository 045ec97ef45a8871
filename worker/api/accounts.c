/* api/accounts: the accounts, their counters, quarantine, commands' ends */

#include <stdlib.h>

#include "json.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"

#define ACCOUNTS_ROW_BYTES  400
#define ACCOUNTS_ID_BYTES   64
#define ACCOUNTS_PAGE       8       /* entries of the quarantine */
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


/* one number of Redis; false: r was answered 503 */
static bool
accounts_number(redis_t *redis, request_t *r, const char *command,
    read_key_t *key, int64_t *n)
{
    bool         ok;
    redisReply  *reply = redis_call_c(redis, command, read_key_c(key), NULL);

    ok = context_reply_ok(r, reply, REDIS_REPLY_INTEGER)
         && redis_int(reply, n) == TOMO_OK;
    freeReplyObject(reply);

    return ok;
}


static void
accounts_status_put(request_t *r, const redisReply *cursor, int64_t waiting,
    int64_t open, int64_t scheduled)
{
    r->status = MHD_HTTP_OK;
    json_open(&r->out, NULL, '{');
    json_put_i64(&r->out, "handled", read_pair_i64(cursor, "handled"));
    json_put_i64(&r->out, "quarantined", read_pair_i64(cursor, "quarantined"));
    json_put_i64(&r->out, "commits", read_pair_i64(cursor, "n"));
    json_put_i64(&r->out, "waiting", waiting);
    json_put_i64(&r->out, "open", open);
    json_put_i64(&r->out, "scheduled", scheduled);
    json_close(&r->out, '}');
}


static void
accounts_status_fill(redis_t *redis, request_t *r, tomo_str_t account)
{
    int64_t      in_n, bulk_n, open, scheduled, age_s;
    read_key_t   cursor_key, in, bulk, out, sched;
    redisReply  *cursor;

    tomo_key_cursor(read_key(&cursor_key), account);
    tomo_key_in(read_key(&in), account);
    tomo_key_bulk(read_key(&bulk), account);
    tomo_key_out(read_key(&out), account);
    tomo_key_sched(read_key(&sched), account);

    cursor = redis_call_c(redis, "HGETALL", read_key_c(&cursor_key), NULL);

    if (!context_reply_ok(r, cursor, REDIS_REPLY_ARRAY)) {
        freeReplyObject(cursor);
        return;
    }

    if (!read_lane(redis, &in, redis_pair(cursor, "in"), &in_n, &age_s)
        || !read_lane(redis, &bulk, redis_pair(cursor, "bulk"), &bulk_n,
                      &age_s))
    {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "redis_refused",
                   "the streams cannot be read; see the worker's log");

    } else if (accounts_number(redis, r, "XLEN", &out, &open)
               && accounts_number(redis, r, "ZCARD", &sched, &scheduled))
    {
        accounts_status_put(r, cursor, in_n + bulk_n, open, scheduled);
    }

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


static void
accounts_quarantine_row(request_t *r, const redisReply *entry)
{
    const redisReply  *pairs = redis_at(entry, 1);

    http_more(r, ACCOUNTS_ROW_BYTES);
    json_open(&r->out, NULL, '{');
    json_put_str(&r->out, "id", redis_str(redis_at(entry, 0)));
    json_put_str(&r->out, "reason", redis_pair(pairs, "why"));
    json_put_str(&r->out, "origin", redis_pair(pairs, "origin"));
    json_put_str(&r->out, "kind", redis_pair(pairs, "kind"));
    json_put_i64(&r->out, "at", read_pair_i64(pairs, "at"));
    json_close(&r->out, '}');
}


/*
 * The newest below end, a few at a time: they come with bodies of up to 3 MiB
 * each.  last: id of the oldest; returns how many, -1: r was answered 503.
 */
static int
accounts_quarantine_some(redis_t *redis, request_t *r, read_key_t *key,
    const char *end, uint64_t max, char last[ACCOUNTS_ID_BYTES])
{
    int          n = -1;
    char         count[24];
    tomo_buf_t   b;
    tomo_str_t   id;
    redisReply  *reply;

    tomo_buf_init(&b, count, sizeof(count) - 1);
    tomo_buf_u64(&b, max < ACCOUNTS_PAGE ? max : ACCOUNTS_PAGE);
    count[b.len] = '\0';
    reply = redis_call_c(redis, "XREVRANGE", read_key_c(key), end, "-",
                         "COUNT", count, NULL);

    if (context_reply_ok(r, reply, REDIS_REPLY_ARRAY)) {
        n = (int) redis_len(reply);

        for (int i = 0; i < n; i++) {
            accounts_quarantine_row(r, redis_at(reply, (size_t) i));
            id = redis_str(redis_at(redis_at(reply, (size_t) i), 0));
            tomo_buf_init(&b, last, ACCOUNTS_ID_BYTES - 1);
            tomo_buf_byte(&b, '(');
            tomo_buf_put(&b, id);
            last[b.len] = '\0';
        }
    }

    freeReplyObject(reply);

    return n;
}


http_rc_e
accounts_quarantine(routes_t *routes, request_t *r, const route_match_t *m)
{
    int          n;
    char         last[ACCOUNTS_ID_BYTES] = "+";
    redis_t     *redis;
    uint64_t     limit;
    read_key_t   key;

    if (!routes_limit(r, &limit)
        || (redis = context_redis(routes->ctx, r)) == NULL)
    {
        return HTTP_ANSWERED;
    }

    tomo_key_quarantine(read_key(&key), tomo_str_c(m->account->id));
    r->status = MHD_HTTP_OK;
    json_open(&r->out, NULL, '[');

    do {
        n = accounts_quarantine_some(redis, r, &key, last, limit, last);
        limit -= n > 0 ? (uint64_t) n : 0;
    } while (n == ACCOUNTS_PAGE && limit > 0);

    if (n >= 0) {
        json_close(&r->out, ']');
    }

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
        http_more(r, redis_pair(pairs, "body").len + ACCOUNTS_ROW_BYTES);
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
    reply = redis_call_c(redis, "XREVRANGE", read_key_c(&key), "+", "-",
                         "COUNT", ACCOUNTS_RESULTS, NULL);

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
