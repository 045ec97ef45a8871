#include "cond_kind.h"


cond_t *
cond_compile_ref(check_t *c, const json_t *j, cond_t *cond,
    const char *const *members, int kind)
{
    check_members(c, j, members);
    cond->no = check_ref(c, j, members[0], kind);

    return cond;
}
