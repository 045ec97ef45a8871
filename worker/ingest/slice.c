#include "slice.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "clock.h"
#include "commit_lua.h"
#include "decide.h"
#include "log.h"
#include "outmass.h"
#include "outrow.h"
#include "quarantine.h"
#include "schedule.h"
#include "tomo_keys.h"

#define SLICE_EVENT_ARGS     2600       /* most that one event needs */
#define SLICE_EVENT_BYTES    (4u << 20)
#define SLICE_HANG           "hang:"

static redis_script_t  slice_commit = { .name = "commit",
                                        .text = commit_lua };


void
slice_script(redis_t *r)
{
    redis_script_add(r, &slice_commit);
}


static void
slice_trim(owner_t *o)
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
slice_answer(owner_t *o, const redisReply *reply)
{
    tomo_str_t  word;

    if (redis_is_ok(reply)) {
        return TOMO_OK;
    }

    word = redis_str(redis_at(reply, 0));

    if (tomo_str_eq(word, tomo_str("lease"))) {
        log_warn(o->account->id, "a commit was refused: another process "
                 "holds the account now");
        return TOMO_DENIED;
    }

    if (tomo_str_starts(word, tomo_str("taken "))) {
        log_error(o->account->id, "a commit was refused: the key %.*s of a new "
                  "friend is there already; somebody wrote to this Redis, the "
                  "number is passed over", (int) (word.len - 6),
                  (const char *) word.data + 6);
        o->numbers.taken = true;
        return TOMO_AGAIN;
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


tomo_rc_e
slice_land(slice_t *slice)
{
    owner_t     *o = slice->flying;
    tomo_rc_e    rc;
    redisReply  *reply;

    if (o == NULL) {
        return TOMO_OK;
    }

    slice->flying = NULL;
    reply = redis_reply(slice->redis);
    rc = slice_answer(o, reply);

    if (redis_error_of(reply) == REDIS_ERR_NOSCRIPT) {
        redis_drop(slice->redis, "its scripts were removed");
    }

    freeReplyObject(reply);

    return rc;
}


void
slice_drain(slice_t *slice, redis_t *r)
{
    slice->flying = NULL;
    freeReplyObject(slice->ahead_reply);
    slice->ahead_reply = NULL;

    while (redis_fd(r) >= 0 && r->pending > 0) {
        freeReplyObject(redis_reply(r));
    }
}


tomo_rc_e
slice_send(slice_t *slice, owner_t *o, redis_t *r)
{
    size_t     i;
    commit_t  *c = o->commit;
    tomo_rc_e  rc;

    slice_trim(o);
    owner_commit_end(o);

    if (c->failed) {
        return TOMO_FULL;
    }

    rc = slice_land(slice);

    if (rc != TOMO_OK) {
        return rc;
    }

    redis_args_reset(&slice->args);

    for (i = 0; i < c->n_keys; i++) {
        redis_arg(&slice->args, c->keys[i]);
    }

    redis_arg_c(&slice->args, o->lease.self->nonce);
    redis_arg_u64(&slice->args, o->state.n);

    for (i = 0; i < c->n_args; i++) {
        redis_arg(&slice->args, c->args[i]);
    }

    if (redis_append_eval(r, &slice_commit, c->n_keys, &slice->args) != TOMO_OK
        || redis_flush(r) != TOMO_OK)
    {
        return TOMO_AGAIN;
    }

    /* what follows stands on it; a refusal makes us load again */
    o->state.n++;
    slice->flying = o;
    slice->redis = r;

    return TOMO_OK;
}


static void
slice_pass(owner_t *o, const event_t *ev)
{
    owner_state_t  *s = &o->state;
    char           *id = ev->lane == TOMO_LANE_IN ? s->in : s->bulk;
    uint32_t       *i = ev->lane == TOMO_LANE_IN ? &s->in_i : &s->bulk_i;

    s->try[ev->lane][0] = '\0';
    s->try_n[ev->lane] = 0;

    if (ev->lane == TOMO_LANE_LOCAL) {
        return;
    }

    if (ev->kind != EVENT_NONE && ev->fault == NULL) {
        s->counters[OWNER_HANDLED]++;
    }

    s->counters[OWNER_EVENTS] += ev->kind != EVENT_NONE || ev->fault != NULL;

    if (!ev->last) {
        *i = ev->index + 1;
        return;
    }

    *i = 0;
    s->counters[OWNER_ENTRIES]++;

    if (ev->entry.len < OWNER_ID_MAX) {
        memcpy(id, ev->entry.data, ev->entry.len);
        id[ev->entry.len] = '\0';
    }
}


/* an event that cannot be decided: aside, and out of the way */
static void
slice_aside(slice_t *slice, event_t *ev)
{
    decision_t  *d = &slice->decide;

    quarantine_put(d, ev, ev->fault != NULL ? ev->fault : "refused");

    if (d->f != NULL && ev->fault != NULL
        && strcmp(ev->fault, EVENT_TOO_LARGE) == 0)
    {
        /* what somebody did must not vanish from their timeline */
        decision_fx(d, "aside", tomo_str(EVENT_TOO_LARGE));
        decision_row(d, d->f->serial, ev->id, ev->at_ms, d->kind,
                     tomo_str_null);
    }

    if (ev->kind == EVENT_TIMER) {
        schedule_remove(d, ev->ref);
    }

    if (ev->fault == NULL) {
        ev->fault = "refused";
    }
}


/* sandbox: an event that crashes us, or that never ends */
static void
slice_poison(const char *poison, const event_t *ev)
{
    size_t  hang = sizeof(SLICE_HANG) - 1;

    if (poison == NULL || ev->fault != NULL) {
        return;
    }

    if (tomo_str_eq(ev->id, tomo_str_c(poison))) {
        abort();
    }

    while (strncmp(poison, SLICE_HANG, hang) == 0
           && tomo_str_eq(ev->id, tomo_str_c(poison + hang)))
    {
        (void) clock_mono_us();
    }
}


static void
slice_decide(slice_t *slice, owner_t *o, event_t *ev)
{
    slice_poison(slice->poison, ev);

    slice->decide.now_ms = ev->kind == EVENT_TIMER ? ev->at_ms : clock_now_ms();

    if (decide_event(&slice->decide, ev) != TOMO_OK) {
        slice_aside(slice, ev);
    }

    slice_pass(o, ev);
}


static bool
slice_full(const slice_t *slice, const owner_t *o, const event_t *events,
    size_t i)
{
    size_t  mass = slice->mass.n_rows * OUTROW_ARGS;

    if (commit_room(o->commit, SLICE_EVENT_ARGS + OWNER_COUNTERS_END * 2 + 40
                               + mass,
                    SLICE_EVENT_BYTES))
    {
        /* a multicast's window should end up in one commit */
        return i > 0 && events[i].kind == EVENT_TIMER
               && events[i].serial / OUTMASS_WINDOW
                  != events[i - 1].serial / OUTMASS_WINDOW
               && !commit_room(o->commit, OUTMASS_WINDOW * 20 + mass, 0);
    }

    return true;
}


static bool
slice_late(const slice_t *slice)
{
    return slice->deadline_us != 0 && clock_mono_us() > slice->deadline_us;
}


/* the first round is asked for: the replies that stand before it */
static tomo_rc_e
slice_before(void *ctx)
{
    slice_t    *slice = ctx;
    tomo_rc_e   rc;

    rc = slice_land(slice);

    if (rc == TOMO_OK && slice->ahead != NULL) {
        slice->ahead = NULL;
        slice->ahead_reply = redis_reply(slice->redis);
        rc = slice->ahead_reply != NULL ? TOMO_OK : TOMO_AGAIN;
    }

    return rc;
}


static tomo_rc_e
slice_load(slice_t *slice, owner_t *o, redis_t *r, event_t *events, size_t n)
{
    tomo_rc_e  rc;

    tomo_arena_reset(&slice->arena);
    view_reset(&slice->view, o->id, &slice->arena);
    slice->view.old_sets = o->old_sets;

    if (slice->ahead != NULL && redis_append(r, slice->ahead) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    rc = view_load(&slice->view, r, events, n, slice_before, slice);

    return rc == TOMO_ERROR || rc == TOMO_FULL ? TOMO_AGAIN : rc;
}


static tomo_rc_e
slice_close(slice_t *slice, owner_t *o, redis_t *r)
{
    outmass_write(&slice->decide);

    return slice->arena.failed ? TOMO_FULL : slice_send(slice, o, r);
}


/* our own time only: a busy machine or a slow Redis is no event's fault */
static void
slice_watch(unsigned s)
{
    struct itimerval  timer = { .it_value = { .tv_sec = (time_t) s } };

    (void) setitimer(ITIMER_VIRTUAL, &timer, NULL);
}


tomo_rc_e
slice_run(slice_t *slice, owner_t *o, redis_t *r, event_t *events, size_t n)
{
    size_t     i;
    tomo_rc_e  rc;

    slice->n_done = 0;
    slice->redis = r;
    rc = slice_load(slice, o, r, events, n);

    if (rc != TOMO_OK) {
        return rc;
    }

    slice->mass.n = 0;
    slice->mass.n_rows = 0;
    slice->decide.o = o;
    slice->decide.view = &slice->view;
    slice->decide.mass = &slice->mass;
    slice->decide.c = o->commit;
    slice->decide.arena = &slice->arena;
    owner_commit_begin(o);
    slice_watch(slice->watchdog_s);

    for (i = 0; i < n; i++) {
        if (slice_full(slice, o, events, i)) {
            rc = slice_close(slice, o, r);
            slice->n_done = i;

            if (rc != TOMO_OK || slice_late(slice)) {
                goto done;
            }

            owner_commit_begin(o);
        }

        slice_decide(slice, o, &events[i]);
    }

    rc = slice_close(slice, o, r);
    slice->n_done = n;

done:

    slice_watch(0);
    owner_settle(o);

    return rc;
}


void
slice_name(const event_t *ev, char name[OWNER_TRY_MAX])
{
    tomo_buf_t  b;

    tomo_buf_init(&b, name, OWNER_TRY_MAX - 1);
    tomo_buf_put(&b, ev->lane == TOMO_LANE_LOCAL ? ev->id : ev->entry);
    tomo_buf_byte(&b, '/');
    tomo_buf_u64(&b, ev->index);
    name[b.len] = '\0';
}


tomo_rc_e
slice_alone(slice_t *slice, owner_t *o, redis_t *r, event_t *ev)
{
    char            name[OWNER_TRY_MAX];
    tomo_rc_e       rc;
    char           *tried = o->state.try[ev->lane];
    uint32_t       *try_n = &o->state.try_n[ev->lane];

    slice_name(ev, name);

    if (strcmp(name, tried) != 0) {
        *try_n = 0;
        memcpy(tried, name, sizeof(name));
    }

    if (*try_n > 0 && strcmp(name, o->spared) == 0) {
        (*try_n)--;
    }

    o->spared[0] = '\0';

    if (*try_n >= OWNER_TRIES) {
        log_error(o->account->id, "an event ended this process %d times and "
                  "goes to the quarantine: look at it with the api",
                  OWNER_TRIES);
        ev->fault = "poison";

    } else if (o->aside_why != NULL && strcmp(name, o->aside) == 0) {
        ev->fault = o->aside_why;
        o->aside_why = NULL;
    }

    (*try_n)++;
    owner_commit_begin(o);
    rc = slice_send(slice, o, r);

    if (rc == TOMO_OK) {
        rc = slice_land(slice);
    }

    if (rc == TOMO_OK) {
        slice->decide.alone = true;
        rc = slice_run(slice, o, r, ev, 1);
        slice->decide.alone = false;
    }

    if (rc == TOMO_OK) {
        rc = slice_land(slice);
    }

    if (rc != TOMO_OK && redis_fd(r) < 0) {
        /* Redis went away, not we: this was no try of the event's */
        memcpy(o->spared, name, sizeof(name));
    }

    return rc;
}
