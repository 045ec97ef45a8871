#include "redis_seal.h"

#include <string.h>

#include "redis.h"
#include "tomo_codec.h"


void
redis_seal_reset(redis_seal_t *s)
{
    *s = (redis_seal_t) { .number = s->number };
}


tomo_rc_e
redis_seal_put(redis_seal_t *s, redisContext *ctx)
{
    char         text[24];
    size_t       len[2];
    tomo_buf_t   b;
    const char  *argv[2] = { "PING", text };

    if (!s->on || s->sent == s->sealed || s->n == REDIS_SEALS_MAX) {
        return TOMO_OK;
    }

    tomo_buf_init(&b, (uint8_t *) text, sizeof(text));
    tomo_buf_u64(&b, ++s->number);
    len[0] = 4;
    len[1] = b.len;

    if (redisAppendCommandArgv(ctx, 2, argv, len) != REDIS_OK) {
        return TOMO_ERROR;
    }

    s->marks[s->n++] = (redis_seal_mark_t) { s->sent, s->number };
    s->sealed = s->sent;

    return TOMO_OK;
}


bool
redis_seal_due(const redis_seal_t *s)
{
    return s->n > 0 && s->marks[0].after == s->taken;
}


const char *
redis_seal_broken(redis_seal_t *s, const redisReply *reply,
    const redisReply *last)
{
    uint64_t       echo, number = s->marks[0].number;
    redis_error_e  error = redis_error_of(reply);

    s->n--;
    memmove(s->marks, s->marks + 1, s->n * sizeof(s->marks[0]));

    /* MISCONF refuses PING and lets reads pass; the others refuse all alike */
    if (error != REDIS_NO_ERROR
        && (redis_error_of(last) == error
            || (error == REDIS_ERR_RETRY
                && strcmp(redis_error_word(reply), "MISCONF") == 0)))
    {
        return NULL;
    }

    if (error == REDIS_ERR_DENIED) {
        return "it refuses PING: give +ping to this user";
    }

    if (tomo_u64_get(redis_str(reply), UINT64_MAX, &echo) != TOMO_OK
        || echo != number)
    {
        return "its replies are not in the order of the commands";
    }

    return NULL;
}
