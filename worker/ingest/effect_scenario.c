/* effect_scenario: scenarios start and stop by an action */

#include "effect.h"
#include "scenario.h"


void
effect_scenario_start(decision_t *d, const action_t *a)
{
    scenario_start(d, a->no, d->due_ms);
}


void
effect_scenario_stop(decision_t *d, const action_t *a)
{
    scenario_stop(d, a->no);
}
