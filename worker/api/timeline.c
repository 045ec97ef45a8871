/* api/timeline: what happened to a friend and why, newest first */

#include <stdlib.h>

#include "json.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"
#include "tomo_rec.h"

#define TIMELINE_ARENA_BYTES  (256u * 1024)
#define TIMELINE_ROW_BYTES    256       /* of names and brackets */


static void
timeline_words(tomo_buf_t *b, const char *name, const tomo_rec_t *rec,
    tomo_str_t field)
{
    json_open(b, name, '[');

    for (size_t i = 0; i < rec->n; i++) {
        if (tomo_str_eq(rec->fields[i].name, field)) {
            json_put_str(b, NULL, rec->fields[i].value);
        }
    }

    json_close(b, ']');
}


/* false: not a row of ours; it is left out */
static bool
timeline_row(tomo_buf_t *b, tomo_str_t line, tomo_arena_t *arena)
{
    int64_t            at;
    tomo_rec_t         rec;
    const tomo_str_t  *id, *kind, *text;

    if (tomo_rec_parse(line, arena, &rec) != TOMO_OK
        || tomo_rec_get_i64(&rec, "at", &at) != TOMO_OK)
    {
        return false;
    }

    id = tomo_rec_get(&rec, "id");
    kind = tomo_rec_get(&rec, "kind");
    text = tomo_rec_get(&rec, "text");

    if (id == NULL || kind == NULL) {
        return false;
    }

    json_open(b, NULL, '{');
    json_put_str(b, "id", *id);
    json_put_i64(b, "at", at);
    json_put_str(b, "kind", *kind);

    if (text) {
        json_put_str(b, "text", *text);
    }

    timeline_words(b, "why", &rec, tomo_str("why"));
    timeline_words(b, "effects", &rec, tomo_str("fx"));
    json_close(b, '}');

    return true;
}


static void
timeline_put(request_t *r, const redisReply *rows)
{
    void          *memory;
    tomo_arena_t   arena;

    memory = malloc(TIMELINE_ARENA_BYTES);

    if (memory == NULL) {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "memory",
                   "out of memory; try again");
        return;
    }

    r->status = MHD_HTTP_OK;
    json_open(&r->out, NULL, '[');

    for (size_t i = 0; i < redis_len(rows); i++) {
        tomo_arena_init(&arena, memory, TIMELINE_ARENA_BYTES);
        http_more(r, redis_str(redis_at(rows, i)).len * HTTP_ESCAPED
                     + TIMELINE_ROW_BYTES);
        (void) timeline_row(&r->out, redis_str(redis_at(rows, i)), &arena);
    }

    json_close(&r->out, ']');
    free(memory);
}


static void
timeline_read(request_t *r, redis_t *redis, tomo_str_t account,
    uint64_t serial, uint64_t limit)
{
    char         last[24];
    tomo_buf_t   b;
    read_key_t   friend_key, key;
    redisReply  *exists, *rows;

    tomo_key_friend(read_key(&friend_key), account, serial);
    tomo_key_timeline(read_key(&key), account, serial);

    tomo_buf_init(&b, last, sizeof(last) - 1);
    tomo_buf_u64(&b, limit - 1);
    last[b.len] = '\0';

    exists = redis_call_c(redis, "EXISTS", read_key_c(&friend_key), NULL);

    if (redis_is(exists, REDIS_REPLY_INTEGER) && exists->integer == 0) {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found", "no friend of that id");

    } else if (context_reply_ok(r, exists, REDIS_REPLY_INTEGER)) {
        rows = redis_call_c(redis, "LRANGE", read_key_c(&key), "0", last,
                            NULL);

        if (context_reply_ok(r, rows, REDIS_REPLY_ARRAY)) {
            timeline_put(r, rows);
        }

        freeReplyObject(rows);
    }

    freeReplyObject(exists);
}


http_rc_e
timeline_list(routes_t *routes, request_t *r, const route_match_t *m)
{
    uint64_t  serial, limit;
    redis_t  *redis;

    if (!routes_limit(r, &limit)) {
        return HTTP_ANSWERED;
    }

    if (tomo_u64_get(m->args[0], UINT32_MAX, &serial) != TOMO_OK) {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found", "no friend of that id");
        return HTTP_ANSWERED;
    }

    redis = context_redis(routes->ctx, r);

    if (redis) {
        timeline_read(r, redis, tomo_str_c(m->account->id), serial, limit);
        context_redis_done(routes->ctx, redis);
    }

    return HTTP_ANSWERED;
}
