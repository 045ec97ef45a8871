/*
 * many: the verdict on a multicast, recipient by recipient: a row on the
 * timeline for whom it covered, a push of the same bubbles for whom it did
 * not (`left`).  What one commit cannot hold goes on in a follow-up entry,
 * which carries all that it needs: the row of the outbox is gone by then.
 */

#ifndef MANY_H
#define MANY_H

#include "outrow.h"
#include "tomo_send.h"

typedef struct {
    tomo_send_e        send;
    tomo_str_t         id;          /* of the verdict */
    int64_t            at_ms;
    outrow_about_t     about;       /* of everyone: def, step, gen, due … */
    tomo_str_t         body;        /* the bubbles, a JSON array */
    tomo_str_t         to;          /* lists joined by commas, same order */
    tomo_str_t         serials;
    tomo_str_t         events;
    const tomo_rec_t  *line;        /* holds `left` */
} many_t;

void many_decide(decision_t *d, many_t *m);
/* the follow-up; TOMO_INVALID: it cannot be read, nothing was changed */
tomo_rc_e many_go_on(decision_t *d) TOMO_MUST_CHECK;

/* many.c, for every verdict: what friends read in these bubbles */
tomo_str_t many_text(decision_t *d, tomo_str_t body);

#endif
