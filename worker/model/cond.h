/*
 * cond: conditions of steps and branches (docs/formats.md, Definitions):
 * compiled once, evaluated over a friend.  Pure.
 */

#ifndef COND_H
#define COND_H

#include "check.h"
#include "friend.h"

/* X(name, word): kinds of condition */
#define CONDS(X)                                                              \
    X(TAG,      "tag")                                                        \
    X(CLICKED,  "clicked")                                                    \
    X(ANSWERED, "answered")                                                   \
    X(FIELD,    "field")                                                      \
    X(NOT,      "not")                                                        \
    X(ALL,      "all")                                                        \
    X(ANY,      "any")

typedef enum {
#define COND_ENUM_(name, word)  COND_##name,
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
