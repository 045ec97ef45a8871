/*
 * slice: a slice of a batch: loaded by one view, decided, committed; alone
 * after a takeover.  For batch.c.
 */

#ifndef SLICE_H
#define SLICE_H

#include "decide.h"

#define SLICE_EVENTS  256               /* loaded and decided at once */

typedef struct {
    tomo_arena_t   arena;               /* what one slice needs */
    view_t         view;
    mass_t         mass;
    decide_t       decide;
    redis_args_t   args;
    char           aside[OWNER_TRY_MAX]; /* the event that cannot be decided */
    const char    *aside_why;
    const char    *poison;              /* sandbox: id that crashes us */
} slice_t;

/* registers commit.lua on the connection */
void slice_script(redis_t *r);

/* ends the open commit and sends it; nothing of it stands if refused */
tomo_rc_e slice_send(slice_t *s, owner_t *o, redis_t *r) TOMO_MUST_CHECK;

/*
 * Decides n events and commits as often as needed.  TOMO_FULL: it did not
 * fit in memory or a commit; what was not committed has to be loaded again.
 * The rest as batch_turn.
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
