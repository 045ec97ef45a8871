/*
 * tomo_table: building the edge's table.
 */

#include "tomo_table_layout.h"
#include "tomo_journal.h"

#include <string.h>


/* one thing to sort: where it stood and what it is sorted by */
typedef struct {
    uint64_t    key;
    tomo_str_t  id;
    size_t      from;
} table_sort_t;

typedef struct {
    const tomo_table_account_t  *accounts;
    const tomo_table_item_t     *items;
    size_t                       n_accounts;
    size_t                       n_items;
    table_sort_t                *by_id;
    table_sort_t                *by_number;
    table_sort_t                *by_key;
    table_sort_t                *spare;
} table_build_t;


static int
table_order(const table_sort_t *a, const table_sort_t *b)
{
    int  order;

    order = tomo_str_cmp(a->id, b->id);

    return (order != 0) ? order : (a->key > b->key) - (a->key < b->key);
}


static void
table_merge(const table_sort_t *from, table_sort_t *to, size_t left,
    size_t middle, size_t right)
{
    size_t  i, k, at;

    i = left;
    k = middle;

    for (at = left; at < right; at++) {
        if (k == right
            || (i < middle && table_order(&from[i], &from[k]) <= 0))
        {
            to[at] = from[i++];

        } else {
            to[at] = from[k++];
        }
    }
}


/* merge sort, bottom up: nothing depends on the order given */
static void
table_sort(table_sort_t *rows, table_sort_t *spare, size_t n)
{
    size_t  width, at, middle, right;

    for (width = 1; width < n; width *= 2) {
        for (at = 0; at < n; at += 2 * width) {
            middle = (n - at < width) ? n : at + width;
            right = (n - at < 2 * width) ? n : at + 2 * width;
            table_merge(rows, spare, at, middle, right);
        }

        memcpy(rows, spare, n * sizeof(table_sort_t));
    }
}


static bool
table_unique(const table_sort_t *rows, size_t n)
{
    size_t  i;

    for (i = 1; i < n; i++) {
        if (table_order(&rows[i - 1], &rows[i]) == 0) {
            return false;
        }
    }

    return true;
}


static tomo_rc_e
table_sort_accounts(table_build_t *t)
{
    size_t  i;

    for (i = 0; i < t->n_accounts; i++) {
        if (t->accounts[i].id.len == 0 || t->accounts[i].id.len > TABLE_ID
            || tomo_str_find(t->accounts[i].id, 0, 0)
               < t->accounts[i].id.len)
        {
            return TOMO_INVALID;
        }

        t->by_id[i].id = t->accounts[i].id;
        t->by_id[i].from = i;
    }

    table_sort(t->by_id, t->spare, t->n_accounts);

    for (i = 0; i < t->n_accounts; i++) {
        t->by_number[i].key = t->accounts[t->by_id[i].from].number;
        t->by_number[i].from = i;
    }

    table_sort(t->by_number, t->spare, t->n_accounts);

    return table_unique(t->by_id, t->n_accounts)
           && table_unique(t->by_number, t->n_accounts)
           ? TOMO_OK : TOMO_INVALID;
}


/* index of the account in sorted order; n_accounts: unknown */
static size_t
table_index(const table_build_t *t, tomo_str_t id)
{
    int     order;
    size_t  low, high, middle;

    low = 0;
    high = t->n_accounts;

    while (low < high) {
        middle = low + (high - low) / 2;
        order = tomo_str_cmp(t->by_id[middle].id, id);

        if (order == 0) {
            return middle;
        }

        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return t->n_accounts;
}


static tomo_rc_e
table_sort_items(table_build_t *t)
{
    size_t                    i, account;
    const tomo_table_item_t  *item;

    for (i = 0; i < t->n_items; i++) {
        item = &t->items[i];
        account = table_index(t, item->account);

        if (account == t->n_accounts || (unsigned) item->kind > 255) {
            return TOMO_INVALID;
        }

        if (item->value.len > UINT32_MAX) {
            return TOMO_LIMIT;
        }

        t->by_key[i].key = table_key(account, (unsigned) item->kind,
                                     item->number);
        t->by_key[i].from = i;
    }

    table_sort(t->by_key, t->spare, t->n_items);

    return table_unique(t->by_key, t->n_items) ? TOMO_OK : TOMO_INVALID;
}


static void
table_put_accounts(const table_build_t *t, uint8_t *p, uint8_t *numbers)
{
    size_t                       i, item, first;
    const tomo_table_account_t  *a;

    item = 0;

    for (i = 0; i < t->n_accounts; i++, p += TABLE_ACCOUNT) {
        a = &t->accounts[t->by_id[i].from];
        first = item;

        while (item < t->n_items && t->by_key[item].key >> 40 == i) {
            item++;
        }

        memset(p, 0, TABLE_ACCOUNT);
        memcpy(p, a->id.data, a->id.len);
        tomo_put_le(p + 32, a->number, 4);
        tomo_put_le(p + 36, item - first, 4);
        tomo_put_le(p + 40, first, 4);
        tomo_put_le(p + 48, a->version, 8);

        tomo_put_le(numbers + i * TABLE_NUMBER, t->by_number[i].from,
                    TABLE_NUMBER);
    }
}


/* p: the items; values: where the first value goes, both in the block */
static void
table_put_items(const table_build_t *t, const uint8_t *block, uint8_t *p,
    uint8_t *values)
{
    size_t                    i;
    const tomo_table_item_t  *item;

    for (i = 0; i < t->n_items; i++, p += TABLE_ITEM) {
        item = &t->items[t->by_key[i].from];
        tomo_put_le(p, t->by_key[i].key >> 40, 4);
        tomo_put_le(p + 4, (uint64_t) item->kind, 4);
        tomo_put_le(p + 8, item->number, 4);
        tomo_put_le(p + 12, item->value.len, 4);
        tomo_put_le(p + 16, (uint64_t) (values - block), 8);

        if (item->value.len > 0) {
            memcpy(values, item->value.data, item->value.len);
            values += item->value.len;
        }
    }
}


static tomo_rc_e
table_write(const table_build_t *t, uint64_t generation, tomo_buf_t *out)
{
    size_t    i, values, total;
    uint8_t  *p;

    values = TABLE_HEADER + t->n_accounts * (TABLE_ACCOUNT + TABLE_NUMBER)
             + t->n_items * TABLE_ITEM;
    total = values;

    for (i = 0; i < t->n_items; i++) {
        total += t->items[i].value.len;
    }

    p = tomo_buf_take(out, total);

    if (p == NULL) {
        return TOMO_FULL;
    }

    memset(p, 0, TABLE_HEADER);
    memcpy(p, table_magic, sizeof(table_magic));
    tomo_put_le(p + 8, generation, 8);
    tomo_put_le(p + 16, t->n_accounts, 4);
    tomo_put_le(p + 20, t->n_items, 4);
    tomo_put_le(p + 24, total, 8);

    table_put_accounts(t, p + TABLE_HEADER,
                       p + TABLE_HEADER + t->n_accounts * TABLE_ACCOUNT);
    table_put_items(t, p, p + values - t->n_items * TABLE_ITEM, p + values);

    tomo_put_le(p + 32, tomo_crc32c(0, p + TABLE_HEADER,
                                    total - TABLE_HEADER), 4);

    return TOMO_OK;
}


tomo_rc_e
tomo_table_build(uint64_t generation, const tomo_table_account_t *accounts,
    size_t n_accounts, const tomo_table_item_t *items, size_t n_items,
    tomo_arena_t *scratch, tomo_buf_t *out)
{
    size_t         used, most;
    tomo_rc_e      rc;
    table_build_t  t;

    if (n_accounts >= TABLE_COUNT_MAX || n_items >= TABLE_COUNT_MAX) {
        return TOMO_LIMIT;
    }

    used = scratch->used;
    most = (n_accounts > n_items) ? n_accounts : n_items;
    t.accounts = accounts;
    t.n_accounts = n_accounts;
    t.items = items;
    t.n_items = n_items;
    t.by_id = tomo_arena_array(scratch, n_accounts, sizeof(table_sort_t));
    t.by_number = tomo_arena_array(scratch, n_accounts, sizeof(table_sort_t));
    t.by_key = tomo_arena_array(scratch, n_items, sizeof(table_sort_t));
    t.spare = tomo_arena_array(scratch, most, sizeof(table_sort_t));

    if (scratch->failed) {
        scratch->used = used;
        return TOMO_FULL;
    }

    rc = table_sort_accounts(&t);

    if (rc == TOMO_OK) {
        rc = table_sort_items(&t);
    }

    if (rc == TOMO_OK) {
        rc = table_write(&t, generation, out);
    }

    scratch->used = used;

    return rc;
}
