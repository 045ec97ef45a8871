/*
 * quota: was a 429 the month's quota?  LINE's texts are not stable (LINE.md
 * 10), so its two quota calls are asked (LINE.md 15).  While they are, the
 * account's counted sends wait.
 */

#ifndef QUOTA_H
#define QUOTA_H

#include "access.h"
#include "tomo_send.h"

typedef struct {
    bool     wanted;            /* a 429 that the last answer is too old for */
    bool     asking;
    bool     spent;             /* by the last answer: no room */
    int64_t  people;            /* the least that a refused call was about */
    int64_t  value;             /* -1: no limit; -2: not told yet */
    int64_t  told_us;           /* last answer, monotonic; 0: none */
    int64_t  streak_us;         /* 429 and nothing else since then; 0: not */
} quota_t;

/*
 * A counted call for so many people got a 429.  What it was, as far as that is
 * known already; if it is not, the calls are wanted.
 */
tomo_429_e quota_doubt(quota_t *q, int64_t people, int64_t now_us);
/* a counted call was accepted */
void quota_flows(quota_t *q);
/* do counted sends wait for the answer? */
bool quota_waits(const quota_t *q);

/* starts the next call, if one is wanted; its answer goes to quota_answer */
void quota_ask(quota_t *q, const access_t *a, wire_t *w, void *subject);
/* true: there is no room, counted sends should pause */
bool quota_answer(quota_t *q, const wire_answer_t *answer, int64_t now_us);

#endif
