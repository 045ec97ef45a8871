/* api/settled: see settled.h */

#include "settled.h"

#include <stdlib.h>
#include <string.h>

#include "beat.h"
#include "clock.h"
#include "read.h"
#include "redis.h"
#include "tomo_codec.h"
#include "tomo_send.h"

#define SETTLED_TIMEOUT_MS  2000
#define SETTLED_LIVE_MS     5000
#define SETTLED_ARENA       4096

/* replies inside the transaction, in order */
enum {
    SETTLED_IN = 0,
    SETTLED_BULK,
    SETTLED_CURSOR,
    SETTLED_OUT,
    SETTLED_DUE,
    SETTLED_PAUSE,
    SETTLED_REPLIES
};


struct settled_s {
    const conf_t  *conf;
    redis_t        redis;
};


settled_t *
settled_new(const conf_t *conf)
{
    settled_t  *s;

    s = calloc(1, sizeof(settled_t));

    if (s) {
        s->conf = conf;
        redis_init(&s->redis, conf, "api sandbox", SETTLED_TIMEOUT_MS);
    }

    return s;
}


void
settled_free(settled_t *s)
{
    if (s) {
        redis_close(&s->redis);
        free(s);
    }
}


/* EXEC's array of one account; NULL: failed */
static redisReply *
settled_ask(settled_t *s, tomo_str_t account)
{
    read_key_t   in, bulk, cursor, out, sched, meta;
    redisReply  *reply = NULL;
    redis_t     *r = &s->redis;

    tomo_key_in(read_key(&in), account);
    tomo_key_bulk(read_key(&bulk), account);
    tomo_key_cursor(read_key(&cursor), account);
    tomo_key_out(read_key(&out), account);
    tomo_key_sched(read_key(&sched), account);
    tomo_key_meta(read_key(&meta), account);

    if (redis_append_c(r, "MULTI", NULL) != TOMO_OK
        || redis_append_c(r, "XREVRANGE", read_key_c(&in), "+", "-", "COUNT",
                          "1", NULL) != TOMO_OK
        || redis_append_c(r, "XREVRANGE", read_key_c(&bulk), "+", "-",
                          "COUNT", "1", NULL) != TOMO_OK
        || redis_append_c(r, "HMGET", read_key_c(&cursor), "in", "in_i",
                          "bulk", "bulk_i", NULL) != TOMO_OK
        || redis_append_c(r, "XLEN", read_key_c(&out), NULL) != TOMO_OK
        || redis_append_c(r, "ZRANGE", read_key_c(&sched), "0", "0",
                          "WITHSCORES", NULL) != TOMO_OK
        || redis_append_c(r, "HGET", read_key_c(&meta), "pause", NULL)
           != TOMO_OK
        || redis_append_c(r, "EXEC", NULL) != TOMO_OK)
    {
        return NULL;
    }

    for (size_t i = 0; i < SETTLED_REPLIES + 2; i++) {
        freeReplyObject(reply);
        reply = redis_reply(r);

        if (reply == NULL) {
            return NULL;
        }
    }

    if (redis_len(reply) != SETTLED_REPLIES) {
        freeReplyObject(reply);
        return NULL;
    }

    return reply;
}


/* is the newest entry of the lane (none: empty) behind the cursor? */
static bool
settled_lane(const redisReply *newest, tomo_str_t cursor, tomo_str_t inside)
{
    tomo_str_t  id;

    id = redis_str(redis_at(redis_at(newest, 0), 0));

    return (id.len == 0 || tomo_str_eq(id, cursor))
           && (inside.len == 0 || tomo_str_eq(inside, tomo_str("0")));
}


/* "1732190000000", or in Redis' form for large scores: plain digits too */
static int64_t
settled_score(tomo_str_t text)
{
    char  copy[40];

    if (text.len == 0 || text.len >= sizeof(copy)) {
        return INT64_MAX;
    }

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    return (int64_t) strtod(copy, NULL);
}


/*
 * Do all open rows wait for a new month's quota?  They may for weeks: time
 * goes on meanwhile, as it does outside.
 */
static bool
settled_paused(settled_t *s, tomo_str_t account, const redisReply *pause)
{
    bool         paused;
    int64_t      until_ms;
    read_key_t   out;
    tomo_via_e   via;
    redisReply  *rows;

    if (tomo_i64_get(redis_str(pause), &until_ms) != TOMO_OK
        || until_ms <= clock_now_ms())
    {
        return false;
    }

    tomo_key_out(read_key(&out), account);
    rows = redis_call_c(&s->redis, "XRANGE", read_key_c(&out), "-", "+",
                        NULL);
    paused = redis_is(rows, REDIS_REPLY_ARRAY);

    for (size_t i = 0; paused && i < redis_len(rows); i++) {
        paused = tomo_via_parse(redis_pair(redis_at(redis_at(rows, i), 1),
                                           "via"), &via) == TOMO_OK
                 && (via == TOMO_VIA_PUSH || via == TOMO_VIA_MULTICAST);
    }

    freeReplyObject(rows);

    return paused;
}


static bool
settled_account(settled_t *s, tomo_str_t account, int64_t *due_ms,
    const char **why)
{
    int64_t            open = 1, due;
    redisReply        *reply;
    const redisReply  *cursor;

    reply = settled_ask(s, account);
    if (reply == NULL) {
        *why = "Redis does not answer; see the worker's log";
        return false;
    }

    *why = NULL;
    cursor = redis_at(reply, SETTLED_CURSOR);
    due = settled_score(redis_str(redis_at(redis_at(reply, SETTLED_DUE), 1)));

    if (!settled_lane(redis_at(reply, SETTLED_IN),
                      redis_str(redis_at(cursor, 0)),
                      redis_str(redis_at(cursor, 1)))
        || !settled_lane(redis_at(reply, SETTLED_BULK),
                         redis_str(redis_at(cursor, 2)),
                         redis_str(redis_at(cursor, 3))))
    {
        *why = "events are still being decided; is the ingest role running?";

    } else if (redis_int(redis_at(reply, SETTLED_OUT), &open) != TOMO_OK
               || (open > 0
                   && !settled_paused(s, account,
                                      redis_at(reply, SETTLED_PAUSE))))
    {
        *why = "messages are still being sent; is LINE, or its simulator, "
               "answering?";

    } else if (due <= clock_now_ms()) {
        *why = "due moments are still being decided; is the ingest role "
               "running?";
    }

    if (due < *due_ms) {
        *due_ms = due;
    }

    freeReplyObject(reply);

    return *why == NULL;
}


/* one heartbeat (docs/formats.md, The edge feed) */
static bool
settled_edge(tomo_str_t line, int64_t since_ms)
{
    int64_t       at;
    uint64_t      waiting;
    uint8_t       memory[SETTLED_ARENA];
    tomo_rec_t    rec;
    tomo_arena_t  arena;

    tomo_arena_init(&arena, memory, sizeof(memory));

    if (beat_parse(line, &arena, &rec) != TOMO_OK
        || tomo_rec_get_i64(&rec, "at", &at) != TOMO_OK
        || at < clock_real_ms() - SETTLED_LIVE_MS)
    {
        return true;            /* no live edge */
    }

    return at > since_ms
           && tomo_rec_get_u64(&rec, "waiting", UINT64_MAX, &waiting)
              == TOMO_OK
           && waiting == 0;
}


static bool
settled_edges(settled_t *s, int64_t since_ms, const char **why)
{
    bool         ok;
    redisReply  *reply;

    reply = redis_call_c(&s->redis, "HGETALL", TOMO_KEY_EDGES, NULL);
    ok = redis_is(reply, REDIS_REPLY_ARRAY);

    for (size_t i = 0; ok && i + 1 < redis_len(reply); i += 2) {
        ok = settled_edge(redis_str(redis_at(reply, i + 1)), since_ms);
    }

    freeReplyObject(reply);
    *why = "an edge still has events to ship; is Redis reachable from nginx?";

    return ok;
}


bool
settled_now(settled_t *s, int64_t edges_since_ms, int64_t *due_ms,
    const char **why)
{
    *due_ms = INT64_MAX;

    if (redis_up(&s->redis) != TOMO_OK) {
        *why = "Redis is down; see the worker's log";
        return false;
    }

    if (edges_since_ms > 0 && !settled_edges(s, edges_since_ms, why)) {
        return false;
    }

    for (size_t i = 0; i < s->conf->n_accounts; i++) {
        if (!settled_account(s, tomo_str_c(s->conf->accounts[i].id), due_ms,
                             why))
        {
            return false;
        }
    }

    return true;
}
