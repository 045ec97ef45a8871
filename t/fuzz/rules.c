/*
 * Scenarios over friends: whatever stands in both, conditions end, branches
 * belong to their step, and walking the steps comes to an end.  Input: a
 * document, a NUL, then a friend's record as Redis gave it (names and values
 * between NULs).
 */

#include "fuzz.h"
#include "base.h"
#include "worker/ingest/scenario.h"
#include "worker/model/defs.h"

#define PAIRS  64


static uint8_t  memory[4 << 20];


static size_t
record(tomo_str_t rest, tomo_str_t *pairs)
{
    size_t  n, at, end;

    for (n = 0, at = 0; at < rest.len && n < PAIRS; at = end + 1) {
        end = tomo_str_find(rest, at, 0);
        pairs[n++] = tomo_str_n(rest.data + at, end - at);
    }

    return n & ~(size_t) 1;
}


static void
walk(const def_scenario_t *def, const friend_t *f, friend_scenario_t s)
{
    size_t               i;
    int64_t              due, last = s.prev_ms;
    const def_step_t    *step;
    const def_branch_t  *branch;

    for (i = 0; i <= def->n_steps; i++) {
        step = scenario_next(def, &s, 540, &due);

        if (step == NULL) {
            return;
        }

        FUZZ_HOLDS(due >= last);
        FUZZ_HOLDS(step >= def->steps && step < def->steps + def->n_steps);
        branch = scenario_branch(step, f);
        FUZZ_HOLDS(branch == NULL || (branch >= step->branches
                   && branch < step->branches + step->n_branches));
        (void) cond_eval(step->when, f);
        FUZZ_HOLDS(!tomo_str_eq(step->id, s.step));
        scenario_pass(def, &s, step, due, f->arena);
        last = due;
    }

    FUZZ_HOLDS(i <= def->n_steps);      /* the steps come to an end */
}


static void
changes(friend_t *f, const uint8_t *data, size_t size)
{
    size_t             i;
    tomo_str_t         before;
    static const char  kinds[] = "ful";

    for (i = 0; i + 3 <= size && i < 300; i += 3) {
        (void) friend_follow(f, kinds[data[i] % 3],
                             (int64_t) tomo_get_le(data + i + 1, 2), &before);
        (void) friend_tag_add(f, data[i + 1]);
        FUZZ_HOLDS(friend_has_tag(f, data[i + 1]) || f->arena->failed);
        (void) friend_tag_remove(f, data[i + 2]);
        FUZZ_HOLDS(!friend_has_tag(f, data[i + 2]) || f->arena->failed);
    }

    for (i = 1; i < f->n_tags; i++) {
        FUZZ_HOLDS(f->tags[i - 1] < f->tags[i]);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                 cut, n;
    defs_t                *set;
    friend_t               f;
    tomo_str_t             all = tomo_str_n(data, size), pairs[PAIRS];
    def_edit_t             edit;
    def_fault_t            fault;
    tomo_arena_t           a;
    const def_t           *def;
    friend_link_t          l;
    friend_survey_t        y;
    friend_scenario_t      s;

    cut = tomo_str_find(all, 0, 0);
    n = cut < size ? record(tomo_str_n(data + cut + 1, size - cut - 1), pairs)
                   : 0;
    edit.kind = tomo_str("scenario");
    edit.id = tomo_str("a");
    edit.document = tomo_str_n(data, cut);
    set = size > 65536 ? NULL : defs_change(fuzz_base(), &edit, 1, &fault);

    if (set != NULL) {
        def = defs_find(set, DEF_SCENARIO, edit.id);
        FUZZ_HOLDS(def != NULL);
        tomo_arena_init(&a, memory, sizeof(memory));
        friend_init(&f, &a, 7, pairs, n);
        memset(&s, 0, sizeof(s));
        (void) friend_scenario(&f, 1, &s);
        (void) friend_link(&f, 1, &l);
        (void) friend_survey(&f, 1, &y);
        walk(def->compiled, &f, s);
        changes(&f, data, size);
        friend_scenario_set(&f, 2, &s);
        defs_free(set);
    }

    return 0;
}
