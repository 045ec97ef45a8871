/*
 * rule: the functions that look at what happened to a friend and cause what
 * follows, one a row of RULES.  Each stands in a rule_*.c and is called by
 * rules.c alone.
 */

#ifndef RULE_H
#define RULE_H

#include "decision.h"

/*
 * X(trigger, function): what looks at which trigger (END: at all of them), in
 * the order in which they run.  A new rule is a row here and a rule_*.c.
 */
#define RULES(X)                                                              \
    X(TAG_ADDED, rule_tag)                                                    \
    X(END,       rule_scenario)

/* no: of the definition that trigger is about, 0: none */
#define RULE_DECLARE_(trigger, run)                                           \
    void run(decision_t *d, trigger_e what, uint32_t no);
RULES(RULE_DECLARE_)
#undef RULE_DECLARE_

#endif
