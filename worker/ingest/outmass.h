/*
 * outmass: the same bubbles without inserts, due for many friends at the same
 * moment, as multicasts (LINE.md 13): a chunk is a window of serials that
 * its retry key names, so that the same chunk comes out again after a
 * rollback, with the same key.
 */

#ifndef OUTMASS_H
#define OUTMASS_H

#include "decision.h"

#define OUTMASS_WINDOW  256             /* serials of a multicast: LINE takes
                                           500, a commit fewer */

/* takes d's send over into the mass; false: it has no room */
bool outmass_add(decision_t *d, const messages_t *messages);
/* what d's event put into the mass becomes bubbles, before others follow */
void outmass_back(decision_t *d);
/* the collected sends of the slice become multicasts, or pushes if alone */
void outmass_write(decision_t *d);

#endif
