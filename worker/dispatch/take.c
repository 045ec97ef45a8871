#include "take.h"

#include <stdlib.h>

#include "log.h"
#include "take_lua.h"
#include "tomo_codec.h"

#define TAKE_ROWS    64         /* of one script ... */
#define TAKE_PEOPLE  1000       /* ... and whom they are for, but the first's */

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


/* The keys of those a row is for, into memory that keys has; how many. */

static size_t
take_people(redis_args_t *args, const take_t *t, tomo_buf_t *keys)
{
    size_t      n = 0, end;
    uint64_t    serial;
    tomo_str_t  rest = t->row->serials;

    if (t->row->via != TOMO_VIA_MULTICAST && t->row->friend != 0) {
        take_person(args, keys, t, t->row->friend);
        return 1;
    }

    /* once tried, its recipients are frozen: the same key, the same content */
    while (t->row->attempt == 0 && rest.len > 0
           && n < (size_t) row_people(t->row))
    {
        end = tomo_str_find(rest, 0, ',');

        if (tomo_u64_get(tomo_str_n(rest.data, end), UINT32_MAX, &serial)
            != TOMO_OK)
        {
            serial = 0;         /* nobody, and so nobody who blocks */
        }

        take_person(args, keys, t, (uint32_t) serial);
        n++;
        end += end < rest.len;
        rest = tomo_str_n(rest.data + end, rest.len - end);
    }

    return n;
}


/*
 * How many of the next rows one script can look at: of one account, and not
 * so much that Redis would stand still.  *people: whom they are for, at most.
 */

static size_t
take_group(const take_t *takes, size_t n, size_t *people)
{
    size_t  k = 0, more;

    *people = 0;

    while (k < n && k < TAKE_ROWS && takes[k].channel == takes[0].channel) {
        more = (size_t) row_people(takes[k].row);

        if (k > 0 && *people + more > TAKE_PEOPLE) {
            break;
        }

        *people += more;
        k++;
    }

    return k;
}


static tomo_rc_e
take_append(redis_t *r, const take_t *takes, size_t n, size_t people,
    int64_t now_ms)
{
    void             *memory = malloc(people * TOMO_KEY_MAX);
    size_t            n_keys = 3, each[TAKE_ROWS];
    uint8_t           meta_data[TOMO_KEY_MAX];
    tomo_rc_e         rc;
    tomo_buf_t        meta, keys;
    redis_args_t      args = { 0 };
    const channel_t  *c = takes[0].channel;

    if (memory == NULL) {
        abort();                /* out of memory: what is open comes back */
    }

    tomo_buf_init(&keys, memory, people * TOMO_KEY_MAX);
    tomo_buf_init(&meta, meta_data, sizeof(meta_data));
    tomo_key_meta(&meta, tomo_str_c(c->ac->id));

    redis_arg(&args, tomo_str_n(c->lease.key, c->lease.key_len));
    redis_arg(&args, tomo_str_n(c->out_key, c->out_key_len));
    redis_arg(&args, tomo_buf_str(&meta));

    for (size_t i = 0; i < n; i++) {
        each[i] = take_people(&args, &takes[i], &keys);
        n_keys += each[i];
    }

    redis_arg_c(&args, c->lease.self->nonce);
    redis_arg_i64(&args, now_ms);

    for (size_t i = 0; i < n; i++) {
        redis_arg_c(&args, takes[i].row->id);
        redis_arg_c(&args, row_counted(takes[i].row) ? "1" : "0");
        redis_arg_u64(&args, each[i]);
    }

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

        if (t->row->kept != NULL && t->row->attempt == 0) {
            /* who blocked the account when it was last asked does no more */
            row_leave_out(t->row, tomo_str(""));
        }

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


/* the answer to one script; false: the scripts were flushed */

static bool
take_answer(take_t *takes, size_t n, const redisReply *reply)
{
    bool  each = redis_is(reply, REDIS_REPLY_ARRAY) && redis_len(reply) == n;

    if (redis_error_of(reply) == REDIS_ERR_NOSCRIPT) {
        return false;
    }

    for (size_t i = 0; i < n; i++) {
        take_read(&takes[i], each ? redis_at(reply, i) : reply);
    }

    return true;
}


void
take_ask(redis_t *r, take_t *takes, size_t n, int64_t now_ms)
{
    bool         ok = true;
    size_t       asked = 0, k, people;
    redisReply  *reply;

    take_unknown(takes, n);

    while (ok && asked < n) {
        k = take_group(takes + asked, n - asked, &people);
        ok = take_append(r, takes + asked, k, people, now_ms) == TOMO_OK;
        asked += ok ? k : 0;
    }

    for (size_t i = 0; i < asked; i += k) {
        k = take_group(takes + i, n - i, &people);
        reply = redis_reply(r);

        if (reply == NULL) {
            take_unknown(takes, n);
            return;
        }

        ok = take_answer(takes + i, k, reply);
        freeReplyObject(reply);

        if (!ok) {
            take_unknown(takes, n);
            redis_drop(r, "the scripts were flushed");
            return;
        }
    }
}
