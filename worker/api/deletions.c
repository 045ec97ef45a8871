/* api/deletions: a person is deleted, and when the last copy is gone */

#include "commands.h"
#include "json.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"
#include "tomo_journal.h"
#include "tomo_rec.h"

#define DELETIONS_ROW_BYTES  160
#define DELETIONS_SERIAL     ((UINT64_C(1) << 30) - 1)


http_rc_e
friends_delete(routes_t *routes, request_t *r, const route_match_t *m)
{
    uint8_t     text[64];
    uint64_t    serial;
    tomo_buf_t  what;

    if (tomo_u64_get(m->args[0], DELETIONS_SERIAL, &serial) != TOMO_OK
        || serial == 0)
    {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "no friend of that id");
        return HTTP_ANSWERED;
    }

    tomo_buf_init(&what, text, sizeof(text));
    tomo_buf_c(&what, "\"do\":\"friend.delete\",\"friend\":");
    tomo_buf_u64(&what, serial);

    return commands_submit(routes->ctx->commands, r, m->account,
                           tomo_buf_str(&what));
}


typedef struct {
    uint64_t  serial;
    int64_t   at_ms;
    int64_t   complete_ms;
} deletion_t;


/* one tombstone; false: odd */
static bool
deletions_parse(tomo_str_t value, deletion_t *d)
{
    uint8_t       bytes[512];
    tomo_rec_t    rec;
    tomo_arena_t  arena;

    tomo_arena_init(&arena, bytes, sizeof(bytes));

    return tomo_rec_parse(value, &arena, &rec) == TOMO_OK
           && tomo_rec_get_u64(&rec, "friend", DELETIONS_SERIAL, &d->serial)
              == TOMO_OK
           && tomo_rec_get_i64(&rec, "at", &d->at_ms) == TOMO_OK
           && tomo_rec_get_i64(&rec, "complete", &d->complete_ms) == TOMO_OK;
}


static void
deletions_put(request_t *r, const deletion_t *d, bool rewritten)
{
    http_more(r, DELETIONS_ROW_BYTES);
    json_open(&r->out, NULL, '{');
    json_put_i64(&r->out, "id", (int64_t) d->serial);
    json_put_i64(&r->out, "deleted_at", d->at_ms);
    json_put_i64(&r->out, "complete_at", d->complete_ms);
    json_put_bool(&r->out, "rewritten", rewritten);
    json_close(&r->out, '}');
}


/* has Redis' file been written anew since?  false: r was answered 503 */
static bool
deletions_rewritten(redis_t *redis, request_t *r, const route_match_t *m,
    bool *done)
{
    bool         ok;
    int64_t      erase = 0, erased = 0;
    read_key_t   key;
    redisReply  *reply;

    tomo_key_meta(read_key(&key), tomo_str_c(m->account->id));
    reply = redis_call_c(redis, "HMGET", read_key_c(&key), "erase", "erased",
                         NULL);
    ok = context_reply_ok(r, reply, REDIS_REPLY_ARRAY);

    if (redis_int(redis_at(reply, 0), &erase) != TOMO_OK) {
        erase = 0;
    }

    if (redis_int(redis_at(reply, 1), &erased) != TOMO_OK) {
        erased = 0;
    }

    *done = erased >= erase;
    freeReplyObject(reply);

    return ok;
}


static redisReply *
deletions_read(redis_t *redis, request_t *r, const route_match_t *m)
{
    read_key_t   key;
    redisReply  *reply;

    tomo_key_gone(read_key(&key), tomo_str_c(m->account->id));
    reply = redis_call_c(redis, "HGETALL", read_key_c(&key), NULL);

    if (context_reply_ok(r, reply, REDIS_REPLY_ARRAY)) {
        return reply;
    }

    freeReplyObject(reply);

    return NULL;
}


/* tombstones that are none: what they stood for is not certain any more */
static void
deletions_unreadable(request_t *r, const redisReply *all)
{
    deletion_t  d;

    json_open(&r->out, "unreadable", '[');

    for (size_t i = 0; i + 1 < redis_len(all); i += 2) {
        if (!deletions_parse(redis_str(redis_at(all, i + 1)), &d)) {
            http_more(r, redis_str(redis_at(all, i)).len * HTTP_ESCAPED
                         + DELETIONS_ROW_BYTES);
            json_open(&r->out, NULL, '{');
            json_put_str(&r->out, "id", redis_str(redis_at(all, i)));
            json_put_c(&r->out, "reason", "is no tombstone");
            json_close(&r->out, '}');
        }
    }

    json_close(&r->out, ']');
}


bool
deletions_one(redis_t *redis, request_t *r, const route_match_t *m,
    uint64_t serial)
{
    bool         found = false, rewritten;
    deletion_t   d;
    redisReply  *all = deletions_read(redis, r, m);

    for (size_t i = 1; i < redis_len(all) && !found; i += 2) {
        found = deletions_parse(redis_str(redis_at(all, i)), &d)
                && d.serial == serial;
    }

    if (found && deletions_rewritten(redis, r, m, &rewritten)) {
        r->status = MHD_HTTP_GONE;
        deletions_put(r, &d, rewritten);
    }

    found = found || all == NULL;       /* answered already */
    freeReplyObject(all);

    return found;
}


http_rc_e
deletions_list(routes_t *routes, request_t *r, const route_match_t *m)
{
    bool         rewritten;
    redis_t     *redis;
    deletion_t   d;
    redisReply  *all;

    redis = context_redis(routes->ctx, r);
    if (redis == NULL) {
        return HTTP_ANSWERED;
    }

    all = deletions_read(redis, r, m);

    if (all != NULL && deletions_rewritten(redis, r, m, &rewritten)) {
        r->status = MHD_HTTP_OK;
        json_open(&r->out, NULL, '{');
        json_open(&r->out, "deletions", '[');

        for (size_t i = 1; i < redis_len(all); i += 2) {
            if (deletions_parse(redis_str(redis_at(all, i)), &d)) {
                deletions_put(r, &d, rewritten);
            }
        }

        json_close(&r->out, ']');
        deletions_unreadable(r, all);
        json_close(&r->out, '}');
    }

    freeReplyObject(all);
    context_redis_done(routes->ctx, redis);

    return HTTP_ANSWERED;
}
