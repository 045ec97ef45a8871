/*
 * tomo_table: checking and reading the edge's table.
 */

#include "tomo_table_layout.h"
#include "tomo_journal.h"

#include <string.h>


/* where the parts of a block lie; made of its header at every lookup */
typedef struct {
    const uint8_t  *base;
    size_t          len;
    size_t          n_accounts;
    size_t          n_items;
    const uint8_t  *accounts;
    const uint8_t  *numbers;
    const uint8_t  *items;
} table_view_t;


/* false: the counts in the header do not fit into the block */
static bool
table_view(tomo_str_t block, table_view_t *v)
{
    if (block.len < TABLE_HEADER) {
        return false;
    }

    v->base = block.data;
    v->len = block.len;
    v->n_accounts = (size_t) tomo_get_le(block.data + 16, 4);
    v->n_items = (size_t) tomo_get_le(block.data + 20, 4);

    if (v->n_accounts >= TABLE_COUNT_MAX || v->n_items >= TABLE_COUNT_MAX
        || v->n_accounts * (TABLE_ACCOUNT + TABLE_NUMBER)
           + v->n_items * TABLE_ITEM > block.len - TABLE_HEADER)
    {
        return false;
    }

    v->accounts = block.data + TABLE_HEADER;
    v->numbers = v->accounts + v->n_accounts * TABLE_ACCOUNT;
    v->items = v->numbers + v->n_accounts * TABLE_NUMBER;

    return true;
}


static void
table_get_account(const table_view_t *v, size_t i, tomo_table_account_t *a)
{
    const uint8_t  *p;

    p = v->accounts + i * TABLE_ACCOUNT;
    a->id = tomo_str_n(p, tomo_str_find(tomo_str_n(p, TABLE_ID), 0, 0));
    a->number = (uint32_t) tomo_get_le(p + 32, 4);
    a->version = tomo_get_le(p + 48, 8);
}


static bool
table_get_value(const table_view_t *v, size_t i, tomo_str_t *value)
{
    size_t          len;
    uint64_t        offset;
    const uint8_t  *p;

    p = v->items + i * TABLE_ITEM;
    len = (size_t) tomo_get_le(p + 12, 4);
    offset = tomo_get_le(p + 16, 8);

    if (offset > v->len || len > v->len - offset) {
        return false;
    }

    *value = tomo_str_n(v->base + offset, len);

    return true;
}


static uint64_t
table_get_key(const table_view_t *v, size_t i)
{
    const uint8_t  *p;

    p = v->items + i * TABLE_ITEM;

    return table_key((size_t) tomo_get_le(p, 4), p[4],
                     (uint32_t) tomo_get_le(p + 8, 4));
}


/* index of the account; n_accounts: absent */
static size_t
table_search(const table_view_t *v, tomo_str_t id)
{
    int                   order;
    size_t                low, high, middle;
    tomo_table_account_t  a;

    low = 0;
    high = v->n_accounts;

    while (low < high) {
        middle = low + (high - low) / 2;
        table_get_account(v, middle, &a);
        order = tomo_str_cmp(a.id, id);

        if (order == 0) {
            return middle;
        }

        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return v->n_accounts;
}


bool
tomo_table_account(tomo_str_t block, tomo_str_t id, tomo_table_account_t *a)
{
    size_t        i;
    table_view_t  v;

    if (!table_view(block, &v)) {
        return false;
    }

    i = table_search(&v, id);

    if (i == v.n_accounts) {
        return false;
    }

    table_get_account(&v, i, a);

    return true;
}


bool
tomo_table_account_by_number(tomo_str_t block, uint32_t number,
    tomo_table_account_t *a)
{
    size_t                low, high, middle, i;
    table_view_t          v;
    tomo_table_account_t  found;

    if (!table_view(block, &v)) {
        return false;
    }

    low = 0;
    high = v.n_accounts;

    while (low < high) {
        middle = low + (high - low) / 2;
        i = (size_t) tomo_get_le(v.numbers + middle * TABLE_NUMBER,
                                 TABLE_NUMBER);

        if (i >= v.n_accounts) {
            return false;
        }

        table_get_account(&v, i, &found);

        if (found.number == number) {
            *a = found;
            return true;
        }

        if (found.number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return false;
}


bool
tomo_table_find(tomo_str_t block, tomo_str_t account, tomo_item_kind_e kind,
    uint32_t number, tomo_str_t *value)
{
    size_t        index, low, high, middle;
    uint64_t      key, want;
    table_view_t  v;

    if (!table_view(block, &v)) {
        return false;
    }

    index = table_search(&v, account);

    if (index == v.n_accounts) {
        return false;
    }

    want = table_key(index, (unsigned) kind, number);
    low = (size_t) tomo_get_le(v.accounts + index * TABLE_ACCOUNT + 40, 4);
    high = low + (size_t) tomo_get_le(v.accounts + index * TABLE_ACCOUNT + 36,
                                      4);

    if (high > v.n_items) {
        return false;
    }

    while (low < high) {
        middle = low + (high - low) / 2;
        key = table_get_key(&v, middle);

        if (key == want) {
            return table_get_value(&v, middle, value);
        }

        if (key < want) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return false;
}


bool
tomo_table_account_at(tomo_str_t block, size_t i, tomo_table_account_t *a)
{
    table_view_t  v;

    if (!table_view(block, &v) || i >= v.n_accounts) {
        return false;
    }

    table_get_account(&v, i, a);

    return true;
}


bool
tomo_table_item_at(tomo_str_t block, size_t i, tomo_table_item_t *item)
{
    uint64_t              key;
    table_view_t          v;
    tomo_table_account_t  a;

    if (!table_view(block, &v) || i >= v.n_items) {
        return false;
    }

    key = table_get_key(&v, i);

    if (key >> 40 >= v.n_accounts || !table_get_value(&v, i, &item->value)) {
        return false;
    }

    table_get_account(&v, (size_t) (key >> 40), &a);
    item->account = a.id;
    item->kind = (tomo_item_kind_e) (key >> 32 & 255);
    item->number = (uint32_t) key;

    return true;
}


/* the accounts must be in order and cut the items into runs without gaps */
static bool
table_check_accounts(const table_view_t *v)
{
    size_t                i, next;
    const uint8_t        *p;
    tomo_table_account_t  a, before;

    next = 0;

    for (i = 0; i < v->n_accounts; i++) {
        p = v->accounts + i * TABLE_ACCOUNT;
        table_get_account(v, i, &a);

        if (a.id.len == 0 || tomo_get_le(p + 40, 4) != next
            || tomo_get_le(p + 36, 4) > v->n_items - next)
        {
            return false;
        }

        next += (size_t) tomo_get_le(p + 36, 4);

        if (i > 0 && tomo_str_cmp(before.id, a.id) >= 0) {
            return false;
        }

        before = a;
    }

    return next == v->n_items;
}


static bool
table_check_numbers(const table_view_t *v)
{
    size_t                i, at;
    uint32_t              before;
    tomo_table_account_t  a;

    before = 0;

    for (i = 0; i < v->n_accounts; i++) {
        at = (size_t) tomo_get_le(v->numbers + i * TABLE_NUMBER,
                                  TABLE_NUMBER);

        if (at >= v->n_accounts) {
            return false;
        }

        table_get_account(v, at, &a);

        if (i > 0 && a.number <= before) {
            return false;
        }

        before = a.number;
    }

    return true;
}


/* is item i in the run of its account? */
static bool
table_in_run(const table_view_t *v, size_t account, size_t i)
{
    size_t          first;
    const uint8_t  *p;

    if (account >= v->n_accounts) {
        return false;
    }

    p = v->accounts + account * TABLE_ACCOUNT;
    first = (size_t) tomo_get_le(p + 40, 4);

    return i >= first && i - first < tomo_get_le(p + 36, 4);
}


static bool
table_check_items(const table_view_t *v)
{
    size_t      i;
    uint64_t    key, before;
    tomo_str_t  value;

    before = 0;

    for (i = 0; i < v->n_items; i++) {
        key = table_get_key(v, i);

        if (!table_in_run(v, (size_t) (key >> 40), i)
            || (i > 0 && key <= before)
            || !table_get_value(v, i, &value))
        {
            return false;
        }

        before = key;
    }

    return true;
}


tomo_rc_e
tomo_table_check(tomo_str_t block)
{
    uint64_t      total;
    table_view_t  v;

    if (block.len < TABLE_HEADER
        || memcmp(block.data, table_magic, sizeof(table_magic)) != 0)
    {
        return TOMO_INVALID;
    }

    total = tomo_get_le(block.data + 24, 8);

    if (total < TABLE_HEADER || total > block.len) {
        return TOMO_INVALID;
    }

    block.len = (size_t) total;

    if (tomo_get_le(block.data + 32, 4)
        != tomo_crc32c(0, block.data + TABLE_HEADER, block.len - TABLE_HEADER)
        || !table_view(block, &v)
        || !table_check_accounts(&v) || !table_check_numbers(&v)
        || !table_check_items(&v))
    {
        return TOMO_INVALID;
    }

    return TOMO_OK;
}


uint64_t
tomo_table_generation(tomo_str_t block)
{
    return (block.len < TABLE_HEADER) ? 0 : tomo_get_le(block.data + 8, 8);
}
