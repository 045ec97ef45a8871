/*
 * effects: what an event may change in a friend: one function each, whoever
 * asks for it (DESIGN.md, decision 5).  Each works on d->f, adds to the
 * commit and to the row's effects, and raises what it derives.
 */

#ifndef EFFECTS_H
#define EFFECTS_H

#include "decision.h"

void effects_tag_add(decision_t *d, uint32_t no);
void effects_tag_remove(decision_t *d, uint32_t no);
/* an older value never overwrites a newer one */
void effects_field_set(decision_t *d, uint32_t no, tomo_str_t value,
    int64_t at_ms);
void effects_field_clear(decision_t *d, uint32_t no, int64_t at_ms);
void effects_send(decision_t *d, const messages_t *messages);

/* a list of actions, in its order; def: whose they are, e.g. tag/vip */
void effects_run(decision_t *d, const actions_t *actions, const char *kind,
    tomo_str_t id);

#endif
