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


/* one tombstone; false: odd, or of another friend (serial not 0) */

static bool
deletions_put(request_t *r, tomo_str_t value, uint64_t serial, bool rewritten)
{
    int64_t       at, complete;
    uint8_t       bytes[512];
    uint64_t      friend;
    tomo_rec_t    rec;
    tomo_arena_t  arena;

    tomo_arena_init(&arena, bytes, sizeof(bytes));

    if (tomo_rec_parse(value, &arena, &rec) != TOMO_OK
        || tomo_rec_get_u64(&rec, "friend", DELETIONS_SERIAL, &friend)
           != TOMO_OK
        || tomo_rec_get_i64(&rec, "at", &at) != TOMO_OK
        || tomo_rec_get_i64(&rec, "complete", &complete) != TOMO_OK
        || (serial != 0 && serial != friend))
    {
        return false;
    }

    json_open(&r->out, NULL, '{');
    json_put_i64(&r->out, "id", (int64_t) friend);
    json_put_i64(&r->out, "deleted_at", at);
    json_put_i64(&r->out, "complete_at", complete);
    json_put_bool(&r->out, "rewritten", rewritten);
    json_close(&r->out, '}');

    return true;
}


static bool
deletions_rewritten(redis_t *redis, const route_match_t *m)
{
    bool         done;
    read_key_t   key;
    redisReply  *meta;

    tomo_key_meta(read_key(&key), tomo_str_c(m->account->id));
    meta = redis_call_c(redis, "HGETALL", read_key_c(&key), NULL);
    done = read_pair_i64(meta, "erased") >= read_pair_i64(meta, "erase");
    freeReplyObject(meta);

    return done;
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


bool
deletions_one(redis_t *redis, request_t *r, const route_match_t *m,
    uint64_t serial)
{
    bool         found = false;
    redisReply  *all = deletions_read(redis, r, m);

    for (size_t i = 1; i < redis_len(all) && !found; i += 2) {
        found = deletions_put(r, redis_str(redis_at(all, i)), serial,
                              deletions_rewritten(redis, m));
    }

    if (found) {
        r->status = MHD_HTTP_GONE;
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
    redisReply  *all;

    redis = context_redis(routes->ctx, r);
    if (redis == NULL) {
        return HTTP_ANSWERED;
    }

    all = deletions_read(redis, r, m);

    if (all != NULL) {
        rewritten = deletions_rewritten(redis, m);
        r->status = MHD_HTTP_OK;
        http_room(r, 64 + redis_len(all) / 2 * DELETIONS_ROW_BYTES);
        json_open(&r->out, NULL, '{');
        json_open(&r->out, "deletions", '[');

        for (size_t i = 1; i < redis_len(all); i += 2) {
            (void) deletions_put(r, redis_str(redis_at(all, i)), 0,
                                 rewritten);
        }

        json_close(&r->out, ']');
        json_close(&r->out, '}');
        freeReplyObject(all);
    }

    context_redis_done(routes->ctx, redis);

    return HTTP_ANSWERED;
}
