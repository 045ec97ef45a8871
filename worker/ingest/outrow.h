/*
 * outrow: from bubbles to rows of the outbox (docs/formats.md, The outbox):
 * all bubbles of one event merge, the first five into one free reply while
 * its token is fresh, the rest into a push after the reply's verdict; without
 * a token pushes.
 */

#ifndef OUTROW_H
#define OUTROW_H

#include "decision.h"

#define OUTROW_REPLY_FRESH_MS  50000    /* LINE.md 6: within a minute */
#define OUTROW_ARGS            36       /* of a commit that a row takes */

/* the bubbles collected in d become rows */
void outrow_write(decision_t *d);

/*
 * Pushes of ready bubbles (a JSON array of any length, five a row), from
 * part on.  about: def, step, gen, due as in the row they come from.
 */
typedef struct {
    uint32_t    serial;
    tomo_str_t  uid;
    tomo_str_t  def;
    tomo_str_t  step;
    tomo_str_t  gen;
    tomo_str_t  due;
    tomo_str_t  delivery;
    tomo_str_t  links;
    tomo_str_t  event;
} outrow_about_t;

/* one push of a body that is ready: an array of at most five bubbles */
void outrow_push_body(decision_t *d, const outrow_about_t *about,
    tomo_str_t body, unsigned part);

unsigned outrow_push(decision_t *d, const outrow_about_t *about,
    tomo_str_t bubbles, unsigned part);

/* asks LINE for the friend's profile */
void outrow_profile(decision_t *d);

/* elements from..to-1 of bubbles as a JSON array, in the arena */
tomo_str_t outrow_array(decision_t *d, const tomo_str_t *bubbles, size_t from,
    size_t to);
/* the retry key made of these words, in the arena */
tomo_str_t outrow_key(decision_t *d, const tomo_buf_t *words);

#endif
