#include "effect_send.h"

#include "effect.h"
#include "outmass.h"
#include "render.h"


void
effect_send_messages(decision_t *d, const messages_t *messages)
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

    if (!outmass_add(d, messages)) {
        outmass_back(d);
        render_messages(d, messages);
    }
}


void
effect_send(decision_t *d, const action_t *a)
{
    effect_send_messages(d, a->messages);
}
