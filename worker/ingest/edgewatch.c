#include "edgewatch.h"

#include "beat.h"
#include "clock.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define EDGEWATCH_ALL_KEYS  0xffffu
#define EDGEWATCH_LIVE_MS   5000
#define EDGEWATCH_GONE_MS   60000
#define EDGEWATCH_BYTES     65536
#define EDGEWATCH_KEEP_MAX  (400 * (uint64_t) 86400)


/* "1,2" -> bits 1 and 2; an edge that does not say has all */

static uint32_t
edgewatch_keys(const tomo_rec_t *rec)
{
    size_t             at = 0, end;
    uint32_t           keys = 0;
    uint64_t           id;
    const tomo_str_t  *list = tomo_rec_get(rec, "keys");

    if (list == NULL) {
        return EDGEWATCH_ALL_KEYS;
    }

    for ( /* void */ ; at < list->len; at = end + 1) {
        end = tomo_str_find(*list, at, ',');

        if (tomo_u64_get(tomo_str_n(list->data + at, end - at), 15, &id)
            == TOMO_OK)
        {
            keys |= UINT32_C(1) << id;
        }
    }

    return keys;
}


/* false: gone for long */

static bool
edgewatch_one(edgewatch_t *w, tomo_str_t text)
{
    int64_t       at_ms, age_ms;
    uint8_t       bytes[EDGEWATCH_BYTES];
    uint64_t      keep_s;
    tomo_rec_t    rec;
    tomo_arena_t  arena;

    tomo_arena_init(&arena, bytes, sizeof(bytes));

    if (beat_parse(text, &arena, &rec) != TOMO_OK
        || tomo_rec_get_i64(&rec, "at", &at_ms) != TOMO_OK)
    {
        return false;
    }

    age_ms = clock_real_ms() - at_ms;

    if (age_ms > EDGEWATCH_GONE_MS) {
        return false;
    }

    if (age_ms <= EDGEWATCH_LIVE_MS) {
        w->keys &= edgewatch_keys(&rec);
    }

    if (tomo_rec_get_u64(&rec, "keep", EDGEWATCH_KEEP_MAX, &keep_s) == TOMO_OK
        && (int64_t) keep_s * 1000 > w->keep_ms)
    {
        w->keep_ms = (int64_t) keep_s * 1000;
    }

    return true;
}


static void
edgewatch_remove(redis_t *r, tomo_str_t id)
{
    redisReply    *reply;
    redis_args_t   args = { 0 };

    redis_arg_c(&args, "HDEL");
    redis_arg_c(&args, TOMO_KEY_EDGES);
    redis_arg(&args, id);
    reply = redis_call(r, &args);
    freeReplyObject(reply);
    redis_args_free(&args);
}


tomo_rc_e
edgewatch_read(edgewatch_t *w, redis_t *r)
{
    size_t       i;
    redisReply  *edges;
    edgewatch_t  now = { .keys = EDGEWATCH_ALL_KEYS };

    edges = redis_call_c(r, "HGETALL", TOMO_KEY_EDGES, NULL);

    if (!redis_is(edges, REDIS_REPLY_ARRAY)) {
        freeReplyObject(edges);
        return TOMO_AGAIN;
    }

    for (i = 0; i + 1 < redis_len(edges); i += 2) {
        if (!edgewatch_one(&now, redis_str(redis_at(edges, i + 1)))) {
            edgewatch_remove(r, redis_str(redis_at(edges, i)));
        }
    }

    freeReplyObject(edges);
    *w = now;

    return TOMO_OK;
}
