/*
 * replies: bytes of a Redis through hiredis' reader as both daemons set it up.
 * The first byte chooses how they arrive; each whole reply goes to take, which
 * does not keep it.
 */

#ifndef TOMO_FUZZ_REPLIES_H
#define TOMO_FUZZ_REPLIES_H

#include "fuzz.h"
#include "worker/redis.h"

typedef void (*fuzz_take_pt)(void *ctx, const redisReply *reply);

static inline void
fuzz_replies(const uint8_t *data, size_t size, fuzz_take_pt take, void *ctx)
{
    void         *got;
    size_t        at, n, step = 1 + data[0];
    redisReader  *reader = redisReaderCreate();

    FUZZ_HOLDS(reader != NULL);
    redis_bound(reader);

    for (at = 1; at < size && reader->err == 0; at += n) {
        n = step < size - at ? step : size - at;

        if (redisReaderFeed(reader, (const char *) data + at, n) != REDIS_OK)
        {
            break;
        }

        while (redisReaderGetReply(reader, &got) == REDIS_OK && got != NULL) {
            take(ctx, got);
            freeReplyObject(got);
        }
    }

    redisReaderFree(reader);
}

#endif
