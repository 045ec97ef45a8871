/*
 * recover: when the key `meta` of an account is gone, or older than what it
 * numbers, finds the last numbers given to a friend and to a delivery, so that
 * none is given twice.  It repairs numbers only, never a friend's record.
 *
 * `cursor` has both numbers as of its commit, so mostly nothing is searched.
 * When it does not know better either, every user id, every tombstone and the
 * records behind the highest of them are looked at: in parts, between which
 * the caller renews leases and tells the watchdog that it lives.
 */

#ifndef RECOVER_H
#define RECOVER_H

#include "owner.h"

/*
 * After owner_load.  *changed: state.serial and state.delivery are other ones
 * than in `meta` now (logged); recover_put puts them into the open commit.
 * TOMO_AGAIN: Redis is down, or the search goes on with the next call;
 * TOMO_INVALID: a key that must be read is no hash (logged).
 */
tomo_rc_e recover_numbers(owner_t *o, redis_t *r, bool *changed)
    TOMO_MUST_CHECK;
void recover_put(owner_t *o);

/* is there more to search at once? */
bool recover_more(const owner_t *o);

/* the account was not ours for a while: a search begins anew */
void recover_forget(owner_t *o);

#endif
