/*
 * tomo_table_layout: sizes of a table's parts and the order of its items,
 * shared by the file that builds tables and the file that reads them.
 */

#ifndef TOMO_TABLE_LAYOUT_H
#define TOMO_TABLE_LAYOUT_H

#include "tomo_table.h"

#define TABLE_HEADER     64
#define TABLE_ACCOUNT    56
#define TABLE_NUMBER     4
#define TABLE_ITEM       24
#define TABLE_ID         32
#define TABLE_COUNT_MAX  (UINT32_C(1) << 24)

static const uint8_t  table_magic[8] = {
    'T', 'O', 'M', 'O', 'T', '1', '\r', '\n'
};


/* items are sorted by this */
static inline uint64_t
table_key(size_t account, unsigned kind, uint32_t number)
{
    return (uint64_t) account << 40 | (uint64_t) kind << 32 | number;
}

#endif
