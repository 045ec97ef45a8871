/*
 * scenario: a friend's way through a scenario: start, next step, branches,
 * the end, pauses while blocked (PRODUCT: timing, starts and branches).  The
 * step that fell due, by the definition as it is now, is scenario_due (due.h).
 */

#ifndef SCENARIO_H
#define SCENARIO_H

#include "decision.h"

/* start_ms: the moment delays count from */
void scenario_start(decision_t *d, uint32_t no, int64_t start_ms);
void scenario_stop(decision_t *d, uint32_t no);
/* the friend blocked us: running ones wait; came back: waiting ones end */
void scenario_pause_all(decision_t *d);
void scenario_end_paused(decision_t *d);
/* the definition changed: plan the next step again */
void scenario_replan(decision_t *d, uint32_t no);

/* --- scenario_next.c: pure ------------------------------------------------ */

/*
 * The step that comes next, and its due moment: the first that was not decided
 * and stands behind the one that s stands on, or before it but due after it
 * (it was moved there).  Steps that `late: skip` leaves out are passed over.
 * If the step that s stands on was removed, the next is the first that is due
 * after it.  NULL: the end.
 */
const def_step_t *scenario_next(const def_scenario_t *def,
    const friend_scenario_t *s, int zone_min, int64_t *due_ms);

/* s stands on step now, decided for due_ms; a: for s->past */
void scenario_pass(const def_scenario_t *def, friend_scenario_t *s,
    const def_step_t *step, int64_t due_ms, tomo_arena_t *a);

/* the branch a friend takes; NULL: none fits */
const def_branch_t *scenario_branch(const def_step_t *step,
    const friend_t *f);

#endif
