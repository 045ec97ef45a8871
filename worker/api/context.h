/*
 * api/context: what every handler of the api role may use, and the pool of
 * Redis connections its threads read through.
 */

#ifndef TOMO_API_CONTEXT_H
#define TOMO_API_CONTEXT_H

#include <pthread.h>

#include "conf.h"
#include "http.h"
#include "redis.h"
#include "tomo_mac.h"

#define CONTEXT_READERS  HTTP_THREADS

typedef struct commands_s   commands_t;
typedef struct sandbox_s    sandbox_t;

typedef struct {
    redis_t  redis;
    bool     taken;
} reader_t;

typedef struct {
    const conf_t     *conf;
    commands_t       *commands;
    sandbox_t        *sandbox;              /* NULL: no sandbox */
    uint8_t           token[2][TOMO_MAC_BYTES]; /* MACs: now, before */
    size_t            n_tokens;
    uint8_t           token_key[32];            /* random per start */
    pthread_mutex_t   lock;
    reader_t          readers[CONTEXT_READERS];
} context_t;

/* TOMO_INVALID: no token file, or an unusable token (logged) */
tomo_rc_e context_init(context_t *ctx, const conf_t *conf) TOMO_MUST_CHECK;
void context_free(context_t *ctx);

/*
 * A connection for the calling thread, connected; NULL: Redis is down, and r
 * has been answered 503.  Give it back when done.
 */
redis_t *context_redis(context_t *ctx, request_t *r);
void context_redis_done(context_t *ctx, redis_t *redis);

/* Bearer token of the request: constant-time comparison */
bool context_authorized(context_t *ctx, const request_t *r);

/*
 * reply of a read: true when usable; otherwise r is answered 503 with the
 * cause and the reply should be freed all the same
 */
bool context_reply_ok(request_t *r, const redisReply *reply, int type);

#endif
