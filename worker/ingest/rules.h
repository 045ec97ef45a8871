/*
 * rules: what follows from what happened to a friend: the table of RULES
 * (rule.h), gone through for every trigger that was raised.
 */

#ifndef RULES_H
#define RULES_H

#include "decision.h"

/* runs everything that waits for trigger of definition no (0: none) */
void rules_run(decision_t *d, trigger_e trigger, uint32_t no);

#endif
