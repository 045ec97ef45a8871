#include "rules.h"

#include <stdlib.h>

#include "decision.h"
#include "effects.h"
#include "model/def_tag.h"
#include "scenario.h"

typedef struct {
    uint32_t  no;               /* of what happened; 0: any */
    uint32_t  scenario;
} rules_start_t;

struct rules_s {
    rules_start_t  *starts[TRIGGER_END];
    size_t          n[TRIGGER_END];
};


static bool
rules_add(rules_t *rules, const def_start_t *start, uint32_t scenario)
{
    size_t          n;
    rules_start_t  *more;

    n = rules->n[start->on];
    more = realloc(rules->starts[start->on], (n + 1) * sizeof(*more));

    if (more == NULL) {
        return false;
    }

    more[n] = (rules_start_t) { start->no, scenario };
    rules->starts[start->on] = more;
    rules->n[start->on] = n + 1;

    return true;
}


rules_t *
rules_build(const defs_t *defs)
{
    size_t                 i, k;
    rules_t               *rules;
    const def_t           *def;
    const def_scenario_t  *s;

    rules = calloc(1, sizeof(rules_t));

    for (i = 0; rules != NULL && i < defs_count(defs); i++) {
        def = defs_at(defs, i);

        if (def->kind != DEF_SCENARIO || def->compiled == NULL) {
            continue;
        }

        s = def->compiled;

        for (k = 0; k < s->n_starts; k++) {
            if (!rules_add(rules, &s->starts[k], def->no)) {
                rules_free(rules);
                return NULL;
            }
        }
    }

    return rules;
}


void
rules_free(rules_t *rules)
{
    int  i;

    if (rules == NULL) {
        return;
    }

    for (i = 0; i < TRIGGER_END; i++) {
        free(rules->starts[i]);
    }

    free(rules);
}


void
rules_run(struct decision_s *d, trigger_e trigger, uint32_t no)
{
    size_t            i;
    const rules_t    *rules = d->o->rules;
    const def_tag_t  *tag;

    if (trigger == TRIGGER_TAG_ADDED) {
        tag = defs_compiled(d->o->defs, DEF_TAG, no);

        if (tag != NULL) {
            effects_run(d, &tag->actions, "tag", tag->id);
        }
    }

    for (i = 0; i < rules->n[trigger]; i++) {
        if (rules->starts[trigger][i].no == 0
            || rules->starts[trigger][i].no == no)
        {
            scenario_start(d, rules->starts[trigger][i].scenario, d->due_ms);
        }
    }
}
