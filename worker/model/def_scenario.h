/* def_scenario: the compiled form of a scenario: starts, steps, branches */

#ifndef DEF_SCENARIO_H
#define DEF_SCENARIO_H

#include "action.h"
#include "cond.h"
#include "tomo_sched.h"

#define DEF_SCENARIO_STEPS     500
#define DEF_SCENARIO_STARTS    50
#define DEF_SCENARIO_BRANCHES  20

/*
 * X(name, word, kind of the definition that `id` names, -1: none): what
 * happens to a friend and may start something.  A new trigger is a row here
 * and a call of rules_run with it.
 */
#define TRIGGERS(X)                                                           \
    X(FRIEND_ADDED,    "friend.added",    -1)                                 \
    X(FRIEND_RETURNED, "friend.returned", -1)                                 \
    X(TAG_ADDED,       "tag.added",       DEF_TAG)                            \
    X(TAG_REMOVED,     "tag.removed",     DEF_TAG)                            \
    X(FIELD_CHANGED,   "field.changed",   DEF_FIELD)                          \
    X(LINK_CLICKED,    "link.clicked",    DEF_LINK)                           \
    X(SURVEY_ANSWERED, "survey.answered", DEF_SURVEY)                         \
    X(SCENARIO_STARTED, "scenario.started", DEF_SCENARIO)                     \
    X(SCENARIO_STOPPED, "scenario.stopped", DEF_SCENARIO)                     \
    X(SCENARIO_FINISHED, "scenario.finished", DEF_SCENARIO)

typedef enum {
#define TRIGGER_ENUM_(name, word, kind)  TRIGGER_##name,
    TRIGGERS(TRIGGER_ENUM_)
#undef TRIGGER_ENUM_
    TRIGGER_END
} trigger_e;

typedef struct {
    trigger_e  on;
    uint32_t   no;              /* 0: any */
} def_start_t;

typedef struct {
    cond_t      *when;          /* NULL: else */
    messages_t  *messages;
} def_branch_t;

typedef struct {
    tomo_str_t     id;
    tomo_due_t     due;
    cond_t        *when;
    def_branch_t  *branches;
    size_t         n_branches;
    actions_t      actions;
} def_step_t;

typedef enum {
    DEF_AGAIN_IGNORE = 0,
    DEF_AGAIN_RESTART,
    DEF_AGAIN_IF_FINISHED
} def_again_e;

typedef struct {
    tomo_str_t    id;
    tomo_str_t    name;
    def_start_t  *starts;
    size_t        n_starts;
    def_again_e   again;
    tomo_late_e   late;
    def_step_t   *steps;
    size_t        n_steps;
} def_scenario_t;

const char *trigger_word(trigger_e trigger);

#endif
