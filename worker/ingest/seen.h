/*
 * seen: which events are remembered by their ids so that no copy has an effect
 * again, and under which digest of their content.  Lets go of the days that
 * nothing can ask for any more: an event is decided only up to 7 days after it
 * happened, however long it lay in a journal; a month's margin covers restores
 * from a backup.
 */

#ifndef SEEN_H
#define SEEN_H

#include "event.h"
#include "owner.h"
#include "redis.h"

#define SEEN_KEEP_DAYS   32
#define SEEN_DIGEST_LEN  6

/* the id copies of ev share, of len 0: of its kind each is decided */
tomo_str_t seen_id(const event_t *ev);

/*
 * SEEN_DIGEST_LEN characters that tell its content from another with the same
 * id.  Of a webhook event all counts but deliveryContext, in which LINE says
 * that a copy is one (LINE.md 4); of an answer the survey and what was
 * answered: the same post comes again at another time.  It only counts
 * conflicts, and who signs for LINE or holds the nonce wrote both: a CRC does.
 */
tomo_str_t seen_digest(const event_t *ev, tomo_arena_t *a);

/* asks whether sets of ids of an older Tomo are left; TOMO_AGAIN: no Redis */
tomo_rc_e seen_begin(owner_t *o, redis_t *r, int64_t now_ms) TOMO_MUST_CHECK;

/*
 * Unlinks the account's days older than SEEN_KEEP_DAYS before now_ms; cheap
 * when there is nothing to do.  What fails is tried again at the next call.
 */
void seen_clean(owner_t *o, redis_t *r, int64_t now_ms);

#endif
