/* cond_friend: what a friend has, clicked and answered */

#include "cond_kind.h"
#include "defs.h"


cond_t *
cond_compile_tag(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "tag", NULL };

    return cond_compile_ref(c, j, cond, members, DEF_TAG);
}


bool
cond_eval_tag(const cond_t *cond, const friend_t *f)
{
    return friend_has_tag(f, cond->no);
}


cond_t *
cond_compile_clicked(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "clicked", NULL };

    return cond_compile_ref(c, j, cond, members, DEF_LINK);
}


bool
cond_eval_clicked(const cond_t *cond, const friend_t *f)
{
    friend_link_t  l;

    return friend_link(f, cond->no, &l) && l.clicks > 0;
}


cond_t *
cond_compile_answered(check_t *c, const json_t *j, cond_t *cond)
{
    static const char *const  members[] = { "answered", NULL };

    return cond_compile_ref(c, j, cond, members, DEF_SURVEY);
}


bool
cond_eval_answered(const cond_t *cond, const friend_t *f)
{
    friend_survey_t  s;

    return friend_survey(f, cond->no, &s) && s.answers > 0;
}
