#include "effects.h"

#include <string.h>

#include "model/def_field.h"
#include "outrow.h"
#include "scenario.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

typedef void (*effects_pt)(decision_t *d, const action_t *a);


static tomo_str_t
effects_id(const decision_t *d, def_kind_e kind, uint32_t no)
{
    const def_t  *def;

    def = defs_by_no(d->o->defs, kind, no);

    return def != NULL ? def->id : tomo_str("?");
}


static void
effects_index(decision_t *d, char op,
    void (*key)(tomo_buf_t *, tomo_str_t, uint64_t), uint32_t no)
{
    commit_op(d->c, op, decision_key_no(d, key, no));
    commit_arg_u64(d->c, d->f->serial);
    commit_end(d->c);
}


void
effects_tag_add(decision_t *d, uint32_t no)
{
    if (friend_has_tag(d->f, no) || !decision_take(d)) {
        return;
    }

    (void) friend_tag_add(d->f, no);
    effects_index(d, 'i', tomo_key_set_tag, no);
    decision_fx(d, "tag.add", effects_id(d, DEF_TAG, no));
    decision_raise(d, TRIGGER_TAG_ADDED, no);
}


void
effects_tag_remove(decision_t *d, uint32_t no)
{
    if (!friend_has_tag(d->f, no) || !decision_take(d)) {
        return;
    }

    (void) friend_tag_remove(d->f, no);
    effects_index(d, 'j', tomo_key_set_tag, no);
    decision_fx(d, "tag.remove", effects_id(d, DEF_TAG, no));
    decision_raise(d, TRIGGER_TAG_REMOVED, no);
}


static int64_t
effects_field_at(const friend_t *f, uint32_t no)
{
    int64_t  at_ms = 0;

    return tomo_i64_get(friend_get_no(f, 'D', no), &at_ms) == TOMO_OK
           ? at_ms : 0;
}


static void
effects_field(decision_t *d, uint32_t no, tomo_str_t value, int64_t at_ms)
{
    uint8_t     text[24];
    tomo_buf_t  b;
    tomo_str_t  old;

    if (effects_field_at(d->f, no) > at_ms) {
        return;
    }

    old = friend_get_no(d->f, 'd', no);

    if (tomo_str_eq(old, value) || !decision_take(d)) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_i64(&b, at_ms);
    friend_set_no(d->f, 'D', no, tomo_buf_str(&b));

    if (value.len > 0) {
        friend_set_no(d->f, 'd', no, value);

    } else {
        friend_drop_no(d->f, 'd', no);
    }

    decision_fx(d, value.len > 0 ? "field.set" : "field.clear",
                effects_id(d, DEF_FIELD, no));
    decision_raise(d, TRIGGER_FIELD_CHANGED, no);
}


void
effects_field_set(decision_t *d, uint32_t no, tomo_str_t value, int64_t at_ms)
{
    if (value.len > 0 && value.len <= DEF_FIELD_BYTES) {
        effects_field(d, no, value, at_ms);
    }
}


void
effects_field_clear(decision_t *d, uint32_t no, int64_t at_ms)
{
    effects_field(d, no, tomo_str_null, at_ms);
}


void
effects_send(decision_t *d, const messages_t *messages)
{
    if (messages == NULL || !decision_take(d)) {
        return;
    }

    if (d->ev->standby) {
        decision_fx(d, "send.cancelled", tomo_str("standby"));
        return;
    }

    if (tomo_str_eq(friend_get_c(d->f, "st"), tomo_str("blocked"))) {
        decision_fx(d, "send.cancelled", tomo_str("blocked"));
        return;
    }

    decision_fx(d, "send", d->step.len > 0 ? d->step : d->def);

    if (!outrow_mass_add(d, messages)) {
        outrow_mass_back(d);
        render_messages(d, messages);
    }
}


/* --- the table of actions ------------------------------------------------- */

static void
effects_do_tag_add(decision_t *d, const action_t *a)
{
    effects_tag_add(d, a->no);
}


static void
effects_do_tag_remove(decision_t *d, const action_t *a)
{
    effects_tag_remove(d, a->no);
}


static void
effects_do_field_set(decision_t *d, const action_t *a)
{
    effects_field_set(d, a->no, a->value, d->due_ms);
}


static void
effects_do_field_clear(decision_t *d, const action_t *a)
{
    effects_field_clear(d, a->no, d->due_ms);
}


static void
effects_do_scenario_start(decision_t *d, const action_t *a)
{
    scenario_start(d, a->no, d->due_ms);
}


static void
effects_do_scenario_stop(decision_t *d, const action_t *a)
{
    scenario_stop(d, a->no);
}


static void
effects_do_send(decision_t *d, const action_t *a)
{
    effects_send(d, a->messages);
}


static const effects_pt  effects_table[] = {
    [ACTION_TAG_ADD] = effects_do_tag_add,
    [ACTION_TAG_REMOVE] = effects_do_tag_remove,
    [ACTION_FIELD_SET] = effects_do_field_set,
    [ACTION_FIELD_CLEAR] = effects_do_field_clear,
    [ACTION_SCENARIO_START] = effects_do_scenario_start,
    [ACTION_SCENARIO_STOP] = effects_do_scenario_stop,
    [ACTION_SEND] = effects_do_send,
};


void
effects_run(decision_t *d, const actions_t *actions, const char *kind,
    tomo_str_t id)
{
    size_t      i;
    tomo_str_t  def = d->def;

    if (actions->n == 0) {
        return;
    }

    d->def = decision_name(d, kind, id);

    for (i = 0; i < actions->n; i++) {
        effects_table[actions->items[i].kind](d, &actions->items[i]);
    }

    d->def = def;
}
