/* decide_timer: what fell due in the schedule, and work that goes on */

#include "decide.h"
#include "scenario.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


static void
timer_remove(decide_t *d, tomo_str_t member)
{
    commit_op(d->c, 'y', decide_key(d, tomo_key_sched));
    commit_arg(d->c, member);
    commit_end(d->c);
}


tomo_rc_e
decide_timer(decide_t *d)
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
        decide_resume(d);
        return TOMO_OK;
    }

    timer_remove(d, d->ev->ref);

    return TOMO_OK;
}


/* the friends of one page of the schedule, then the next page */
static void
follow_up_replan(decide_t *d, uint32_t no)
{
    int           i;
    size_t        k, colon;
    uint8_t       body[96], text[160];
    uint64_t      serial;
    tomo_str_t    argv[2 * TOMO_ENTRY_FIELDS];
    tomo_buf_t    b, t;
    tomo_entry_t  e;

    for (k = 1; k < d->ev->n_page; k++) {
        colon = tomo_str_find(d->ev->page[k], 0, ':');

        if (tomo_u64_get(tomo_str_n(d->ev->page[k].data, colon), UINT32_MAX,
                         &serial)
            != TOMO_OK)
        {
            continue;
        }

        d->f = view_friend(d->view, (uint32_t) serial);

        if (d->f != NULL) {
            scenario_replan(d, no);
            decide_save(d);
        }
    }

    d->f = NULL;

    if (d->ev->n_page == 0
        || tomo_str_eq(d->ev->page[0], tomo_str("0")))
    {
        return;
    }

    tomo_buf_init(&b, body, sizeof(body));
    tomo_rec_put(&b, "do", tomo_str("replan"));
    tomo_rec_put_u64(&b, "scenario", no);
    tomo_rec_put(&b, "cursor", d->ev->page[0]);
    tomo_buf_init(&t, text, sizeof(text));
    e = (tomo_entry_t) {
        .kind = TOMO_ENTRY_follow_up, .at_ms = d->now_ms, .writer = 0,
        .seq = d->o->state.n + 1, .body = tomo_buf_str(&b)
    };

    if (tomo_entry_encode(&e, &t, argv) != TOMO_OK) {
        return;
    }

    commit_op(d->c, 'x', decide_key(d, tomo_key_bulk));

    for (i = 0; i < 2 * TOMO_ENTRY_FIELDS; i++) {
        commit_arg(d->c, argv[i]);
    }

    commit_end(d->c);
}


tomo_rc_e
decide_follow_up(decide_t *d)
{
    uint64_t           no;
    const tomo_str_t  *what;

    what = tomo_rec_get(&d->ev->line, "do");
    d->silent = true;

    if (what == NULL || !tomo_str_eq(*what, tomo_str("replan"))
        || tomo_rec_get_u64(&d->ev->line, "scenario", UINT32_MAX, &no)
           != TOMO_OK)
    {
        d->ev->fault = "follow_up_odd";
        return TOMO_INVALID;
    }

    follow_up_replan(d, (uint32_t) no);

    return TOMO_OK;
}
