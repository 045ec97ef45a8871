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
 * Ships what is synced and not yet there: of each writer, in whole batches, not
 * much more than max records (0: no limit).  TOMO_OK: everything is shipped
 * but what is held, of accounts whose own keys Redis refuses;
 * TOMO_LIMIT: more is left; TOMO_AGAIN: Redis is down or refuses for now, call
 * again later.
 */
tomo_rc_e ship_run(ship_t *s, size_t max) TOMO_MUST_CHECK;

/*
 * ship_run in two: ship_send may run on a thread of its own, beside the owner
 * of the journal; then nothing else touches the ship or its connection.
 * ship_tidy lets go of segments (now and then; cheap else), on the owner's
 * thread while nobody ships.
 */
tomo_rc_e ship_send(ship_t *s, size_t max) TOMO_MUST_CHECK;
void ship_tidy(ship_t *s);

/* is there anything that ship_send would do? */
bool ship_due(const ship_t *s);

#endif
