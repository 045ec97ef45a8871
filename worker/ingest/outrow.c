#include "outrow.h"

#include <string.h>

#include "json.h"
#include "tomo_keys.h"

#define OUTROW_UUID  36


tomo_str_t
outrow_key(decision_t *d, const tomo_buf_t *words)
{
    uint8_t     uuid[OUTROW_UUID];
    tomo_buf_t  key;

    tomo_buf_init(&key, uuid, sizeof(uuid));

    if (words->failed
        || vault_retry_key(d->o->vault, tomo_buf_str(words), &key) != TOMO_OK)
    {
        /* never send under a key that is not its own */
        d->arena->failed = true;
        return tomo_str_null;
    }

    return tomo_arena_dup(d->arena, tomo_buf_str(&key));
}


/*
 * The retry key of a push: HMAC(account|whom|def|step|gen|due|part).  A person
 * is named by the LINE user id: after Redis went back in time and the journals
 * were shipped again in another order, serials may be other people's (D4).
 */
static tomo_str_t
outrow_push_key(decision_t *d, const outrow_about_t *about, unsigned part)
{
    uint8_t     text[512];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_put(&b, d->o->id);
    tomo_buf_byte(&b, '|');
    tomo_buf_put(&b, about->uid);
    tomo_buf_byte(&b, '|');
    tomo_buf_put(&b, about->def);
    tomo_buf_byte(&b, '|');
    tomo_buf_put(&b, about->step);
    tomo_buf_byte(&b, '|');
    tomo_buf_put(&b, about->gen);
    tomo_buf_byte(&b, '|');
    tomo_buf_put(&b, about->due);
    tomo_buf_byte(&b, '|');
    tomo_buf_u64(&b, part);

    return outrow_key(d, &b);
}


static tomo_str_t
outrow_u64(decision_t *d, uint64_t n)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_u64(&b, n);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


static void
outrow_open(decision_t *d, tomo_via_e via, const outrow_about_t *about)
{
    commit_op(d->c, 'x', decision_key(d, tomo_key_out));
    commit_pair(d->c, "via", tomo_str_c(tomo_via_word(via)));
    commit_pair(d->c, "medium", tomo_str("line"));
    commit_pair_u64(d->c, "friend", about->serial);
    commit_pair(d->c, "to", about->uid);
    commit_pair(d->c, "def", about->def);
    commit_pair(d->c, "step", about->step);
    commit_pair(d->c, "gen", about->gen);
    commit_pair(d->c, "due", about->due);
    commit_pair(d->c, "delivery", about->delivery);
    commit_pair(d->c, "links", about->links);
    commit_pair(d->c, "event", about->event);
}


tomo_str_t
outrow_array(decision_t *d, const tomo_str_t *bubbles, size_t from, size_t to)
{
    size_t      i, cap;
    tomo_buf_t  b;

    for (i = from, cap = 2; i < to; i++) {
        cap += bubbles[i].len + 1;
    }

    tomo_buf_init(&b, tomo_arena_alloc(d->arena, cap), cap);

    if (b.data == NULL) {
        return tomo_str_null;
    }

    tomo_buf_byte(&b, '[');

    for (i = from; i < to; i++) {
        if (i > from) {
            tomo_buf_byte(&b, ',');
        }

        tomo_buf_put(&b, bubbles[i]);
    }

    tomo_buf_byte(&b, ']');

    return tomo_buf_str(&b);
}


void
outrow_push_body(decision_t *d, const outrow_about_t *about, tomo_str_t body,
    unsigned part)
{
    outrow_open(d, TOMO_VIA_PUSH, about);
    commit_pair(d->c, "key", outrow_push_key(d, about, part));
    commit_pair(d->c, "body", body);
    commit_end(d->c);
}


static unsigned
outrow_pushes(decision_t *d, const outrow_about_t *about,
    const tomo_str_t *bubbles, size_t n, unsigned part)
{
    size_t  from, to;

    for (from = 0; from < n; from = to, part++) {
        to = from + MESSAGE_BUBBLES_MAX < n ? from + MESSAGE_BUBBLES_MAX : n;
        outrow_push_body(d, about, outrow_array(d, bubbles, from, to), part);
    }

    return part;
}


unsigned
outrow_push(decision_t *d, const outrow_about_t *about, tomo_str_t bubbles,
    unsigned part)
{
    size_t         n = 0, cap;
    json_t        *root;
    tomo_str_t     list[DECISION_BUBBLES_MAX];
    tomo_buf_t     b;
    json_limits_t  limits = { .max_bytes = 4 << 20, .max_nodes = 100000 };

    if (bubbles.len == 0
        || json_parse(bubbles, &limits, d->arena, &root, NULL) != TOMO_OK)
    {
        return part;
    }

    json_each (bubble, root) {
        if (n < DECISION_BUBBLES_MAX) {
            cap = bubbles.len * 2 + 64;
            tomo_buf_init(&b, tomo_arena_alloc(d->arena, cap), cap);

            if (b.data != NULL) {
                json_put(&b, NULL, bubble);
                list[n++] = tomo_buf_str(&b);
            }
        }
    }

    return outrow_pushes(d, about, list, n, part);
}


static void
outrow_reply(decision_t *d, const outrow_about_t *about,
    const tomo_str_t *bubbles, size_t n)
{
    size_t  first;

    first = n < MESSAGE_BUBBLES_MAX ? n : MESSAGE_BUBBLES_MAX;
    outrow_open(d, TOMO_VIA_REPLY, about);
    /* that of the push it may become: dispatch knows either by it */
    commit_pair(d->c, "key", outrow_push_key(d, about, 0));
    commit_pair(d->c, "token", d->reply);
    commit_pair_i64(d->c, "token_at", d->reply_at_ms);
    commit_pair(d->c, "body", outrow_array(d, bubbles, 0, first));

    if (n > first) {
        commit_pair(d->c, "next", outrow_array(d, bubbles, first, n));
    }

    commit_end(d->c);
    d->reply = tomo_str_null;
}


void
outrow_write(decision_t *d)
{
    bool            linked = false;
    size_t          i;
    tomo_str_t      list[DECISION_BUBBLES_MAX];
    const bubble_t *first = &d->bubbles[0];
    outrow_about_t  about;

    if (d->n_bubbles == 0 || d->f == NULL) {
        return;
    }

    for (i = 0; i < d->n_bubbles; i++) {
        list[i] = d->bubbles[i].json;
        linked = linked || d->bubbles[i].linked;
    }

    about = (outrow_about_t) {
        .serial = d->f->serial,
        .uid = friend_get_c(d->f, "uid"),
        .def = first->def,
        .step = first->step,
        .gen = outrow_u64(d, first->gen),
        .due = outrow_u64(d, (uint64_t) first->due_ms),
        .delivery = outrow_u64(d, first->delivery),
        .links = outrow_u64(d, linked ? d->o->state.feed_version : 0),
        .event = first->event
    };

    if (d->reply.len > 0
        && d->now_ms - d->reply_at_ms < OUTROW_REPLY_FRESH_MS)
    {
        outrow_reply(d, &about, list, d->n_bubbles);

    } else {
        (void) outrow_pushes(d, &about, list, d->n_bubbles, 0);
    }

    d->n_bubbles = 0;
}


void
outrow_profile(decision_t *d)
{
    outrow_about_t  about = {
        .serial = d->f->serial,
        .uid = friend_get_c(d->f, "uid"),
        .def = tomo_str("profile"),
        .step = tomo_str("-"),
        .gen = tomo_str("0"),
        .due = outrow_u64(d, (uint64_t) d->ev->at_ms),
        .delivery = tomo_str("0"),
        .links = tomo_str("0"),
        .event = d->ev->id
    };

    outrow_open(d, TOMO_VIA_PROFILE, &about);
    commit_pair(d->c, "key", tomo_str_null);
    commit_end(d->c);
}
