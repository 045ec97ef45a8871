#include "effect_field.h"

#include "effect.h"
#include "model/def_field.h"
#include "tomo_codec.h"


static int64_t
effect_field_at(const friend_t *f, uint32_t no)
{
    int64_t  at_ms = 0;

    return tomo_i64_get(friend_get_no(f, 'D', no), &at_ms) == TOMO_OK
           ? at_ms : 0;
}


static void
effect_field(decision_t *d, uint32_t no, tomo_str_t value, int64_t at_ms)
{
    uint8_t     text[24];
    tomo_buf_t  b;
    tomo_str_t  old;

    if (effect_field_at(d->f, no) > at_ms) {
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
                decision_id(d, DEF_FIELD, no));
    decision_raise(d, TRIGGER_FIELD_CHANGED, no);
}


void
effect_field_put(decision_t *d, uint32_t no, tomo_str_t value, int64_t at_ms)
{
    if (value.len > 0 && value.len <= DEF_FIELD_BYTES) {
        effect_field(d, no, value, at_ms);
    }
}


void
effect_field_set(decision_t *d, const action_t *a)
{
    effect_field_put(d, a->no, a->value, d->due_ms);
}


void
effect_field_clear(decision_t *d, const action_t *a)
{
    effect_field(d, a->no, tomo_str_null, d->due_ms);
}
