#include "verdict.h"

#include "tomo_codec.h"
#include "tomo_rec.h"
#include "tomo_utf8.h"


static void
verdict_text(tomo_buf_t *b, const char *name, tomo_str_t text, size_t max)
{
    if (text.len > 0) {
        tomo_rec_put(b, name, tomo_str_n(text.data,
                                         tomo_utf8_cut_bytes(text, max)));
    }
}


/* is the user id one of a list joined by commas? */

static bool
verdict_listed(tomo_str_t list, tomo_str_t uid)
{
    size_t  at = 0, end;

    while (at < list.len) {
        end = tomo_str_find(list, at, ',');

        if (tomo_str_eq(tomo_str_n(list.data + at, end - at), uid)) {
            return true;
        }

        at = end + 1;
    }

    return false;
}


/*
 * Recipients of the row whom the frozen list did not cover.  They are compared
 * by user id: a serial may be somebody else's after a rollback of Redis.
 */

static void
verdict_left(tomo_buf_t *b, const row_t *row, tomo_str_t frozen)
{
    size_t      at = 0, end, to = 0, to_end;
    tomo_str_t  serial, uid;

    while (at < row->serials.len && to < row->to.len) {
        end = tomo_str_find(row->serials, at, ',');
        to_end = tomo_str_find(row->to, to, ',');
        serial = tomo_str_n(row->serials.data + at, end - at);
        uid = tomo_str_n(row->to.data + to, to_end - to);

        if (serial.len > 0 && !verdict_listed(frozen, uid)) {
            tomo_rec_put(b, "left", serial);
        }

        at = end + 1;
        to = to_end + 1;
    }
}


void
verdict_put(tomo_buf_t *b, const row_t *row, const verdict_t *v,
    int64_t at_ms)
{
    uint8_t     text[2 * ROW_NAME_BYTES];
    tomo_buf_t  mark;

    tomo_buf_init(&mark, text, sizeof(text));
    tomo_hex_put(&mark, tomo_str_n(row->name, ROW_NAME_BYTES));

    tomo_rec_put(b, "row", tomo_str_c(row->id));
    tomo_rec_put(b, "key", row->key);
    tomo_rec_put(b, "via", tomo_str_c(tomo_via_word(row->via)));
    tomo_rec_put(b, "send", tomo_str_c(tomo_send_word(v->send)));
    tomo_rec_put_i64(b, "status", v->status);
    tomo_rec_put(b, "request", v->request);
    tomo_rec_put_u64(b, "attempts", row->attempt);
    tomo_rec_put_i64(b, "first", row->first_ms);
    tomo_rec_put_i64(b, "at", at_ms);
    tomo_rec_put_u64(b, "friend", row->friend);
    tomo_rec_put(b, "mark", tomo_buf_str(&mark));

    verdict_text(b, "message", v->message, VERDICT_MESSAGE_MAX);
    verdict_text(b, "name", v->name, VERDICT_NAME_MAX);
    verdict_text(b, "picture", v->picture, 2000);
    verdict_text(b, "language", v->language, 35);

    for (size_t i = 0; i < v->n_sent; i++) {
        tomo_rec_put(b, "sent", v->sent[i]);
    }

    if (v->has_frozen) {
        verdict_left(b, row, v->frozen);
    }
}


void
verdict_pause_put(tomo_buf_t *b, const char *why, int64_t until_ms,
    int64_t at_ms)
{
    tomo_rec_put(b, "send", tomo_str_c(tomo_send_word(TOMO_SEND_PAUSE)));
    tomo_rec_put(b, "why", tomo_str_c(why));
    tomo_rec_put_i64(b, "until", until_ms);
    tomo_rec_put_i64(b, "at", at_ms);
}


void
verdict_broken_put(tomo_buf_t *b, tomo_str_t id, const char *why,
    int64_t at_ms)
{
    tomo_rec_put(b, "row", id);
    tomo_rec_put(b, "send", tomo_str_c(tomo_send_word(TOMO_SEND_REFUSED)));
    tomo_rec_put_u64(b, "status", 0);
    tomo_rec_put_u64(b, "attempts", 0);
    tomo_rec_put_i64(b, "at", at_ms);
    tomo_rec_put(b, "message", tomo_str_c(why));
}
