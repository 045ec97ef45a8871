/*
 * commit: the operations of one commit, collected in memory and handed to
 * commit.lua in one call (docs/formats.md, Commit).  It knows keys, types and
 * arguments, nothing of friends or rules.  What it cannot hold sets `failed`,
 * which sticks until commit_reset.  One thread.
 */

#ifndef COMMIT_H
#define COMMIT_H

#include "tomo_base.h"

#define COMMIT_ARGS_MAX  7000       /* Lua's stack and a short script run */
#define COMMIT_KEYS_MAX  3072
#define COMMIT_KEYS_ROOM 512        /* most that one event adds */

typedef struct {
    char        *text;              /* copies of everything, one block */
    size_t       used;
    size_t       cap;
    tomo_str_t   args[COMMIT_ARGS_MAX + 512];
    size_t       n_args;
    tomo_str_t   keys[COMMIT_KEYS_MAX];
    size_t       n_keys;
    uint16_t     table[2 * COMMIT_KEYS_MAX];
    size_t       open;              /* index of the open operation's count */
    bool         failed;
} commit_t;

/* bytes: room for texts.  NULL: out of memory */
commit_t *commit_create(size_t bytes);
void commit_free(commit_t *c);
/* empties it; lease and cursor become keys 1 and 2 */
void commit_reset(commit_t *c, tomo_str_t lease, tomo_str_t cursor);

/* opens operation op (formats.md) on key; then its arguments; then end */
void commit_op(commit_t *c, char op, tomo_str_t key);
void commit_arg(commit_t *c, tomo_str_t arg);
void commit_arg_c(commit_t *c, const char *arg);
void commit_arg_u64(commit_t *c, uint64_t n);
void commit_arg_i64(commit_t *c, int64_t n);
void commit_end(commit_t *c);

/* name and value in one go */
void commit_pair(commit_t *c, const char *name, tomo_str_t value);
void commit_pair_u64(commit_t *c, const char *name, uint64_t value);
void commit_pair_i64(commit_t *c, const char *name, int64_t value);

/* is there room for another n arguments and bytes? */
bool commit_room(const commit_t *c, size_t n_args, size_t bytes);

#endif
