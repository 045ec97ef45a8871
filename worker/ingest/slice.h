/*
 * slice: a slice of a batch: loaded by one view, decided, committed; alone
 * after a takeover.  For batch.c.
 *
 * A commit is sent and its answer taken when the next slice has asked for its
 * friends, so that splitting and loading overlap committing (DESIGN.md,
 * decision 3).  At most one is in flight.  Redis runs what stands behind it
 * after it; if it is refused, all of that is thrown away.
 */

#ifndef SLICE_H
#define SLICE_H

#include "decision.h"

#define SLICE_EVENTS  256               /* loaded and decided at once */
#define SLICE_TIMERS  512
#define SLICE_WATCHDOG_S  10            /* of computing, in one slice */

typedef struct {
    tomo_arena_t   arena;               /* what one slice needs */
    view_t         view;
    mass_t         mass;
    decision_t       decide;
    redis_args_t   args;
    const char    *poison;              /* sandbox: id that ends us */
    unsigned       watchdog_s;          /* SIGVTALRM ends us after it */
    owner_t       *flying;              /* whose commit has no answer yet */
    redis_t       *redis;               /* it is on its way on */
    redis_args_t  *ahead;               /* asked for with the next load */
    redisReply    *ahead_reply;         /* the caller's */
    int64_t        deadline_us;         /* no commit more after it; 0: none */
    size_t         n_done;              /* events of the last slice_run */
} slice_t;

/* registers commit.lua on the connection */
void slice_script(redis_t *r);

/*
 * Ends the open commit and sends it, once the one before has been answered,
 * whose refusal is returned.  TOMO_FULL: it does not fit, nothing was sent.
 */
tomo_rc_e slice_send(slice_t *s, owner_t *o, redis_t *r) TOMO_MUST_CHECK;

/* takes the answer of the commit in flight, if there is one */
tomo_rc_e slice_land(slice_t *s) TOMO_MUST_CHECK;
/* after a failure: replies nobody waits for any more */
void slice_drain(slice_t *s, redis_t *r);

/*
 * Decides n events and commits as often as needed; the last commit is in
 * flight then.  Past the deadline it stops at a commit: n_done.  TOMO_FULL: it
 * did not fit in memory or a commit; what was not committed has to be loaded
 * again.  The rest as batch_turn.
 */
tomo_rc_e slice_run(slice_t *s, owner_t *o, redis_t *r, event_t *events,
    size_t n) TOMO_MUST_CHECK;

/* the name of an event in the cursor's `try` */
void slice_name(const event_t *ev, char name[OWNER_TRY_MAX]);

/*
 * After a takeover: one event by itself, announced by a commit of its own,
 * so that one that crashes us is known by its third try.
 */
tomo_rc_e slice_alone(slice_t *s, owner_t *o, redis_t *r, event_t *ev)
    TOMO_MUST_CHECK;

#endif
