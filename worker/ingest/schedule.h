/*
 * schedule: a decision's changes to the schedule of its account: timers of a
 * friend, one of each kind and number.
 */

#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "decision.h"

/* d->f's timer, in the place of an earlier moment */
void schedule_put(decision_t *d, timer_e kind, uint32_t no, int64_t due_ms);
void schedule_drop(decision_t *d, timer_e kind, uint32_t no);
/* another friend's */
void schedule_drop_of(decision_t *d, uint32_t serial, timer_e kind,
    uint32_t no);
/* a member as it stands there, whatever it is */
void schedule_remove(decision_t *d, tomo_str_t member);

#endif
