/*
 * visitor: is the friend that a token names really the one we know?  The
 * edge proved the token; its check ties it to a LINE user id, so that after a
 * mishap with serials nobody is taken for somebody else (DESIGN.md,
 * decision 8).
 */

#ifndef VISITOR_H
#define VISITOR_H

#include "decision.h"

/* true: d->f is the friend.  false: anonymous, d->f is NULL */
bool visitor_is(decision_t *d, uint32_t serial, uint32_t check);

#endif
