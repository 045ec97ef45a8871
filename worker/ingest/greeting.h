/*
 * greeting: whoever follows without a known name is greeted when LINE has
 * told the profile, or after a moment without it (DESIGN.md, 6).  What the
 * greeting needs then waits in the friend's field `wait`.
 */

#ifndef GREETING_H
#define GREETING_H

#include "decision.h"

/* asks for the profile; d's trigger is raised when it is there */
void greeting_wait(decision_t *d, trigger_e trigger);
/* the profile came (greeting_due of due.h: it did not in time) */
void greeting_resume(decision_t *d);
/* nobody is greeted who has left already */
void greeting_drop(decision_t *d);

#endif
