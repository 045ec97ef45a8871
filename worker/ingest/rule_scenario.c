/* rule_scenario: scenarios start on what they name (starts.h) */

#include "rule.h"
#include "scenario.h"


void
rule_scenario(decision_t *d, trigger_e trigger, uint32_t no)
{
    size_t          i, n;
    const start_t  *start;

    start = starts_on(d->o->starts, trigger, &n);

    for (i = 0; i < n; i++) {
        if (start[i].no == 0 || start[i].no == no) {
            scenario_start(d, start[i].scenario, d->due_ms);
        }
    }
}
