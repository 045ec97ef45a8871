/* tomo_codec: strict decoders: one text for one value. */

#include "unit.h"
#include "tomo_codec.h"


typedef tomo_rc_e (*get_pt)(tomo_str_t text, tomo_buf_t *out);
typedef void (*put_pt)(tomo_buf_t *b, tomo_str_t bytes);


/* RFC 4648, 10 */
static void
base64_rfc4648(void **state)
{
    size_t      i;
    uint8_t     text[32];
    tomo_buf_t  b;

    static const char *const  cases[][3] = {
        { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "+//+", "-__-" },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_buf_init(&b, text, strlen(cases[i][1]));
        tomo_b64_put(&b, tomo_str_c(cases[i][0]));
        unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i][1]));
        tomo_buf_init(&b, text, strlen(cases[i][2]));
        tomo_b64url_put(&b, tomo_str_c(cases[i][0]));
        unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i][2]));
        tomo_buf_init(&b, text, strlen(cases[i][0]));
        assert_int_equal(tomo_b64_get(tomo_str_c(cases[i][1]), &b), TOMO_OK);
        unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i][0]));
        tomo_buf_init(&b, text, strlen(cases[i][0]));
        assert_int_equal(tomo_b64url_get(tomo_str_c(cases[i][2]), &b),
                         TOMO_OK);
        unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i][0]));
    }
}


/* whatever decodes, encodes back to the same text (B4, B28) */
static void
whatever_decodes_is_canonical(get_pt get, put_pt put, size_t max)
{
    size_t      len, i, round;
    uint8_t     text[8], bytes[8], again[16];
    tomo_buf_t  b, back;
    tomo_str_t  copy;
    uint64_t    dice = 88172645463325252;

    static const char  signs[] = "AaQgZz09+/-_==\n %fF";

    for (len = 0; len <= max; len++) {
        for (round = 0; round < 20000; round++) {
            for (i = 0; i < len; i++) {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                text[i] = (uint8_t) signs[dice % (sizeof(signs) - 1)];
            }

            copy = unit_heap(text, len);
            tomo_buf_init(&b, bytes, sizeof(bytes));

            if (get(copy, &b) == TOMO_OK) {
                tomo_buf_init(&back, again, sizeof(again));
                put(&back, tomo_buf_str(&b));
                unit_is_str(tomo_buf_str(&back), copy);
            } else {
                assert_int_equal(b.len, 0);
            }

            unit_free(copy);
        }
    }
}


static void
B4_B28_canonical(void **state)
{
    (void) state;

    whatever_decodes_is_canonical(tomo_b64_get, tomo_b64_put, 8);
    whatever_decodes_is_canonical(tomo_b64url_get, tomo_b64url_put, 7);
    whatever_decodes_is_canonical(tomo_hex_get, tomo_hex_put, 6);
}


static void
every_length_round_trips(void **state)
{
    size_t      n, i;
    uint8_t     bytes[256], text[1024], back[256];
    tomo_buf_t  b, out;

    (void) state;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t) (255 - i);
    }

    for (n = 0; n <= sizeof(bytes); n++) {
        tomo_str_t  s = tomo_str_n(bytes, n);

        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_init(&out, back, n);
        tomo_b64_put(&b, s);
        assert_int_equal(tomo_b64_get(tomo_buf_str(&b), &out), TOMO_OK);
        unit_is_str(tomo_buf_str(&out), s);

        tomo_buf_reset(&b);
        tomo_buf_init(&out, back, n);
        tomo_hex_put(&b, s);
        assert_int_equal(tomo_hex_get(tomo_buf_str(&b), &out), TOMO_OK);
        unit_is_str(tomo_buf_str(&out), s);

        tomo_buf_reset(&b);
        tomo_buf_init(&out, back, n);
        tomo_percent_put(&b, s);
        assert_false(b.failed);
        assert_int_equal(tomo_percent_get(tomo_buf_str(&b), true, &out),
                         TOMO_OK);
        unit_is_str(tomo_buf_str(&out), s);

        if (n > 0) {
            tomo_buf_init(&out, back, n - 1);
            assert_int_equal(tomo_percent_get(tomo_buf_str(&b), false, &out),
                             TOMO_FULL);
        }
    }
}


static void
percent_cases(void **state)
{
    size_t      i;
    uint8_t     back[32];
    tomo_buf_t  b;
    tomo_str_t  copy;

    static const struct {
        const char  *text;
        bool         form;
        const char  *value;         /* NULL: refused */
    } cases[] = {
        { "", false, "" }, { "a+b", true, "a b" }, { "a+b", false, "a+b" },
        { "%41%4a%4A", false, "AJJ" }, { "%e3%81%82", true, "\u3042" },
        { "%", false, NULL }, { "%4", false, NULL }, { "%%41", false, NULL },
        { "%4g", false, NULL }, { "a%", true, NULL }, { "%u3042", true, NULL },
        { "%-1", false, NULL }, { "% 1", false, NULL },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_buf_init(&b, back, sizeof(back));
        copy = unit_heap(cases[i].text, strlen(cases[i].text));

        if (cases[i].value == NULL) {
            assert_int_equal(tomo_percent_get(copy, cases[i].form, &b),
                             TOMO_INVALID);
            assert_int_equal(b.len, 0);
        } else {
            assert_int_equal(tomo_percent_get(copy, cases[i].form, &b),
                             TOMO_OK);
            unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i].value));
        }

        unit_free(copy);
    }
}


static void
numbers(void **state)
{
    size_t    i;
    int64_t   n;
    uint64_t  u;

    static const struct {
        const char  *text;
        bool         is_signed;
        bool         is_unsigned;
        int64_t      n;
    } cases[] = {
        { "0", true, true, 0 }, { "7", true, true, 7 },
        { "-7", true, false, -7 },
        { "9223372036854775807", true, true, INT64_MAX },
        { "9223372036854775808", false, true, 0 },
        { "-9223372036854775808", true, false, INT64_MIN },
        { "-9223372036854775809", false, false, 0 },
        { "18446744073709551615", false, true, 0 },
        { "18446744073709551616", false, false, 0 },
        { "99999999999999999999", false, false, 0 },
        { "184467440737095516150", false, false, 0 },
        { "", false, false, 0 }, { "-", false, false, 0 },
        { "-0", false, false, 0 }, { "00", false, false, 0 },
        { "01", false, false, 0 }, { "-01", false, false, 0 },
        { "+1", false, false, 0 }, { " 1", false, false, 0 },
        { "1 ", false, false, 0 }, { "1.0", false, false, 0 },
        { "1e3", false, false, 0 }, { "0x1", false, false, 0 },
        { "--1", false, false, 0 }, { "\uff11", false, false, 0 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_str_t  s = tomo_str_c(cases[i].text);

        assert_int_equal(tomo_i64_get(s, &n) == TOMO_OK, cases[i].is_signed);
        assert_int_equal(tomo_u64_get(s, UINT64_MAX, &u) == TOMO_OK,
                         cases[i].is_unsigned);

        if (cases[i].is_signed) {
            assert_true(n == cases[i].n);
        }
    }

    assert_int_equal(tomo_u64_get(tomo_str("8"), 7, &u), TOMO_INVALID);
    assert_int_equal(tomo_u64_get(tomo_str("7"), 7, &u), TOMO_OK);
    assert_int_equal(tomo_hex64_get(tomo_str("0123456789abcdef"), &u),
                     TOMO_OK);
    assert_true(u == UINT64_C(0x0123456789abcdef));
    assert_int_equal(tomo_hex64_get(tomo_str("0123456789ABCDEF"), &u),
                     TOMO_INVALID);
    assert_int_equal(tomo_hex64_get(tomo_str("123456789abcdef"), &u),
                     TOMO_INVALID);
}


static void
html_and_json(void **state)
{
    uint8_t     text[128];
    tomo_buf_t  b;

    (void) state;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_html_put(&b, tomo_str("a<b>&\"'\u3042"));
    unit_is_str(tomo_buf_str(&b),
                tomo_str("a&lt;b&gt;&amp;&quot;&#39;\u3042"));
    tomo_buf_reset(&b);
    tomo_html_put(&b, tomo_str_null);
    assert_int_equal(b.len, 0);

    tomo_json_put(&b, tomo_str("\"\\/\b\t\n\v\f\r\x01\x1f\x7f \u3042"));
    unit_is_str(tomo_buf_str(&b),
                tomo_str("\"\\\"\\\\/\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f"
                         "\\u007f \u3042\""));
    tomo_buf_reset(&b);
    tomo_json_put(&b, tomo_str_n("a\0b", 3));
    unit_is_str(tomo_buf_str(&b), tomo_str("\"a\\u0000b\""));
    tomo_buf_reset(&b);
    tomo_json_put(&b, tomo_str_null);
    unit_is_str(tomo_buf_str(&b), tomo_str("\"\""));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_rfc4648),
        cmocka_unit_test(B4_B28_canonical),
        cmocka_unit_test(every_length_round_trips),
        cmocka_unit_test(percent_cases),
        cmocka_unit_test(numbers),
        cmocka_unit_test(html_and_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
