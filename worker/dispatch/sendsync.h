/*
 * sendsync: the syncs of the send journal, as an errand: what was appended
 * becomes durable while requests move on.  How far it has come is a sequence.
 */

#ifndef SENDSYNC_H
#define SENDSYNC_H

#include "errand.h"
#include "journal.h"

typedef struct {
    journal_t  *journal;
    errand_t   *errand;         /* used by nobody else */
} sendsync_t;

/* both are borrowed; the errand has to end first */
void sendsync_init(sendsync_t *s, journal_t *journal, errand_t *errand);

/*
 * Without waiting: takes note of a sync that is over, and starts the next one
 * when there is something to sync.
 */
tomo_rc_e sendsync_turn(sendsync_t *s) TOMO_MUST_CHECK;

/* the last record appended / has it come to the disk? */
uint64_t sendsync_last(const sendsync_t *s);
bool sendsync_is_durable(const sendsync_t *s, uint64_t last);

#endif
