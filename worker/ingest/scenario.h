/*
 * scenario: a friend's way through a scenario: start, next step, branches,
 * the end, pauses while blocked (PRODUCT: timing, starts and branches).
 */

#ifndef SCENARIO_H
#define SCENARIO_H

#include "decide.h"

/* start_ms: the moment delays count from */
void scenario_start(decide_t *d, uint32_t no, int64_t start_ms);
void scenario_stop(decide_t *d, uint32_t no);
/* the step that is due at d->now_ms, by the definition as it is now */
void scenario_due(decide_t *d, uint32_t no);
/* the friend blocked us: running ones wait; came back: waiting ones end */
void scenario_pause_all(decide_t *d);
void scenario_end_paused(decide_t *d);
/* the definition changed: plan the next step again */
void scenario_replan(decide_t *d, uint32_t no);

/*
 * The step after the one that s stands on, and its due moment.  Steps that
 * `late: skip` leaves out are passed over.  A step that was removed counts as
 * passed: the next is the first that is due after it.  NULL: the end.  Pure.
 */
const def_step_t *scenario_next(const def_scenario_t *def,
    const friend_scenario_t *s, int zone_min, int64_t *due_ms);

/* the branch a friend takes; NULL: none fits.  Pure. */
const def_branch_t *scenario_branch(const def_step_t *step,
    const friend_t *f);

#endif
