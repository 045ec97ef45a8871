#include "decide.h"

#include <string.h>

#include "erase.h"
#include "quarantine.h"
#include "seen.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define DECIDE_ROW_BYTES  32768
#define DECIDE_TEXT_MAX   20000         /* bytes on the timeline */
#define DECIDE_TIMELINE   200


bool
decide_take(decide_t *d)
{
    if (d->effects == DECIDE_EFFECTS_MAX) {
        d->cut++;
        return false;
    }

    d->effects++;

    return true;
}


void
decide_raise(decide_t *d, trigger_e trigger, uint32_t no)
{
    if (d->depth == DECIDE_DEPTH_MAX || d->n_derived == DECIDE_EFFECTS_MAX) {
        d->cut++;
        return;
    }

    d->derived[d->n_derived++] = (decide_derived_t) {
        trigger, no, d->depth + 1
    };
}


void
decide_derive(decide_t *d)
{
    size_t            i;
    decide_derived_t  next;

    /* the list grows while we walk it; its length is the bound */
    for (i = 0; i < d->n_derived; i++) {
        next = d->derived[i];
        d->depth = next.depth;
        rules_run(d, next.trigger, next.no);
    }

    d->n_derived = 0;
    d->depth = 0;
}


static void
decide_note(tomo_buf_t *b, const char *name, const char *word, tomo_str_t id)
{
    uint8_t     text[160];
    tomo_buf_t  value;

    tomo_buf_init(&value, text, sizeof(text));
    tomo_buf_c(&value, word);

    if (id.len > 0) {
        tomo_buf_byte(&value, ':');
        tomo_buf_put(&value, id);
    }

    tomo_rec_put(b, name, tomo_buf_str(&value));
}


void
decide_fx(decide_t *d, const char *word, tomo_str_t id)
{
    if (d->fx.len > DECIDE_FX_BYTES) {
        d->fx_more++;
        return;
    }

    decide_note(&d->fx, "fx", word, id);
}


/* how many of something, behind the list; it always has room */
static void
decide_fx_count(decide_t *d, const char *word, unsigned n)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    if (n > 0) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_u64(&b, n);
        decide_note(&d->fx, "fx", word, tomo_buf_str(&b));
    }
}


void
decide_why(decide_t *d, tomo_str_t word)
{
    tomo_rec_put(&d->why, "why", word);
}


tomo_str_t
decide_key(decide_t *d, void (*fn)(tomo_buf_t *, tomo_str_t))
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    fn(&b, d->o->id);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


tomo_str_t
decide_key_no(decide_t *d, void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t),
    uint64_t no)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    fn(&b, d->o->id, no);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


friend_t *
decide_friend(decide_t *d)
{
    friend_t  *f;
    event_t   *ev = d->ev;

    if (ev->uid.len == 0) {
        return d->f;
    }

    f = d->f != NULL ? d->f : view_friend_uid(d->view, ev->uid);

    if (f == NULL) {
        f = tomo_arena_alloc(d->arena, sizeof(friend_t));
        if (f == NULL) {
            return NULL;
        }

        friend_init(f, d->arena, ++d->o->state.serial, NULL, 0);
        friend_set_c(f, "uid", ev->uid);
        friend_set_i64(f, "add_at", ev->at_ms);
        view_add(d->view, f, ev->uid);

        commit_op(d->c, 'h', decide_key(d, tomo_key_meta));
        commit_pair_u64(d->c, "serial", f->serial);
        commit_end(d->c);
        commit_op(d->c, 'h', decide_key_no(d, tomo_key_uid,
                                           view_bucket(ev->uid)));
        commit_arg(d->c, ev->uid);
        commit_arg_u64(d->c, f->serial);
        commit_end(d->c);

    } else if (ev->at_ms < friend_get_i64(f, "add_at")) {
        friend_set_i64(f, "add_at", ev->at_ms);
    }

    d->f = f;

    return f;
}


void
decide_row(decide_t *d, uint32_t serial, tomo_str_t id, int64_t at_ms,
    const char *kind, tomo_str_t text)
{
    uint8_t     bytes[DECIDE_ROW_BYTES];
    tomo_buf_t  b;

    if (text.len > DECIDE_TEXT_MAX) {
        text.len = DECIDE_TEXT_MAX;

        while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }

    for ( ;; ) {
        tomo_buf_init(&b, bytes, sizeof(bytes));
        tomo_rec_put(&b, "id", id);
        tomo_rec_put_i64(&b, "at", at_ms);
        tomo_rec_put(&b, "kind", tomo_str_c(kind));

        if (text.len > 0) {
            tomo_rec_put(&b, "text", text);
        }

        if (d->ev->kind == EVENT_MESSAGE && d->ev->ref.len > 0) {
            tomo_rec_put(&b, "msg", d->ev->ref);        /* for an unsend */
        }

        if (d->why.len > 0) {
            tomo_buf_byte(&b, '&');
            tomo_buf_put(&b, tomo_buf_str(&d->why));
        }

        if (d->fx.len > 0) {
            tomo_buf_byte(&b, '&');
            tomo_buf_put(&b, tomo_buf_str(&d->fx));
        }

        if (!b.failed || text.len == 0) {
            break;
        }

        /* percent-encoding tripled it: leave half of the text out */
        text.len /= 2;

        while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }

    commit_op(d->c, 'l', decide_key_no(d, tomo_key_timeline, serial));
    commit_arg_u64(d->c, DECIDE_TIMELINE);
    commit_arg(d->c, tomo_buf_str(&b));
    commit_end(d->c);
}


/* what changed in the record since it was last written */
void
decide_save(decide_t *d)
{
    friend_t        *f = d->f;
    char             op;
    bool             open;
    size_t           i, k;
    friend_field_t  *field;

    for (k = 0; k < 2; k++) {
        op = k == 0 ? 'h' : 'd';
        open = false;

        for (i = 0; i < f->n; i++) {
            field = &f->fields[i];

            if (!field->dirty || field->gone != (op == 'd')) {
                continue;
            }

            if (!open) {
                commit_op(d->c, op, decide_key_no(d, tomo_key_friend,
                                                  f->serial));
                open = true;
            }

            commit_arg(d->c, field->name);

            if (op == 'h') {
                commit_arg(d->c, field->value);
            }

            field->dirty = false;
        }

        if (open) {
            commit_end(d->c);
        }
    }
}


static void
decide_remember(decide_t *d)
{
    event_t    *ev = d->ev;
    tomo_str_t  id = seen_id(ev), digest;

    if (id.len == 0) {
        return;
    }

    digest = seen_digest(ev, d->arena);
    view_remember(d->view, id, digest);
    commit_op(d->c, 'h', decide_key_no(d, tomo_key_met, view_day(ev->at_ms)));
    commit_arg(d->c, id);
    commit_arg(d->c, digest);
    commit_end(d->c);
}


/* a copy of an event that was decided before, here or in an older commit */
static bool
decide_again(decide_t *d)
{
    event_t    *ev = d->ev;
    tomo_str_t  id = seen_id(ev), first;

    if (id.len == 0) {
        return false;
    }

    first = ev->met.len > 0 ? ev->met : view_met(d->view, id);

    if (first.len == 0) {
        return false;
    }

    d->o->state.counters[OWNER_DUPLICATES]++;
    d->o->state.counters[OWNER_CONFLICTS]
        += !tomo_str_eq(first, seen_digest(ev, d->arena));

    return true;
}


static void
decide_begin(decide_t *d, event_t *ev)
{
    d->ev = ev;
    d->f = ev->serial != 0 ? view_friend(d->view, ev->serial) : NULL;
    d->depth = 0;
    d->effects = 0;
    d->cut = 0;
    d->fx_more = 0;
    d->n_derived = 0;
    d->n_bubbles = 0;
    d->mass_from = d->mass != NULL ? d->mass->n : 0;
    d->reply = tomo_str_null;
    d->reply_at_ms = 0;
    d->def = tomo_str_null;
    d->step = tomo_str_null;
    d->gen = 0;
    d->due_ms = ev->at_ms;
    d->by = tomo_str_null;
    d->silent = false;
    d->kind = event_kind_word(ev->kind);
    d->text = tomo_str_null;
    tomo_buf_init(&d->fx, d->fx_bytes, sizeof(d->fx_bytes));
    tomo_buf_init(&d->why, d->why_bytes, sizeof(d->why_bytes));

    if (ev->reply.len > 0 && !ev->standby) {
        d->reply = ev->reply;
        d->reply_at_ms = ev->at_ms;
    }
}


static void
decide_end(decide_t *d)
{
    decide_derive(d);
    outrow_write(d);
    d->o->state.counters[OWNER_CUT] += d->cut;
    decide_fx_count(d, "cut", d->cut);
    decide_fx_count(d, "more", d->fx_more);

    if (d->f != NULL) {
        if (!d->silent) {
            decide_row(d, d->f->serial, d->ev->id, d->ev->at_ms, d->kind,
                       d->text);
        }

        decide_save(d);
    }

    decide_remember(d);
}


tomo_rc_e
decide_event(decide_t *d, event_t *ev)
{
    tomo_rc_e  rc;

    decide_begin(d, ev);

    if (gone_drops(&d->o->gone, d->o->vault, d->o->id, ev)) {
        ev->fault = NULL;
        d->o->state.counters[OWNER_ERASED]++;
        erase_from_file(d);
        return TOMO_OK;
    }

    if (ev->fault != NULL) {
        return TOMO_INVALID;
    }

    if (decide_again(d)) {
        return TOMO_OK;
    }

    rc = event_decide(ev->kind)(d);

    if (rc == TOMO_OK) {
        decide_end(d);
    }

    return rc;
}


tomo_rc_e
decide_none(decide_t *d)
{
    d->silent = true;

    return TOMO_OK;
}
