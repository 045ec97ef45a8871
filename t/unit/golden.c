/*
 * golden: binary formats that outlive deployments, byte for byte.  The files
 * in t/golden/ were made apart from this code.
 */

#include "unit.h"
#include "tomo_journal.h"
#include "tomo_table.h"


static void
T31_journal_segment_v1(void **state)
{
    size_t           size;
    uint8_t          out[1024];
    uint64_t         i;
    tomo_buf_t       b;
    tomo_str_t       file, rest;
    tomo_record_t    r;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    (void) state;

    file = unit_golden("journal-segment-v1.bin");
    assert_int_equal(file.len, sizeof(out));
    assert_int_equal(tomo_journal_recover(file, &s, &found), TOMO_OK);
    assert_int_equal(found.records, 3);
    assert_int_equal(found.events, 4);
    assert_int_equal(found.next_seq, 1003);
    assert_false(found.damaged);

    memset(out, 0, sizeof(out));
    tomo_journal_header_write(&s, out);
    tomo_buf_init(&b, out, sizeof(out));
    b.len = TOMO_JOURNAL_HEADER;
    rest = tomo_str_n(file.data + 64, file.len - 64);

    for (i = 0; i < found.records; i++) {
        assert_int_equal(tomo_journal_record_read(&s, rest, 1000 + i, &r,
                                                  &size), TOMO_OK);
        tomo_journal_record_write(&s, &r, &b);
        rest = tomo_str_n(rest.data + size, rest.len - size);
    }

    assert_int_equal(b.len, found.end);
    unit_is_str(r.account, tomo_str("shop-2"));
    assert_int_equal(r.lane, TOMO_LANE_LOCAL);
    assert_memory_equal(out, file.data, sizeof(out));
    unit_free(file);
}


static void
table_v1(void **state)
{
    size_t                n_accounts, n_items;
    uint8_t               out[1024], scratch[4096];
    tomo_buf_t            b;
    tomo_str_t            file, value;
    tomo_arena_t          a;
    tomo_table_item_t     items[8];
    tomo_table_account_t  accounts[4];

    (void) state;

    file = unit_golden("table-v1.bin");
    assert_int_equal(tomo_table_check(file), TOMO_OK);
    assert_true(tomo_table_find(file, tomo_str("demo"), TOMO_ITEM_SECRET, 1,
                                &value));
    unit_is_str(value, tomo_str("8c570fa6dd201bb328f1c1eac23a96d8"));

    for (n_accounts = 0; tomo_table_account_at(file, n_accounts,
                                               &accounts[n_accounts]);
         n_accounts++)
    {
        assert_true(n_accounts < UNIT_N(accounts) - 1);
    }

    for (n_items = 0; tomo_table_item_at(file, n_items, &items[n_items]);
         n_items++)
    {
        assert_true(n_items < UNIT_N(items) - 1);
    }

    assert_int_equal(n_accounts, 2);
    assert_int_equal(n_items, 4);
    tomo_arena_init(&a, scratch, sizeof(scratch));
    tomo_buf_init(&b, out, sizeof(out));
    assert_int_equal(tomo_table_build(tomo_table_generation(file), accounts,
                                      n_accounts, items, n_items, &a, &b),
                     TOMO_OK);
    unit_is_str(tomo_buf_str(&b), file);
    unit_free(file);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T31_journal_segment_v1),
        cmocka_unit_test(table_v1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
