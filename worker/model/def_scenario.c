#include "def_scenario.h"

#include "defs.h"


static const char *const  trigger_words[] = {
#define TRIGGER_WORD_(name, word, kind)  word,
    TRIGGERS(TRIGGER_WORD_)
#undef TRIGGER_WORD_
    NULL
};

static const int  trigger_kinds[] = {
#define TRIGGER_KIND_(name, word, kind)  kind,
    TRIGGERS(TRIGGER_KIND_)
#undef TRIGGER_KIND_
};


const char *
trigger_word(trigger_e trigger)
{
    return trigger_words[trigger];
}


static void
def_scenario_starts(check_t *c, const json_t *doc, def_scenario_t *s)
{
    size_t                    down, down_i;
    def_start_t              *start;
    const json_t             *list;
    static const char *const  members[] = { "on", "id", NULL };

    list = check_array(c, doc, "start", false, DEF_SCENARIO_STARTS);

    if (list == NULL) {
        return;
    }

    s->starts = check_alloc(c, list->n, sizeof(def_start_t));
    if (s->starts == NULL) {
        return;
    }

    down = check_down(c, "start");

    json_each (item, list) {
        down_i = check_down_i(c, s->n_starts);
        check_members(c, item, members);
        start = &s->starts[s->n_starts++];
        start->on = (trigger_e) check_word(c, item, "on", trigger_words, -1);

        if (trigger_kinds[start->on] >= 0) {
            start->no = check_ref(c, item, "id", trigger_kinds[start->on]);

        } else if (json_get(item, "id") != NULL) {
            check_fail_at(c, "id", "does not belong to this start");
        }

        check_up(c, down_i);
    }

    check_up(c, down);
}


static void
def_scenario_due(check_t *c, const json_t *j, tomo_due_t *due)
{
    size_t                    down;
    tomo_str_t                time;
    const json_t             *after, *at;
    static const char *const  after_members[] = {
        "days", "hours", "minutes", NULL
    };
    static const char *const  at_members[] = { "day", "time", NULL };

    after = check_object(c, j, "after", false);
    at = check_object(c, j, "at", false);

    if ((after == NULL) == (at == NULL)) {
        check_fail(c, "needs either \"after\" or \"at\"");
        return;
    }

    if (after != NULL) {
        down = check_down(c, "after");
        check_members(c, after, after_members);
        due->kind = TOMO_DUE_ELAPSED;
        due->delay_ms =
            check_int(c, after, "days", 0, 3650, 0) * TOMO_DAY_MS
            + check_int(c, after, "hours", 0, 87600, 0) * TOMO_HOUR_MS
            + check_int(c, after, "minutes", 0, 5256000, 0) * TOMO_MIN_MS;
        check_up(c, down);
        return;
    }

    down = check_down(c, "at");
    check_members(c, at, at_members);
    due->kind = TOMO_DUE_CLOCK;
    due->day = (uint32_t) check_int(c, at, "day", 0, 3650, 0);
    time = check_text(c, at, "time", true, 5);

    if (!c->failed && tomo_sched_minute(time, &due->minute) != TOMO_OK) {
        check_fail_at(c, "time", "must be HH:MM, 00:00 to 23:59");
    }

    check_up(c, down);
}


static void
def_scenario_branches(check_t *c, const json_t *j, def_step_t *step)
{
    size_t                    down, down_i;
    def_branch_t             *branch;
    const json_t             *list;
    static const char *const  members[] = { "when", "messages", NULL };

    list = check_array(c, j, "branches", true, DEF_SCENARIO_BRANCHES);

    if (list == NULL) {
        return;
    }

    step->branches = check_alloc(c, list->n, sizeof(def_branch_t));
    if (step->branches == NULL) {
        return;
    }

    down = check_down(c, "branches");

    json_each (item, list) {
        down_i = check_down_i(c, step->n_branches);
        check_members(c, item, members);
        branch = &step->branches[step->n_branches++];

        if (json_get(item, "when") != NULL) {
            size_t  down_when = check_down(c, "when");

            branch->when = cond_compile(c, json_get(item, "when"));
            check_up(c, down_when);

        } else if (item->next != NULL) {
            check_fail(c, "without \"when\" must be the last branch");
        }

        branch->messages = messages_compile(c, item, "messages");
        check_up(c, down_i);
    }

    check_up(c, down);
}


static void
def_scenario_step(check_t *c, const json_t *j, def_scenario_t *s)
{
    size_t                    i, down;
    def_step_t               *step;
    static const char *const  members[] = {
        "id", "after", "at", "when", "messages", "branches", "actions", NULL
    };

    check_members(c, j, members);
    step = &s->steps[s->n_steps];
    step->id = check_id(c, j, "id");

    for (i = 0; i < s->n_steps; i++) {
        if (!c->failed && tomo_str_eq(s->steps[i].id, step->id)) {
            check_fail_at(c, "id", "is used by a step before");
        }
    }

    s->n_steps++;
    def_scenario_due(c, j, &step->due);

    if (json_get(j, "when") != NULL) {
        down = check_down(c, "when");
        step->when = cond_compile(c, json_get(j, "when"));
        check_up(c, down);
    }

    step->actions = actions_compile(c, j, "actions");

    if (json_get(j, "branches") != NULL) {
        if (json_get(j, "messages") != NULL) {
            check_fail_at(c, "messages", "stand inside the branches");
        }

        def_scenario_branches(c, j, step);

    } else if (json_get(j, "messages") != NULL) {
        step->branches = check_alloc(c, 1, sizeof(def_branch_t));

        if (step->branches != NULL) {
            step->n_branches = 1;
            step->branches[0].messages = messages_compile(c, j, "messages");
        }

    } else if (step->actions.n == 0) {
        check_fail(c, "does nothing: give it messages, branches or actions");
    }
}


const void *
def_scenario_compile(check_t *c, const json_t *doc, const def_t *def)
{
    size_t                    down, down_i;
    const json_t             *list;
    def_scenario_t           *s;
    static const char *const  members[] = {
        "kind", "id", "revision", "name", "start", "again", "late", "steps",
        NULL
    };
    static const char *const  again[] = {
        "ignore", "restart", "if_finished", NULL
    };
    static const char *const  late[] = { "send", "skip", "shift", NULL };

    check_members(c, doc, members);
    s = check_alloc(c, 1, sizeof(def_scenario_t));

    if (s == NULL) {
        return NULL;
    }

    s->id = def->id;
    s->name = check_text(c, doc, "name", true, 100);
    s->again = (def_again_e) check_word(c, doc, "again", again, 0);
    s->late = (tomo_late_e) check_word(c, doc, "late", late, 0);
    def_scenario_starts(c, doc, s);
    list = check_array(c, doc, "steps", true, DEF_SCENARIO_STEPS);

    if (list == NULL) {
        return NULL;
    }

    s->steps = check_alloc(c, list->n, sizeof(def_step_t));
    down = check_down(c, "steps");

    json_each (item, list) {
        if (s->steps == NULL || c->failed) {
            break;
        }

        down_i = check_down_i(c, s->n_steps);
        def_scenario_step(c, item, s);
        check_up(c, down_i);
    }

    check_up(c, down);

    return s;
}
