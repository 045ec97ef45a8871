#include "batch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "commit_lua.h"
#include "decide.h"
#include "defstore.h"
#include "entries.h"
#include "feedpub.h"
#include "log.h"
#include "quarantine.h"
#include "split.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define BATCH_ENTRIES        128        /* of one XREAD */
#define BATCH_SLICE          256        /* events loaded and decided at once */
#define BATCH_TIMERS         10000
#define BATCH_TIMER_SLICE    1792
#define BATCH_ARENA          (192u << 20)
#define SLICE_ARENA          (96u << 20)
#define BATCH_BULK_US        INT64_C(20000)
#define BATCH_OUT_MAX        10000      /* open rows of an account */
#define BATCH_EVENT_ARGS     2600       /* most that one event needs */
#define BATCH_EVENT_BYTES    (4u << 20)
#define BATCH_WATCHDOG_S     30

struct batch_s {
    void          *batch_block;
    void          *slice_block;
    tomo_arena_t   arena;               /* entries and events */
    tomo_arena_t   slice;               /* what one slice needs */
    view_t         view;
    mass_t         mass;
    decide_t       decide;
    redis_args_t   args;
    bool           too_large;           /* the lone event did not fit */
    const char    *poison;              /* sandbox: id that crashes us */
};

static redis_script_t  batch_commit = { .name = "commit",
                                        .text = commit_lua };


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
    b->mass.items = calloc(VIEW_SLOTS, sizeof(mass_item_t));
    b->mass.cap = VIEW_SLOTS;

    if (b->batch_block == NULL || b->slice_block == NULL
        || b->mass.items == NULL)
    {
        batch_free(b);
        return NULL;
    }

    tomo_arena_init(&b->arena, b->batch_block, BATCH_ARENA);
    tomo_arena_init(&b->slice, b->slice_block, SLICE_ARENA);

    return b;
}


void
batch_free(batch_t *b)
{
    if (b != NULL) {
        redis_args_free(&b->args);
        free(b->batch_block);
        free(b->slice_block);
        free(b->mass.items);
        free(b);
    }
}


void
batch_script(redis_t *r)
{
    redis_script_add(r, &batch_commit);
}


/* --- commit --------------------------------------------------------------- */

static void
batch_trim(owner_t *o)
{
    size_t      i;
    char        key[TOMO_KEY_MAX];
    tomo_buf_t  b;

    /* behind the cursor only (T34): the entry it stands on stays */
    for (i = 0; i < 2; i++) {
        tomo_buf_init(&b, key, sizeof(key));

        if (i == 0) {
            tomo_key_in(&b, o->id);

        } else {
            tomo_key_bulk(&b, o->id);
        }

        commit_op(o->commit, 'm', tomo_buf_str(&b));
        commit_arg_c(o->commit, i == 0 ? o->state.in : o->state.bulk);
        commit_end(o->commit);
    }
}


static tomo_rc_e
batch_answer(owner_t *o, const redisReply *reply)
{
    tomo_str_t  word;

    if (redis_is_ok(reply)) {
        o->state.n++;
        return TOMO_OK;
    }

    word = redis_str(redis_at(reply, 0));

    if (tomo_str_eq(word, tomo_str("lease"))) {
        log_warn(o->account->id, "a commit was refused: another process "
                 "holds the account now");
        return TOMO_DENIED;
    }

    if (tomo_str_starts(word, tomo_str("type "))) {
        log_error(o->account->id, "a commit was refused: the key %.*s has "
                  "another type than ours; somebody wrote to this Redis: "
                  "move the key away, ingest goes on by itself",
                  (int) (word.len - 5), (const char *) word.data + 5);
        return TOMO_INVALID;
    }

    if (redis_error_of(reply) != REDIS_NO_ERROR) {
        log_error(o->account->id, "a commit failed: %s",
                  redis_error_word(reply));
    }

    return TOMO_AGAIN;
}


/* ends the open commit and sends it; nothing of it stands if refused */
static tomo_rc_e
batch_send(batch_t *b, owner_t *o, redis_t *r)
{
    size_t       i;
    commit_t    *c = o->commit;
    tomo_rc_e    rc;
    redisReply  *reply;

    batch_trim(o);
    owner_commit_end(o);

    if (c->failed) {
        return TOMO_FULL;
    }

    redis_args_reset(&b->args);

    for (i = 0; i < c->n_keys; i++) {
        redis_arg(&b->args, c->keys[i]);
    }

    redis_arg_c(&b->args, o->lease.self->nonce);
    redis_arg_u64(&b->args, o->state.n);

    for (i = 0; i < c->n_args; i++) {
        redis_arg(&b->args, c->args[i]);
    }

    reply = redis_eval(r, &batch_commit, c->n_keys, &b->args);
    rc = batch_answer(o, reply);
    freeReplyObject(reply);

    return rc;
}


/* --- slices --------------------------------------------------------------- */

static void
batch_pass(owner_t *o, const event_t *ev)
{
    owner_state_t  *s = &o->state;
    char           *id = ev->lane == TOMO_LANE_IN ? s->in : s->bulk;
    uint32_t       *i = ev->lane == TOMO_LANE_IN ? &s->in_i : &s->bulk_i;

    s->try[0] = '\0';
    s->try_n = 0;

    if (ev->lane == TOMO_LANE_LOCAL) {
        return;
    }

    if (ev->kind != EVENT_NONE && ev->fault == NULL) {
        s->counters[OWNER_HANDLED]++;
    }

    if (!ev->last) {
        *i = ev->index + 1;
        return;
    }

    *i = 0;

    if (ev->entry.len < OWNER_ID_MAX) {
        memcpy(id, ev->entry.data, ev->entry.len);
        id[ev->entry.len] = '\0';
    }
}


/* an event that cannot be decided: aside, and out of the way */
static void
batch_aside(batch_t *b, event_t *ev)
{
    decide_t  *d = &b->decide;

    quarantine_put(d, ev, ev->fault != NULL ? ev->fault : "refused");

    if (ev->kind == EVENT_TIMER) {
        commit_op(d->c, 'y', decide_key(d, tomo_key_sched));
        commit_arg(d->c, ev->ref);
        commit_end(d->c);
    }

    if (ev->fault == NULL) {
        ev->fault = "refused";
    }
}


static void
batch_decide(batch_t *b, owner_t *o, event_t *ev)
{
    if (b->poison != NULL && ev->fault == NULL
        && tomo_str_eq(ev->id, tomo_str_c(b->poison)))
    {
        abort();
    }

    b->decide.now_ms = ev->kind == EVENT_TIMER ? ev->at_ms : clock_now_ms();

    if (decide_event(&b->decide, ev) != TOMO_OK) {
        batch_aside(b, ev);
    }

    batch_pass(o, ev);
}


static bool
batch_full(const owner_t *o, const event_t *events, size_t i)
{
    if (commit_room(o->commit, BATCH_EVENT_ARGS + OWNER_COUNTERS_END * 2 + 40,
                    BATCH_EVENT_BYTES))
    {
        /* a multicast's window should end up in one commit */
        return i > 0 && events[i].kind == EVENT_TIMER
               && events[i].serial / OUTROW_WINDOW
                  != events[i - 1].serial / OUTROW_WINDOW
               && !commit_room(o->commit, OUTROW_WINDOW * 20, 0);
    }

    return true;
}


/* decides n events, loaded by one view; commits as often as needed */
static tomo_rc_e
batch_slice(batch_t *b, owner_t *o, redis_t *r, event_t *events, size_t n)
{
    size_t     i;
    tomo_rc_e  rc;

    tomo_arena_reset(&b->slice);
    view_reset(&b->view, o->id, &b->slice);
    rc = view_load(&b->view, r, events, n);

    if (rc != TOMO_OK) {
        return rc == TOMO_INVALID ? TOMO_INVALID : TOMO_AGAIN;
    }

    b->mass.n = 0;
    b->decide.o = o;
    b->decide.view = &b->view;
    b->decide.mass = &b->mass;
    b->decide.c = o->commit;
    b->decide.arena = &b->slice;
    owner_commit_begin(o);
    (void) alarm(BATCH_WATCHDOG_S);

    for (i = 0; i < n; i++) {
        if (batch_full(o, events, i)) {
            outrow_mass(&b->decide);
            rc = b->slice.failed ? TOMO_FULL : batch_send(b, o, r);

            if (rc != TOMO_OK) {
                goto done;
            }

            owner_commit_begin(o);
        }

        batch_decide(b, o, &events[i]);
    }

    outrow_mass(&b->decide);
    rc = b->slice.failed ? TOMO_FULL : batch_send(b, o, r);

done:

    (void) alarm(0);
    owner_settle(o);

    return rc;
}


/*
 * After a takeover: events one by one, each announced by a commit of its
 * own, so that one that crashes us is known by its third try.
 */
static tomo_rc_e
batch_alone(batch_t *b, owner_t *o, redis_t *r, event_t *ev)
{
    char            try[OWNER_TRY_MAX];
    tomo_rc_e       rc;
    tomo_buf_t      t;
    owner_state_t  *s = &o->state;

    tomo_buf_init(&t, try, sizeof(try) - 1);
    tomo_buf_put(&t, ev->lane == TOMO_LANE_LOCAL ? ev->id : ev->entry);
    tomo_buf_byte(&t, '/');
    tomo_buf_u64(&t, ev->index);
    try[t.len] = '\0';

    if (strcmp(try, s->try) != 0) {
        s->try_n = 0;
        memcpy(s->try, try, t.len + 1);
    }

    if (s->try_n >= OWNER_TRIES) {
        log_error(o->account->id, "an event ended this process %d times and "
                  "goes to the quarantine: look at it with the api", OWNER_TRIES);
        ev->fault = "poison";

    } else if (b->too_large) {
        ev->fault = "too_large";
        b->too_large = false;
    }

    s->try_n++;
    owner_commit_begin(o);
    rc = batch_send(b, o, r);

    return rc == TOMO_OK ? batch_slice(b, o, r, ev, 1) : rc;
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
                                              : BATCH_SLICE;

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


/* deadline_us: monotonic, 0: none.  *done counts events */
static tomo_rc_e
batch_run(batch_t *b, owner_t *o, redis_t *r, entries_t *list,
    int64_t deadline_us, size_t *done)
{
    size_t     i, n;
    tomo_rc_e  rc = TOMO_OK;

    for (i = 0; i < list->n && rc == TOMO_OK; i += n) {
        n = batch_cut(o, list, i);

        if (o->alone_left > 0) {
            o->alone_left--;
            rc = batch_alone(b, o, r, &list->events[i]);

        } else {
            rc = batch_slice(b, o, r, &list->events[i], n);
        }

        *done += n;

        if (deadline_us != 0 && clock_mono_us() > deadline_us) {
            break;
        }
    }

    if (rc == TOMO_FULL) {
        /* throw the slice away and come back one by one */
        b->too_large = o->alone_left > 0 || n == 1;
        o->alone_left = BATCH_SLICE;
        rc = TOMO_AGAIN;
    }

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


static redisReply *
batch_read(batch_t *b, owner_t *o, redis_t *r, tomo_lane_e lane)
{
    char  key[TOMO_KEY_MAX];

    redis_args_reset(&b->args);
    redis_arg_c(&b->args, "XREAD");
    redis_arg_c(&b->args, "COUNT");
    redis_arg_u64(&b->args, BATCH_ENTRIES);
    redis_arg_c(&b->args, "STREAMS");
    redis_arg(&b->args, batch_key(key, o, lane == TOMO_LANE_IN ? tomo_key_in
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


tomo_rc_e
batch_begin(batch_t *b, owner_t *o, redis_t *r)
{
    bool       loaded, changed;
    tomo_rc_e  rc;

    b->poison = o->conf->clock_file != NULL ? getenv("TOMO_SANDBOX_POISON")
                                            : NULL;
    owner_commit_begin(o);
    defstore_folder(o, clock_now_ms(), &loaded);
    rc = feedpub_check(o, r, &changed);

    if (rc == TOMO_OK && (loaded || changed)) {
        rc = batch_send(b, o, r);
    }

    owner_settle(o);

    return rc == TOMO_FULL ? TOMO_INVALID : rc;
}
