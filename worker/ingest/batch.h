/*
 * batch: read, load, decide, commit: the only copy of this loop (DESIGN.md,
 * decisions 3 and 4).  One turn of an account decides what stands in `in`,
 * then what fell due, then a slice of `bulk`.  Straight-line and blocking;
 * one thread.
 */

#ifndef BATCH_H
#define BATCH_H

#include "owner.h"

typedef struct batch_s  batch_t;

/* memory of the batches; NULL: out of memory */
batch_t *batch_create(void);
void batch_free(batch_t *b);

/* registers commit.lua on the connection, before its first redis_up */
void batch_script(redis_t *r);

/*
 * One turn.  *done: events and timers decided.
 *   TOMO_OK      fine
 *   TOMO_DENIED  the lease is somebody else's: forget the account
 *   TOMO_AGAIN   the cursor moved, or Redis is gone: load again
 *   TOMO_INVALID a key has a wrong type (logged): leave it for a while
 */
tomo_rc_e batch_turn(batch_t *b, owner_t *o, redis_t *r, size_t *done)
    TOMO_MUST_CHECK;

/* after a takeover: what may have been in a batch is decided one by one */
void batch_alone(owner_t *o);

/* what start and takeover have to write: definitions, edge feed */
tomo_rc_e batch_begin(batch_t *b, owner_t *o, redis_t *r) TOMO_MUST_CHECK;

#endif
