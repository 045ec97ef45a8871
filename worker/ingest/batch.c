#include "batch.h"

#include <stdlib.h>

#include "clock.h"
#include "defstore.h"
#include "entries.h"
#include "feedpub.h"
#include "log.h"
#include "slice.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define BATCH_ENTRIES        128        /* of one XREAD */
#define BATCH_TIMERS         10000
#define BATCH_TIMER_SLICE    1792
#define BATCH_ARENA          (192u << 20)
#define SLICE_ARENA          (96u << 20)
#define BATCH_BULK_US        INT64_C(20000)
#define BATCH_OUT_MAX        10000      /* open rows of an account */

struct batch_s {
    void          *batch_block;
    void          *slice_block;
    tomo_arena_t   arena;               /* entries and events */
    redis_args_t   args;
    slice_t        slice;
};


batch_t *
batch_create(void)
{
    batch_t  *b;

    b = calloc(1, sizeof(batch_t));

    if (b == NULL) {
        return NULL;
    }

    b->batch_block = malloc(BATCH_ARENA);
    b->slice_block = malloc(SLICE_ARENA);
    b->slice.mass.items = calloc(VIEW_SLOTS, sizeof(mass_item_t));
    b->slice.mass.cap = VIEW_SLOTS;

    if (b->batch_block == NULL || b->slice_block == NULL
        || b->slice.mass.items == NULL)
    {
        batch_free(b);
        return NULL;
    }

    tomo_arena_init(&b->arena, b->batch_block, BATCH_ARENA);
    tomo_arena_init(&b->slice.arena, b->slice_block, SLICE_ARENA);

    return b;
}


void
batch_free(batch_t *b)
{
    if (b != NULL) {
        redis_args_free(&b->args);
        redis_args_free(&b->slice.args);
        free(b->batch_block);
        free(b->slice_block);
        free(b->slice.mass.items);
        free(b);
    }
}


void
batch_script(redis_t *r)
{
    slice_script(r);
}


/*
 * How many of the events from i on make the next slice.  Timers: whole windows
 * of serials, so that a multicast's window is decided at once.
 */
static size_t
batch_cut(const owner_t *o, const entries_t *list, size_t i)
{
    size_t  n, max;

    if (o->alone_left > 0) {
        return 1;
    }

    max = list->events[i].kind == EVENT_TIMER ? BATCH_TIMER_SLICE
                                              : SLICE_EVENTS;

    if (list->n - i <= max) {
        return list->n - i;
    }

    for (n = max; list->events[i].kind == EVENT_TIMER && n > 1; n--) {
        if (list->events[i + n].serial / OUTROW_WINDOW
            != list->events[i + n - 1].serial / OUTROW_WINDOW)
        {
            return n;
        }
    }

    return max;
}


/*
 * Something in a slice does not fit, or a friend's key has a wrong type: come
 * back one by one, and set the one aside that it is about.  If not even that
 * works, it is a key of the whole account: an operator has to look.
 */
static tomo_rc_e
batch_stumble(batch_t *b, owner_t *o, const event_t *ev, size_t n,
    tomo_rc_e rc)
{
    o->alone_left = SLICE_EVENTS;

    if (n > 1) {
        return TOMO_AGAIN;
    }

    if (ev->fault != NULL) {
        return TOMO_INVALID;
    }

    slice_name(ev, b->slice.aside);
    b->slice.aside_why = rc == TOMO_FULL ? "too_large" : "key_of_wrong_type";

    return TOMO_AGAIN;
}


/* deadline_us: monotonic, 0: none.  *done counts events */
static tomo_rc_e
batch_run(batch_t *b, owner_t *o, redis_t *r, entries_t *list,
    int64_t deadline_us, size_t *done)
{
    size_t     i, n, at = 0;
    tomo_rc_e  rc = TOMO_OK;

    for (i = 0, n = 0; i < list->n && rc == TOMO_OK; i += n) {
        n = batch_cut(o, list, i);
        at = i;

        if (o->alone_left > 0) {
            o->alone_left--;
            rc = slice_alone(&b->slice, o, r, &list->events[i]);

        } else {
            rc = slice_run(&b->slice, o, r, &list->events[i], n);
        }

        *done += n;

        if (deadline_us != 0 && clock_mono_us() > deadline_us) {
            break;
        }
    }

    return rc == TOMO_FULL || rc == TOMO_INVALID
           ? batch_stumble(b, o, &list->events[at], n, rc) : rc;
}


/* --- reading -------------------------------------------------------------- */

static tomo_str_t
batch_key(char *text, owner_t *o, void (*fn)(tomo_buf_t *, tomo_str_t))
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, TOMO_KEY_MAX);
    fn(&b, o->id);

    return tomo_buf_str(&b);
}


static redisReply *
batch_read(batch_t *b, owner_t *o, redis_t *r, tomo_lane_e lane)
{
    char  key[TOMO_KEY_MAX];

    redis_args_reset(&b->args);
    redis_arg_c(&b->args, "XREAD");
    redis_arg_c(&b->args, "COUNT");
    redis_arg_u64(&b->args, BATCH_ENTRIES);
    redis_arg_c(&b->args, "STREAMS");
    redis_arg(&b->args,
              batch_key(key, o, lane == TOMO_LANE_IN ? tomo_key_in
                                                     : tomo_key_bulk));
    redis_arg_c(&b->args, lane == TOMO_LANE_IN ? o->state.in : o->state.bulk);

    return redis_call(r, &b->args);
}


static tomo_rc_e
batch_lane(batch_t *b, owner_t *o, redis_t *r, tomo_lane_e lane, size_t *done)
{
    size_t             i;
    uint32_t           skip;
    entries_t          list = { NULL, 0, 0 };
    tomo_rc_e          rc = TOMO_OK;
    redisReply        *reply;
    const redisReply  *entries;

    reply = batch_read(b, o, r, lane);

    if (reply == NULL || redis_error_of(reply) == REDIS_ERR_RETRY) {
        freeReplyObject(reply);
        return TOMO_AGAIN;
    }

    if (redis_error_of(reply) != REDIS_NO_ERROR) {
        log_error(o->account->id, "its stream `%s` cannot be read: %s; move "
                  "the key away, ingest goes on by itself",
                  lane == TOMO_LANE_IN ? "in" : "bulk",
                  redis_error_word(reply));
        freeReplyObject(reply);
        return TOMO_INVALID;
    }

    tomo_arena_reset(&b->arena);
    entries = redis_at(redis_at(reply, 0), 1);
    skip = lane == TOMO_LANE_IN ? o->state.in_i : o->state.bulk_i;

    for (i = 0; i < redis_len(entries) && rc == TOMO_OK; i++) {
        rc = entries_read(&list, o, redis_at(entries, i), lane, skip,
                          &b->arena);
        skip = 0;

        if (b->arena.used > BATCH_ARENA / 2) {
            break;
        }
    }

    freeReplyObject(reply);

    if (list.n == 0) {
        return rc == TOMO_OK ? TOMO_OK : TOMO_AGAIN;
    }

    return batch_run(b, o, r, &list,
                     lane == TOMO_LANE_IN ? 0
                                          : clock_mono_us() + BATCH_BULK_US,
                     done);
}


/* the due members of the earliest minute, in order */
static tomo_rc_e
batch_timers(batch_t *b, owner_t *o, redis_t *r, int64_t first_ms,
    int64_t now_ms, size_t *done)
{
    char         key[TOMO_KEY_MAX];
    size_t       i;
    int64_t      due_ms, until_ms;
    tomo_rc_e    rc = TOMO_OK;
    entries_t    list = { NULL, 0, 0 };
    redisReply  *reply;

    until_ms = first_ms - first_ms % TOMO_MIN_MS + TOMO_MIN_MS - 1;
    until_ms = until_ms < now_ms ? until_ms : now_ms;

    redis_args_reset(&b->args);
    redis_arg_c(&b->args, "ZRANGEBYSCORE");
    redis_arg(&b->args, batch_key(key, o, tomo_key_sched));
    redis_arg_c(&b->args, "-inf");
    redis_arg_i64(&b->args, until_ms);
    redis_arg_c(&b->args, "WITHSCORES");
    redis_arg_c(&b->args, "LIMIT");
    redis_arg_c(&b->args, "0");
    redis_arg_u64(&b->args, o->alone_left > 0 ? 1 : BATCH_TIMERS);
    reply = redis_call(r, &b->args);

    if (!redis_is(reply, REDIS_REPLY_ARRAY)) {
        freeReplyObject(reply);
        return TOMO_AGAIN;
    }

    tomo_arena_reset(&b->arena);

    for (i = 0; i + 1 < redis_len(reply) && rc == TOMO_OK; i += 2) {
        due_ms = (int64_t) strtod(redis_at(reply, i + 1)->str, NULL);
        rc = entries_timer(&list, redis_str(redis_at(reply, i)), due_ms,
                           &b->arena);
    }

    freeReplyObject(reply);
    entries_sort(&list);

    return rc == TOMO_OK ? batch_run(b, o, r, &list, 0, done) : TOMO_AGAIN;
}


/* the earliest due moment and how many rows wait for LINE */
static tomo_rc_e
batch_look(batch_t *b, owner_t *o, redis_t *r, int64_t *first_ms,
    int64_t *open)
{
    int          i;
    char         key[TOMO_KEY_MAX];
    tomo_rc_e    rc = TOMO_OK;
    redisReply  *reply;

    redis_args_reset(&b->args);
    redis_arg_c(&b->args, "ZRANGE");
    redis_arg(&b->args, batch_key(key, o, tomo_key_sched));
    redis_arg_c(&b->args, "0");
    redis_arg_c(&b->args, "0");
    redis_arg_c(&b->args, "WITHSCORES");

    if (redis_append(r, &b->args) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    redis_args_reset(&b->args);
    redis_arg_c(&b->args, "XLEN");
    redis_arg(&b->args, batch_key(key, o, tomo_key_out));

    if (redis_append(r, &b->args) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    *first_ms = INT64_MAX;
    *open = 0;

    for (i = 0; i < 2; i++) {
        reply = redis_reply(r);

        if (reply == NULL || redis_error_of(reply) == REDIS_ERR_RETRY) {
            rc = TOMO_AGAIN;

        } else if (redis_error_of(reply) != REDIS_NO_ERROR) {
            log_error(o->account->id, "its `%s` cannot be read: %s; move the "
                      "key away, ingest goes on by itself",
                      i == 0 ? "sched" : "out", redis_error_word(reply));
            rc = rc == TOMO_OK ? TOMO_INVALID : rc;

        } else if (i == 0 && redis_len(reply) == 2) {
            *first_ms = (int64_t) strtod(redis_at(reply, 1)->str, NULL);

        } else if (i == 1 && redis_int(reply, open) != TOMO_OK) {
            *open = 0;
        }

        freeReplyObject(reply);

        if (rc == TOMO_AGAIN) {
            return rc;
        }
    }

    return rc;
}


tomo_rc_e
batch_turn(batch_t *b, owner_t *o, redis_t *r, size_t *done)
{
    size_t     before = *done;
    int64_t    first_ms, now_ms, open;
    tomo_rc_e  rc;

    rc = batch_lane(b, o, r, TOMO_LANE_IN, done);

    if (rc != TOMO_OK) {
        return rc;
    }

    rc = batch_look(b, o, r, &first_ms, &open);

    if (rc != TOMO_OK || open >= BATCH_OUT_MAX) {
        return rc;
    }

    now_ms = clock_now_ms();

    if (first_ms <= now_ms) {
        rc = batch_timers(b, o, r, first_ms, now_ms, done);

        if (rc != TOMO_OK) {
            return rc;
        }
    }

    rc = batch_lane(b, o, r, TOMO_LANE_BULK, done);

    if (*done == before && rc == TOMO_OK) {
        /* caught up: what had to be replayed alone has been */
        o->alone_left = 0;
    }

    return rc;
}


/* the whole edge feed, in as many commits as it takes; the version last */
static tomo_rc_e
batch_feed(batch_t *b, owner_t *o, redis_t *r)
{
    char       print[65];
    bool       stale;
    size_t     i = 0;
    tomo_rc_e  rc;

    rc = feedpub_stale(o, r, print, &stale);

    if (rc != TOMO_OK || !stale) {
        return rc;
    }

    owner_commit_begin(o);

    while (feedpub_some(o, &i)) {
        rc = slice_send(&b->slice, o, r);

        if (rc != TOMO_OK) {
            return rc;
        }

        owner_commit_begin(o);
    }

    rc = feedpub_secrets(o, print);
    feedpub_version(o);

    return rc == TOMO_OK ? slice_send(&b->slice, o, r) : rc;
}


tomo_rc_e
batch_begin(batch_t *b, owner_t *o, redis_t *r)
{
    bool       loaded;
    tomo_rc_e  rc = TOMO_OK;

    b->slice.poison = o->conf->clock_file != NULL
                      ? getenv("TOMO_SANDBOX_POISON") : NULL;
    owner_commit_begin(o);
    defstore_folder(o, clock_now_ms(), &loaded);

    if (loaded) {
        rc = slice_send(&b->slice, o, r);
    }

    if (rc == TOMO_OK) {
        rc = batch_feed(b, o, r);
    }

    if (rc == TOMO_FULL) {
        log_error(o->account->id, "its folder of definitions is too much for "
                  "one commit: store the documents with PUT instead");
        rc = TOMO_INVALID;
    }

    owner_settle(o);

    return rc;
}
