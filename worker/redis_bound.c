/*
 * redis_bound: a limit that hiredis' reader does not have.  "*2000000000" at
 * the head of a reply would have it ask for 16 GB before any element came
 * (B106).  Beyond the limit it reports want of memory, and the connection is
 * dropped as for any other broken reply.
 */

#include <pthread.h>

#include "redis.h"

#define REDIS_ELEMENTS_MAX  (4 << 20)   /* no reply of ours comes near */

static redisReplyObjectFunctions  redis_bound_usual, redis_bound_ours;
static pthread_once_t             redis_bound_once = PTHREAD_ONCE_INIT;


static void *
redis_bound_array(const redisReadTask *task, int elements)
{
    return elements > REDIS_ELEMENTS_MAX
           ? NULL : redis_bound_usual.createArray(task, elements);
}


/* hiredis tells its own functions only through a reader */

static void
redis_bound_learn(void)
{
    redisReader  *reader = redisReaderCreate();

    if (reader != NULL) {
        redis_bound_usual = *reader->fn;
        redis_bound_ours = *reader->fn;
        redis_bound_ours.createArray = redis_bound_array;
        redisReaderFree(reader);
    }
}


void
redis_bound(redisReader *reader)
{
    (void) pthread_once(&redis_bound_once, redis_bound_learn);

    if (redis_bound_ours.createArray != NULL) {
        reader->fn = &redis_bound_ours;
    }
}
