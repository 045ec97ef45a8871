/*
 * retain: nothing is kept longer than docs/keys.md says: the quarantine and
 * the audit stream are cut by age, and the file that Redis appends to is
 * written anew after something was erased, so that it leaves the disk too.
 * Ages are real time.  One thread.
 */

#ifndef RETAIN_H
#define RETAIN_H

#include "owner.h"

#define RETAIN_QUARANTINE_DAYS  30
#define RETAIN_AUDIT_DAYS       400
#define RETAIN_REWRITE_MS       3600000     /* at most once in that time */

typedef struct {
    bool      running;          /* Redis writes its file anew */
    int64_t   began_ms;         /* monotonic; 0: never */
} retain_t;

/* cuts the account's streams; cheap when there is nothing to cut */
void retain_trim(const owner_t *o, redis_t *r);

/* call often: begins a rewriting when one is due, and takes note of its end */
void retain_rewrite(retain_t *rt, owner_t *owners, size_t n, redis_t *r);

#endif
