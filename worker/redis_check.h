/*
 * redis_check: is this a Redis that keeps what it acknowledges?  A role looks
 * at start, after each reconnect and every REDIS_CHECK_MS (RELIABILITY.md 6);
 * a refused start beats a silent downgrade.  What is wanted is the table of
 * core/tomo_doctor; each change of the findings is logged once, with the
 * words that `tomo-worker --doctor` and the edge use too.
 *
 * One thread, the role's own.
 */

#ifndef REDIS_CHECK_H
#define REDIS_CHECK_H

#include "redis.h"
#include "tomo_doctor.h"

#define REDIS_CHECK_MS    2000
#define REDIS_RECHECK_MS  1000          /* while it is refused */

typedef struct {
    unsigned             whom;          /* TOMO_DOCTOR_WORK or _SEND */
    bool                 refused;       /* rest: what we do could be lost */
    uint64_t             stops;         /* rows that were told */
    uint64_t             warns;
    int64_t              next_us;
    uint64_t             generation;    /* of the connection looked at */
    tomo_doctor_facts_t  facts;
} redis_check_t;

/*
 * TOMO_OK; TOMO_DENIED: refused, every fault was logged with what to change;
 * TOMO_AGAIN: down or loading, `refused` stays as it was.
 */
tomo_rc_e redis_check(redis_t *r, redis_check_t *c) TOMO_MUST_CHECK;

/* is it time to look again? */
bool redis_check_due(const redis_t *r, const redis_check_t *c);

/* looks when it is time; true: up, and nothing is refused */
bool redis_check_allows(redis_t *r, redis_check_t *c);

#endif
