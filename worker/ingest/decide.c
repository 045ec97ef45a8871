#include "decide.h"

#include "effects.h"
#include "kinds.h"
#include "outrow.h"
#include "rules.h"
#include "seen.h"
#include "tomo_keys.h"

typedef tomo_rc_e (*decide_kind_pt)(decision_t *d);

static const decide_kind_pt  decide_kinds[] = {
#define DECIDE_ROW_(name, word, decide, needs)  decide,
    EVENT_KINDS(DECIDE_ROW_)
#undef DECIDE_ROW_
};


/* runs the rules on what was raised, until nothing new comes */
static void
decide_derive(decision_t *d)
{
    size_t              i;
    decision_derived_t  next;

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
decide_remember(decision_t *d)
{
    event_t    *ev = d->ev;
    tomo_str_t  id = seen_id(ev), digest;

    if (id.len == 0) {
        return;
    }

    digest = seen_digest(ev, d->arena);
    view_remember(d->view, id, digest);
    commit_op(d->c, 'h', decision_key_no(d, tomo_key_met, view_day(ev->at_ms)));
    commit_arg(d->c, id);
    commit_arg(d->c, digest);
    commit_end(d->c);
}


/* a copy of an event that was decided before, here or in an older commit */
static bool
decide_again(decision_t *d)
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
decide_end(decision_t *d)
{
    decide_derive(d);
    outrow_write(d);
    decision_end(d);
    decide_remember(d);
}


tomo_rc_e
decide_event(decision_t *d, event_t *ev)
{
    tomo_rc_e  rc;

    d->effect = effects_table;
    decision_begin(d, ev);

    if (gone_drops(&d->o->gone, d->o->vault, d->o->id, ev)) {
        ev->fault = NULL;
        d->o->state.counters[OWNER_ERASED]++;
        owner_erases(d->o);
        return TOMO_OK;
    }

    if (ev->fault != NULL) {
        return TOMO_INVALID;
    }

    if (decide_again(d)) {
        return TOMO_OK;
    }

    rc = decide_kinds[ev->kind](d);

    if (rc == TOMO_OK) {
        decide_end(d);
    }

    return rc;
}


tomo_rc_e
decide_none(decision_t *d)
{
    d->silent = true;

    return TOMO_OK;
}
