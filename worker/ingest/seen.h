/*
 * seen: lets go of the sets of seen event ids that nothing can ask for any
 * more.  An event is decided only up to 7 days after it happened, however long
 * it lay in a journal; a month's margin covers restores from a backup.
 */

#ifndef SEEN_H
#define SEEN_H

#include "owner.h"
#include "redis.h"

#define SEEN_KEEP_DAYS  32

/*
 * Unlinks the account's sets older than SEEN_KEEP_DAYS before now_ms; cheap
 * when there is nothing to do.  What fails is tried again at the next call.
 */
void seen_clean(owner_t *o, redis_t *r, int64_t now_ms);

#endif
