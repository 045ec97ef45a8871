/*
 * effect: what an event may change in a friend: one function each, whoever
 * asks for it (DESIGN.md, decision 5), one a row of ACTIONS (model/action.h).
 * Each stands in an effect_*.c, works on d->f, adds to the commit and to the
 * row's effects, and raises what it derives; effects.c has the table of them.
 */

#ifndef EFFECT_H
#define EFFECT_H

#include "decision.h"

#define EFFECT_DECLARE_(name, word, compile, effect)                          \
    void effect(decision_t *d, const action_t *a);
ACTIONS(EFFECT_DECLARE_)
#undef EFFECT_DECLARE_

#endif
