/*
 * Tables: lookups in any bytes stay inside them; a block that passes the
 * check holds every item it lists, and builds again to the same bytes.
 */

#include "fuzz.h"
#include "tomo_journal.h"
#include "tomo_table.h"


#define MANY  256

static void
rebuild(tomo_str_t block)
{
    size_t                n_accounts, n_items;
    tomo_buf_t            out;
    tomo_str_t            value;
    tomo_arena_t          scratch;
    tomo_table_account_t  a;

    static tomo_table_account_t  accounts[MANY];
    static tomo_table_item_t     items[MANY];
    static uint8_t               memory[1 << 20], text[1 << 20];

    for (n_accounts = 0; n_accounts < MANY
         && tomo_table_account_at(block, n_accounts, &accounts[n_accounts]);
         n_accounts++)
    {
        FUZZ_HOLDS(tomo_table_account(block, accounts[n_accounts].id, &a));
        FUZZ_HOLDS(a.number == accounts[n_accounts].number);
        FUZZ_HOLDS(tomo_table_account_by_number(block, a.number, &a));
        FUZZ_HOLDS(tomo_str_eq(a.id, accounts[n_accounts].id));
    }

    for (n_items = 0; n_items < MANY
         && tomo_table_item_at(block, n_items, &items[n_items]); n_items++)
    {
        FUZZ_HOLDS(tomo_table_find(block, items[n_items].account,
                                   items[n_items].kind,
                                   items[n_items].number, &value));
        FUZZ_HOLDS(tomo_str_eq(value, items[n_items].value));
    }

    if (n_accounts == MANY || n_items == MANY) {
        return;
    }

    tomo_arena_init(&scratch, memory, sizeof(memory));
    tomo_buf_init(&out, text, sizeof(text));
    FUZZ_HOLDS(tomo_table_build(1, accounts, n_accounts, items, n_items,
                                &scratch, &out) == TOMO_OK);
    FUZZ_HOLDS(tomo_table_check(tomo_buf_str(&out)) == TOMO_OK);
}


static void
look(tomo_str_t block)
{
    size_t                i;
    tomo_str_t            value;
    tomo_table_item_t     item;
    tomo_table_account_t  a;

    (void) tomo_table_generation(block);

    for (i = 0; i < 64; i++) {
        if (tomo_table_item_at(block, i, &item)) {
            fuzz_touch(item.value);
            fuzz_touch(item.account);

            if (tomo_table_find(block, item.account, item.kind, item.number,
                                &value))
            {
                fuzz_touch(value);
            }
        }

        if (tomo_table_account_at(block, i, &a)) {
            fuzz_touch(a.id);
            (void) tomo_table_account(block, a.id, &a);
            (void) tomo_table_account_by_number(block, a.number, &a);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t     *copy;
    tomo_str_t   block = tomo_str_n(data, size);

    look(block);

    if (tomo_table_check(block) == TOMO_OK) {
        rebuild(block);
    }

    /* past the checksum, which a fuzzer seldom guesses */
    if (size < 64) {
        return 0;
    }

    copy = malloc(size);
    FUZZ_HOLDS(copy != NULL);
    memcpy(copy, data, size);
    memcpy(copy, "TOMOT1\r\n", 8);
    tomo_put_le(copy + 24, size, 8);
    tomo_put_le(copy + 32, tomo_crc32c(0, copy + 64, size - 64), 4);
    block = tomo_str_n(copy, size);

    if (tomo_table_check(block) == TOMO_OK) {
        rebuild(block);
    }

    free(copy);

    return 0;
}
