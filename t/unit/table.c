/*
 * tomo_table: random tables against a plain list; corrupted blocks stay in
 * bounds (run under AddressSanitizer) and are refused by the check.
 */

#include "unit.h"
#include "tomo_journal.h"
#include "tomo_table.h"


#define ACCOUNTS  12
#define ITEMS     300

static uint64_t  dice = 0x9e3779b97f4a7c15;

static uint64_t
roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;

    return dice;
}

typedef struct {
    char                  ids[ACCOUNTS][33];
    char                  values[ITEMS][24];
    tomo_table_account_t  accounts[ACCOUNTS];
    tomo_table_item_t     items[ITEMS];
    size_t                n_accounts;
    size_t                n_items;
    uint8_t               bytes[ITEMS * 64 + ACCOUNTS * 64 + 64];
    uint8_t               scratch[ITEMS * 128];
    tomo_buf_t            out;
} table_t;


static bool
has_item(const table_t *t, size_t account, unsigned kind, uint32_t number)
{
    size_t  i;

    for (i = 0; i < t->n_items; i++) {
        if (tomo_str_eq(t->items[i].account, t->accounts[account].id)
            && t->items[i].kind == kind && t->items[i].number == number)
        {
            return true;
        }
    }

    return false;
}


static void
make(table_t *t, size_t n_accounts, size_t n_items)
{
    size_t              i, account;
    uint32_t            number;
    tomo_item_kind_e    kind;

    memset(t, 0, sizeof(*t));

    for (i = 0; i < n_accounts; i++) {
        snprintf(t->ids[i], sizeof(t->ids[i]), "a%u-%.*s",
                 (unsigned) (roll() % 1000 * 100 + i), (int) (roll() % 20),
                 "xxxxxxxxxxxxxxxxxxxxxx");
        t->accounts[i].id = tomo_str_c(t->ids[i]);
        t->accounts[i].number = (uint32_t) (roll() % 100 * 100 + i + 1);
        t->accounts[i].version = roll();
    }

    t->n_accounts = n_accounts;

    for (i = 0; i < n_items; i++) {
        account = roll() % n_accounts;
        kind = (tomo_item_kind_e) (1 + roll() % 3);
        number = (uint32_t) (roll() % 200);

        if (has_item(t, account, kind, number)) {
            continue;
        }

        t->items[t->n_items].account = t->accounts[account].id;
        t->items[t->n_items].kind = kind;
        t->items[t->n_items].number = number;
        snprintf(t->values[i], sizeof(t->values[i]), "%.*s",
                 (int) (roll() % 20), "0123456789abcdefghijkl");
        t->items[t->n_items].value = tomo_str_c(t->values[i]);
        t->n_items++;
    }

    tomo_buf_init(&t->out, t->bytes, sizeof(t->bytes));
}


static tomo_rc_e
build(table_t *t)
{
    tomo_rc_e     rc;
    tomo_arena_t  scratch;

    tomo_arena_init(&scratch, t->scratch, sizeof(t->scratch));
    rc = tomo_table_build(42, t->accounts, t->n_accounts, t->items,
                          t->n_items, &scratch, &t->out);
    assert_int_equal(scratch.used, 0);

    return rc;
}


/* keeps the compiler from leaving the reads out */
static volatile size_t  seen;

/* every lookup there is; only memory safety is asked for */
static void
look_everywhere(tomo_str_t block, const table_t *t)
{
    size_t                i, sum;
    tomo_str_t            value;
    tomo_table_item_t     item;
    tomo_table_account_t  a;

    sum = (size_t) tomo_table_generation(block);

    for (i = 0; i < t->n_accounts; i++) {
        if (tomo_table_account(block, t->accounts[i].id, &a)) {
            sum += a.id.len > 0 ? a.id.data[a.id.len - 1] : 0;
        }

        if (tomo_table_account_by_number(block, t->accounts[i].number, &a)) {
            sum += a.id.len > 0 ? a.id.data[a.id.len - 1] : 0;
        }

        if (tomo_table_account_at(block, i, &a)) {
            sum += a.number;
        }
    }

    for (i = 0; i < t->n_items; i++) {
        if (tomo_table_find(block, t->items[i].account, t->items[i].kind,
                            t->items[i].number, &value) && value.len > 0)
        {
            sum += value.data[0] + value.data[value.len - 1];
        }

        if (tomo_table_item_at(block, i, &item) && item.value.len > 0) {
            sum += item.value.data[0] + item.value.data[item.value.len - 1];
        }
    }

    seen = sum;
}


static void
finds_random_items(void **state)
{
    size_t                round, i, k;
    table_t              *t = *state;
    tomo_str_t            block, value;
    tomo_table_item_t     item;
    tomo_table_account_t  a;

    for (round = 0; round < 50; round++) {
        make(t, 1 + roll() % ACCOUNTS, roll() % ITEMS);
        assert_int_equal(build(t), TOMO_OK);
        block = tomo_buf_str(&t->out);
        assert_int_equal(tomo_table_check(block), TOMO_OK);
        assert_int_equal(tomo_table_generation(block), 42);

        for (i = 0; i < t->n_accounts; i++) {
            assert_true(tomo_table_account(block, t->accounts[i].id, &a));
            unit_is_str(a.id, t->accounts[i].id);
            assert_int_equal(a.number, t->accounts[i].number);
            assert_true(a.version == t->accounts[i].version);
            assert_true(tomo_table_account_by_number(
                            block, t->accounts[i].number, &a));
            unit_is_str(a.id, t->accounts[i].id);
            assert_true(tomo_table_account_at(block, i, &a));

            for (k = 0; k < 200; k++) {
                assert_int_equal(tomo_table_find(
                                     block, t->accounts[i].id, TOMO_ITEM_LINK,
                                     (uint32_t) k, &value),
                                 has_item(t, i, TOMO_ITEM_LINK,
                                          (uint32_t) k));
            }
        }

        for (i = 0; i < t->n_items; i++) {
            assert_true(tomo_table_find(block, t->items[i].account,
                                        t->items[i].kind,
                                        t->items[i].number, &value));
            unit_is_str(value, t->items[i].value);
            assert_true(tomo_table_item_at(block, i, &item));
        }

        assert_false(tomo_table_account_at(block, t->n_accounts, &a));
        assert_false(tomo_table_item_at(block, t->n_items, &item));
        assert_false(tomo_table_account(block, tomo_str("nobody"), &a));
        assert_false(tomo_table_account(block, tomo_str(""), &a));
        assert_false(tomo_table_account_by_number(block, 0, &a));
        assert_false(tomo_table_find(block, tomo_str("nobody"),
                                     TOMO_ITEM_LINK, 1, &value));
    }
}


/* one content, one block: whatever the order it came in */
static void
order_does_not_matter(void **state)
{
    size_t             i, k, len;
    uint8_t            first[sizeof(((table_t *) NULL)->bytes)];
    table_t           *t = *state;
    tomo_table_item_t  item;

    make(t, 5, 100);
    assert_int_equal(build(t), TOMO_OK);
    len = t->out.len;
    memcpy(first, t->bytes, len);

    for (i = t->n_items - 1; i > 0; i--) {
        k = roll() % (i + 1);
        item = t->items[i];
        t->items[i] = t->items[k];
        t->items[k] = item;
    }

    tomo_buf_reset(&t->out);
    assert_int_equal(build(t), TOMO_OK);
    assert_int_equal(t->out.len, len);
    assert_memory_equal(t->bytes, first, len);
}


static void
refuses_what_is_twice_or_unknown(void **state)
{
    table_t       *t = *state;
    tomo_arena_t   small;

    make(t, 2, 0);
    t->accounts[1].id = t->accounts[0].id;
    assert_int_equal(build(t), TOMO_INVALID);

    make(t, 2, 0);
    t->accounts[1].number = t->accounts[0].number;
    assert_int_equal(build(t), TOMO_INVALID);

    make(t, 2, 0);
    t->accounts[1].id = tomo_str("");
    assert_int_equal(build(t), TOMO_INVALID);
    t->accounts[1].id = tomo_str("a23456789012345678901234567890123");
    assert_int_equal(build(t), TOMO_INVALID);

    make(t, 2, 20);
    t->items[1] = t->items[0];
    assert_int_equal(build(t), TOMO_INVALID);
    t->items[1].account = tomo_str("nobody");
    assert_int_equal(build(t), TOMO_INVALID);
    assert_int_equal(t->out.len, 0);

    make(t, 2, 20);
    tomo_buf_init(&t->out, t->bytes, 100);
    assert_int_equal(build(t), TOMO_FULL);

    make(t, 2, 20);
    tomo_arena_init(&small, t->scratch, 64);
    assert_int_equal(tomo_table_build(1, t->accounts, 2, t->items,
                                      t->n_items, &small, &t->out),
                     TOMO_FULL);

    make(t, 0, 0);
    assert_int_equal(build(t), TOMO_OK);
    assert_int_equal(tomo_table_check(tomo_buf_str(&t->out)), TOMO_OK);
}


static void
corrupted_blocks_stay_in_bounds(void **state)
{
    size_t       i;
    uint8_t     *p;
    table_t     *t = *state;
    tomo_str_t   block;

    make(t, 4, 40);
    assert_int_equal(build(t), TOMO_OK);
    block = unit_heap(t->bytes, t->out.len);
    p = (uint8_t *) (uintptr_t) block.data;

    for (i = 0; i < block.len * 8; i++) {
        p[i / 8] ^= (uint8_t) (1u << i % 8);
        look_everywhere(block, t);

        /* the generation is what changes; all else is checked */
        if (i / 8 >= 64 || i / 8 < 8) {
            assert_int_equal(tomo_table_check(block), TOMO_INVALID);
        }

        p[i / 8] ^= (uint8_t) (1u << i % 8);
    }

    for (i = 0; i < 2000; i++) {
        memcpy(p, t->bytes, block.len);

        while (roll() % 16 != 0) {
            p[roll() % block.len] = (uint8_t) roll();
        }

        look_everywhere(block, t);
    }

    for (i = 16; i < 24; i++) {
        memset(p + i, 0xff, 1);
        look_everywhere(block, t);
    }

    unit_free(block);
}


/* found by fuzzing: an item listed in another account's run was good */
static void
runs_are_those_of_their_account(void **state)
{
    size_t             i;
    uint8_t           *p;
    table_t           *t = *state;
    tomo_str_t         block;
    tomo_table_item_t  item;

    make(t, 2, 40);
    assert_int_equal(build(t), TOMO_OK);
    block = tomo_buf_str(&t->out);
    p = t->bytes + 64;

    /* the first account's last item goes over to the second */
    i = (size_t) tomo_get_le(p + 36, 4);
    assert_in_range(i, 1, t->n_items - 1);
    assert_true(tomo_table_item_at(block, i - 1, &item));
    tomo_put_le(p + 36, i - 1, 4);
    tomo_put_le(p + 56 + 36, t->n_items - i + 1, 4);
    tomo_put_le(p + 56 + 40, i - 1, 4);
    tomo_put_le(t->bytes + 32, tomo_crc32c(0, p, block.len - 64), 4);
    assert_int_equal(tomo_table_check(block), TOMO_INVALID);
}


static void
every_prefix_stays_in_bounds(void **state)
{
    size_t       n;
    table_t     *t = *state;
    tomo_str_t   block;

    make(t, 4, 40);
    assert_int_equal(build(t), TOMO_OK);

    for (n = 0; n < t->out.len; n++) {
        block = unit_heap(t->bytes, n);
        look_everywhere(block, t);
        assert_int_equal(tomo_table_check(block), TOMO_INVALID);
        unit_free(block);
    }
}


static int
with_table(void **state)
{
    *state = malloc(sizeof(table_t));

    return *state == NULL ? -1 : 0;
}


static int
free_table(void **state)
{
    free(*state);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_random_items),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(refuses_what_is_twice_or_unknown),
        cmocka_unit_test(corrupted_blocks_stay_in_bounds),
        cmocka_unit_test(runs_are_those_of_their_account),
        cmocka_unit_test(every_prefix_stays_in_bounds),
    };

    return cmocka_run_group_tests(tests, with_table, free_table);
}
