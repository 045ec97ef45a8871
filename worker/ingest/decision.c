#include "decision.h"

#include <string.h>

#include "tomo_codec.h"
#include "tomo_keys.h"

#define DECISION_ROW_BYTES  32768
#define DECISION_TEXT_MAX   20000       /* bytes on the timeline */
#define DECISION_TIMELINE   200


bool
decision_take(decision_t *d)
{
    if (d->effects == DECISION_EFFECTS_MAX) {
        d->cut++;
        return false;
    }

    d->effects++;

    return true;
}


void
decision_raise(decision_t *d, trigger_e trigger, uint32_t no)
{
    if (d->depth == DECISION_DEPTH_MAX
        || d->n_derived == DECISION_EFFECTS_MAX)
    {
        d->cut++;
        return;
    }

    d->derived[d->n_derived++] = (decision_derived_t) {
        trigger, no, d->depth + 1
    };
}


static void
decision_note(tomo_buf_t *b, const char *name, const char *word, tomo_str_t id)
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
decision_fx(decision_t *d, const char *word, tomo_str_t id)
{
    if (d->fx.len > DECISION_FX_BYTES) {
        d->fx_more++;
        return;
    }

    decision_note(&d->fx, "fx", word, id);
}


/* how many of something, behind the list; it always has room */
static void
decision_fx_count(decision_t *d, const char *word, unsigned n)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    if (n > 0) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_u64(&b, n);
        decision_note(&d->fx, "fx", word, tomo_buf_str(&b));
    }
}


void
decision_why(decision_t *d, tomo_str_t word)
{
    tomo_rec_put(&d->why, "why", word);
}


tomo_str_t
decision_key(decision_t *d, void (*fn)(tomo_buf_t *, tomo_str_t))
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    fn(&b, d->o->id);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


tomo_str_t
decision_key_no(decision_t *d, void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t),
    uint64_t no)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    fn(&b, d->o->id, no);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


tomo_str_t
decision_name(decision_t *d, const char *kind, tomo_str_t id)
{
    uint8_t     text[128];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, kind);
    tomo_buf_byte(&b, '/');
    tomo_buf_put(&b, id);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


tomo_str_t
decision_id(const decision_t *d, def_kind_e kind, uint32_t no)
{
    const def_t  *def;

    def = defs_by_no(d->o->defs, kind, no);

    return def != NULL ? def->id : tomo_str("?");
}


friend_t *
decision_friend(decision_t *d)
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

        commit_op(d->c, 'n', decision_key_no(d, tomo_key_friend, f->serial));
        commit_end(d->c);
        commit_op(d->c, 'h', decision_key(d, tomo_key_meta));
        commit_pair_u64(d->c, "serial", f->serial);
        commit_end(d->c);
        commit_op(d->c, 'h', decision_key_no(d, tomo_key_uid,
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
decision_row(decision_t *d, uint32_t serial, tomo_str_t id, int64_t at_ms,
    const char *kind, tomo_str_t text)
{
    uint8_t     bytes[DECISION_ROW_BYTES];
    tomo_buf_t  b;

    if (text.len > DECISION_TEXT_MAX) {
        text.len = DECISION_TEXT_MAX;

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

    commit_op(d->c, 'l', decision_key_no(d, tomo_key_timeline, serial));
    commit_arg_u64(d->c, DECISION_TIMELINE);
    commit_arg(d->c, tomo_buf_str(&b));
    commit_end(d->c);
}


void
decision_index(decision_t *d, char op, uint32_t serial,
    void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t), uint64_t no)
{
    commit_op(d->c, op, decision_key_no(d, fn, no));
    commit_arg_u64(d->c, serial);
    commit_end(d->c);
}


/* what changed in the record since it was last written */
void
decision_save(decision_t *d)
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
                commit_op(d->c, op, decision_key_no(d, tomo_key_friend,
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


void
decision_run(decision_t *d, const actions_t *actions, const char *kind,
    tomo_str_t id)
{
    size_t      i;
    tomo_str_t  def = d->def;

    if (actions->n == 0) {
        return;
    }

    d->def = decision_name(d, kind, id);

    for (i = 0; i < actions->n; i++) {
        d->effect[actions->items[i].kind](d, &actions->items[i]);
    }

    d->def = def;
}


void
decision_begin(decision_t *d, event_t *ev)
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


void
decision_end(decision_t *d)
{
    d->o->state.counters[OWNER_CUT] += d->cut;
    decision_fx_count(d, "cut", d->cut);
    decision_fx_count(d, "more", d->fx_more);

    if (d->f == NULL) {
        return;
    }

    if (!d->silent) {
        decision_row(d, d->f->serial, d->ev->id, d->ev->at_ms, d->kind,
                     d->text);
    }

    decision_save(d);
}
