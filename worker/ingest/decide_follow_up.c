/*
 * decide_follow_up: work that was too much for one commit and goes on in an
 * event of its own, page by page (DESIGN.md, decision 4).
 */

#include "erase.h"
#include "kinds.h"
#include "many.h"
#include "scenario.h"
#include "tomo_codec.h"


/* the friends of one page of the schedule, then the next page */
static tomo_rc_e
follow_up_replan(decision_t *d)
{
    size_t      k, colon;
    uint8_t     body[96];
    uint64_t    no, serial;
    tomo_buf_t  b;

    if (tomo_rec_get_u64(&d->ev->line, "scenario", UINT32_MAX, &no)
        != TOMO_OK)
    {
        return TOMO_INVALID;
    }

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
            scenario_replan(d, (uint32_t) no);
            decision_save(d);
        }
    }

    d->f = NULL;

    if (d->ev->n_page == 0
        || tomo_str_eq(d->ev->page[0], tomo_str("0")))
    {
        return TOMO_OK;
    }

    tomo_buf_init(&b, body, sizeof(body));
    tomo_rec_put(&b, "do", tomo_str("replan"));
    tomo_rec_put_u64(&b, "scenario", no);
    tomo_rec_put(&b, "cursor", d->ev->page[0]);
    owner_follow_up(d->o, tomo_buf_str(&b), d->now_ms);

    return TOMO_OK;
}


static const struct {
    const char  *word;
    tomo_rc_e  (*decide)(decision_t *d);
} follow_ups[] = {
    { "replan", follow_up_replan },
    { "many", many_go_on },
    { "erase", erase_go_on },
};


tomo_rc_e
decide_follow_up(decision_t *d)
{
    size_t             i;
    tomo_rc_e          rc = TOMO_INVALID;
    const tomo_str_t  *what;

    what = tomo_rec_get(&d->ev->line, "do");
    d->silent = true;

    for (i = 0; what != NULL
                && i < sizeof(follow_ups) / sizeof(follow_ups[0]); i++)
    {
        if (tomo_str_eq(*what, tomo_str_c(follow_ups[i].word))) {
            rc = follow_ups[i].decide(d);
        }
    }

    if (rc != TOMO_OK) {
        d->ev->fault = "follow_up_odd";
    }

    return rc;
}
