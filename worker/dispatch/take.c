#include "take.h"

#include <stdlib.h>

#include "log.h"
#include "take_lua.h"
#include "tomo_codec.h"

static redis_script_t  take_script = { .name = "take", .text = take_lua };


void
take_script_add(redis_t *r)
{
    redis_script_add(r, &take_script);
}


static void
take_person(redis_args_t *args, tomo_buf_t *keys, const take_t *t,
    uint32_t serial)
{
    size_t  from = keys->len;

    tomo_key_friend(keys, tomo_str_c(t->channel->ac->id), serial);
    redis_arg(args, tomo_str_n(keys->data + from, keys->len - from));
}


/*
 * The keys of those it is for, written into memory that the caller frees when
 * the command is appended; how many.
 */

static size_t
take_people(redis_args_t *args, const take_t *t, void **memory)
{
    size_t       n = 0, end, cap;
    uint64_t     serial;
    tomo_buf_t   keys;
    tomo_str_t   rest = t->row->serials;

    cap = (size_t) row_people(t->row) * TOMO_KEY_MAX;
    *memory = malloc(cap);

    if (*memory == NULL) {
        abort();                /* out of memory: what is open comes back */
    }

    tomo_buf_init(&keys, *memory, cap);

    if (t->row->via != TOMO_VIA_MULTICAST && t->row->friend != 0) {
        take_person(args, &keys, t, t->row->friend);
        return 1;
    }

    /* once tried, its recipients are frozen: the same key, the same content */
    while (t->row->attempt == 0 && rest.len > 0 && keys.len + TOMO_KEY_MAX
                                                   <= cap)
    {
        end = tomo_str_find(rest, 0, ',');

        if (tomo_u64_get(tomo_str_n(rest.data, end), UINT32_MAX, &serial)
            != TOMO_OK)
        {
            serial = 0;         /* nobody, and so nobody who blocks */
        }

        take_person(args, &keys, t, (uint32_t) serial);
        n++;
        end += end < rest.len;
        rest = tomo_str_n(rest.data + end, rest.len - end);
    }

    return n;
}


static tomo_rc_e
take_append(redis_t *r, const take_t *t, int64_t now_ms)
{
    void             *memory;
    size_t            n_keys = 3;
    uint8_t           meta_data[TOMO_KEY_MAX];
    tomo_rc_e         rc;
    tomo_buf_t        meta;
    redis_args_t      args = { 0 };
    const channel_t  *c = t->channel;

    tomo_buf_init(&meta, meta_data, sizeof(meta_data));
    tomo_key_meta(&meta, tomo_str_c(c->ac->id));

    redis_arg(&args, tomo_str_n(c->lease.key, c->lease.key_len));
    redis_arg(&args, tomo_str_n(c->out_key, c->out_key_len));
    redis_arg(&args, tomo_buf_str(&meta));

    n_keys += take_people(&args, t, &memory);

    redis_arg_c(&args, c->lease.self->nonce);
    redis_arg_c(&args, t->row->id);
    redis_arg_c(&args, row_counted(t->row) ? "1" : "0");
    redis_arg_i64(&args, now_ms);

    rc = redis_append_eval(r, &take_script, n_keys, &args);
    redis_args_free(&args);
    free(memory);

    return rc;
}


static void
take_read(take_t *t, const redisReply *reply)
{
    static log_gate_t  gate;

    uint64_t    missed;
    tomo_str_t  word = redis_str(reply);
    tomo_str_t  pause = tomo_str("pause ");
    tomo_str_t  without = tomo_str("without ");

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

    } else if (tomo_str_starts(word, without)) {
        row_leave_out(t->row, tomo_str_n(word.data + without.len,
                                         word.len - without.len));
        t->word = TAKE_OK;

    } else if (log_gate(&gate, 10000, &missed)) {
        log_error(t->channel->ac->id, "rows cannot be taken: Redis answered "
                  "%s; look at its log and at the keys' types",
                  redis_error_word(reply));
    }
}


/* also when the connection broke under way: what was read may be another's */

static void
take_unknown(take_t *takes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        takes[i].word = TAKE_UNKNOWN;
    }
}


void
take_ask(redis_t *r, take_t *takes, size_t n, int64_t now_ms)
{
    size_t       asked = 0;
    redisReply  *reply;

    take_unknown(takes, n);

    while (asked < n && take_append(r, &takes[asked], now_ms) == TOMO_OK) {
        asked++;
    }

    for (size_t i = 0; i < asked; i++) {
        reply = redis_reply(r);

        if (reply == NULL) {
            take_unknown(takes, n);
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
