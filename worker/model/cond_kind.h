/*
 * cond_kind: the functions of each kind of condition, one pair a row of CONDS
 * (cond.h), called by cond.c alone.  All but not, all and any, which hold
 * conditions themselves, stand in a cond_*.c.
 */

#ifndef COND_KIND_H
#define COND_KIND_H

#include "cond.h"

/* compile: NULL with a fault in c; eval: no I/O, no clock */
#define COND_DECLARE_(name, word, compile, eval)                              \
    cond_t *compile(check_t *c, const json_t *j, cond_t *cond);               \
    bool eval(const cond_t *cond, const friend_t *f);
CONDS(COND_DECLARE_)
#undef COND_DECLARE_

/* the first of members names a definition of that kind */
cond_t *cond_compile_ref(check_t *c, const json_t *j, cond_t *cond,
    const char *const *members, int kind);

#endif
