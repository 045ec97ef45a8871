/*
 * cond: conditions of steps and branches (docs/formats.md, Definitions):
 * compiled once, evaluated over a friend.  Pure.
 */

#ifndef COND_H
#define COND_H

#include "check.h"
#include "friend.h"

/*
 * X(name, word, compile, eval): a new kind of condition is a row here and a
 * cond_*.c (cond_kind.h).  The word is the member that tells the kind.
 */
#define CONDS(X)                                                              \
    X(TAG, "tag", cond_compile_tag, cond_eval_tag)                            \
    X(CLICKED, "clicked", cond_compile_clicked, cond_eval_clicked)            \
    X(ANSWERED, "answered", cond_compile_answered, cond_eval_answered)        \
    X(FIELD, "field", cond_compile_field, cond_eval_field)                    \
    X(NOT, "not", cond_compile_not, cond_eval_not)                            \
    X(ALL, "all", cond_compile_all, cond_eval_all)                            \
    X(ANY, "any", cond_compile_any, cond_eval_any)

typedef enum {
#define COND_ENUM_(name, word, compile, eval)  COND_##name,
    CONDS(COND_ENUM_)
#undef COND_ENUM_
    COND_END
} cond_e;

typedef struct cond_s  cond_t;

struct cond_s {
    cond_e       kind;
    uint32_t     no;            /* of the tag, link, survey or field */
    tomo_str_t   value;         /* FIELD: is */
    cond_t     **items;         /* NOT: one; ALL, ANY: n */
    size_t       n;
};

#define COND_ITEMS_MAX  100

/* j is the condition itself; NULL with a fault in c */
cond_t *cond_compile(check_t *c, const json_t *j);

/* cond NULL: always true */
bool cond_eval(const cond_t *cond, const friend_t *f);

#endif
