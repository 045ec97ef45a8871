/* view_page: pages of what may be long: schedule, outbox, quarantine, rows */

#include "tomo_keys.h"
#include "view_own.h"


/* strings of a flat array, copied to the arena */
tomo_str_t *
view_copy(view_t *v, const redisReply *array)
{
    size_t       i;
    tomo_str_t  *copy;

    copy = tomo_arena_array(v->arena, redis_len(array) + 1,
                            sizeof(tomo_str_t));

    for (i = 0; copy != NULL && i < redis_len(array); i++) {
        copy[i] = tomo_arena_dup(v->arena, redis_str(redis_at(array, i)));
    }

    return copy;
}


/* entries of `out` or `quarantine` behind the last page's (view.h) */
static void
view_ask_erase(view_load_t *l, event_t *ev)
{
    bool               out;
    uint8_t            text[TOMO_KEY_MAX], from[64];
    tomo_buf_t         key, b;
    const tomo_str_t  *of, *last;

    of = tomo_rec_get(&ev->line, "of");
    last = tomo_rec_get(&ev->line, "from");

    if (of == NULL || last == NULL || last->len > 48) {
        return;
    }

    out = tomo_str_eq(*of, tomo_str("out"));
    tomo_buf_init(&key, text, sizeof(text));
    tomo_buf_init(&b, from, sizeof(from));
    tomo_buf_c(&b, tomo_str_eq(*last, tomo_str("-")) ? "" : "(");
    tomo_buf_put(&b, *last);

    if (out) {
        tomo_key_out(&key, l->v->account);

    } else {
        tomo_key_quarantine(&key, l->v->account);
    }

    view_command(l, "XRANGE", &key);
    redis_arg(&l->args, tomo_buf_str(&b));
    redis_arg_c(&l->args, "+");
    redis_arg_c(&l->args, "COUNT");
    redis_arg_u64(&l->args, out ? VIEW_PAGE_OUT : VIEW_PAGE_QUARANTINE);
    view_want(l, out ? VIEW_ERASE_OUT : VIEW_ERASE_ASIDE, ev, 0);
}


void
view_ask_page(view_load_t *l, event_t *ev)
{
    uint8_t            text[TOMO_KEY_MAX], match[32];
    tomo_buf_t         key, b;
    const tomo_str_t  *no, *cursor, *what;

    what = tomo_rec_get(&ev->line, "do");

    if (what != NULL && tomo_str_eq(*what, tomo_str("erase"))) {
        view_ask_erase(l, ev);
        return;
    }

    no = tomo_rec_get(&ev->line, "scenario");
    cursor = tomo_rec_get(&ev->line, "cursor");

    if (no == NULL || cursor == NULL || no->len > 10) {
        return;
    }

    tomo_buf_init(&key, text, sizeof(text));
    tomo_key_sched(&key, l->v->account);
    tomo_buf_init(&b, match, sizeof(match));
    tomo_buf_c(&b, "*:s:");
    tomo_buf_put(&b, *no);
    view_command(l, "ZSCAN", &key);
    redis_arg(&l->args, *cursor);
    redis_arg_c(&l->args, "MATCH");
    redis_arg(&l->args, tomo_buf_str(&b));
    redis_arg_c(&l->args, "COUNT");
    redis_arg_c(&l->args, "100");
    view_want(l, VIEW_PAGE, ev, 0);
}


void
view_ask_rows(view_load_t *l, event_t *ev)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  key;

    if (ev->serial == 0) {
        return;
    }

    tomo_buf_init(&key, text, sizeof(text));
    tomo_key_timeline(&key, l->v->account, ev->serial);
    view_command(l, "LRANGE", &key);
    redis_arg_c(&l->args, "0");
    redis_arg_c(&l->args, "-1");
    view_want(l, VIEW_ROWS, ev, 0);
}


void
view_take_page(view_load_t *l, event_t *ev, const redisReply *reply)
{
    size_t             i;
    tomo_str_t        *all;
    const redisReply  *members;

    members = redis_at(reply, 1);
    all = tomo_arena_array(l->v->arena, redis_len(members) / 2 + 2,
                           sizeof(tomo_str_t));

    if (all == NULL) {
        return;
    }

    all[0] = tomo_arena_dup(l->v->arena, redis_str(redis_at(reply, 0)));

    for (i = 0; 2 * i + 1 < redis_len(members); i++) {
        all[i + 1] = tomo_arena_dup(l->v->arena,
                                    redis_str(redis_at(members, 2 * i)));
    }

    ev->page = all;
    ev->n_page = i + 1;
}


void
view_take_erase(view_load_t *l, event_t *ev, bool out,
    const redisReply *reply)
{
    size_t      i, n = redis_len(reply);
    tomo_str_t  *all;

    all = tomo_arena_array(l->v->arena, n * VIEW_PAGE_WIDTH + 1,
                           sizeof(tomo_str_t));

    for (i = 0; all != NULL && i < n; i++) {
        tomo_str_t        *entry = &all[i * VIEW_PAGE_WIDTH];
        const redisReply  *pairs = redis_at(redis_at(reply, i), 1);

        entry[0] = redis_str(redis_at(redis_at(reply, i), 0));
        entry[1] = redis_pair(pairs, out ? "friend" : "kind");
        entry[2] = out ? tomo_str_null : redis_pair(pairs, "body");

        for (size_t k = 0; k < VIEW_PAGE_WIDTH; k++) {
            entry[k] = tomo_arena_dup(l->v->arena, entry[k]);
        }
    }

    ev->page = all;
    ev->n_page = all != NULL ? n * VIEW_PAGE_WIDTH : 0;
}
