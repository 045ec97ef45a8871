/*
 * recover: when the key `meta` of an account is gone, or older than what it
 * numbers, finds the last number given to a friend, so that none is given
 * twice.  It repairs numbers only, never a friend's record.
 */

#ifndef RECOVER_H
#define RECOVER_H

#include "owner.h"

/*
 * After owner_load.  *changed: state.serial and state.delivery are other ones
 * than in `meta` now (logged); recover_put puts them into the open commit.
 * TOMO_AGAIN: Redis is down; TOMO_INVALID: a key that must be read is no hash
 * (logged).
 */
tomo_rc_e recover_numbers(owner_t *o, redis_t *r, bool *changed)
    TOMO_MUST_CHECK;
void recover_put(owner_t *o);

#endif
