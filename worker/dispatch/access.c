#include "access.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_send.h"

#define ACCESS_AHEAD_MS   (3 * TOMO_MIN_MS)
#define ACCESS_MARGIN_MS  (5 * TOMO_SEC_MS)
#define ACCESS_LIFE_MAX_S (31 * 86400)


static void
access_aad(tomo_buf_t *b, const conf_account_t *ac)
{
    tomo_buf_c(b, "access|");
    tomo_buf_c(b, ac->id);
}


/* the sealed text: "UNTIL TOKEN" */

static void
access_take(access_t *a, tomo_str_t plain)
{
    size_t   space = tomo_str_find(plain, 0, ' ');
    int64_t  until_ms;

    if (space + 1 >= plain.len || plain.len - space - 1 > ACCESS_TOKEN_MAX
        || tomo_i64_get(tomo_str_n(plain.data, space), &until_ms) != TOMO_OK)
    {
        return;
    }

    a->len = plain.len - space - 1;
    memcpy(a->token, plain.data + space + 1, a->len);
    a->until_ms = until_ms;
    a->generation++;
}


void
access_load(access_t *a, const conf_account_t *ac, vault_t *v, redis_t *r)
{
    uint8_t       key_data[TOMO_KEY_MAX], aad_data[64];
    uint8_t       plain_data[ACCESS_TOKEN_MAX + 64];
    tomo_buf_t    key, aad, plain;
    redisReply   *reply;
    redis_args_t  args = { 0 };

    tomo_buf_init(&key, key_data, sizeof(key_data));
    tomo_buf_init(&aad, aad_data, sizeof(aad_data));
    tomo_buf_init(&plain, plain_data, sizeof(plain_data));
    tomo_key_access(&key, tomo_str_c(ac->id));
    access_aad(&aad, ac);

    redis_arg_c(&args, "HGET");
    redis_arg(&args, tomo_buf_str(&key));
    redis_arg_c(&args, "token");
    reply = redis_call(r, &args);
    redis_args_free(&args);

    if (redis_is(reply, REDIS_REPLY_STRING)
        && vault_unseal_worker(v, tomo_buf_str(&aad), redis_str(reply),
                               &plain) == TOMO_OK)
    {
        access_take(a, tomo_buf_str(&plain));
    }

    tomo_mac_wipe(plain_data, sizeof(plain_data));
    freeReplyObject(reply);
}


bool
access_usable(const access_t *a, int64_t now_ms)
{
    return a->len > 0 && now_ms + ACCESS_MARGIN_MS < a->until_ms;
}


bool
access_due(const access_t *a, int64_t now_ms, int64_t now_us)
{
    return !a->asking && now_us >= a->retry_us
           && (a->len == 0 || now_ms + ACCESS_AHEAD_MS >= a->until_ms
               /* the sandbox clock may have gone back */
               || a->until_ms - now_ms > ACCESS_LIFE_MAX_S * TOMO_SEC_MS);
}


void
access_reject(access_t *a, uint64_t generation)
{
    if (a->generation == generation) {
        tomo_mac_wipe(a->token, sizeof(a->token));
        a->len = 0;
    }
}


tomo_rc_e
access_ask(access_t *a, const conf_account_t *ac, wire_t *w, void *subject)
{
    uint8_t         body_data[512];
    tomo_rc_e       rc;
    tomo_buf_t      body;
    wire_request_t  r = {
        .path = "/oauth2/v3/token",
        .post = true,
        .type = "application/x-www-form-urlencoded",
    };

    tomo_buf_init(&body, body_data, sizeof(body_data));
    tomo_buf_c(&body, "grant_type=client_credentials&client_id=");
    tomo_percent_put(&body, tomo_str_c(ac->channel_id));
    tomo_buf_c(&body, "&client_secret=");
    tomo_percent_put(&body, tomo_str_c(ac->secret));
    r.body = tomo_buf_str(&body);

    rc = body.failed ? TOMO_FULL : wire_start(w, &r, subject);
    tomo_mac_wipe(body_data, sizeof(body_data));
    a->asking = rc == TOMO_OK;

    return rc;
}


static void
access_seal(const access_t *a, const conf_account_t *ac, vault_t *v, redis_t *r)
{
    uint8_t       key_data[TOMO_KEY_MAX], aad_data[64];
    uint8_t       plain_data[ACCESS_TOKEN_MAX + 64];
    uint8_t       sealed_data[sizeof(plain_data) + TOMO_SEAL_OVERHEAD];
    tomo_buf_t    key, aad, plain, sealed;
    redis_args_t  args = { 0 };

    tomo_buf_init(&key, key_data, sizeof(key_data));
    tomo_buf_init(&aad, aad_data, sizeof(aad_data));
    tomo_buf_init(&plain, plain_data, sizeof(plain_data));
    tomo_buf_init(&sealed, sealed_data, sizeof(sealed_data));
    tomo_key_access(&key, tomo_str_c(ac->id));
    access_aad(&aad, ac);
    tomo_buf_i64(&plain, a->until_ms);
    tomo_buf_byte(&plain, ' ');
    tomo_buf_bytes(&plain, a->token, a->len);

    /* only a convenience: without it a restart asks for a new one */
    if (vault_seal_worker(v, tomo_buf_str(&aad), tomo_buf_str(&plain),
                          &sealed) == TOMO_OK)
    {
        redis_arg_c(&args, "HSET");
        redis_arg(&args, tomo_buf_str(&key));
        redis_arg_c(&args, "token");
        redis_arg(&args, tomo_buf_str(&sealed));
        freeReplyObject(redis_call(r, &args));
        redis_args_free(&args);
    }

    tomo_mac_wipe(plain_data, sizeof(plain_data));
}


/* how long it lives, for monitoring: no other role reads the token's key */

static void
access_tell(const access_t *a, const conf_account_t *ac, redis_t *r)
{
    uint8_t       key_data[TOMO_KEY_MAX];
    tomo_buf_t    key;
    redis_args_t  args = { 0 };

    tomo_buf_init(&key, key_data, sizeof(key_data));
    tomo_key_sending(&key, tomo_str_c(ac->id));

    redis_arg_c(&args, "HSET");
    redis_arg(&args, tomo_buf_str(&key));
    redis_arg_c(&args, "token_until");
    redis_arg_i64(&args, a->until_ms);
    freeReplyObject(redis_call(r, &args));
    redis_args_free(&args);
}


void
access_keep(access_t *a, const conf_account_t *ac, vault_t *v, redis_t *r)
{
    a->unkept = false;
    access_seal(a, ac, v, r);
    access_tell(a, ac, r);
}


static bool
access_read(access_t *a, const wire_answer_t *answer)
{
    bool          ok = false;
    json_t       *root;
    int64_t       life_s;
    uint8_t       data[16384];
    tomo_str_t    token;
    tomo_arena_t  arena;

    tomo_arena_init(&arena, data, sizeof(data));

    if (answer->status == 200
        && json_parse(answer->body, NULL, &arena, &root, NULL) == TOMO_OK
        && json_str(root, "access_token", &token) == TOMO_OK
        && json_i64(root, "expires_in", 1, ACCESS_LIFE_MAX_S, &life_s)
           == TOMO_OK
        && token.len > 0 && token.len <= ACCESS_TOKEN_MAX)
    {
        /* it becomes a header: nothing but visible ASCII */
        ok = true;

        for (size_t i = 0; i < token.len; i++) {
            ok = ok && token.data[i] > 0x20 && token.data[i] < 0x7f;
        }
    }

    if (ok) {
        memcpy(a->token, token.data, token.len);
        a->len = token.len;
        a->until_ms = clock_now_ms() + life_s * TOMO_SEC_MS;
        a->generation++;
    }

    tomo_mac_wipe(data, sizeof(data));

    return ok;
}


void
access_answer(access_t *a, const conf_account_t *ac,
    const wire_answer_t *answer)
{
    char     object[64];
    int64_t  wait_ms;

    a->asking = false;
    snprintf(object, sizeof(object), "account %s", ac->id);

    if (access_read(a, answer)) {
        if (a->failures > 0) {
            log_info(object, "has an access token again");
        }

        a->failures = 0;
        a->retry_us = 0;
        a->unkept = true;
        return;
    }

    a->failures++;
    wait_ms = 200 + tomo_send_backoff_ms(a->failures < 5 ? a->failures : 5,
                                         ids_dice());
    a->retry_us = clock_mono_us() + wait_ms * 1000;

    if (answer->status == 400 || answer->status == 401) {
        log_error(object, "gets no access token: LINE refused channel_id and "
                  "channel secret (%d); check both in LINE's console",
                  answer->status);

    } else if (a->failures == 1 || a->failures % 20 == 0) {
        log_warn(object, "gets no access token: %s (status %d); trying again",
                 answer->cause == NULL ? "an unusable answer"
                                       : answer->cause, answer->status);
    }
}
