/*
 * erase_places: a deleted person's places in schedule and indexes; those that
 * one commit should not hold go in follow-ups that name them.  For erase.c.
 */

#ifndef ERASE_PLACES_H
#define ERASE_PLACES_H

#include "decision.h"

/* the places of d->f */
void erase_places(decision_t *d, const gone_stone_t *stone);
/* such a follow-up; what is gone already is passed over */
tomo_rc_e erase_places_go_on(decision_t *d, const gone_stone_t *stone)
    TOMO_MUST_CHECK;

#endif
