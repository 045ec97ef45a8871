/*
 * ship: takes a journal's records to the streams in Redis, exactly once
 * (docs/formats.md, Journals: Shipping).  Used by dispatch and api.
 *
 * Works on a connection of its owner; blocking and pipelined.  After a
 * reconnect the marks are read again, so that outage, crash and rollback of
 * Redis are the same path.
 */

#ifndef SHIP_H
#define SHIP_H

#include "journal.h"
#include "redis.h"

typedef struct ship_s  ship_t;

/* both are borrowed; free the ship first */
ship_t *ship_new(journal_t *j, redis_t *r);
void ship_free(ship_t *s);

/*
 * Ships what is synced and not yet there, all writers, at most max records
 * (0: no limit).  TOMO_OK: everything is shipped; TOMO_LIMIT: more is left;
 * TOMO_AGAIN: Redis is down or refuses for now, call again later.
 */
tomo_rc_e ship_run(ship_t *s, size_t max) TOMO_MUST_CHECK;

/* records of our own writer synced but not yet shipped */
uint64_t ship_waiting(const ship_t *s);

#endif
