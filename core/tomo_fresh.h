/*
 * tomo_fresh: one account's feed as it came from Redis, pair by pair, read
 * into what a table is built from: secrets unsealed, everything copied.  It
 * does not judge links or forms, and builds no table.
 */

#ifndef TOMO_FRESH_H
#define TOMO_FRESH_H

#include "tomo_feed.h"

/* Everything it refers to lies in the arena it was begun with. */
typedef struct {
    tomo_table_account_t  account;
    tomo_table_item_t    *items;
    size_t                n_items;
    size_t                room;         /* for so many items in all */
    size_t                left_out;     /* pairs that cannot be used */
    tomo_arena_t         *arena;
} tomo_fresh_t;

/* sealing keys of 32 bytes each: one of them opens the secrets */
typedef struct {
    const uint8_t  (*seal)[32];
    size_t           n;
} tomo_fresh_keys_t;

/* an arena of so many bytes is enough for these pairs */
size_t tomo_fresh_bytes(tomo_str_t account, size_t n_pairs,
    size_t value_bytes);

/* TOMO_FULL: the arena */
tomo_rc_e tomo_fresh_begin(tomo_fresh_t *f, tomo_str_t account,
    size_t n_pairs, tomo_arena_t *a) TOMO_MUST_CHECK;
/* a field of the hash `feed` and its value (tomo_feed.h) */
void tomo_fresh_pair(tomo_fresh_t *f, const tomo_fresh_keys_t *keys,
    tomo_str_t field, tomo_str_t value);
/* TOMO_INVALID: no feed, version or number are missing; TOMO_FULL */
tomo_rc_e tomo_fresh_end(const tomo_fresh_t *f) TOMO_MUST_CHECK;

#endif
