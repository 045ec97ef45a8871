#include "outbox.h"

#include <string.h>

#include "clock.h"
#include "log.h"

#define OUTBOX_COUNT     "256"      /* entries of each stream at a time */
#define OUTBOX_BLOCK     "500"
#define OUTBOX_ROWS_MAX  400000     /* in memory, whatever they are */
#define OUTBOX_PASS      20000      /* rows of a channel: no more pushes */
#define OUTBOX_REFILL    10000      /* rows left: read what was passed over */
#define OUTBOX_REST_US   INT64_C(1000000)
#define OUTBOX_LATE_US   INT64_C(5000000)    /* half an answer is none */


void
outbox_init(outbox_t *o, const conf_t *conf)
{
    memset(o, 0, sizeof(*o));
    redis_init(&o->reader, conf, "outbox", 0);
}


void
outbox_close(outbox_t *o)
{
    redis_close(&o->reader);
}


void
outbox_rewind(sender_t *s)
{
    /* an answer that is still to come is about the former position */
    for (size_t i = 0; i < s->n_channels; i++) {
        memcpy(s->channels[i].last_id, "0", 2);
        s->channels[i].asked = false;
    }
}


void
outbox_stood(channel_t *c, redis_t *r)
{
    uint64_t       id_ms, id_seq;
    redisReply    *reply;
    redis_args_t   args = { 0 };

    redis_arg_c(&args, "XREVRANGE");
    redis_arg(&args, tomo_str_n(c->out_key, c->out_key_len));
    redis_arg_c(&args, "+");
    redis_arg_c(&args, "-");
    redis_arg_c(&args, "COUNT");
    redis_arg_c(&args, "1");
    reply = redis_call(r, &args);
    redis_args_free(&args);

    /* no answer: asked again with the next renewal */
    c->others = !redis_is(reply, REDIS_REPLY_ARRAY);

    if (row_id_parse(redis_str(redis_at(redis_at(reply, 0), 0)), &id_ms,
                     &id_seq))
    {
        c->stood_ms = id_ms;
        c->stood_seq = id_seq;
    }

    freeReplyObject(reply);
}


/* begins again where rows were passed over and there is room for them now */

static void
outbox_refill(sender_t *s)
{
    for (size_t i = 0; i < s->n_channels; i++) {
        channel_t  *c = &s->channels[i];

        if (c->passed && c->queue.n < OUTBOX_REFILL) {
            c->passed = false;
            c->asked = false;
            memcpy(c->last_id, "0", 2);
        }
    }
}


static bool
outbox_append(outbox_t *o, sender_t *s)
{
    bool           ok;
    size_t         n = 0;
    redis_args_t   args = { 0 };

    redis_arg_c(&args, "XREAD");
    redis_arg_c(&args, "COUNT");
    redis_arg_c(&args, OUTBOX_COUNT);
    redis_arg_c(&args, "BLOCK");
    redis_arg_c(&args, OUTBOX_BLOCK);
    redis_arg_c(&args, "STREAMS");

    for (size_t i = 0; i < s->n_channels; i++) {
        channel_t  *c = &s->channels[i];

        if (c->owned) {
            redis_arg(&args, tomo_str_n(c->out_key, c->out_key_len));
            n++;
        }
    }

    for (size_t i = 0; i < s->n_channels; i++) {
        if (s->channels[i].owned) {
            redis_arg_c(&args, s->channels[i].last_id);
            s->channels[i].asked = true;
        }
    }

    ok = n > 0 && redis_append(&o->reader, &args) == TOMO_OK
         && redis_flush(&o->reader) == TOMO_OK;
    redis_args_free(&args);

    return ok;
}


int
outbox_ask(outbox_t *o, sender_t *s)
{
    if (o->asked && clock_mono_us() - o->asked_us > OUTBOX_LATE_US) {
        redis_drop(&o->reader, "no whole answer in time");
    }

    if (redis_up(&o->reader) != TOMO_OK) {
        o->asked = false;
        return -1;
    }

    if (o->generation != o->reader.generation) {
        o->generation = o->reader.generation;
        o->asked = false;
        outbox_rewind(s);
    }

    if (!o->asked) {
        outbox_refill(s);
    }

    if (!o->asked && s->rows < OUTBOX_ROWS_MAX
        && clock_mono_us() >= o->rest_us)
    {
        o->asked = outbox_append(o, s);
        o->asked_us = clock_mono_us();
    }

    return o->asked ? redis_fd(&o->reader) : -1;
}


/*
 * Pushes that wait, for quota perhaps, must not fill the memory that a reply
 * needs.  Once one is passed over all are, or a later one of its friend would
 * go first; outbox_refill reads them again.
 */

static bool
outbox_pass(channel_t *c, const redisReply *pairs)
{
    tomo_via_e  via;

    if (!c->passed && c->queue.n < OUTBOX_PASS) {
        return false;
    }

    c->passed = true;

    return tomo_via_parse(redis_pair(pairs, "via"), &via) == TOMO_OK
           && (via == TOMO_VIA_PUSH || via == TOMO_VIA_MULTICAST);
}


static void
outbox_stream(sender_t *s, const redisReply *stream)
{
    tomo_str_t         id, key = redis_str(redis_at(stream, 0));
    channel_t         *c = NULL;
    const redisReply  *entries = redis_at(stream, 1);

    for (size_t i = 0; i < s->n_channels && c == NULL; i++) {
        channel_t  *one = &s->channels[i];

        if (one->owned && one->asked
            && tomo_str_eq(key, tomo_str_n(one->out_key, one->out_key_len)))
        {
            c = one;
        }
    }

    if (c == NULL) {
        return;                 /* lost, or begun anew, since we asked */
    }

    for (size_t i = 0; i < redis_len(entries); i++) {
        const redisReply  *entry = redis_at(entries, i);

        id = redis_str(redis_at(entry, 0));

        if (id.len == 0 || id.len >= sizeof(c->last_id)) {
            continue;
        }

        memcpy(c->last_id, id.data, id.len);
        c->last_id[id.len] = '\0';

        if (!outbox_pass(c, redis_at(entry, 1))) {
            sender_admit(s, c, id, redis_at(entry, 1));
            s->rows++;
        }
    }
}


void
outbox_read(outbox_t *o, sender_t *s)
{
    static log_gate_t  gate;

    uint64_t     missed;
    tomo_rc_e    rc;
    redisReply  *reply = NULL;

    rc = redis_read(&o->reader, &reply);

    if (rc == TOMO_AGAIN) {
        return;
    }

    o->asked = false;

    if (rc != TOMO_OK) {
        return;
    }

    if (redis_error_of(reply) != REDIS_NO_ERROR) {
        o->rest_us = clock_mono_us() + OUTBOX_REST_US;

        if (log_gate(&gate, 10000, &missed)) {
            log_error("outbox", "cannot be read: Redis answered %s; look at "
                      "its log and at the keys' types",
                      redis_error_word(reply));
        }
    }

    for (size_t i = 0; i < redis_len(reply); i++) {
        outbox_stream(s, redis_at(reply, i));
    }

    freeReplyObject(reply);
}
