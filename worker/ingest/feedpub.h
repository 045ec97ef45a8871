/*
 * feedpub: what the edge must know (docs/formats.md, The edge feed): links,
 * compiled surveys, sealed channel secrets, a version that grows with every
 * change; and cleaning up after edges that are gone.
 */

#ifndef FEEDPUB_H
#define FEEDPUB_H

#include "owner.h"

/* one link or survey into the commit that is open; others are ignored */
void feedpub_def(owner_t *o, const def_t *def);
/* after the changes of one commit: the next version */
void feedpub_version(owner_t *o);

/*
 * After loading: everything, when the feed is missing or the secrets are
 * other ones than it holds.  *changed: the open commit got operations.
 */
tomo_rc_e feedpub_check(owner_t *o, redis_t *r, bool *changed)
    TOMO_MUST_CHECK;

/* removes edges whose heartbeat is older than 60 s */
void feedpub_clean(redis_t *r);

#endif
