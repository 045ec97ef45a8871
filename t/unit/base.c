/* tomo_base, tomo_keys: views, writers, arenas, ids and key names. */

#include "unit.h"
#include "tomo_keys.h"


static void
views_compare(void **state)
{
    size_t  i;

    static const struct {
        const char  *a;
        const char  *b;
        int          order;
    } cases[] = {
        { "", "", 0 }, { "", "a", -1 }, { "a", "", 1 }, { "a", "a", 0 },
        { "a", "ab", -1 }, { "b", "ab", 1 }, { "\xff", "a", 1 },
        { "A", "a", -1 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_str_t  a = tomo_str_c(cases[i].a), b = tomo_str_c(cases[i].b);
        int         order = tomo_str_cmp(a, b);

        assert_int_equal((order > 0) - (order < 0), cases[i].order);
        assert_int_equal(tomo_str_eq(a, b), cases[i].order == 0);
    }

    assert_true(tomo_str_caseeq(tomo_str("AbZ-1"), tomo_str("aBz-1")));
    assert_false(tomo_str_caseeq(tomo_str("a["), tomo_str("A{")));
    assert_true(tomo_str_starts(tomo_str("abc"), tomo_str("")));
    assert_true(tomo_str_starts(tomo_str("abc"), tomo_str("ab")));
    assert_false(tomo_str_starts(tomo_str("a"), tomo_str("ab")));
    assert_int_equal(tomo_str_find(tomo_str("abca"), 1, 'a'), 3);
    assert_int_equal(tomo_str_find(tomo_str("abca"), 0, 'x'), 4);
    assert_int_equal(tomo_str_find(tomo_str("abca"), 9, 'a'), 4);
    assert_int_equal(tomo_str_find(tomo_str_null, 0, 'a'), 0);
    assert_int_equal(tomo_str_c("").len, 0);
}


static void
writer_fails_once_and_sticks(void **state)
{
    uint8_t     text[8];
    tomo_buf_t  b;

    (void) state;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "12345");
    tomo_buf_c(&b, "6789");
    assert_true(b.failed);
    assert_int_equal(b.len, 5);
    tomo_buf_byte(&b, 'x');         /* would fit, must not slip in */
    assert_int_equal(b.len, 5);
    assert_null(tomo_buf_take(&b, 0));
    tomo_buf_reset(&b);
    tomo_buf_i64(&b, -1234567);
    unit_is_str(tomo_buf_str(&b), tomo_str("-1234567"));
    tomo_buf_init(&b, NULL, 0);
    tomo_buf_put(&b, tomo_str_null);
    assert_false(b.failed);
    tomo_buf_byte(&b, 'x');
    assert_true(b.failed);
}


static void
writer_numbers(void **state)
{
    size_t      i;
    uint8_t     text[64];
    tomo_buf_t  b;

    static const struct {
        int64_t      n;
        const char  *text;
    } cases[] = {
        { 0, "0" }, { 9, "9" }, { 10, "10" }, { -1, "-1" },
        { INT64_MAX, "9223372036854775807" },
        { INT64_MIN, "-9223372036854775808" },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_i64(&b, cases[i].n);
        unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i].text));
    }

    tomo_buf_reset(&b);
    tomo_buf_u64(&b, UINT64_MAX);
    unit_is_str(tomo_buf_str(&b), tomo_str("18446744073709551615"));
    tomo_buf_reset(&b);
    tomo_buf_hex64(&b, UINT64_C(0x0123456789abcdef));
    unit_is_str(tomo_buf_str(&b), tomo_str("0123456789abcdef"));
}


static void
arena_aligns_zeroes_and_sticks(void **state)
{
    size_t        i;
    uint8_t       block[65], *p;
    tomo_arena_t  a;

    (void) state;

    /* at every alignment of the caller's block */
    for (i = 0; i < 8; i++) {
        memset(block, 0xff, sizeof(block));
        tomo_arena_init(&a, block + i, 32);
        p = tomo_arena_alloc(&a, 3);
        assert_non_null(p);
        assert_int_equal((uintptr_t) p % 8, 0);
        assert_true(p[0] == 0 && p[1] == 0 && p[2] == 0);
        p = tomo_arena_alloc(&a, 8);
        assert_non_null(p);
        assert_int_equal((uintptr_t) p % 8, 0);
        assert_null(tomo_arena_alloc(&a, 33));
        assert_true(a.failed);
        assert_null(tomo_arena_alloc(&a, 1));
        tomo_arena_reset(&a);
        assert_non_null(tomo_arena_alloc(&a, 1));
    }

    tomo_arena_init(&a, block, 64);
    assert_null(tomo_arena_array(&a, SIZE_MAX / 2, 3));
    assert_true(a.failed);
    tomo_arena_reset(&a);
    assert_null(tomo_arena_alloc(&a, SIZE_MAX));
    tomo_arena_reset(&a);
    unit_is_str(tomo_arena_dup(&a, tomo_str("abc")), tomo_str("abc"));
    assert_int_equal(tomo_arena_dup(&a, tomo_str_null).len, 0);
}


static void
little_endian(void **state)
{
    uint8_t  p[8];

    (void) state;

    tomo_put_le(p, UINT64_C(0x0123456789abcdef), 8);
    assert_memory_equal(p, "\xef\xcd\xab\x89\x67\x45\x23\x01", 8);
    assert_true(tomo_get_le(p, 8) == UINT64_C(0x0123456789abcdef));
    assert_int_equal(tomo_get_le(p, 4), 0x89abcdef);
    assert_int_equal(tomo_get_le(p, 1), 0xef);
}


static void
ids_cannot_splice_a_key(void **state)
{
    size_t    i;
    unsigned  c;
    uint8_t   one[2];

    static const struct {
        const char  *id;
        bool         account;
        bool         definition;
    } cases[] = {
        { "demo", true, true }, { "a", true, true }, { "0-_", true, true },
        { "", false, false }, { "-a", false, false }, { "_a", false, false },
        { "a.b", false, true }, { ".a", false, false },
        { "Demo", false, false }, { "a}b", false, false },
        { "a:b", false, false }, { "a b", false, false },
        { "a\nb", false, false }, { "\xe3\x81\x82", false, false },
        { "a1234567890123456789012345678901", true, true },
        { "a12345678901234567890123456789012", false, true },
        { "a123456789012345678901234567890123456789012345678901234567890123",
          false, true },
        { "a1234567890123456789012345678901234567890123456789012345678901234",
          false, false },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_str_t  id = tomo_str_c(cases[i].id);

        assert_int_equal(tomo_keys_account_ok(id), cases[i].account);
        assert_int_equal(tomo_keys_id_ok(id), cases[i].definition);
    }

    for (c = 0; c < 256; c++) {
        one[0] = 'a';
        one[1] = (uint8_t) c;
        assert_int_equal(tomo_keys_account_ok(tomo_str_n(one, 2)),
                         (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                         || c == '-' || c == '_');
    }
}


static void
keys_have_their_names(void **state)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  b;
    tomo_str_t  demo = tomo_str("demo");

    (void) state;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_key_in(&b, demo);
    unit_is_str(tomo_buf_str(&b), tomo_str("tomo:{demo}:in"));
    tomo_buf_reset(&b);
    tomo_key_lease_ingest(&b, demo);
    unit_is_str(tomo_buf_str(&b), tomo_str("tomo:{demo}:lease:ingest"));
    tomo_buf_reset(&b);
    tomo_key_friend(&b, demo, 7);
    unit_is_str(tomo_buf_str(&b), tomo_str("tomo:{demo}:f:7"));
    tomo_buf_reset(&b);
    tomo_key_set_tag(&b, demo, 3);
    unit_is_str(tomo_buf_str(&b), tomo_str("tomo:{demo}:set:tag:3"));
    tomo_buf_reset(&b);
    tomo_key_history(&b, demo, tomo_str("scenario/welcome"));
    unit_is_str(tomo_buf_str(&b),
                tomo_str("tomo:{demo}:history:scenario/welcome"));

    /* the longest there is fits */
    tomo_buf_reset(&b);
    tomo_key_history(&b, tomo_str("a1234567890123456789012345678901"),
                     tomo_str("scenario/a12345678901234567890123456789012345"
                              "6789012345678901234567890123"));
    assert_false(b.failed);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare),
        cmocka_unit_test(writer_fails_once_and_sticks),
        cmocka_unit_test(writer_numbers),
        cmocka_unit_test(arena_aligns_zeroes_and_sticks),
        cmocka_unit_test(little_endian),
        cmocka_unit_test(ids_cannot_splice_a_key),
        cmocka_unit_test(keys_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
