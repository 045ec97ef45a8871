#include "action.h"

#include "def_field.h"
#include "defs.h"

typedef void (*action_compile_pt)(check_t *c, const json_t *j, action_t *a);


static void
action_compile_tag(check_t *c, const json_t *j, action_t *a)
{
    static const char *const  members[] = { "do", "tag", NULL };

    check_members(c, j, members);
    a->no = check_ref(c, j, "tag", DEF_TAG);
}


static void
action_compile_field_set(check_t *c, const json_t *j, action_t *a)
{
    json_t                   *value;
    static const char *const  members[] = { "do", "field", "value", NULL };

    check_members(c, j, members);
    a->no = check_ref(c, j, "field", DEF_FIELD);
    value = json_get(j, "value");

    if (value == NULL || (value->kind != JSON_STRING
                          && value->kind != JSON_NUMBER))
    {
        check_fail_at(c, "value", "must be a string or a number");
        return;
    }

    if (value->text.len == 0 || value->text.len > DEF_FIELD_BYTES) {
        check_fail_at(c, "value", "is empty or too long");
        return;
    }

    a->value = value->text;
}


static void
action_compile_field_clear(check_t *c, const json_t *j, action_t *a)
{
    static const char *const  members[] = { "do", "field", NULL };

    check_members(c, j, members);
    a->no = check_ref(c, j, "field", DEF_FIELD);
}


static void
action_compile_scenario(check_t *c, const json_t *j, action_t *a)
{
    static const char *const  members[] = { "do", "scenario", NULL };

    check_members(c, j, members);
    a->no = check_ref(c, j, "scenario", DEF_SCENARIO);
}


static void
action_compile_send(check_t *c, const json_t *j, action_t *a)
{
    static const char *const  members[] = { "do", "messages", NULL };

    check_members(c, j, members);
    a->messages = messages_compile(c, j, "messages");
}


static const char *const  action_words[] = {
#define ACTION_WORD_(name, word, compile, effect)  word,
    ACTIONS(ACTION_WORD_)
#undef ACTION_WORD_
    NULL
};

static const action_compile_pt  action_compilers[] = {
#define ACTION_COMPILE_(name, word, compile, effect)  compile,
    ACTIONS(ACTION_COMPILE_)
#undef ACTION_COMPILE_
};


const char *
action_word(action_e kind)
{
    return action_words[kind];
}


actions_t
actions_compile(check_t *c, const json_t *j, const char *name)
{
    size_t         down, down_i;
    action_t      *a;
    actions_t      list = { NULL, 0 };
    const json_t  *array;

    array = check_array(c, j, name, false, ACTIONS_MAX);

    if (array == NULL) {
        return list;
    }

    list.items = check_alloc(c, array->n, sizeof(action_t));
    if (list.items == NULL) {
        return list;
    }

    down = check_down(c, name);

    json_each (item, array) {
        down_i = check_down_i(c, list.n);

        if (item->kind != JSON_OBJECT) {
            check_fail(c, "must be an action, an object");
        }

        if (!c->failed) {
            a = &list.items[list.n++];
            a->kind = (action_e) check_word(c, item, "do", action_words, -1);

            if (!c->failed) {
                action_compilers[a->kind](c, item, a);
            }
        }

        check_up(c, down_i);
    }

    check_up(c, down);

    return list;
}
