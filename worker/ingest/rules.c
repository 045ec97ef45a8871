#include "rules.h"

#include "rule.h"

static const struct {
    trigger_e   on;
    void      (*run)(decision_t *d, trigger_e trigger, uint32_t no);
} rules[] = {
#define RULES_ROW_(trigger, run)  { TRIGGER_##trigger, run },
    RULES(RULES_ROW_)
#undef RULES_ROW_
};


void
rules_run(decision_t *d, trigger_e trigger, uint32_t no)
{
    size_t  i;

    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].on == trigger || rules[i].on == TRIGGER_END) {
            rules[i].run(d, trigger, no);
        }
    }
}
