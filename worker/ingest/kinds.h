/*
 * kinds: the functions that decide an event of their kind, one a row of
 * EVENT_KINDS.  Each stands in a decide_*.c and is called by decide.c alone.
 * It may return TOMO_INVALID only before it has changed anything: the event
 * then goes to the quarantine, ev->fault says why.
 */

#ifndef KINDS_H
#define KINDS_H

#include "decision.h"

#define KINDS_DECLARE_(name, word, decide, needs)                             \
    tomo_rc_e decide(decision_t *d);
EVENT_KINDS(KINDS_DECLARE_)
#undef KINDS_DECLARE_

#endif
