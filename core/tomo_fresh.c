#include "tomo_fresh.h"

#include "tomo_codec.h"
#include "tomo_keys.h"
#include "tomo_mac.h"


#define FRESH_NUMBER_MAX  ((UINT64_C(1) << 14) - 1)
#define FRESH_ALIGN       8


size_t
tomo_fresh_bytes(tomo_str_t account, size_t n_pairs, size_t value_bytes)
{
    return account.len + value_bytes + 8 * FRESH_ALIGN
           + (n_pairs + 1) * (sizeof(tomo_table_item_t) + FRESH_ALIGN);
}


tomo_rc_e
tomo_fresh_begin(tomo_fresh_t *f, tomo_str_t account, size_t n_pairs,
    tomo_arena_t *a)
{
    f->account.id = tomo_arena_dup(a, account);
    f->account.number = 0;
    f->account.version = 0;
    f->items = tomo_arena_array(a, n_pairs, sizeof(tomo_table_item_t));
    f->n_items = 0;
    f->room = n_pairs;
    f->left_out = 0;
    f->arena = a;

    return a->failed ? TOMO_FULL : TOMO_OK;
}


/* a secret is sealed with one of the keys, bound to its place */

static bool
fresh_unseal(tomo_fresh_t *f, const tomo_fresh_keys_t *keys, uint32_t number,
    tomo_str_t sealed, tomo_str_t *secret)
{
    void        *memory;
    uint8_t      aads[TOMO_ACCOUNT_MAX + 32];
    size_t       i;
    tomo_buf_t   aad, out;

    tomo_buf_init(&aad, aads, sizeof(aads));
    tomo_buf_c(&aad, "secret|");
    tomo_buf_put(&aad, f->account.id);
    tomo_buf_byte(&aad, '|');
    tomo_buf_u64(&aad, number);

    memory = tomo_arena_alloc(f->arena, sealed.len);

    if (memory == NULL || aad.failed) {
        return false;
    }

    for (i = 0; i < keys->n; i++) {
        tomo_buf_init(&out, memory, sealed.len);

        if (tomo_seal_open(keys->seal[i], tomo_buf_str(&aad), sealed, &out)
            == TOMO_OK)
        {
            *secret = tomo_buf_str(&out);
            return true;
        }
    }

    return false;
}


static bool
fresh_item(tomo_fresh_t *f, const tomo_fresh_keys_t *keys, tomo_str_t field,
    tomo_str_t value)
{
    tomo_table_item_t  item;

    if (f->n_items == f->room
        || tomo_feed_field_parse(field, &item.kind, &item.number) != TOMO_OK)
    {
        return false;
    }

    item.account = f->account.id;

    if (item.kind == TOMO_ITEM_SECRET) {
        if (!fresh_unseal(f, keys, item.number, value, &item.value)) {
            return false;
        }

    } else {
        item.value = tomo_arena_dup(f->arena, value);
    }

    if (f->arena->failed) {
        return false;
    }

    f->items[f->n_items++] = item;

    return true;
}


void
tomo_fresh_pair(tomo_fresh_t *f, const tomo_fresh_keys_t *keys,
    tomo_str_t field, tomo_str_t value)
{
    bool      read;
    uint64_t  n = 0;

    if (tomo_str_eq(field, tomo_str("version"))) {
        read = tomo_u64_get(value, UINT64_MAX, &n) == TOMO_OK;
        f->account.version = read ? n : f->account.version;

    } else if (tomo_str_eq(field, tomo_str("number"))) {
        read = tomo_u64_get(value, FRESH_NUMBER_MAX, &n) == TOMO_OK;
        f->account.number = read ? (uint32_t) n : f->account.number;

    } else {
        read = fresh_item(f, keys, field, value);
    }

    f->left_out += !read;
}


tomo_rc_e
tomo_fresh_end(const tomo_fresh_t *f)
{
    if (f->arena->failed) {
        return TOMO_FULL;
    }

    return f->account.version == 0 || f->account.number == 0 ? TOMO_INVALID
                                                             : TOMO_OK;
}
