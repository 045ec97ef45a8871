/* view_load: the two rounds that fill a view */

#include "view_own.h"

#include <string.h>

#include "seen.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

/* A pipeline's expected replies, in order */
void
view_want(view_load_t *l, view_want_e kind, event_t *ev, uint32_t serial)
{
    view_want_t  *more;

    if (l->rc != TOMO_OK) {
        return;
    }

    if (l->n == l->cap) {
        more = tomo_arena_array(l->v->arena, 2 * l->cap + 64,
                                sizeof(view_want_t));
        if (more == NULL) {
            l->rc = TOMO_FULL;
            return;
        }

        if (l->n > 0) {
            memcpy(more, l->wants, l->n * sizeof(view_want_t));
        }

        l->wants = more;
        l->cap = 2 * l->cap + 64;
    }

    l->rc = redis_append(l->r, &l->args);
    l->wants[l->n++] = (view_want_t) { kind, ev, serial };
}


void
view_command(view_load_t *l, const char *command, const tomo_buf_t *key)
{
    redis_args_reset(&l->args);
    redis_arg_c(&l->args, command);
    redis_arg(&l->args, tomo_buf_str(key));
}


static void
view_ask_met(view_load_t *l, event_t *ev, int64_t at_ms)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  key;

    tomo_buf_init(&key, text, sizeof(text));
    tomo_key_met(&key, l->v->account, view_day(at_ms));
    view_command(l, "HGET", &key);
    redis_arg(&l->args, seen_id(ev));
    view_want(l, VIEW_MET, ev, 0);

    if (l->v->old_sets) {
        tomo_buf_init(&key, text, sizeof(text));
        tomo_key_seen(&key, l->v->account, view_day(at_ms));
        view_command(l, "SISMEMBER", &key);
        redis_arg(&l->args, seen_id(ev));
        view_want(l, VIEW_OLD_SET, ev, 0);
    }
}


static void
view_ask_uid(view_load_t *l, event_t *ev)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  key;

    tomo_buf_init(&key, text, sizeof(text));
    tomo_key_uid(&key, l->v->account, view_bucket(ev->uid));
    view_command(l, "HGET", &key);
    redis_arg(&l->args, ev->uid);
    view_want(l, VIEW_UID, ev, 0);
}


static void
view_ask_row(view_load_t *l, event_t *ev)
{
    uint8_t            text[TOMO_KEY_MAX];
    tomo_buf_t         key;
    const tomo_str_t  *row;

    row = tomo_rec_get(&ev->line, "row");

    if (row == NULL) {
        return;
    }

    tomo_buf_init(&key, text, sizeof(text));
    tomo_key_out(&key, l->v->account);
    view_command(l, "XRANGE", &key);
    redis_arg(&l->args, *row);
    redis_arg(&l->args, *row);
    view_want(l, VIEW_ROW, ev, 0);
}


/* the timeline tells of what is too large; other faults may be the record's */
static bool
view_passes(const event_t *ev)
{
    return ev->fault != NULL && strcmp(ev->fault, EVENT_TOO_LARGE) != 0;
}


static void
view_ask(view_load_t *l, event_t *ev)
{
    if (view_passes(ev)) {
        return;
    }

    switch (event_needs(ev->kind)) {

    case EVENT_NEEDS_NOTHING:
        break;

    case EVENT_NEEDS_ROW:
        view_ask_row(l, ev);
        break;

    case EVENT_NEEDS_PAGE:
        view_ask_page(l, ev);
        break;

    case EVENT_NEEDS_NONCE:
        /* a page may be open over midnight */
        view_ask_met(l, ev, ev->at_ms);
        view_ask_met(l, ev, ev->at_ms - TOMO_DAY_MS);
        break;

    case EVENT_NEEDS_LINE:
        view_ask_met(l, ev, ev->at_ms);

        if (ev->uid.len > 0) {
            view_ask_uid(l, ev);
        }
    }
}


static void
view_take_friend(view_load_t *l, uint32_t serial, const redisReply *reply)
{
    friend_t    *f;
    tomo_str_t  *pairs;

    if (redis_len(reply) == 0) {
        return;                         /* a serial that was never given */
    }

    pairs = view_copy(l->v, reply);
    f = tomo_arena_alloc(l->v->arena, sizeof(friend_t));

    if (pairs == NULL || f == NULL) {
        return;
    }

    friend_init(f, l->v->arena, serial, pairs, redis_len(reply));
    view_add(l->v, f, friend_get_c(f, "uid"));
}


static void
view_take(view_load_t *l, const view_want_t *want, const redisReply *reply)
{
    int64_t  n;

    switch (want->kind) {

    case VIEW_UID:
        if (redis_int(reply, &n) == TOMO_OK && n > 0
            && n < (INT64_C(1) << 30))
        {
            want->ev->serial = (uint32_t) n;
        }
        break;

    case VIEW_MET:
        if (redis_str(reply).len > 0) {
            want->ev->met = tomo_arena_dup(l->v->arena, redis_str(reply));
        }
        break;

    case VIEW_OLD_SET:
        if (redis_int(reply, &n) == TOMO_OK && n == 1
            && want->ev->met.len == 0)
        {
            /* of what content nobody knows any more */
            want->ev->met = seen_digest(want->ev, l->v->arena);
        }
        break;

    case VIEW_ROW:
        reply = redis_at(redis_at(reply, 0), 1);
        want->ev->row = view_copy(l->v, reply);
        want->ev->n_row = redis_len(reply);
        break;

    case VIEW_PAGE:
        view_take_page(l, want->ev, reply);
        break;

    case VIEW_ERASE_OUT:
    case VIEW_ERASE_ASIDE:
        view_take_erase(l, want->ev, want->kind == VIEW_ERASE_OUT, reply);
        break;

    case VIEW_ROWS:
        want->ev->page = view_copy(l->v, reply);
        want->ev->n_page = want->ev->page != NULL ? redis_len(reply) : 0;
        break;

    case VIEW_FRIEND:
        view_take_friend(l, want->serial, reply);
        break;
    }
}


static void
view_replies(view_load_t *l)
{
    size_t       i;
    redisReply  *reply;

    for (i = 0; i < l->n; i++) {
        reply = redis_reply(l->r);

        if (reply == NULL) {
            l->rc = TOMO_ERROR;
            return;
        }

        if (redis_error_of(reply) == REDIS_ERR_TYPE) {
            l->rc = l->rc == TOMO_OK ? TOMO_INVALID : l->rc;

        } else if (redis_error_of(reply) != REDIS_NO_ERROR) {
            l->rc = TOMO_ERROR;

        } else {
            view_take(l, &l->wants[i], reply);
        }

        freeReplyObject(reply);
    }

    l->n = 0;
}


static void
view_ask_friend(view_load_t *l, uint32_t serial)
{
    size_t      i;
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  key;

    if (serial == 0) {
        return;
    }

    for (i = 0; i < l->n; i++) {
        if (l->wants[i].serial == serial) {
            return;
        }
    }

    tomo_buf_init(&key, text, sizeof(text));
    tomo_key_friend(&key, l->v->account, serial);
    view_command(l, "HGETALL", &key);
    view_want(l, VIEW_FRIEND, NULL, serial);
}


static void
view_ask_friends(view_load_t *l, event_t *ev)
{
    size_t    i, colon;
    uint64_t  serial;

    if (view_passes(ev)) {
        return;
    }

    view_ask_friend(l, ev->serial);

    if (ev->kind == EVENT_UNSEND) {
        view_ask_rows(l, ev);
    }

    if (ev->kind != EVENT_FOLLOW_UP
        || tomo_rec_get(&ev->line, "cursor") == NULL)
    {
        return;
    }

    for (i = 1; i < ev->n_page; i++) {
        colon = tomo_str_find(ev->page[i], 0, ':');

        if (tomo_u64_get(tomo_str_n(ev->page[i].data, colon),
                         (1u << 30) - 1, &serial)
            == TOMO_OK)
        {
            view_ask_friend(l, (uint32_t) serial);
        }
    }
}


tomo_rc_e
view_load(view_t *v, redis_t *r, event_t *events, size_t n,
    view_before_pt before, void *ctx)
{
    size_t       i;
    tomo_rc_e    rc;
    view_load_t  l;

    memset(&l, 0, sizeof(l));
    l.v = v;
    l.r = r;

    for (i = 0; i < n; i++) {
        view_ask(&l, &events[i]);
    }

    if (l.rc == TOMO_OK) {
        l.rc = redis_flush(r);
    }

    if (l.rc == TOMO_OK) {
        rc = before(ctx);

        if (rc != TOMO_OK) {
            redis_args_free(&l.args);
            return rc;
        }

        view_replies(&l);
    }

    for (i = 0; l.rc == TOMO_OK && i < n; i++) {
        view_ask_friends(&l, &events[i]);
    }

    if (l.rc == TOMO_OK) {
        view_replies(&l);
    }

    redis_args_free(&l.args);

    if (l.rc != TOMO_OK && l.rc != TOMO_INVALID) {
        redis_drop(r, "loading friends failed");
    }

    return l.rc;
}
