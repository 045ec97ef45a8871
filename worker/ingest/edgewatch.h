/*
 * edgewatch: what the edges' heartbeats say that ingest has to know: which
 * keys of edge.key all of them have, and how long they keep their journals.
 * Removes the heartbeats of edges that are gone.  One thread.
 */

#ifndef EDGEWATCH_H
#define EDGEWATCH_H

#include "redis.h"

typedef struct {
    uint32_t  keys;             /* bit i: every living edge has key id i */
    int64_t   keep_ms;          /* the longest; 0: none says */
} edgewatch_t;

/* TOMO_AGAIN: Redis did not answer, *w is as it was */
tomo_rc_e edgewatch_read(edgewatch_t *w, redis_t *r) TOMO_MUST_CHECK;

#endif
