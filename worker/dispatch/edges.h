/*
 * edges: how far every live edge has applied an account's feed (tomo:edges,
 * docs/formats.md, The edge feed).  A row with new links waits for them.
 */

#ifndef EDGES_H
#define EDGES_H

#include "redis.h"

typedef struct {
    redisReply  *all;           /* HGETALL tomo:edges, NULL: not known */
    int64_t      read_us;
} edges_t;

/* reads again if what is known is older than 100 ms */
void edges_refresh(edges_t *e, redis_t *r);
void edges_free(edges_t *e);

/*
 * Does every live edge have that version of the account's feed?  Without live
 * edges, yes: there is nobody to wait for.
 */
bool edges_have(const edges_t *e, tomo_str_t account, uint64_t version);

#endif
