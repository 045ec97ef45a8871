/*
 * rules: which scenarios start on what, compiled from the definitions, and
 * what a definition itself wants done when something happens to it.
 */

#ifndef RULES_H
#define RULES_H

#include "model/def_scenario.h"
#include "model/defs.h"

struct decision_s;

typedef struct rules_s  rules_t;

/* NULL: out of memory */
rules_t *rules_build(const defs_t *defs);
void rules_free(rules_t *rules);

/* runs everything that waits for trigger of definition no (0: none) */
void rules_run(struct decision_s *d, trigger_e trigger, uint32_t no);

#endif
