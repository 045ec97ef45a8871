/*
 * feedpub: what the edge must know (docs/formats.md, The edge feed): links,
 * compiled surveys, sealed channel secrets, a version that grows with every
 * change.
 */

#ifndef FEEDPUB_H
#define FEEDPUB_H

#include "owner.h"

/* do edges know this kind of definition? (the table is in feedpub.c) */
bool feedpub_has(def_kind_e kind);
/* a definition of such a kind into the open commit; others are ignored */
void feedpub_def(owner_t *o, const def_t *def);
/* after the changes of one commit: the next version */
void feedpub_version(owner_t *o);

/*
 * After loading: is the feed missing, or are its secrets other ones than ours?
 * print: what feedpub_secrets has to remember.  TOMO_AGAIN: Redis is down.
 */
tomo_rc_e feedpub_stale(owner_t *o, redis_t *r, char print[65], bool *stale)
    TOMO_MUST_CHECK;

/*
 * Everything again, from definition *i on, as far as the open commit has
 * room.  False: all are in; else send the commit, open another, come again.
 */
bool feedpub_some(owner_t *o, size_t *i);
/* the secrets, and what tells them apart; then feedpub_version */
tomo_rc_e feedpub_secrets(owner_t *o, const char *print) TOMO_MUST_CHECK;

#endif
