/* decide_click: somebody opened a tracked link */

#include "kinds.h"
#include "model/def_link.h"
#include "tomo_keys.h"
#include "visitor.h"


tomo_rc_e
decide_click(decision_t *d)
{
    bool                 first;
    friend_link_t        mark = { 0 };
    const def_link_t    *link;
    const tomo_click_t  *click = &d->ev->click;

    link = defs_compiled(d->o->defs, DEF_LINK, click->link);

    if (click->visit != TOMO_VISIT_HUMAN) {
        /* a fetcher saw the link, not the friend (promise R4) */
        d->o->state.counters[OWNER_PREVIEWS]++;
        d->f = NULL;
        return TOMO_OK;
    }

    if (link == NULL || !visitor_is(d, click->friend, click->check)) {
        d->o->state.counters[OWNER_ANONYMOUS]++;
        d->f = NULL;
        return TOMO_OK;
    }

    if (click->flood > 0) {
        /* no person taps so often (B36): told once, without effect */
        d->o->state.counters[OWNER_PREVIEWS]++;
        d->f = click->flood == 1 ? d->f : NULL;
        decision_why(d, link->id);
        decision_why(d, tomo_str("flood"));
        return TOMO_OK;
    }

    first = !friend_link(d->f, click->link, &mark) || mark.clicks == 0;
    mark.clicks++;
    mark.first_ms = first || d->ev->at_ms < mark.first_ms ? d->ev->at_ms
                                                          : mark.first_ms;
    mark.last_ms = d->ev->at_ms > mark.last_ms ? d->ev->at_ms : mark.last_ms;
    friend_link_set(d->f, click->link, &mark);
    decision_why(d, link->id);

    if (first) {
        decision_index(d, 'i', d->f->serial, tomo_key_set_link, click->link);
    }

    if (first || !link->actions_once) {
        decision_run(d, &link->actions, "link", link->id);
    }

    decision_raise(d, TRIGGER_LINK_CLICKED, click->link);

    return TOMO_OK;
}
