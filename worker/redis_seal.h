/*
 * redis_seal: the proof that replies belong to the commands they were asked
 * for.  RESP numbers nothing: after one reply too many, every later one is
 * taken for the answer to another command, and of the right type often enough
 * (T26, T27).  Each pipeline ends with a PING whose argument no other has; its
 * echo stands behind the last reply, or the connection is dropped before
 * anybody can act on what was read.
 *
 * Only redis.c uses this.  It counts and compares; redis.c reads and writes.
 */

#ifndef REDIS_SEAL_H
#define REDIS_SEAL_H

#include <hiredis/hiredis.h>

#include "tomo_base.h"

#define REDIS_SEALS_MAX  8      /* pipelines under way at once */

typedef struct {
    uint64_t  after;            /* the command it stands behind */
    uint64_t  number;           /* what it has to echo */
} redis_seal_mark_t;

typedef struct {
    bool               on;
    uint64_t           sent;    /* commands appended on this connection */
    uint64_t           sealed;  /* of them, those a seal stands behind */
    uint64_t           taken;   /* replies taken */
    uint64_t           number;  /* of the last seal; goes on for ever */
    size_t             n;
    redis_seal_mark_t  marks[REDIS_SEALS_MAX];  /* the oldest first */
} redis_seal_t;

/* A connection begins or ends: nothing is under way, and nothing is sealed. */
void redis_seal_reset(redis_seal_t *s);

/*
 * What is appended and not sealed yet gets its PING.  With REDIS_SEALS_MAX
 * under way nothing is done: the next one stands for these commands too.
 * TOMO_ERROR: hiredis could not append it.
 */
tomo_rc_e redis_seal_put(redis_seal_t *s, redisContext *ctx) TOMO_MUST_CHECK;

/* Is the next reply on the connection a seal's? */
bool redis_seal_due(const redis_seal_t *s);

/*
 * The reply to the seal that is due, and the reply before it.  NULL: it holds.
 * Otherwise the cause, for redis_drop.  A seal that is refused holds if the
 * reply before it is refused alike, or with MISCONF, which lets reads pass and
 * PING not.
 */
const char *redis_seal_broken(redis_seal_t *s, const redisReply *reply,
    const redisReply *last);

#endif
