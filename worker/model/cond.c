#include "cond.h"

#include "defs.h"

typedef cond_t *(*cond_compile_pt)(check_t *c, const json_t *j, cond_t *cond);
typedef bool (*cond_eval_pt)(const cond_t *cond, const friend_t *f);


static cond_t *
cond_compile_ref(check_t *c, const json_t *j, cond_t *cond,
    const char *const *members, int kind)
{
    check_members(c, j, members);
    cond->no = check_ref(c, j, members[0], kind);

    return cond;
}


static cond_t *
cond_compile_tag(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "tag", NULL };

    return cond_compile_ref(c, j, cond, members, DEF_TAG);
}


static cond_t *
cond_compile_clicked(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "clicked", NULL };

    return cond_compile_ref(c, j, cond, members, DEF_LINK);
}


static cond_t *
cond_compile_answered(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "answered", NULL };

    return cond_compile_ref(c, j, cond, members, DEF_SURVEY);
}


static cond_t *
cond_compile_field(check_t *c, const json_t *j, cond_t *cond)
{
    json_t                   *is;
    static const char *const  members[] = { "field", "is", NULL };

    (void) cond_compile_ref(c, j, cond, members, DEF_FIELD);
    is = json_get(j, "is");

    if (is == NULL || (is->kind != JSON_STRING && is->kind != JSON_NUMBER)) {
        check_fail_at(c, "is", "must be a string or a number");
        return NULL;
    }

    cond->value = is->text;

    return cond;
}


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


static cond_t *
cond_compile_all(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "all", NULL };

    return cond_compile_list(c, j, cond, members);
}


static cond_t *
cond_compile_any(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "any", NULL };

    return cond_compile_list(c, j, cond, members);
}


static cond_t *
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


static bool
cond_eval_tag(const cond_t *cond, const friend_t *f)
{
    return friend_has_tag(f, cond->no);
}


static bool
cond_eval_clicked(const cond_t *cond, const friend_t *f)
{
    friend_link_t  l;

    return friend_link(f, cond->no, &l) && l.clicks > 0;
}


static bool
cond_eval_answered(const cond_t *cond, const friend_t *f)
{
    friend_survey_t  s;

    return friend_survey(f, cond->no, &s) && s.answers > 0;
}


/* a field of several choices holds one a line: any of them may be it */
static bool
cond_eval_field(const cond_t *cond, const friend_t *f)
{
    size_t      from, to;
    tomo_str_t  value;

    value = friend_get_no(f, 'd', cond->no);

    if (tomo_str_eq(value, cond->value)) {
        return true;
    }

    for (from = 0; from < value.len; from = to + 1) {
        to = tomo_str_find(value, from, '\n');

        if (tomo_str_eq(tomo_str_n(value.data + from, to - from),
                        cond->value))
        {
            return true;
        }
    }

    return false;
}


static bool
cond_eval_not(const cond_t *cond, const friend_t *f)
{
    return !cond_eval(cond->items[0], f);
}


static bool
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


static bool
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


static const struct {
    const char       *word;
    cond_compile_pt   compile;
    cond_eval_pt      eval;
} conds[] = {
    [COND_TAG] = { "tag", cond_compile_tag, cond_eval_tag },
    [COND_CLICKED] = { "clicked", cond_compile_clicked, cond_eval_clicked },
    [COND_ANSWERED] = { "answered", cond_compile_answered,
                        cond_eval_answered },
    [COND_FIELD] = { "field", cond_compile_field, cond_eval_field },
    [COND_NOT] = { "not", cond_compile_not, cond_eval_not },
    [COND_ALL] = { "all", cond_compile_all, cond_eval_all },
    [COND_ANY] = { "any", cond_compile_any, cond_eval_any },
};


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

    check_fail(c, "is no condition: use tag, clicked, answered, field, not, "
               "all or any");

    return NULL;
}


bool
cond_eval(const cond_t *cond, const friend_t *f)
{
    return cond == NULL || conds[cond->kind].eval(cond, f);
}
