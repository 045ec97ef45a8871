/*
 * tomo_table: building, checking and reading the edge's table.
 */

#include "tomo_table.h"
#include "tomo_journal.h"

#include <string.h>


#define TABLE_HEADER   64
#define TABLE_ACCOUNT  56
#define TABLE_NUMBER   4
#define TABLE_ITEM     24
#define TABLE_ID       32
#define TABLE_COUNT_MAX  (UINT32_C(1) << 24)

static const uint8_t  table_magic[8] = {
    'T', 'O', 'M', 'O', 'T', '1', '\r', '\n'
};

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


static uint64_t
table_key(size_t account, unsigned kind, uint32_t number)
{
    return (uint64_t) account << 40 | (uint64_t) kind << 32 | number;
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


static bool
table_check_items(const table_view_t *v)
{
    size_t      i;
    uint64_t    key, before;
    tomo_str_t  value;

    before = 0;

    for (i = 0; i < v->n_items; i++) {
        key = table_get_key(v, i);

        if (key >> 40 >= v->n_accounts || (i > 0 && key <= before)
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
