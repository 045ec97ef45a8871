#include "take.h"

#include "log.h"
#include "take_lua.h"
#include "tomo_codec.h"

static redis_script_t  take_script = { .name = "take", .text = take_lua };


void
take_script_add(redis_t *r)
{
    redis_script_add(r, &take_script);
}


static tomo_rc_e
take_append(redis_t *r, const take_t *t, int64_t now_ms)
{
    size_t            n_keys = 3;
    uint8_t           meta_data[TOMO_KEY_MAX], friend_data[TOMO_KEY_MAX];
    tomo_rc_e         rc;
    tomo_buf_t        meta, friend;
    redis_args_t      args = { 0 };
    const channel_t  *c = t->channel;

    tomo_buf_init(&meta, meta_data, sizeof(meta_data));
    tomo_buf_init(&friend, friend_data, sizeof(friend_data));
    tomo_key_meta(&meta, tomo_str_c(c->ac->id));

    redis_arg(&args, tomo_str_n(c->lease.key, c->lease.key_len));
    redis_arg(&args, tomo_str_n(c->out_key, c->out_key_len));
    redis_arg(&args, tomo_buf_str(&meta));

    if (t->row->friend != 0) {
        tomo_key_friend(&friend, tomo_str_c(c->ac->id), t->row->friend);
        redis_arg(&args, tomo_buf_str(&friend));
        n_keys = 4;
    }

    redis_arg_c(&args, c->lease.self->nonce);
    redis_arg_c(&args, t->row->id);
    redis_arg_c(&args, row_counted(t->row) ? "1" : "0");
    redis_arg_i64(&args, now_ms);

    rc = redis_append_eval(r, &take_script, n_keys, &args);
    redis_args_free(&args);

    return rc;
}


static void
take_read(take_t *t, const redisReply *reply)
{
    static log_gate_t  gate;

    uint64_t    missed;
    tomo_str_t  word = redis_str(reply);
    tomo_str_t  pause = tomo_str("pause ");

    t->word = TAKE_UNKNOWN;

    if (tomo_str_eq(word, tomo_str("ok"))) {
        t->word = TAKE_OK;

    } else if (tomo_str_eq(word, tomo_str("lease"))) {
        t->word = TAKE_LEASE;

    } else if (tomo_str_eq(word, tomo_str("gone"))) {
        t->word = TAKE_GONE;

    } else if (tomo_str_eq(word, tomo_str("blocked"))) {
        t->word = TAKE_BLOCKED;

    } else if (tomo_str_starts(word, pause)
               && tomo_i64_get(tomo_str_n(word.data + pause.len,
                                          word.len - pause.len),
                               &t->pause_ms) == TOMO_OK)
    {
        t->word = TAKE_PAUSE;

    } else if (log_gate(&gate, 10000, &missed)) {
        log_error(t->channel->ac->id, "rows cannot be taken: Redis answered "
                  "%s; look at its log and at the keys' types",
                  redis_error_word(reply));
    }
}


void
take_ask(redis_t *r, take_t *takes, size_t n, int64_t now_ms)
{
    size_t       asked = 0;
    redisReply  *reply;

    for (size_t i = 0; i < n; i++) {
        takes[i].word = TAKE_UNKNOWN;
    }

    while (asked < n && take_append(r, &takes[asked], now_ms) == TOMO_OK) {
        asked++;
    }

    for (size_t i = 0; i < asked; i++) {
        reply = redis_reply(r);

        if (reply == NULL) {
            return;
        }

        if (redis_error_of(reply) == REDIS_ERR_NOSCRIPT) {
            freeReplyObject(reply);
            redis_drop(r, "the scripts were flushed");
            return;
        }

        take_read(&takes[i], reply);
        freeReplyObject(reply);
    }
}
