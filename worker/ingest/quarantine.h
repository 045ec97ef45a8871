/* quarantine: events set aside, visible to people, counted, never lost */

#ifndef QUARANTINE_H
#define QUARANTINE_H

#include "decision.h"

#define QUARANTINE_BYTES  (3u << 20)    /* of an event; ours are below it */

/* ev goes to the quarantine stream; why: a static word */
void quarantine_put(decision_t *d, const event_t *ev, const char *why);

#endif
