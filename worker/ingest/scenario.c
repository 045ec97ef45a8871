#include "scenario.h"

#include "due.h"
#include "effect_send.h"
#include "schedule.h"


static void
scenario_step(decision_t *d, const def_scenario_t *def, const def_step_t *step,
    const friend_scenario_t *s)
{
    int64_t              due_ms = d->due_ms;
    uint32_t             gen = d->gen;
    tomo_str_t           name = d->def, id = d->step, by = d->by;
    const def_branch_t  *branch;

    d->def = decision_name(d, "scenario", def->id);
    d->step = step->id;
    d->gen = s->gen;
    d->due_ms = s->prev_ms;
    d->by = s->by;

    if (cond_eval(step->when, d->f)) {
        branch = scenario_branch(step, d->f);

        if (branch != NULL) {
            effect_send_messages(d, branch->messages);
        }

        decision_run(d, &step->actions, "scenario", def->id);

    } else {
        decision_fx(d, "skip", step->id);
    }

    d->def = name;
    d->step = id;
    d->gen = gen;
    d->due_ms = due_ms;
    d->by = by;
}


/* decides what is due up to until_ms, plans what comes after */
static void
scenario_advance(decision_t *d, uint32_t no, const def_scenario_t *def,
    friend_scenario_t *s, int64_t until_ms)
{
    int64_t            due_ms = 0;
    friend_scenario_t  now;
    const def_step_t  *step;

    for ( ;; ) {
        step = scenario_next(def, s, d->o->account->zone_min, &due_ms);

        if (step == NULL) {
            s->done = true;
            s->due_ms = 0;
            s->past = tomo_str_null;
            friend_scenario_set(d->f, no, s);
            schedule_drop(d, TIMER_STEP, no);
            decision_raise(d, TRIGGER_SCENARIO_FINISHED, no);
            return;
        }

        if (due_ms > until_ms) {
            s->due_ms = due_ms;
            friend_scenario_set(d->f, no, s);
            schedule_put(d, TIMER_STEP, no, due_ms);
            return;
        }

        scenario_pass(def, s, step, due_ms, d->arena);
        friend_scenario_set(d->f, no, s);
        scenario_step(d, def, step, s);

        /* an action of the step may have stopped or restarted it */
        if (!friend_scenario(d->f, no, &now) || now.done
            || now.gen != s->gen)
        {
            return;
        }
    }
}


static bool
scenario_shifts(const def_scenario_t *def, int64_t start_ms, int zone_min)
{
    size_t  i;

    for (i = 0; def->late == TOMO_LATE_SHIFT && i < def->n_steps; i++) {
        if (def->steps[i].due.kind == TOMO_DUE_CLOCK
            && tomo_sched_late(&def->steps[i].due, start_ms, zone_min))
        {
            return true;
        }
    }

    return false;
}


void
scenario_start(decision_t *d, uint32_t no, int64_t start_ms)
{
    bool                   was;
    friend_scenario_t      s = { 0 };
    const def_scenario_t  *def;

    def = defs_compiled(d->o->defs, DEF_SCENARIO, no);

    if (def == NULL) {
        return;
    }

    was = friend_scenario(d->f, no, &s);

    if (was && (def->again == DEF_AGAIN_IGNORE
                || (def->again == DEF_AGAIN_IF_FINISHED && !s.done)))
    {
        return;
    }

    if (tomo_str_eq(friend_get_c(d->f, "st"), tomo_str("blocked"))) {
        decision_fx(d, "scenario.refused", def->id);
        return;
    }

    if (!decision_take(d)) {
        return;
    }

    s = (friend_scenario_t) {
        .gen = s.gen + 1,
        .start_ms = start_ms,
        .prev_ms = start_ms,
        .by = d->ev->id,
        .past = tomo_str("~"),
        .shift = scenario_shifts(def, start_ms, d->o->account->zone_min)
    };

    decision_fx(d, "scenario.start", def->id);
    decision_raise(d, TRIGGER_SCENARIO_STARTED, no);
    scenario_advance(d, no, def, &s, start_ms);
}


void
scenario_stop(decision_t *d, uint32_t no)
{
    friend_scenario_t  s;

    if (!friend_scenario(d->f, no, &s) || s.done || !decision_take(d)) {
        return;
    }

    s.done = true;
    s.paused = false;
    s.due_ms = 0;
    s.past = tomo_str_null;
    friend_scenario_set(d->f, no, &s);
    schedule_drop(d, TIMER_STEP, no);
    decision_fx(d, "scenario.stop", decision_id(d, DEF_SCENARIO, no));
    decision_raise(d, TRIGGER_SCENARIO_STOPPED, no);
}


void
scenario_due(decision_t *d, uint32_t no)
{
    int64_t                due_ms;
    friend_scenario_t      s;
    const def_scenario_t  *def;

    d->kind = "step";

    if (!friend_scenario(d->f, no, &s) || s.done || s.paused) {
        d->silent = true;
        schedule_drop(d, TIMER_STEP, no);
        return;
    }

    def = defs_compiled(d->o->defs, DEF_SCENARIO, no);

    if (def == NULL) {
        /* it does not compile just now: keep the friend's place */
        d->silent = true;
        schedule_put(d, TIMER_STEP, no, d->now_ms + 10 * TOMO_MIN_MS);
        return;
    }

    decision_why(d, def->id);

    /* the next step only: what is due behind it gets its own moment */
    if (scenario_next(def, &s, d->o->account->zone_min, &due_ms) == NULL
        || due_ms > d->now_ms)
    {
        due_ms = d->now_ms;
    }

    scenario_advance(d, no, def, &s, due_ms);
}


void
scenario_replan(decision_t *d, uint32_t no)
{
    friend_scenario_t      s;
    const def_scenario_t  *def;
    int64_t                due_ms = 0;

    def = defs_compiled(d->o->defs, DEF_SCENARIO, no);

    if (def == NULL || !friend_scenario(d->f, no, &s) || s.done || s.paused) {
        return;
    }

    if (scenario_next(def, &s, d->o->account->zone_min, &due_ms) == NULL) {
        /* the schedule's own moment finds that nothing is left */
        return;
    }

    if (due_ms != s.due_ms) {
        s.due_ms = due_ms;
        friend_scenario_set(d->f, no, &s);
        schedule_put(d, TIMER_STEP, no, due_ms);
    }
}


static void
scenario_pause(void *ctx, uint32_t no)
{
    decision_t         *d = ctx;
    friend_scenario_t   s;

    if (!friend_scenario(d->f, no, &s) || s.done || s.paused) {
        return;
    }

    s.paused = true;
    friend_scenario_set(d->f, no, &s);
    schedule_drop(d, TIMER_STEP, no);
    decision_fx(d, "scenario.pause", tomo_str_null);
}


void
scenario_pause_all(decision_t *d)
{
    friend_scenarios(d->f, scenario_pause, d);
}


static void
scenario_end(void *ctx, uint32_t no)
{
    decision_t         *d = ctx;
    friend_scenario_t   s;

    if (friend_scenario(d->f, no, &s) && s.paused) {
        scenario_stop(d, no);
    }
}


void
scenario_end_paused(decision_t *d)
{
    friend_scenarios(d->f, scenario_end, d);
}
