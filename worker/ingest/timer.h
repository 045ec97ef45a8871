/*
 * timer: what stands in an account's schedule: members `SERIAL:KIND:NO`
 * (docs/formats.md, The schedule), one for each friend, kind and number.
 * Pure.
 */

#ifndef TIMER_H
#define TIMER_H

#include "tomo_base.h"

/*
 * X(name, letter, due): a new kind of timer is a row here and its function,
 * which due.h declares and decide_timer.c calls when it fell due.  Letters are
 * also places of a person (erase_places.c): t, k and a are taken there.
 */
#define TIMERS(X)                                                             \
    X(STEP,    's', scenario_due)       /* no: of the scenario */             \
    X(PROFILE, 'p', greeting_due)

typedef enum {
#define TIMER_ENUM_(name, letter, due)  TIMER_##name,
    TIMERS(TIMER_ENUM_)
#undef TIMER_ENUM_
    TIMER_END                           /* one we do not know */
} timer_e;

typedef struct {
    uint32_t  serial;
    timer_e   kind;
    uint32_t  no;
} timer_member_t;

/* the kind of a letter; TIMER_END: of none */
timer_e timer_of(char letter);
/* appends the member */
void timer_put(tomo_buf_t *b, const timer_member_t *t);
/* TOMO_INVALID: no member of ours */
tomo_rc_e timer_parse(tomo_str_t member, timer_member_t *t) TOMO_MUST_CHECK;

#endif
