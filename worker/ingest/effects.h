/*
 * effects: what an event may change in a friend: one function each, whoever
 * asks for it (DESIGN.md, decision 5).  Each works on d->f, adds to the
 * commit and to the row's effects, and raises what it derives.
 */

#ifndef EFFECTS_H
#define EFFECTS_H

#include "decide.h"

void effects_tag_add(decide_t *d, uint32_t no);
void effects_tag_remove(decide_t *d, uint32_t no);
/* an older value never overwrites a newer one */
void effects_field_set(decide_t *d, uint32_t no, tomo_str_t value,
    int64_t at_ms);
void effects_field_clear(decide_t *d, uint32_t no, int64_t at_ms);
void effects_send(decide_t *d, const messages_t *messages);

/* a list of actions, in its order; def: whose they are, e.g. tag/vip */
void effects_run(decide_t *d, const actions_t *actions, const char *kind,
    tomo_str_t id);

/* "kind/id" in the arena */
tomo_str_t effects_name(decide_t *d, const char *kind, tomo_str_t id);

#endif
