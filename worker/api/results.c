/* api/results: see results.h */

#include "results.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "redis.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define RESULTS_COUNT       "100"
#define RESULTS_TIMEOUT_MS  2000


typedef struct {
    char    key[TOMO_KEY_MAX];
    size_t  key_len;
    char    last[44];           /* stream id up to which we have read */
} results_stream_t;

struct results_s {
    redis_t            redis;
    results_fn_pt      fn;
    void              *data;
    results_stream_t  *streams;
    size_t             n;
    redis_args_t       args;
};


results_t *
results_new(const conf_t *conf, results_fn_pt fn, void *data)
{
    results_t  *s;
    tomo_buf_t  b;

    s = calloc(1, sizeof(results_t));
    if (s == NULL) {
        return NULL;
    }

    s->streams = calloc(conf->n_accounts + 1, sizeof(results_stream_t));
    if (s->streams == NULL) {
        free(s);
        return NULL;
    }

    s->fn = fn;
    s->data = data;
    s->n = conf->n_accounts;

    for (size_t i = 0; i < s->n; i++) {
        tomo_buf_init(&b, s->streams[i].key, TOMO_KEY_MAX);
        tomo_key_result(&b, tomo_str_c(conf->accounts[i].id));
        s->streams[i].key_len = b.len;
        memcpy(s->streams[i].last, "0-0", 4);
    }

    redis_init(&s->redis, conf, "api results", RESULTS_TIMEOUT_MS);

    return s;
}


void
results_free(results_t *s)
{
    redis_close(&s->redis);
    redis_args_free(&s->args);
    free(s->streams);
    free(s);
}


static results_stream_t *
results_stream(results_t *s, tomo_str_t key)
{
    for (size_t i = 0; i < s->n; i++) {
        if (tomo_str_eq(key, tomo_str_n(s->streams[i].key,
                                        s->streams[i].key_len)))
        {
            return &s->streams[i];
        }
    }

    return NULL;
}


static void
results_entry(results_t *s, const redisReply *entry)
{
    uint64_t           status;
    tomo_str_t         id, body;
    const redisReply  *pairs;

    pairs = redis_at(entry, 1);
    id = redis_pair(pairs, "id");
    body = redis_pair(pairs, "body");

    if (id.len == 0
        || tomo_u64_get(redis_pair(pairs, "status"), 599, &status) != TOMO_OK)
    {
        log_warn("api results", "an entry without id or status was passed "
                 "over: who else writes to this Redis?");
        return;
    }

    s->fn(s->data, id, (unsigned) status, body);
}


static void
results_reply(results_t *s, const redisReply *reply)
{
    tomo_str_t         last;
    results_stream_t  *stream;
    const redisReply  *entries;

    for (size_t i = 0; i < redis_len(reply); i++) {
        stream = results_stream(s, redis_str(redis_at(redis_at(reply, i), 0)));
        entries = redis_at(redis_at(reply, i), 1);

        if (stream == NULL) {
            continue;
        }

        for (size_t k = 0; k < redis_len(entries); k++) {
            last = redis_str(redis_at(redis_at(entries, k), 0));

            if (last.len > 0 && last.len < sizeof(stream->last)) {
                memcpy(stream->last, last.data, last.len);
                stream->last[last.len] = '\0';
            }

            results_entry(s, redis_at(entries, k));
        }
    }
}


void
results_poll(results_t *s, int wait_ms)
{
    redisReply  *reply;

    if (s->n == 0 || redis_up(&s->redis) != TOMO_OK) {
        (void) poll(NULL, 0, wait_ms);
        return;
    }

    redis_args_reset(&s->args);
    redis_arg_c(&s->args, "XREAD");
    redis_arg_c(&s->args, "COUNT");
    redis_arg_c(&s->args, RESULTS_COUNT);
    redis_arg_c(&s->args, "BLOCK");
    redis_arg_i64(&s->args, wait_ms);
    redis_arg_c(&s->args, "STREAMS");

    for (size_t i = 0; i < s->n; i++) {
        redis_arg(&s->args, tomo_str_n(s->streams[i].key,
                                       s->streams[i].key_len));
    }

    for (size_t i = 0; i < s->n; i++) {
        redis_arg_c(&s->args, s->streams[i].last);
    }

    reply = redis_call(&s->redis, &s->args);

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        redis_drop(&s->redis, redis_error_word(reply));
        (void) poll(NULL, 0, wait_ms);

    } else if (reply) {
        results_reply(s, reply);
    }

    freeReplyObject(reply);
}
