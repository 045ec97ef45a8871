/* decide_timer: what fell due in the schedule */

#include "due.h"
#include "kinds.h"
#include "schedule.h"

typedef void (*timer_due_pt)(decision_t *d, uint32_t no);

static const timer_due_pt  timer_dues[] = {
#define TIMER_ROW_(name, letter, due)  due,
    TIMERS(TIMER_ROW_)
#undef TIMER_ROW_
};


tomo_rc_e
decide_timer(decision_t *d)
{
    d->o->state.counters[OWNER_TIMERS]++;

    if (d->f == NULL || d->ev->timer == TIMER_END) {
        /* a member without a friend: somebody else's, or damage */
        schedule_remove(d, d->ev->ref);

    } else {
        timer_dues[d->ev->timer](d, d->ev->no);
    }

    return TOMO_OK;
}
