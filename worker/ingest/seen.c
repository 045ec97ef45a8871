#include "seen.h"

#include "tomo_codec.h"
#include "tomo_keys.h"
#include "tomo_sched.h"

#define SEEN_BACK_DAYS  400         /* looked at after a start */


tomo_str_t
seen_id(const event_t *ev)
{
    switch (event_needs(ev->kind)) {

    case EVENT_NEEDS_LINE:
        return ev->id;

    case EVENT_NEEDS_NONCE:
        return ev->answer.nonce;

    default:
        return tomo_str_null;
    }
}


static uint32_t
seen_crc(uint32_t crc, tomo_str_t s)
{
    return tomo_crc32c(tomo_crc32c(crc, s.data, s.len), "", 1);
}


static uint32_t
seen_crc_answer(const tomo_answer_t *answer)
{
    size_t                   i;
    uint32_t                 crc;
    const tomo_rec_field_t  *field;

    crc = tomo_crc32c(0, &answer->survey, sizeof(answer->survey));

    for (i = 0; i < answer->line.n; i++) {
        field = &answer->line.fields[i];

        if (tomo_str_starts(field->name, tomo_str("q."))) {
            crc = seen_crc(seen_crc(crc, field->name), field->value);
        }
    }

    return crc;
}


tomo_str_t
seen_digest(const event_t *ev, tomo_arena_t *a)
{
    int         i;
    uint8_t     bytes[4], text[SEEN_DIGEST_LEN];
    uint32_t    crc;
    tomo_buf_t  b;

    if (ev->kind == EVENT_ANSWER) {
        crc = seen_crc_answer(&ev->answer);

    } else {
        crc = tomo_crc32c(0, ev->raw.data, ev->context);
        crc = tomo_crc32c(crc, ev->raw.data + ev->context_end,
                          ev->raw.len - ev->context_end);
    }

    for (i = 0; i < 4; i++) {
        bytes[i] = (uint8_t) (crc >> (8 * (3 - i)));
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_b64url_put(&b, tomo_str_n(bytes, sizeof(bytes)));

    return tomo_arena_dup(a, tomo_buf_str(&b));
}


static void
seen_key(char *out, tomo_str_t account, int64_t day,
    void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t))
{
    tomo_buf_t  b;

    tomo_buf_init(&b, out, TOMO_KEY_MAX - 1);
    fn(&b, account, (uint64_t) day);
    out[b.len] = '\0';
}


tomo_rc_e
seen_begin(owner_t *o, redis_t *r, int64_t now_ms)
{
    int           i;
    char          keys[SEEN_KEEP_DAYS + 1][TOMO_KEY_MAX];
    int64_t       n = 0, today = tomo_sched_day(now_ms, 0);
    tomo_rc_e     rc;
    redisReply   *reply;
    redis_args_t  args = { 0 };

    redis_arg_c(&args, "EXISTS");

    for (i = 0; i <= SEEN_KEEP_DAYS; i++) {
        seen_key(keys[i], o->id, today > i ? today - i : 0, tomo_key_seen);
        redis_arg_c(&args, keys[i]);
    }

    reply = redis_call(r, &args);
    rc = redis_int(reply, &n) == TOMO_OK ? TOMO_OK : TOMO_AGAIN;
    o->old_sets = rc == TOMO_OK && n > 0;
    freeReplyObject(reply);
    redis_args_free(&args);

    return rc;
}


void
seen_clean(owner_t *o, redis_t *r, int64_t now_ms)
{
    char          key[TOMO_KEY_MAX], old[TOMO_KEY_MAX];
    int64_t       day, last;
    redisReply   *reply;

    last = tomo_sched_day(now_ms, 0) - SEEN_KEEP_DAYS;

    if (o->seen_day >= last) {
        return;
    }

    day = o->seen_day + 1 > last - SEEN_BACK_DAYS ? o->seen_day + 1
                                                  : last - SEEN_BACK_DAYS;

    for ( /* void */ ; day <= last; day++) {
        if (day < 0) {
            continue;
        }

        seen_key(key, o->id, day, tomo_key_met);
        seen_key(old, o->id, day, tomo_key_seen);
        reply = redis_call_c(r, "UNLINK", key, old, NULL);

        if (!redis_is(reply, REDIS_REPLY_INTEGER)) {
            freeReplyObject(reply);
            break;
        }

        freeReplyObject(reply);
        o->seen_day = day;
    }
}
