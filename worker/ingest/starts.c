#include "starts.h"

#include <stdlib.h>

struct starts_s {
    start_t  *list[TRIGGER_END];
    size_t    n[TRIGGER_END];
};


static bool
starts_add(starts_t *starts, const def_start_t *start, uint32_t scenario)
{
    size_t    n;
    start_t  *more;

    n = starts->n[start->on];
    more = realloc(starts->list[start->on], (n + 1) * sizeof(*more));

    if (more == NULL) {
        return false;
    }

    more[n] = (start_t) { start->no, scenario };
    starts->list[start->on] = more;
    starts->n[start->on] = n + 1;

    return true;
}


starts_t *
starts_build(const defs_t *defs)
{
    size_t                 i, k;
    starts_t              *starts;
    const def_t           *def;
    const def_scenario_t  *s;

    starts = calloc(1, sizeof(starts_t));

    for (i = 0; starts != NULL && i < defs_count(defs); i++) {
        def = defs_at(defs, i);

        if (def->kind != DEF_SCENARIO || def->compiled == NULL) {
            continue;
        }

        s = def->compiled;

        for (k = 0; k < s->n_starts; k++) {
            if (!starts_add(starts, &s->starts[k], def->no)) {
                starts_free(starts);
                return NULL;
            }
        }
    }

    return starts;
}


void
starts_free(starts_t *starts)
{
    int  i;

    if (starts == NULL) {
        return;
    }

    for (i = 0; i < TRIGGER_END; i++) {
        free(starts->list[i]);
    }

    free(starts);
}


const start_t *
starts_on(const starts_t *starts, trigger_e trigger, size_t *n)
{
    *n = starts->n[trigger];

    return starts->list[trigger];
}
