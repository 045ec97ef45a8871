#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "begin.h"
#include "clock.h"
#include "entries.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define BATCH_ENTRIES        128        /* of one XREAD */
#define BATCH_BULK_ENTRIES   32
#define BATCH_TIMERS         10000
#define BATCH_ARENA          (192u << 20)
#define SLICE_ARENA          (96u << 20)
#define BATCH_IN_US          INT64_C(50000)     /* then what fell due */
#define BATCH_TIMERS_US      INT64_C(50000)
#define BATCH_BULK_US        INT64_C(20000)
#define BATCH_OUT_MAX        10000      /* open rows of an account */

struct batch_s {
    void          *batch_block;
    void          *slice_block;
    tomo_arena_t   arena;               /* entries and events */
    redis_args_t   args;
    redis_args_t   ahead;               /* the read of the next batch */
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
        redis_args_free(&b->ahead);
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


/* a lane for itself: what arrives in one does not use up another's share */
void
batch_alone(owner_t *o)
{
    size_t  i;

    for (i = 0; i < OWNER_LANES; i++) {
        o->alone_left[i] = SLICE_EVENTS;
    }
}


/*
 * Something does not fit, or a key has a wrong type, and with a commit in
 * flight nobody knows whose: come back one by one, and set the one aside that
 * it is about.  If not even that works, it is a key of the whole account: an
 * operator has to look.
 */
static tomo_rc_e
batch_stumble(owner_t *o, const event_t *ev, tomo_rc_e rc)
{
    batch_alone(o);

    if (ev == NULL) {
        return TOMO_AGAIN;
    }

    if (ev->fault != NULL) {
        return TOMO_INVALID;
    }

    slice_name(ev, o->aside);
    o->aside_why = rc == TOMO_FULL ? EVENT_TOO_LARGE : "key_of_wrong_type";

    return TOMO_AGAIN;
}


/*
 * until_us: monotonic; past it no further slice is begun.  *done counts
 * events; *n_done those of the list.
 */
static tomo_rc_e
batch_run(batch_t *b, owner_t *o, redis_t *r, entries_t *list,
    int64_t until_us, size_t *n_done)
{
    bool       alone = false;
    size_t     i = 0, *left;
    tomo_rc_e  rc = TOMO_OK;

    b->slice.deadline_us = until_us;

    while (i < list->n && (i == 0 || clock_mono_us() < until_us)) {
        left = &o->alone_left[list->events[i].lane];
        alone = *left > 0;

        if (alone) {
            (*left)--;
            rc = slice_alone(&b->slice, o, r, &list->events[i]);

        } else {
            rc = slice_run(&b->slice, o, r, &list->events[i],
                           entries_cut(list, i));
        }

        if (rc != TOMO_OK) {
            break;
        }

        i += b->slice.n_done;
    }

    *n_done = i;

    return rc == TOMO_FULL || rc == TOMO_INVALID
           ? batch_stumble(o, alone ? &list->events[i] : NULL, rc) : rc;
}


/* what is still in flight at the end of a turn; rc: of the turn so far */
static tomo_rc_e
batch_land(batch_t *b, owner_t *o, redis_t *r, tomo_rc_e rc)
{
    if (rc == TOMO_OK) {
        rc = slice_land(&b->slice);

        if (rc == TOMO_INVALID) {
            rc = batch_stumble(o, NULL, rc);
        }
    }

    slice_drain(&b->slice, r);
    b->slice.ahead = NULL;

    return rc;
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


static void
batch_command(batch_t *b, owner_t *o, tomo_lane_e lane, const char *from)
{
    bool  in = lane == TOMO_LANE_IN;
    char  key[TOMO_KEY_MAX];

    redis_args_reset(&b->ahead);
    redis_arg_c(&b->ahead, "XREAD");
    redis_arg_c(&b->ahead, "COUNT");
    redis_arg_u64(&b->ahead, in ? BATCH_ENTRIES : BATCH_BULK_ENTRIES);
    redis_arg_c(&b->ahead, "STREAMS");
    redis_arg(&b->ahead, tomo_arena_dup(&b->arena,
                                        batch_key(key, o, in ? tomo_key_in
                                                        : tomo_key_bulk)));
    redis_arg(&b->ahead, tomo_arena_dup(&b->arena, tomo_str_c(from)));
}


/* the events of what was read; frees it.  last: id of the last entry */
static tomo_rc_e
batch_split(batch_t *b, owner_t *o, redisReply *reply, tomo_lane_e lane,
    entries_t *list, char last[OWNER_ID_MAX])
{
    size_t             i;
    uint32_t           skip;
    tomo_rc_e          rc = TOMO_OK;
    tomo_str_t         id;
    const redisReply  *entries;

    *list = (entries_t) { NULL, 0, 0 };
    tomo_arena_reset(&b->arena);

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

    entries = redis_at(redis_at(reply, 0), 1);
    skip = lane == TOMO_LANE_IN ? o->state.in_i : o->state.bulk_i;

    for (i = 0; i < redis_len(entries) && rc == TOMO_OK
                && b->arena.used <= BATCH_ARENA / 2; i++)
    {
        rc = entries_read(list, o, redis_at(entries, i), lane, skip,
                          &b->arena);
        skip = 0;
        id = redis_str(redis_at(redis_at(entries, i), 0));

        if (rc == TOMO_OK && id.len < OWNER_ID_MAX) {
            memcpy(last, id.data, id.len);
            last[id.len] = '\0';
        }
    }

    freeReplyObject(reply);

    return list->n > 0 || rc == TOMO_OK ? TOMO_OK : TOMO_AGAIN;
}


/*
 * Batch after batch while there are any and until until_us: the next is read
 * with the load of the one before and split while that is being committed.
 */
static tomo_rc_e
batch_lane(batch_t *b, owner_t *o, redis_t *r, tomo_lane_e lane,
    int64_t until_us, size_t *done)
{
    char         last[OWNER_ID_MAX];
    size_t       n;
    entries_t    list;
    tomo_rc_e    rc;
    redisReply  *reply;

    tomo_arena_reset(&b->arena);
    batch_command(b, o, lane, lane == TOMO_LANE_IN ? o->state.in
                                                   : o->state.bulk);
    reply = redis_call(r, &b->ahead);

    for ( ;; ) {
        rc = batch_split(b, o, reply, lane, &list, last);

        if (rc != TOMO_OK || list.n == 0) {
            break;
        }

        if (o->alone_left[lane] == 0) {
            batch_command(b, o, lane, last);
            b->slice.ahead = &b->ahead;
        }

        rc = batch_run(b, o, r, &list, until_us, &n);
        *done += n;
        reply = b->slice.ahead_reply;

        if (rc != TOMO_OK || n < list.n || reply == NULL
            || clock_mono_us() >= until_us)
        {
            break;
        }

        b->slice.ahead_reply = NULL;
    }

    return batch_land(b, o, r, rc);
}


/* the due members of the earliest minute, in order */
static tomo_rc_e
batch_timers(batch_t *b, owner_t *o, redis_t *r, int64_t first_ms,
    int64_t now_ms, size_t *done)
{
    char         key[TOMO_KEY_MAX];
    size_t       i, n;
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
    redis_arg_u64(&b->args, o->alone_left[TOMO_LANE_LOCAL] > 0 ? 1
                                                               : BATCH_TIMERS);
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

    if (rc != TOMO_OK) {
        return TOMO_AGAIN;
    }

    rc = batch_run(b, o, r, &list, clock_mono_us() + BATCH_TIMERS_US, &n);
    *done += n;

    return batch_land(b, o, r, rc);
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

    rc = batch_lane(b, o, r, TOMO_LANE_IN, clock_mono_us() + BATCH_IN_US,
                    done);

    if (rc != TOMO_OK) {
        return rc;
    }

    rc = batch_look(b, o, r, &first_ms, &open);

    if (rc != TOMO_OK) {
        return rc;
    }

    now_ms = clock_now_ms();

    /* bulk goes on: verdicts on multicasts come in it and make room */
    if (first_ms <= now_ms && open < BATCH_OUT_MAX) {
        rc = batch_timers(b, o, r, first_ms, now_ms, done);

        if (rc != TOMO_OK) {
            return rc;
        }
    }

    rc = batch_lane(b, o, r, TOMO_LANE_BULK,
                    clock_mono_us() + BATCH_BULK_US, done);

    if (*done == before && rc == TOMO_OK) {
        /* caught up: what had to be replayed alone has been */
        memset(o->alone_left, 0, sizeof(o->alone_left));
    }

    return rc;
}


tomo_rc_e
batch_begin(batch_t *b, owner_t *o, redis_t *r)
{
    uint64_t     s = SLICE_WATCHDOG_S;
    const char  *text = NULL;

    if (o->conf->clock_file != NULL) {
        b->slice.poison = getenv("TOMO_SANDBOX_POISON");
        text = getenv("TOMO_SANDBOX_WATCHDOG_S");
    }

    if (text != NULL && tomo_u64_get(tomo_str_c(text), 60, &s) != TOMO_OK) {
        s = SLICE_WATCHDOG_S;
    }

    b->slice.watchdog_s = (unsigned) s;

    return begin_account(&b->slice, o, r);
}
