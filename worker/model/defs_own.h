/*
 * defs_own: the inside of a set of definitions, for defs.c and defs_edit.c
 * alone.
 */

#ifndef DEFS_OWN_H
#define DEFS_OWN_H

#include "defs.h"

typedef struct defs_block_s  defs_block_t;

/* Sets share memory: the blocks behind a shared one are shared with it */
struct defs_block_s {
    defs_block_t  *next;
    size_t         refs;
    tomo_arena_t   arena;
};

struct defs_s {
    defs_block_t  *blocks;          /* memory, the newest first */
    def_t         *items;
    size_t         n;
    size_t         cap;
    size_t         age;             /* edits since all of it was compiled */
    uint32_t      *table;           /* index + 1 by hash of kind and id */
    size_t         n_table;         /* a power of two, ≥ 2 · cap */
    def_t        **by_no[DEF_KIND_END];
    uint32_t       last_no[DEF_KIND_END];
};

extern const json_limits_t  defs_limits;

/* the same registrations and compiled forms, memory shared; NULL: no memory */
defs_t *defs_share(const defs_t *old);
/* an arena with room for so many bytes; NULL: out of memory */
tomo_arena_t *defs_room(defs_t *defs, size_t bytes);
/* texts must live in a block of defs already; NULL: out of memory */
def_t *defs_append(defs_t *defs, const def_t *def);
/* fills by_no, after the items array has stopped moving */
bool defs_number(defs_t *defs);
/* NULL with a fault in c */
const void *defs_compile_one(defs_t *defs, def_t *def, check_t *c);

#endif
