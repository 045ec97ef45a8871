#include "redis.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "ids.h"
#include "log.h"
#include "tomo_codec.h"

#define REDIS_BACKOFF_MAX_MS  2000


void
redis_init(redis_t *r, const conf_t *conf, const char *name, int timeout_ms)
{
    *r = (redis_t) {
        .conf = conf,
        .name = name,
        .timeout_ms = timeout_ms == 0 ? 5000 : timeout_ms,
    };
}


void
redis_close(redis_t *r)
{
    if (r->ctx != NULL) {
        redisFree(r->ctx);
        r->ctx = NULL;
    }

    freeReplyObject(r->held);
    r->held = NULL;
    r->pending = 0;
    redis_seal_reset(&r->seal);
}


/* The next connect waits: 50 ms, doubled each time, with jitter. */

static void
redis_backoff(redis_t *r)
{
    int64_t   wait_ms = REDIS_BACKOFF_MAX_MS;
    uint64_t  dice = ids_dice();

    if (r->failures < 6) {
        wait_ms = INT64_C(50) << r->failures;
    }

    r->failures++;
    wait_ms = wait_ms / 2 + (int64_t) (dice % (uint64_t) (wait_ms / 2 + 1));
    r->next_us = clock_mono_us() + wait_ms * 1000;
}


static void
redis_lost(redis_t *r, const char *cause)
{
    if (!r->told) {
        r->told = true;
        log_error(r->conf->redis_address, "%s connection is down: %s; "
                  "will try again", r->name, cause);
    }

    redis_close(r);
    redis_backoff(r);
}


void
redis_drop(redis_t *r, const char *cause)
{
    if (r->ctx != NULL) {
        redis_lost(r, cause);
    }
}


static redisContext *
redis_open(const redis_t *r)
{
    char            host[64];
    size_t          len;
    uint64_t        port;
    const char     *address = r->conf->redis_address, *colon;
    struct timeval  timeout = {
        .tv_sec = r->timeout_ms / 1000,
        .tv_usec = r->timeout_ms % 1000 * 1000
    };

    if (strncmp(address, "unix:", 5) == 0) {
        return redisConnectUnixWithTimeout(address + 5, timeout);
    }

    /* the form was checked when the file was read */
    colon = strrchr(address, ':');
    len = (size_t) (colon - address);

    if (address[0] == '[') {
        address++;
        len -= 2;
    }

    if (len >= sizeof(host)
        || tomo_u64_get(tomo_str_c(colon + 1), 65535, &port) != TOMO_OK)
    {
        return NULL;
    }

    memcpy(host, address, len);
    host[len] = '\0';

    return redisConnectWithTimeout(host, (int) port, timeout);
}


static bool
redis_auth(redis_t *r)
{
    bool         ok;
    redisReply  *reply;

    if (r->conf->redis_password == NULL) {
        return true;
    }

    if (r->conf->redis_user != NULL) {
        reply = redis_call_c(r, "AUTH", r->conf->redis_user,
                             r->conf->redis_password, NULL);
    } else {
        reply = redis_call_c(r, "AUTH", r->conf->redis_password, NULL);
    }

    ok = redis_is_ok(reply);

    if (reply != NULL && !ok) {
        if (!r->denied) {
            r->denied = r->told = true;
            log_error(r->conf->redis_address, "refuses the %s connection: %s; "
                      "check [redis] user and password_file", r->name,
                      redis_error_word(reply));
        }

        redis_drop(r, "AUTH was refused");
    }

    freeReplyObject(reply);

    return ok;
}


static bool
redis_hello(redis_t *r)
{
    if (!redis_auth(r)) {
        return false;
    }

    r->seal.on = true;

    for (size_t i = 0; i < r->n_scripts; i++) {
        if (!redis_script_load(r, r->scripts[i])) {
            return false;
        }
    }

    return true;
}


tomo_rc_e
redis_up(redis_t *r)
{
    struct timeval  timeout;

    if (r->ctx != NULL && r->ctx->err == 0) {
        return TOMO_OK;
    }

    if (r->ctx != NULL) {
        redis_lost(r, r->ctx->errstr);
    }

    if (clock_mono_us() < r->next_us) {
        return TOMO_AGAIN;
    }

    r->ctx = redis_open(r);

    if (r->ctx == NULL || r->ctx->err != 0) {
        redis_lost(r, r->ctx == NULL ? "out of memory" : r->ctx->errstr);
        return TOMO_AGAIN;
    }

    redis_bound(r->ctx->reader);
    timeout.tv_sec = r->timeout_ms / 1000;
    timeout.tv_usec = r->timeout_ms % 1000 * 1000;

    if (redisSetTimeout(r->ctx, timeout) != REDIS_OK || !redis_hello(r)) {
        redis_drop(r, "could not be set up");
        return TOMO_AGAIN;
    }

    r->generation++;
    r->failures = 0;

    if (r->told) {
        r->told = false;
        r->denied = false;
        log_info(r->conf->redis_address, "%s connection is back", r->name);
    }

    return TOMO_OK;
}


int
redis_wait_ms(const redis_t *r)
{
    int64_t  wait_us;

    if (r->ctx != NULL) {
        return 0;
    }

    wait_us = r->next_us - clock_mono_us();

    return wait_us <= 0 ? 0 : (int) (wait_us / 1000) + 1;
}


int
redis_fd(const redis_t *r)
{
    return r->ctx == NULL ? -1 : r->ctx->fd;
}


/*
 * Bytes that nobody asked for: from then on every reply would be taken for the
 * answer to another command (T26, T27).
 */

static bool
redis_stray(const redis_t *r)
{
    char                byte;
    const redisReader  *reader = r->ctx->reader;

    return r->pending == 0
           && (reader->len > reader->pos
               || recv(r->ctx->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}


tomo_rc_e
redis_append_argv(redis_t *r, size_t argc, const tomo_str_t *argv)
{
    int           rc;
    size_t       *len;
    const char  **data;

    if (r->ctx == NULL) {
        return TOMO_ERROR;
    }

    if (redis_stray(r)) {
        redis_lost(r, "it sent a reply nobody asked for");
        return TOMO_ERROR;
    }

    data = malloc(argc * (sizeof(*data) + sizeof(*len)));

    if (data == NULL) {
        log_error("memory", "is out: the role ends and starts again");
        abort();
    }

    len = (size_t *) (void *) (data + argc);

    for (size_t i = 0; i < argc; i++) {
        data[i] = argv[i].len == 0 ? "" : (const char *) argv[i].data;
        len[i] = argv[i].len;
    }

    rc = redisAppendCommandArgv(r->ctx, (int) argc, data, len);
    free(data);

    if (rc != REDIS_OK) {
        redis_lost(r, "a command could not be written");
        return TOMO_ERROR;
    }

    r->pending++;
    r->seal.sent++;

    return TOMO_OK;
}


/* Everything that was appended has its seal; false: no connection. */

static bool
redis_sealed(redis_t *r)
{
    if (r->ctx == NULL) {
        return false;
    }

    if (redis_seal_put(&r->seal, r->ctx) != TOMO_OK) {
        redis_lost(r, "a command could not be written");
        return false;
    }

    return true;
}


tomo_rc_e
redis_flush(redis_t *r)
{
    int  done = 0;

    if (!redis_sealed(r)) {
        return TOMO_ERROR;
    }

    while (!done) {
        if (r->ctx == NULL) {
            return TOMO_ERROR;
        }

        if (redisBufferWrite(r->ctx, &done) != REDIS_OK) {
            redis_lost(r, r->ctx->errstr);
            return TOMO_ERROR;
        }
    }

    return TOMO_OK;
}


/* the next reply, whatever asked for it */

static redisReply *
redis_next(redis_t *r)
{
    void  *reply = NULL;

    if (redisGetReply(r->ctx, &reply) != REDIS_OK || reply == NULL) {
        redis_lost(r, r->ctx->errstr[0] == '\0' ? "no answer in time"
                                                : r->ctx->errstr);
        return NULL;
    }

    return reply;
}


/* counts a reply that was taken; its seal, if one is due, is `seal` */

static bool
redis_took(redis_t *r, const redisReply *reply, redisReply *seal)
{
    const char  *broken = NULL;

    r->pending--;

    if (seal != NULL) {
        broken = redis_seal_broken(&r->seal, seal, reply);
        freeReplyObject(seal);
    }

    if (broken == NULL && r->pending == 0
        && r->ctx->reader->len > r->ctx->reader->pos)
    {
        broken = "it sent a reply nobody asked for";
    }

    if (broken != NULL) {
        redis_lost(r, broken);
    }

    return broken == NULL;
}


redisReply *
redis_reply(redis_t *r)
{
    redisReply  *reply, *seal = NULL;

    if (!redis_sealed(r) || (reply = redis_next(r)) == NULL) {
        return NULL;
    }

    r->seal.taken++;

    if (redis_seal_due(&r->seal) && (seal = redis_next(r)) == NULL) {
        freeReplyObject(reply);
        return NULL;
    }

    if (!redis_took(r, reply, seal)) {
        freeReplyObject(reply);
        return NULL;
    }

    return reply;
}


/* the next reply if it is here whole; NULL: not yet, or ctx->err is set */

static redisReply *
redis_arrived(redis_t *r, bool *read)
{
    void  *got = NULL;

    if (redisGetReplyFromReader(r->ctx, &got) == REDIS_OK && got == NULL
        && !*read)
    {
        *read = true;

        if (redisBufferRead(r->ctx) == REDIS_OK) {
            (void) redisGetReplyFromReader(r->ctx, &got);
        }
    }

    return got;
}


tomo_rc_e
redis_read(redis_t *r, redisReply **reply)
{
    bool         read = false;
    redisReply  *seal = NULL;

    if (r->ctx == NULL) {
        return TOMO_ERROR;
    }

    if (r->held == NULL && (r->held = redis_arrived(r, &read)) != NULL) {
        r->seal.taken++;
    }

    if (r->held != NULL && redis_seal_due(&r->seal)) {
        seal = redis_arrived(r, &read);
    }

    if (r->ctx->err != 0) {
        redis_lost(r, r->ctx->errstr);
        return TOMO_ERROR;
    }

    if (r->held == NULL || (seal == NULL && redis_seal_due(&r->seal))) {
        return TOMO_AGAIN;
    }

    if (!redis_took(r, r->held, seal)) {
        return TOMO_ERROR;
    }

    *reply = r->held;
    r->held = NULL;

    return TOMO_OK;
}
