/*
 * hold: after Redis went back in time, or was restored from a backup, nothing
 * is sent for the first time until what it lost has come back: every edge has
 * shipped its journal again and ingest has decided it.  What the send journal
 * knows is settled meanwhile (RELIABILITY.md 6, Backups).
 *
 * It is the file JOURNAL/hold, so it outlives a restart: written here on a
 * rollback, by scripts/restore on a restore, removed here when the time has
 * come, or by `tomo-worker --release`.  One thread; dispatch alone.
 */

#ifndef HOLD_H
#define HOLD_H

#include "redis.h"

#define HOLD_LONGEST_MS  5000           /* after a rollback; restore: none */
#define HOLD_EDGE_MS     6000           /* after a restore: edges come back */

typedef struct {
    const conf_t  *conf;
    bool           held;
    bool           restore;     /* by scripts/restore: no longest time */
    int64_t        at_ms;       /* real time: heartbeats before do not count */
    int64_t        at_us;       /* monotonic: when we learnt of it */
    int64_t        next_us;
    bool           shipped;     /* all edges are done; then, per account: */
    char         (*targets)[2][40];     /* ids ingest has to reach */
} hold_t;

/* reads the file.  TOMO_ERROR: out of memory */
tomo_rc_e hold_open(hold_t *h, const conf_t *conf) TOMO_MUST_CHECK;
void hold_close(hold_t *h);

/* after a rollback; logs */
void hold_begin(hold_t *h);
/* looks twice a second whether it may end, or came; *r is up */
void hold_turn(hold_t *h, redis_t *r);

/* the operator's word: 0 done, else an exit code; says so on stderr */
int hold_release(const conf_t *conf);
bool hold_is(const conf_t *conf);

#endif
