/*
 * due: the functions of what fell due in the schedule, one a row of TIMERS
 * (timer.h); decide_timer.c alone calls them.
 */

#ifndef DUE_H
#define DUE_H

#include "decision.h"

/* no: as the timer was put into the schedule */
#define DUE_DECLARE_(name, letter, due)                                       \
    void due(decision_t *d, uint32_t no);
TIMERS(DUE_DECLARE_)
#undef DUE_DECLARE_

#endif
