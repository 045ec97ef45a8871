/* api/context: see context.h */

#include "context.h"

#include <string.h>

#include "ids.h"
#include "log.h"

#define CONTEXT_TIMEOUT_MS  2000
#define CONTEXT_TOKEN_MIN   16


static tomo_rc_e
context_token_mac(const context_t *ctx, tomo_str_t token, uint8_t *mac)
{
    tomo_mac_t  key;
    tomo_rc_e   rc;

    rc = tomo_mac_init(&key, tomo_str_n(ctx->token_key, 32));
    if (rc != TOMO_OK) {
        return rc;
    }

    rc = tomo_mac_sign(&key, token, mac);
    tomo_mac_free(&key);

    return rc;
}


tomo_rc_e
context_init(context_t *ctx, const conf_t *conf)
{
    tomo_rc_e  rc;

    memset(ctx, 0, sizeof(context_t));
    ctx->conf = conf;

    if (conf->api_token == NULL
        || strlen(conf->api_token) < CONTEXT_TOKEN_MIN)
    {
        log_error("api", "no owner's token: set [api] token_file to a file "
                  "(mode 0600) with at least %d random characters",
                  CONTEXT_TOKEN_MIN);
        return TOMO_INVALID;
    }

    ids_random(ctx->token_key, sizeof(ctx->token_key));

    rc = context_token_mac(ctx, tomo_str_c(conf->api_token), ctx->token[0]);
    ctx->n_tokens = 1;

    /* an old one too short to count is left out */
    if (rc == TOMO_OK && conf->api_old_token != NULL
        && strlen(conf->api_old_token) >= CONTEXT_TOKEN_MIN)
    {
        rc = context_token_mac(ctx, tomo_str_c(conf->api_old_token),
                               ctx->token[1]);
        ctx->n_tokens = 2;
    }

    if (rc != TOMO_OK) {
        log_error("api", "libcrypto failed: HMAC-SHA256 is not available");
        return rc;
    }

    (void) pthread_mutex_init(&ctx->lock, NULL);

    for (size_t i = 0; i < CONTEXT_READERS; i++) {
        redis_init(&ctx->readers[i].redis, conf, "api reads",
                   CONTEXT_TIMEOUT_MS);
    }

    return TOMO_OK;
}


void
context_free(context_t *ctx)
{
    for (size_t i = 0; i < CONTEXT_READERS; i++) {
        redis_close(&ctx->readers[i].redis);
    }

    tomo_mac_wipe(ctx->token, sizeof(ctx->token));
    tomo_mac_wipe(ctx->token_key, sizeof(ctx->token_key));
    (void) pthread_mutex_destroy(&ctx->lock);
}


redis_t *
context_redis(context_t *ctx, request_t *r)
{
    reader_t  *reader = NULL;

    (void) pthread_mutex_lock(&ctx->lock);

    for (size_t i = 0; i < CONTEXT_READERS; i++) {
        if (!ctx->readers[i].taken) {
            reader = &ctx->readers[i];
            reader->taken = true;
            break;
        }
    }

    (void) pthread_mutex_unlock(&ctx->lock);

    /* as many readers as threads: one is always free */
    if (reader && redis_up(&reader->redis) == TOMO_OK) {
        return &reader->redis;
    }

    if (reader) {
        context_redis_done(ctx, &reader->redis);
    }

    http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "redis_down",
               "Redis does not answer; nothing is lost, try again soon, and "
               "see the worker's log");
    return NULL;
}


void
context_redis_done(context_t *ctx, redis_t *redis)
{
    (void) pthread_mutex_lock(&ctx->lock);

    for (size_t i = 0; i < CONTEXT_READERS; i++) {
        if (&ctx->readers[i].redis == redis) {
            ctx->readers[i].taken = false;
        }
    }

    (void) pthread_mutex_unlock(&ctx->lock);
}


bool
context_authorized(context_t *ctx, const request_t *r)
{
    bool        same = false;
    uint8_t     mac[TOMO_MAC_BYTES];
    tomo_str_t  given;

    if (r->authorization == NULL) {
        return false;
    }

    given = tomo_str_c(r->authorization);

    if (given.len < 7
        || !tomo_str_caseeq(tomo_str_n(given.data, 7), tomo_str("bearer ")))
    {
        return false;
    }

    given = tomo_str_n(given.data + 7, given.len - 7);

    if (context_token_mac(ctx, given, mac) != TOMO_OK) {
        return false;
    }

    for (size_t i = 0; i < ctx->n_tokens; i++) {
        same = tomo_mac_same(mac, ctx->token[i], TOMO_MAC_BYTES) || same;
    }

    return same;
}


bool
context_reply_ok(request_t *r, const redisReply *reply, int type)
{
    if (redis_is(reply, type)) {
        return true;
    }

    http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "redis_refused",
               reply ? redis_error_word(reply)
                     : "the connection to Redis was lost; try again");
    return false;
}
