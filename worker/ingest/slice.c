#include "slice.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "commit_lua.h"
#include "log.h"
#include "quarantine.h"
#include "tomo_keys.h"

#define SLICE_EVENT_ARGS     2600       /* most that one event needs */
#define SLICE_EVENT_BYTES    (4u << 20)
#define SLICE_WATCHDOG_S     30

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


tomo_rc_e
slice_send(slice_t *slice, owner_t *o, redis_t *r)
{
    size_t       i;
    commit_t    *c = o->commit;
    tomo_rc_e    rc;
    redisReply  *reply;

    slice_trim(o);
    owner_commit_end(o);

    if (c->failed) {
        return TOMO_FULL;
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

    reply = redis_eval(r, &slice_commit, c->n_keys, &slice->args);
    rc = slice_answer(o, reply);
    freeReplyObject(reply);

    return rc;
}


static void
slice_pass(owner_t *o, const event_t *ev)
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
slice_aside(slice_t *slice, event_t *ev)
{
    decide_t  *d = &slice->decide;

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
slice_decide(slice_t *slice, owner_t *o, event_t *ev)
{
    if (slice->poison != NULL && ev->fault == NULL
        && tomo_str_eq(ev->id, tomo_str_c(slice->poison)))
    {
        abort();
    }

    slice->decide.now_ms = ev->kind == EVENT_TIMER ? ev->at_ms : clock_now_ms();

    if (decide_event(&slice->decide, ev) != TOMO_OK) {
        slice_aside(slice, ev);
    }

    slice_pass(o, ev);
}


static bool
slice_full(const owner_t *o, const event_t *events, size_t i)
{
    if (commit_room(o->commit, SLICE_EVENT_ARGS + OWNER_COUNTERS_END * 2 + 40,
                    SLICE_EVENT_BYTES))
    {
        /* a multicast's window should end up in one commit */
        return i > 0 && events[i].kind == EVENT_TIMER
               && events[i].serial / OUTROW_WINDOW
                  != events[i - 1].serial / OUTROW_WINDOW
               && !commit_room(o->commit, OUTROW_WINDOW * 20, 0);
    }

    return true;
}


tomo_rc_e
slice_run(slice_t *slice, owner_t *o, redis_t *r, event_t *events, size_t n)
{
    size_t     i;
    tomo_rc_e  rc;

    tomo_arena_reset(&slice->arena);
    view_reset(&slice->view, o->id, &slice->arena);
    rc = view_load(&slice->view, r, events, n);

    if (rc != TOMO_OK) {
        return rc == TOMO_INVALID ? TOMO_INVALID : TOMO_AGAIN;
    }

    slice->mass.n = 0;
    slice->decide.o = o;
    slice->decide.view = &slice->view;
    slice->decide.mass = &slice->mass;
    slice->decide.c = o->commit;
    slice->decide.arena = &slice->arena;
    owner_commit_begin(o);
    (void) alarm(SLICE_WATCHDOG_S);

    for (i = 0; i < n; i++) {
        if (slice_full(o, events, i)) {
            outrow_mass(&slice->decide);
            rc = slice->arena.failed ? TOMO_FULL : slice_send(slice, o, r);

            if (rc != TOMO_OK) {
                goto done;
            }

            owner_commit_begin(o);
        }

        slice_decide(slice, o, &events[i]);
    }

    outrow_mass(&slice->decide);
    rc = slice->arena.failed ? TOMO_FULL : slice_send(slice, o, r);

done:

    (void) alarm(0);
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
    owner_state_t  *s = &o->state;

    slice_name(ev, name);

    if (strcmp(name, s->try) != 0) {
        s->try_n = 0;
        memcpy(s->try, name, sizeof(name));
    }

    if (s->try_n >= OWNER_TRIES) {
        log_error(o->account->id, "an event ended this process %d times and "
                  "goes to the quarantine: look at it with the api",
                  OWNER_TRIES);
        ev->fault = "poison";

    } else if (slice->aside_why != NULL && strcmp(name, slice->aside) == 0) {
        ev->fault = slice->aside_why;
        slice->aside_why = NULL;
    }

    s->try_n++;
    owner_commit_begin(o);
    rc = slice_send(slice, o, r);

    return rc == TOMO_OK ? slice_run(slice, o, r, ev, 1) : rc;
}
