/*
 * api/settled: is everything done that is due now?  An account is settled when
 * both its lanes are decided up to their ends, no moment of its schedule is
 * due, and its outbox is empty; all read in one transaction, so that no work
 * can hide between two of them: a commit moves it atomically from one to the
 * next, and an open row stays until its verdict is committed.
 */

#ifndef TOMO_API_SETTLED_H
#define TOMO_API_SETTLED_H

#include "conf.h"
#include "tomo_base.h"

typedef struct settled_s  settled_t;

settled_t *settled_new(const conf_t *conf);     /* NULL: out of memory */
void settled_free(settled_t *s);                /* accepts NULL */

/*
 * edges_since_ms > 0 (real time): besides, every live edge must have reported
 * since then that nothing waits in its journal.
 * True: *due_ms = the earliest moment in any schedule, INT64_MAX when none.
 * False: *why says what is not done (static text).
 */
bool settled_now(settled_t *s, int64_t edges_since_ms, int64_t *due_ms,
    const char **why);

#endif
