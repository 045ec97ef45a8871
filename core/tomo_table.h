/*
 * tomo_table: what the edge must know, as one block of bytes that never
 * changes once built: accounts and their items (links, surveys, secrets).
 * The block is what lies in shared memory and, sealed, in the snapshot on
 * disk.  A new block replaces the old one; readers copy out and check that
 * the generation stood still (the shell's job).
 *
 *   header 64 B: magic "TOMOT1\r\n", generation 8, accounts 4, items 4,
 *                total bytes 8, CRC32C of all behind the header 4, zero
 *   accounts, sorted by id: id 32 (zero-padded), number 4, n items 4,
 *                first item 4, zero 4, version 8
 *   numbers: index of account 4, for every account, sorted by its number
 *   items, sorted by (account, kind, number): account index 4, kind 1,
 *                zero 3, number 4, length 4, offset 8
 *   values
 */

#ifndef TOMO_TABLE_H
#define TOMO_TABLE_H

#include "tomo_base.h"

typedef enum {
    TOMO_ITEM_SECRET = 1,       /* number 1, 2: a channel secret, in clear */
    TOMO_ITEM_LINK = 2,         /* number: the link's; value: tomo_feed */
    TOMO_ITEM_SURVEY = 3        /* number: the survey's; compiled form */
} tomo_item_kind_e;

typedef struct {
    tomo_str_t  id;
    uint32_t    number;         /* the account's number in tokens */
    uint64_t    version;        /* of its feed */
} tomo_table_account_t;

typedef struct {
    tomo_str_t        account;
    tomo_item_kind_e  kind;
    uint32_t          number;
    tomo_str_t        value;
} tomo_table_item_t;

/*
 * Builds a block in out from accounts and items in any order.  scratch: used
 * for sorting, free again afterwards.  TOMO_INVALID: an item twice or of an
 * unknown account, an account or its number twice, an id that is empty or
 * over 32 bytes; TOMO_FULL: out or scratch.
 */
tomo_rc_e tomo_table_build(uint64_t generation,
    const tomo_table_account_t *accounts, size_t n_accounts,
    const tomo_table_item_t *items, size_t n_items, tomo_arena_t *scratch,
    tomo_buf_t *out) TOMO_MUST_CHECK;

/* magic, bounds of every offset, checksum: run once on a foreign block */
tomo_rc_e tomo_table_check(tomo_str_t block) TOMO_MUST_CHECK;

/*
 * Lookups never read outside block, even when it is overwritten meanwhile.
 * NULL / false: absent.
 */
bool tomo_table_account(tomo_str_t block, tomo_str_t id,
    tomo_table_account_t *a);
bool tomo_table_account_by_number(tomo_str_t block, uint32_t number,
    tomo_table_account_t *a);
bool tomo_table_find(tomo_str_t block, tomo_str_t account,
    tomo_item_kind_e kind, uint32_t number, tomo_str_t *value);
/* iterate; false at the end */
bool tomo_table_account_at(tomo_str_t block, size_t i,
    tomo_table_account_t *a);
bool tomo_table_item_at(tomo_str_t block, size_t i, tomo_table_item_t *item);
uint64_t tomo_table_generation(tomo_str_t block);

#endif
