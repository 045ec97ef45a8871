#include "erase.h"

#include <string.h>

#include "erase_places.h"
#include "journal.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define ERASE_UNSENT_MAX   8            /* ids kept for messages to come */
#define ERASE_ROW_BYTES    32768

#define ERASE_MARGIN_MS    (2 * TOMO_HOUR_MS)


static void
erase_key(decision_t *d, void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t))
{
    commit_op(d->c, 'u', decision_key_no(d, fn, d->f->serial));
    commit_end(d->c);
}


static bool
erase_stone(decision_t *d, gone_stone_t *stone)
{
    int64_t     keep_ms = d->o->keep_ms;
    uint8_t     name[2 * GONE_MAC_BYTES], value[128];
    tomo_buf_t  n, v;

    /* edges say how long they keep; the worker's own journals are known */
    keep_ms = keep_ms > JOURNAL_KEEP_MAX_MS ? keep_ms : JOURNAL_KEEP_MAX_MS;
    stone->serial = d->f->serial;
    stone->at_ms = d->now_ms;
    stone->complete_ms = d->now_ms + keep_ms + ERASE_MARGIN_MS;

    if (gone_mac(d->o->vault, d->o->id, friend_get_c(d->f, "uid"),
                 stone->mac) != TOMO_OK
        || gone_add(&d->o->gone, stone) != TOMO_OK)
    {
        return false;
    }

    tomo_buf_init(&n, name, sizeof(name));
    tomo_buf_init(&v, value, sizeof(value));
    gone_put(stone, &n, &v);
    commit_op(d->c, 'h', decision_key(d, tomo_key_gone));
    commit_arg(d->c, tomo_buf_str(&n));
    commit_arg(d->c, tomo_buf_str(&v));
    commit_end(d->c);

    return true;
}


static void
erase_next(decision_t *d, tomo_str_t of, uint64_t serial, tomo_str_t from)
{
    uint8_t     body[160];
    tomo_buf_t  b;

    tomo_buf_init(&b, body, sizeof(body));
    tomo_rec_put(&b, "do", tomo_str("erase"));
    tomo_rec_put(&b, "of", of);
    tomo_rec_put_u64(&b, "friend", serial);
    tomo_rec_put(&b, "from", from);
    owner_follow_up(d->o, tomo_buf_str(&b), d->now_ms);
}


const gone_stone_t *
erase_friend(decision_t *d)
{
    tomo_str_t    uid = friend_get_c(d->f, "uid");
    gone_stone_t  stone;

    if (!erase_stone(d, &stone)) {
        return NULL;
    }

    erase_places(d, &stone);
    commit_op(d->c, 'd', decision_key_no(d, tomo_key_uid, view_bucket(uid)));
    commit_arg(d->c, uid);
    commit_end(d->c);
    erase_key(d, tomo_key_timeline);
    erase_key(d, tomo_key_friend);
    owner_erases(d->o);
    erase_next(d, tomo_str("out"), stone.serial, tomo_str("-"));
    erase_next(d, tomo_str("quarantine"), stone.serial, tomo_str("-"));
    d->f = NULL;

    return gone_by_serial(&d->o->gone, stone.serial);
}


/* is this entry the person's? */
static bool
erase_mine(decision_t *d, const gone_stone_t *stone, bool out,
    const tomo_str_t *entry)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, out ? "" : "friend=");
    tomo_buf_u64(&b, stone->serial);

    if (out) {
        return tomo_str_eq(entry[1], tomo_buf_str(&b));
    }

    if (tomo_str_eq(entry[1], tomo_str("answer"))
        || tomo_str_eq(entry[1], tomo_str("click")))
    {
        tomo_str_t  body = entry[2], head = tomo_buf_str(&b);

        for (size_t at = 0; at + head.len <= body.len; ) {
            size_t  end = tomo_str_find(body, at, '&');

            if (tomo_str_eq(tomo_str_n(body.data + at, end - at), head)) {
                return true;
            }

            at = end + 1;
        }

        return false;
    }

    return gone_named(stone, d->o->vault, d->o->id, entry[2]);
}


tomo_rc_e
erase_go_on(decision_t *d)
{
    bool                 out;
    size_t               i, n, max;
    uint64_t             serial;
    tomo_str_t          *entry = NULL;
    const tomo_str_t    *of;
    const gone_stone_t  *stone;
    void               (*key)(tomo_buf_t *, tomo_str_t);

    of = tomo_rec_get(&d->ev->line, "of");

    if (of == NULL
        || tomo_rec_get_u64(&d->ev->line, "friend", UINT32_MAX, &serial)
           != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    stone = gone_by_serial(&d->o->gone, (uint32_t) serial);

    if (stone == NULL) {
        return TOMO_OK;
    }

    if (tomo_str_eq(*of, tomo_str("places"))) {
        return erase_places_go_on(d, stone);
    }

    out = tomo_str_eq(*of, tomo_str("out"));
    key = out ? tomo_key_out : tomo_key_quarantine;
    max = out ? VIEW_PAGE_OUT : VIEW_PAGE_QUARANTINE;
    n = d->ev->n_page / VIEW_PAGE_WIDTH;

    for (i = 0; i < n; i++) {
        entry = &d->ev->page[i * VIEW_PAGE_WIDTH];

        if (!erase_mine(d, stone, out, entry)) {
            continue;
        }

        commit_op(d->c, 'q', decision_key(d, key));
        commit_arg(d->c, entry[0]);
        commit_end(d->c);
        d->o->state.counters[OWNER_CANCELLED] += out;
        owner_erases(d->o);
    }

    if (n == max) {
        erase_next(d, *of, serial, entry[0]);
    }

    return TOMO_OK;
}


/* the row as it is, without its text; "": it is not the row of ref */
static tomo_str_t
erase_row(decision_t *d, tomo_str_t row, tomo_str_t ref)
{
    bool               had = false;
    uint8_t           *bytes;
    tomo_buf_t         b;
    tomo_rec_t         rec;
    const tomo_str_t  *msg;

    if (tomo_rec_parse(row, d->arena, &rec) != TOMO_OK
        || (msg = tomo_rec_get(&rec, "msg")) == NULL
        || !tomo_str_eq(*msg, ref))
    {
        return tomo_str_null;
    }

    bytes = tomo_arena_alloc(d->arena, ERASE_ROW_BYTES);
    tomo_buf_init(&b, bytes, bytes != NULL ? ERASE_ROW_BYTES : 0);

    for (size_t i = 0; i < rec.n; i++) {
        uint8_t     name[16];
        tomo_buf_t  c;

        if (tomo_str_eq(rec.fields[i].name, tomo_str("text"))) {
            had = true;
            continue;
        }

        tomo_buf_init(&c, name, sizeof(name));
        tomo_buf_put(&c, rec.fields[i].name);
        tomo_buf_byte(&c, '\0');

        if (!c.failed) {
            tomo_rec_put(&b, (char *) name, rec.fields[i].value);
        }
    }

    tomo_rec_put(&b, "fx", tomo_str("unsent"));

    return had && !b.failed ? tomo_buf_str(&b) : tomo_str_null;
}


bool
erase_unsent(const decision_t *d, tomo_str_t ref)
{
    size_t      at = 0, end;
    tomo_str_t  all = friend_get_c(d->f, "unsent");

    for ( /* void */ ; ref.len > 0 && at < all.len; at = end + 1) {
        end = tomo_str_find(all, at, ',');

        if (tomo_str_eq(tomo_str_n(all.data + at, end - at), ref)) {
            return true;
        }
    }

    return false;
}


/* the message is still on its way: it shall come without its text */
static void
erase_later(decision_t *d, tomo_str_t ref)
{
    size_t      n = 1;
    uint8_t     text[ERASE_UNSENT_MAX * 72];
    tomo_str_t  old = friend_get_c(d->f, "unsent");
    tomo_buf_t  b;

    if (ref.len == 0 || ref.len > 64 || erase_unsent(d, ref)) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_put(&b, ref);

    for (size_t at = 0, end; at < old.len && n < ERASE_UNSENT_MAX;
         at = end + 1, n++)
    {
        end = tomo_str_find(old, at, ',');
        tomo_buf_byte(&b, ',');
        tomo_buf_put(&b, tomo_str_n(old.data + at, end - at));
    }

    friend_set_c(d->f, "unsent", tomo_buf_str(&b));
}


void
erase_text(decision_t *d, tomo_str_t ref)
{
    tomo_str_t  row;

    for (size_t i = 0; i < d->ev->n_page; i++) {
        row = erase_row(d, d->ev->page[i], ref);

        if (row.len == 0) {
            continue;
        }

        commit_op(d->c, 'r', decision_key_no(d, tomo_key_timeline,
                                             d->f->serial));
        commit_arg(d->c, d->ev->page[i]);
        commit_arg(d->c, row);
        commit_end(d->c);
        owner_erases(d->o);

        return;
    }

    erase_later(d, ref);
}
