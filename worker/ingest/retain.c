#include "retain.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


static void
retain_trim_one(const owner_t *o, redis_t *r,
    void (*fn)(tomo_buf_t *, tomo_str_t), int64_t days)
{
    uint8_t        text[TOMO_KEY_MAX];
    tomo_buf_t     key;
    redisReply    *reply;
    redis_args_t   args = { 0 };

    tomo_buf_init(&key, text, sizeof(text));
    fn(&key, o->id);
    redis_arg_c(&args, "XTRIM");
    redis_arg(&args, tomo_buf_str(&key));
    redis_arg_c(&args, "MINID");
    redis_arg_c(&args, "=");
    redis_arg_i64(&args, clock_real_ms() - days * TOMO_DAY_MS);
    reply = redis_call(r, &args);
    freeReplyObject(reply);
    redis_args_free(&args);
}


void
retain_trim(const owner_t *o, redis_t *r)
{
    retain_trim_one(o, r, tomo_key_quarantine, RETAIN_QUARANTINE_DAYS);
    retain_trim_one(o, r, tomo_key_audit, RETAIN_AUDIT_DAYS);
}


/* what is erased up to now leaves the file with the rewriting that begins */

static void
retain_mark(owner_t *o, redis_t *r)
{
    char         number[24];
    uint8_t      text[TOMO_KEY_MAX];
    tomo_buf_t   key, b;
    redisReply  *reply;

    tomo_buf_init(&key, text, sizeof(text) - 1);
    tomo_key_meta(&key, o->id);
    text[key.len] = '\0';
    tomo_buf_init(&b, number, sizeof(number) - 1);
    tomo_buf_u64(&b, o->erasing_n);
    number[b.len] = '\0';
    reply = redis_call_c(r, "HSET", (char *) text, "erased", number, NULL);

    if (redis_is(reply, REDIS_REPLY_INTEGER)) {
        o->erased_n = o->erasing_n;
    }

    freeReplyObject(reply);
}


static void
retain_end(retain_t *rt, owner_t *owners, size_t n, redis_t *r)
{
    bool         ok;
    redisReply  *reply = redis_call_c(r, "INFO", "persistence", NULL);
    const char  *info = reply != NULL ? reply->str : NULL;

    if (info == NULL || strstr(info, "aof_rewrite_in_progress:1")
        || strstr(info, "aof_rewrite_scheduled:1"))
    {
        freeReplyObject(reply);
        return;
    }

    ok = strstr(info, "aof_last_bgrewrite_status:ok") != NULL;
    freeReplyObject(reply);
    rt->running = false;

    if (!ok) {
        log_error("redis", "could not write its append-only file anew: what "
                  "was deleted still stands in it; look at its log, tried "
                  "again in an hour");
        return;
    }

    for (size_t i = 0; i < n; i++) {
        if (owners[i].loaded && owners[i].erasing_n > owners[i].erased_n) {
            retain_mark(&owners[i], r);
        }
    }
}


void
retain_rewrite(retain_t *rt, owner_t *owners, size_t n, redis_t *r)
{
    bool         due = false;
    int64_t      now_ms = clock_mono_ms();
    redisReply  *reply;

    if (rt->running) {
        retain_end(rt, owners, n, r);
        return;
    }

    for (size_t i = 0; i < n; i++) {
        /* what goes on page by page is waited for */
        due = due || (owners[i].loaded
                      && owners[i].erase_n == owners[i].erase_was
                      && owners[i].erase_n > owners[i].erased_n);
        owners[i].erase_was = owners[i].erase_n;
    }

    if (!due
        || (rt->began_ms != 0 && now_ms - rt->began_ms < RETAIN_REWRITE_MS))
    {
        return;
    }

    reply = redis_call_c(r, "BGREWRITEAOF", NULL);
    rt->began_ms = now_ms;

    if (redis_error_of(reply) == REDIS_ERR_DENIED) {
        log_error("redis", "may not be told to write its append-only file "
                  "anew, so what was deleted stays in it: add +bgrewriteaof "
                  "to the ACL user");

    } else if (reply != NULL) {
        rt->running = true;

        for (size_t i = 0; i < n; i++) {
            owners[i].erasing_n = owners[i].erase_n;
        }
    }

    freeReplyObject(reply);
}
