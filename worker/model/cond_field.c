/* cond_field: what a friend's field holds */

#include "cond_kind.h"
#include "defs.h"


cond_t *
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


/* a field of several choices holds one a line: any of them may be it */
bool
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
