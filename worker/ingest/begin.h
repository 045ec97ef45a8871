/*
 * begin: what a start or a takeover has to write before the first event of
 * an account is decided: the folder of definitions, the edge feed.
 */

#ifndef BEGIN_H
#define BEGIN_H

#include "slice.h"

/* returns as batch_turn; nothing is in flight afterwards */
tomo_rc_e begin_account(slice_t *slice, owner_t *o, redis_t *r)
    TOMO_MUST_CHECK;

#endif
