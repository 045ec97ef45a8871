/*
 * scenario_next: which step comes next for a friend, and when.  A scenario may
 * be edited while friends walk through it: steps are known by their ids, and
 * one that was decided does not come again wherever it stands now.  Pure.
 */

#include <string.h>

#include "scenario.h"

#define SCENARIO_PAST_BYTES  2048


/* is id one of `~a~b`? */
static bool
scenario_listed(tomo_str_t list, tomo_str_t id)
{
    size_t  at, end;

    for (at = 0; at < list.len; at = end) {
        end = tomo_str_find(list, at + 1, '~');

        if (tomo_str_eq(tomo_str_n(list.data + at + 1, end - at - 1), id)) {
            return true;
        }
    }

    return false;
}


/* where the step stands that was decided last; n_steps: it was removed */
static size_t
scenario_here(const def_scenario_t *def, const friend_scenario_t *s)
{
    size_t  i;

    for (i = 0; i < def->n_steps; i++) {
        if (tomo_str_eq(def->steps[i].id, s->step)) {
            break;
        }
    }

    return i;
}


const def_step_t *
scenario_next(const def_scenario_t *def, const friend_scenario_t *s,
    int zone_min, int64_t *due_ms)
{
    bool               began = s->step.len > 0, ahead;
    size_t             i, here;
    int64_t            due;
    const def_step_t  *step;

    here = began ? scenario_here(def, s) : 0;

    for (i = 0; i < def->n_steps; i++) {
        step = &def->steps[i];

        if (began && (i == here || scenario_listed(s->past, step->id))) {
            continue;
        }

        ahead = !began || (here < def->n_steps && i > here);

        if (!ahead && s->past.len == 0 && here < def->n_steps) {
            continue;           /* a record that tells the place alone */
        }

        if (step->due.kind == TOMO_DUE_CLOCK && step->due.day == 0
            && s->shift == 0 && def->late == TOMO_LATE_SKIP
            && tomo_sched_late(&step->due, s->start_ms, zone_min))
        {
            continue;
        }

        due = tomo_sched_due(&step->due, s->start_ms, (int) s->shift,
                             ahead ? s->prev_ms : s->start_ms, zone_min);

        /* put in, or moved, before where the friend stands: its time is over */
        if (!ahead && due <= s->prev_ms) {
            continue;
        }

        *due_ms = due;

        return step;
    }

    return NULL;
}


void
scenario_pass(const def_scenario_t *def, friend_scenario_t *s,
    const def_step_t *step, int64_t due_ms, tomo_arena_t *a)
{
    size_t      i, here;
    uint8_t     text[2 * SCENARIO_PAST_BYTES];
    tomo_str_t  past;
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_put(&b, s->past);

    if (s->step.len > 0 && s->past.len == 0) {
        /* a record of an older Tomo: what stands before it was decided */
        here = scenario_here(def, s);

        for (i = 0; i < here && here < def->n_steps
                    && b.len < SCENARIO_PAST_BYTES; i++)
        {
            tomo_buf_byte(&b, '~');
            tomo_buf_put(&b, def->steps[i].id);
        }
    }

    if (b.len == 1 && s->step.len > 0) {
        tomo_buf_reset(&b);             /* the `~` that stood for none */
    }

    if (s->step.len > 0) {
        tomo_buf_byte(&b, '~');
        tomo_buf_put(&b, s->step);

    } else if (b.len == 0) {
        tomo_buf_byte(&b, '~');
    }

    past = tomo_buf_str(&b);

    while (past.len > SCENARIO_PAST_BYTES) {
        /* the oldest go: their moments tell that their time is over */
        i = tomo_str_find(past, 1, '~');
        past = tomo_str_n(past.data + i, past.len - i);
    }

    s->past = tomo_arena_dup(a, past);
    s->step = step->id;
    s->prev_ms = due_ms;
    s->due_ms = due_ms;
}


const def_branch_t *
scenario_branch(const def_step_t *step, const friend_t *f)
{
    size_t  i;

    for (i = 0; i < step->n_branches; i++) {
        if (cond_eval(step->branches[i].when, f)) {
            return &step->branches[i];
        }
    }

    return NULL;
}
