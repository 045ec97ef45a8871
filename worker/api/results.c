/* api/results: see results.h */

#include "results.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "log.h"
#include "redis.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define RESULTS_COUNT       "100"
#define RESULTS_TIMEOUT_MS  2000
#define RESULTS_WHOLE_MS    2000        /* for an answer, once it may come */
#define RESULTS_READS_MAX   4096        /* … and of 16 KB each at most */
#define RESULTS_HOLD_US     INT64_C(5000000)


typedef struct {
    char         key[TOMO_KEY_MAX];
    size_t       key_len;
    const char  *account;
    char         last[44];      /* stream id up to which we have read */
    bool         held;          /* it cannot be read; the others can */
    int64_t      look_us;       /* monotonic: held, look again then */
} results_stream_t;

struct results_s {
    redis_t            redis;
    results_fn_pt      fn;
    void              *data;
    results_stream_t  *streams;
    size_t             n;
    bool               singly;  /* one of them does harm: which? */
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
        s->streams[i].account = conf->accounts[i].id;
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
        || tomo_u64_get(redis_pair(pairs, "status"), 599, &status) != TOMO_OK
        || status < 200 || !json_is_whole(body))
    {
        log_warn("api results", "an entry without id, status or JSON was "
                 "passed over: who else writes to this Redis?");
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


/*
 * One command's answer, whole within wait_ms and RESULTS_WHOLE_MS: a server
 * that sends a byte now and then must not keep us.  TOMO_LIMIT: it began to
 * come and was too long or too slow; TOMO_ERROR: lost.  Dropped in both cases.
 */
static tomo_rc_e
results_call(results_t *s, int wait_ms, redisReply **reply)
{
    size_t         reads = 0;
    int64_t        until_us, left_us;
    tomo_rc_e      rc = TOMO_AGAIN;
    struct pollfd  fd;

    until_us = clock_mono_us() + (wait_ms + RESULTS_WHOLE_MS) * INT64_C(1000);

    if (redis_append(&s->redis, &s->args) != TOMO_OK
        || redis_flush(&s->redis) != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    while (rc == TOMO_AGAIN) {
        left_us = until_us - clock_mono_us();

        if (left_us <= 0 || reads == RESULTS_READS_MAX) {
            redis_drop(&s->redis, reads == 0 ? "no answer in time"
                                             : "an answer without an end");
            return reads == 0 ? TOMO_ERROR : TOMO_LIMIT;
        }

        fd = (struct pollfd) { .fd = redis_fd(&s->redis), .events = POLLIN };

        if (poll(&fd, 1, (int) (left_us / 1000) + 1) > 0) {
            reads++;
            rc = redis_read(&s->redis, reply);
        }
    }

    return rc;
}


/* XREAD of one stream, or of all that are not held; how many these are */
static size_t
results_command(results_t *s, const results_stream_t *one, int wait_ms)
{
    size_t  n = 0;

    redis_args_reset(&s->args);
    redis_arg_c(&s->args, "XREAD");
    redis_arg_c(&s->args, "COUNT");
    redis_arg_c(&s->args, RESULTS_COUNT);

    if (one == NULL) {
        redis_arg_c(&s->args, "BLOCK");
        redis_arg_i64(&s->args, wait_ms);
    }

    redis_arg_c(&s->args, "STREAMS");

    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < s->n; i++) {
            results_stream_t  *st = &s->streams[i];

            if (one != NULL ? st != one : st->held) {
                continue;
            }

            if (k == 0) {
                redis_arg(&s->args, tomo_str_n(st->key, st->key_len));
                n++;

            } else {
                redis_arg_c(&s->args, st->last);
            }
        }
    }

    return n;
}


static void
results_hold(results_stream_t *stream, const char *why)
{
    if (!stream->held) {
        log_error(stream->account, "its key `result` cannot be read: %s; its "
                  "changes are answered 202 meanwhile, other accounts go on: "
                  "somebody wrote to this Redis, move the key away", why);
    }

    stream->held = true;
    stream->look_us = clock_mono_us() + RESULTS_HOLD_US;
}


/* false: no more now, Redis is down or of no use */
static bool
results_alone(results_t *s, results_stream_t *stream)
{
    tomo_rc_e    rc;
    redisReply  *reply = NULL;

    if (redis_up(&s->redis) != TOMO_OK) {
        return false;
    }

    (void) results_command(s, stream, 0);
    rc = results_call(s, 0, &reply);

    if (rc == TOMO_LIMIT) {
        results_hold(stream, "it comes without an end");
        return false;
    }

    if (rc != TOMO_OK) {
        return false;
    }

    if (redis_error_of(reply) == REDIS_ERR_TYPE
        || redis_error_of(reply) == REDIS_ERR_DENIED)
    {
        results_hold(stream, redis_error_word(reply));

    } else if (redis_error_of(reply) != REDIS_NO_ERROR) {
        redis_drop(&s->redis, redis_error_word(reply));
        rc = TOMO_ERROR;

    } else {
        if (stream->held) {
            stream->held = false;
            log_info(stream->account, "its key `result` can be read again");
        }

        results_reply(s, reply);
    }

    freeReplyObject(reply);

    return rc == TOMO_OK;
}


/* one by one: whose is the fault?  Held ones when it is time to look again */
static bool
results_singly(results_t *s, bool held)
{
    bool     more = true;
    int64_t  now_us = clock_mono_us();

    for (size_t i = 0; more && i < s->n; i++) {
        results_stream_t  *stream = &s->streams[i];

        if (held ? stream->held && now_us >= stream->look_us
                 : !stream->held)
        {
            more = results_alone(s, stream);
        }
    }

    return more;
}


void
results_poll(results_t *s, int wait_ms)
{
    tomo_rc_e    rc;
    redisReply  *reply = NULL;

    if (s->n == 0 || redis_up(&s->redis) != TOMO_OK) {
        (void) poll(NULL, 0, wait_ms);
        return;
    }

    (void) results_singly(s, true);

    if (s->singly && redis_fd(&s->redis) >= 0) {
        s->singly = !results_singly(s, false);
    }

    if (redis_fd(&s->redis) < 0 || results_command(s, NULL, wait_ms) == 0) {
        (void) poll(NULL, 0, wait_ms);
        return;
    }

    rc = results_call(s, wait_ms, &reply);

    if (rc == TOMO_LIMIT || redis_error_of(reply) == REDIS_ERR_TYPE
        || redis_error_of(reply) == REDIS_ERR_DENIED)
    {
        s->singly = true;

    } else if (rc == TOMO_OK && redis_error_of(reply) != REDIS_NO_ERROR) {
        redis_drop(&s->redis, redis_error_word(reply));
        (void) poll(NULL, 0, wait_ms);

    } else if (rc == TOMO_OK) {
        results_reply(s, reply);
    }

    freeReplyObject(reply);
}
