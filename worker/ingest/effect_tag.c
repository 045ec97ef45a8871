/* effect_tag: tags are given and taken */

#include "effect.h"
#include "tomo_keys.h"


void
effect_tag_add(decision_t *d, const action_t *a)
{
    if (friend_has_tag(d->f, a->no) || !decision_take(d)) {
        return;
    }

    (void) friend_tag_add(d->f, a->no);
    decision_index(d, 'i', d->f->serial, tomo_key_set_tag, a->no);
    decision_fx(d, "tag.add", decision_id(d, DEF_TAG, a->no));
    decision_raise(d, TRIGGER_TAG_ADDED, a->no);
}


void
effect_tag_remove(decision_t *d, const action_t *a)
{
    if (!friend_has_tag(d->f, a->no) || !decision_take(d)) {
        return;
    }

    (void) friend_tag_remove(d->f, a->no);
    decision_index(d, 'j', d->f->serial, tomo_key_set_tag, a->no);
    decision_fx(d, "tag.remove", decision_id(d, DEF_TAG, a->no));
    decision_raise(d, TRIGGER_TAG_REMOVED, a->no);
}
