/* tomo_utf8: B17 (strict decoding), counting, cutting, normalising. */

#include "unit.h"
#include "tomo_utf8.h"


static void
B17_broken_sequences(void **state)
{
    size_t      i;
    tomo_str_t  copy;

    static const struct {
        const char  *text;
        bool         ok;
    } cases[] = {
        { "", true }, { "a", true }, { "\x7f", true },
        { "\xc2\x80", true }, { "\xdf\xbf", true },
        { "\xe0\xa0\x80", true }, { "\xed\x9f\xbf", true },
        { "\xee\x80\x80", true }, { "\xef\xbf\xbf", true },
        { "\xf0\x90\x80\x80", true }, { "\xf4\x8f\xbf\xbf", true },
        { "\u3053\u3093\u306b\u3061\u306f", true },
        { "\xc0\x80", false }, { "\xc0\xaf", false },       /* overlong */
        { "\xc1\xbf", false }, { "\xe0\x80\x80", false },
        { "\xe0\x9f\xbf", false }, { "\xf0\x80\x80\x80", false },
        { "\xf0\x8f\xbf\xbf", false },
        { "\xed\xa0\x80", false }, { "\xed\xbf\xbf", false },/* surrogates */
        { "\xed\xa0\xbd\xed\xb8\x80", false },
        { "\xf4\x90\x80\x80", false }, { "\xf5\x80\x80\x80", false },
        { "\xf8\x88\x80\x80\x80", false }, { "\xfe", false },
        { "\xff", false }, { "\x80", false }, { "\xbf", false },
        { "\xc2", false }, { "\xe3\x81", false }, { "\xe3", false },
        { "\xf0\x9f\x8d", false }, { "\xf0\x9f", false },   /* truncated */
        { "\xc2" "a", false }, { "\xe3\x81" "a", false },
        { "\xe3" "a\x82", false }, { "a\x80", false },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        copy = unit_heap(cases[i].text, strlen(cases[i].text));
        assert_int_equal(tomo_utf8_ok(copy), cases[i].ok);
        unit_free(copy);
    }

    /* NUL is a character: lengths are lengths */
    assert_true(tomo_utf8_ok(tomo_str_n("a\0b", 3)));
    assert_true(tomo_utf8_has_control(tomo_str_n("a\0b", 3)));
}


static void
B17_every_code_point(void **state)
{
    size_t      i;
    int32_t     cp;
    uint8_t     text[4];
    tomo_buf_t  b;

    (void) state;

    for (cp = 0; cp <= 0x10ffff; cp++) {
        if (cp >= 0xd800 && cp <= 0xdfff) {
            continue;
        }

        tomo_buf_init(&b, text, sizeof(text));
        tomo_utf8_put(&b, cp);
        i = 0;

        if (tomo_utf8_next(tomo_buf_str(&b), &i) != cp || i != b.len) {
            fail_msg("U+%04X does not come back", (unsigned) cp);
        }
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_utf8_put(&b, 0xd800);
    unit_is_str(tomo_buf_str(&b), tomo_str("\ufffd"));
    tomo_buf_reset(&b);
    tomo_utf8_put(&b, 0x110000);
    unit_is_str(tomo_buf_str(&b), tomo_str("\ufffd"));
}


/* all pairs of bytes and three more: exactly the table of the standard */
static void
B17_every_three_bytes(void **state)
{
    bool      want;
    uint8_t   s[3];
    unsigned  a, b, c;

    (void) state;

    for (a = 0xc0; a < 0x100; a++) {
        for (b = 0; b < 256; b++) {
            for (c = 0; c < 256; c += (c < 0x7c || c > 0xc4) ? 7 : 1) {
                s[0] = (uint8_t) a;
                s[1] = (uint8_t) b;
                s[2] = (uint8_t) c;

                if (a >= 0xe0 && a <= 0xef) {
                    want = b >= (a == 0xe0 ? 0xa0 : 0x80)
                           && b <= (a == 0xed ? 0x9f : 0xbf)
                           && c >= 0x80 && c <= 0xbf;
                } else {
                    want = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf
                           && c < 0x80;
                }

                if (tomo_utf8_ok(tomo_str_n(s, 3)) != want) {
                    fail_msg("%02x %02x %02x", a, b, c);
                }
            }
        }
    }
}


static void
counting_and_cutting(void **state)
{
    size_t      n;
    tomo_str_t  s = tomo_str("a\u3042\U0001f34e\u00e9z");

    /* bytes at which a UTF-16 budget of n ends: a 1, あ 2, 🍎 4, é 5, z 6 */
    static const size_t  by_units[] = { 0, 1, 4, 4, 8, 10, 11, 11 };
    static const size_t  by_bytes[] = { 0, 1, 1, 1, 4, 4, 4, 4, 8, 8, 10, 11 };

    (void) state;

    assert_int_equal(s.len, 11);
    assert_int_equal(tomo_utf8_points(s), 5);
    assert_int_equal(tomo_utf8_utf16(s), 6);

    for (n = 0; n < UNIT_N(by_units); n++) {
        assert_int_equal(tomo_utf8_cut_utf16(s, n), by_units[n]);
    }

    for (n = 0; n < UNIT_N(by_bytes); n++) {
        assert_int_equal(tomo_utf8_cut_bytes(s, n), by_bytes[n]);
    }

    assert_int_equal(tomo_utf8_cut_bytes(s, 100), 11);
    assert_int_equal(tomo_utf8_cut_bytes(tomo_str("\x80\x80\x80\x80\x80\x80"),
                                         5), 2);
    assert_int_equal(tomo_utf8_cut_utf16(tomo_str_null, 3), 0);
}


static void
controls_and_bidi(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        bool         has;
    } cases[] = {
        { "plain \u65e5\u672c\n\t", false }, { "\r", true }, { "\x1b", true },
        { "\x7f", true }, { "\xc2\x85", true }, { "\u202e", true },
        { "\u202a", true }, { "\u2066", true }, { "\u2069", true },
        { "\u200e", true }, { "\u061c", true },
        { "\u200d", false }, { "\u3000", false }, { "\u00a0", false },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        assert_int_equal(tomo_utf8_has_control(tomo_str_c(cases[i].text)),
                         cases[i].has);
    }
}


static void
nfkc(void **state)
{
    size_t      i, n;
    uint8_t     out[64], text[4096];
    tomo_buf_t  b;

    static const char *const  cases[][2] = {
        { "", "" }, { "abc", "abc" },
        { "\uff11\uff12\uff13", "123" },            /* １２３ */
        { "\uff76\uff9e", "\u30ac" },               /* half-width ガ */
        { "\uff8a\uff9f\uff9d", "\u30d1\u30f3" },
        { "e\u0301", "\u00e9" }, { "\u304b\u3099", "\u304c" },
        { "\u2460\u33a1", "1m2" }, { "\ufb01", "fi" },
        { "\u3000", " " }, { "\uac00", "\uac00" },
        { "\u1100\u1161", "\uac00" },               /* Hangul */
        { "\uff0b\uff18\uff11-90", "+81-90" },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_buf_init(&b, out, sizeof(out));
        assert_int_equal(tomo_utf8_nfkc(tomo_str_c(cases[i][0]), &b),
                         TOMO_OK);
        unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i][1]));
    }

    tomo_buf_init(&b, out, sizeof(out));
    assert_int_equal(tomo_utf8_nfkc(tomo_str("a\xff"), &b), TOMO_INVALID);
    assert_int_equal(b.len, 0);
    tomo_buf_init(&b, out, 2);
    assert_int_equal(tomo_utf8_nfkc(tomo_str("abc"), &b), TOMO_FULL);

    /* long text is normalised in runs: the cuts must not show */
    for (n = 0; n + 6 <= sizeof(text); n += 6) {
        memcpy(text + n, "\u304b\u3099", 6);
    }

    {
        uint8_t  long_out[4096];

        tomo_buf_init(&b, long_out, sizeof(long_out));
        assert_int_equal(tomo_utf8_nfkc(tomo_str_n(text, n), &b), TOMO_OK);
        assert_int_equal(b.len, n / 2);

        for (i = 0; i < b.len; i += 3) {
            assert_memory_equal(long_out + i, "\u304c", 3);
        }

        /* a pile of marks is refused, not truncated */
        for (n = 0; n + 2 <= sizeof(text); n += 2) {
            memcpy(text + n, "\u0301", 2);
        }

        tomo_buf_reset(&b);
        assert_int_equal(tomo_utf8_nfkc(tomo_str_n(text, n), &b), TOMO_LIMIT);
        assert_int_equal(b.len, 0);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B17_broken_sequences),
        cmocka_unit_test(B17_every_code_point),
        cmocka_unit_test(B17_every_three_bytes),
        cmocka_unit_test(counting_and_cutting),
        cmocka_unit_test(controls_and_bidi),
        cmocka_unit_test(nfkc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
