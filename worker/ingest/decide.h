/*
 * decide: the driver: drops what was decided before, gives the event to the
 * function of its kind, runs the rules on what came of it, and closes the
 * decision.  Whoever builds decisions stands below it and never calls it.
 */

#ifndef DECIDE_H
#define DECIDE_H

#include "decision.h"

/* decides ev and appends what follows to the commit; TOMO_INVALID: nothing
   was changed, ev->fault says why */
tomo_rc_e decide_event(decision_t *d, event_t *ev) TOMO_MUST_CHECK;

#endif
