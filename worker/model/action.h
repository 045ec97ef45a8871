/*
 * action: what a marketer can have done to a friend: the compiled form of an
 * `actions` list.  What each does is an effect of ingest (effect.h there).
 */

#ifndef ACTION_H
#define ACTION_H

#include "check.h"
#include "message.h"

/*
 * X(name, word, compile, effect): a new action is a row here, its effect in
 * ingest/effect_*.c, and in action.c how its members are read, unless one of
 * those there does.
 */
#define ACTIONS(X)                                                            \
    X(TAG_ADD, "tag.add", action_compile_tag, effect_tag_add)                 \
    X(TAG_REMOVE, "tag.remove", action_compile_tag, effect_tag_remove)        \
    X(FIELD_SET, "field.set", action_compile_field_set, effect_field_set)     \
    X(FIELD_CLEAR, "field.clear", action_compile_field_clear,                 \
      effect_field_clear)                                                     \
    X(SCENARIO_START, "scenario.start", action_compile_scenario,              \
      effect_scenario_start)                                                  \
    X(SCENARIO_STOP, "scenario.stop", action_compile_scenario,                \
      effect_scenario_stop)                                                   \
    X(SEND, "send", action_compile_send, effect_send)

typedef enum {
#define ACTION_ENUM_(name, word, compile, effect)  ACTION_##name,
    ACTIONS(ACTION_ENUM_)
#undef ACTION_ENUM_
    ACTION_END
} action_e;

#define ACTIONS_MAX  50         /* of one list */

typedef struct {
    action_e     kind;
    uint32_t     no;            /* of the tag, field or scenario */
    tomo_str_t   value;         /* FIELD_SET */
    messages_t  *messages;      /* SEND */
} action_t;

typedef struct {
    action_t  *items;
    size_t     n;
} actions_t;

const char *action_word(action_e kind);

/* member name of j; absent: an empty list */
actions_t actions_compile(check_t *c, const json_t *j, const char *name);

#endif
