/* decide_timer: what fell due in the schedule */

#include "greeting.h"
#include "kinds.h"
#include "scenario.h"
#include "tomo_keys.h"


static void
timer_remove(decision_t *d, tomo_str_t member)
{
    commit_op(d->c, 'y', decision_key(d, tomo_key_sched));
    commit_arg(d->c, member);
    commit_end(d->c);
}


tomo_rc_e
decide_timer(decision_t *d)
{
    d->o->state.counters[OWNER_TIMERS]++;

    if (d->f == NULL) {
        /* a member without a friend: somebody else's, or damage */
        timer_remove(d, d->ev->ref);
        return TOMO_OK;
    }

    if (d->ev->timer == 's') {
        d->kind = "step";
        scenario_due(d, d->ev->no);
        return TOMO_OK;
    }

    if (d->ev->timer == 'p') {
        /* no profile in time: greet with the fallback text */
        greeting_resume(d);
        return TOMO_OK;
    }

    timer_remove(d, d->ev->ref);

    return TOMO_OK;
}
