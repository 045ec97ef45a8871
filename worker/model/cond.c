#include "cond.h"

#include "cond_kind.h"

typedef cond_t *(*cond_compile_pt)(check_t *c, const json_t *j, cond_t *cond);
typedef bool (*cond_eval_pt)(const cond_t *cond, const friend_t *f);

static const struct {
    const char       *word;
    cond_compile_pt   compile;
    cond_eval_pt      eval;
} conds[] = {
#define COND_ROW_(name, word, compile, eval)  { word, compile, eval },
    CONDS(COND_ROW_)
#undef COND_ROW_
};

static const char  cond_unknown[] = "is no condition: use one of"
#define COND_LIST_(name, word, compile, eval)  " " word
    CONDS(COND_LIST_)
#undef COND_LIST_
    ;


static cond_t *
cond_compile_list(check_t *c, const json_t *j, cond_t *cond,
    const char *const *members)
{
    size_t         down, down_i;
    const json_t  *list;

    check_members(c, j, members);
    list = check_array(c, j, members[0], true, COND_ITEMS_MAX);

    if (list == NULL) {
        return NULL;
    }

    cond->items = check_alloc(c, list->n, sizeof(cond_t *));
    if (cond->items == NULL) {
        return NULL;
    }

    down = check_down(c, members[0]);

    json_each (item, list) {
        down_i = check_down_i(c, cond->n);
        cond->items[cond->n++] = cond_compile(c, item);
        check_up(c, down_i);
    }

    check_up(c, down);

    return cond;
}


cond_t *
cond_compile_all(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "all", NULL };

    return cond_compile_list(c, j, cond, members);
}


cond_t *
cond_compile_any(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "any", NULL };

    return cond_compile_list(c, j, cond, members);
}


cond_t *
cond_compile_not(check_t *c, const json_t *j, cond_t *cond)
{
    size_t                    down;
    static const char *const  members[] = { "not", NULL };

    check_members(c, j, members);
    cond->items = check_alloc(c, 1, sizeof(cond_t *));

    if (cond->items == NULL) {
        return NULL;
    }

    down = check_down(c, "not");
    cond->items[0] = cond_compile(c, json_get(j, "not"));
    cond->n = 1;
    check_up(c, down);

    return cond;
}


bool
cond_eval_not(const cond_t *cond, const friend_t *f)
{
    return !cond_eval(cond->items[0], f);
}


bool
cond_eval_all(const cond_t *cond, const friend_t *f)
{
    size_t  i;

    for (i = 0; i < cond->n; i++) {
        if (!cond_eval(cond->items[i], f)) {
            return false;
        }
    }

    return true;
}


bool
cond_eval_any(const cond_t *cond, const friend_t *f)
{
    size_t  i;

    for (i = 0; i < cond->n; i++) {
        if (cond_eval(cond->items[i], f)) {
            return true;
        }
    }

    return false;
}


cond_t *
cond_compile(check_t *c, const json_t *j)
{
    size_t   i;
    cond_t  *cond;

    if (c->failed) {
        return NULL;
    }

    if (j == NULL || j->kind != JSON_OBJECT) {
        check_fail(c, "must be a condition, an object");
        return NULL;
    }

    cond = check_alloc(c, 1, sizeof(cond_t));

    for (i = 0; cond != NULL && i < COND_END; i++) {
        if (json_get(j, conds[i].word) != NULL) {
            cond->kind = (cond_e) i;
            return conds[i].compile(c, j, cond);
        }
    }

    check_fail(c, cond_unknown);

    return NULL;
}


bool
cond_eval(const cond_t *cond, const friend_t *f)
{
    return cond == NULL || conds[cond->kind].eval(cond, f);
}
