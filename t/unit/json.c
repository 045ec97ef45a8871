/* worker/json: foreign JSON into the bounded tree, and JSON out. */

#include "unit.h"
#include "json.h"


#define MEMORY  (4 * 1024 * 1024)

static _Alignas(8) uint8_t  memory[MEMORY];


static tomo_rc_e
parse(tomo_str_t text, json_t **root, json_error_t *error)
{
    tomo_rc_e     rc;
    tomo_str_t    heap = unit_heap(text.data, text.len);
    tomo_arena_t  a;

    tomo_arena_init(&a, memory, sizeof(memory));
    rc = json_parse(heap, NULL, &a, root, error);
    unit_free(heap);            /* strings are copies in the arena */

    return rc;
}


static void
parse_cases(void **state)
{
    static const struct {
        const char  *text;
        size_t       len;       /* 0: strlen */
        tomo_rc_e    rc;
    } cases[] = {
        { "{}", 0, TOMO_OK },
        { "[]", 0, TOMO_OK },
        { " [1, -2.5e3, true, false, null, \"x\"] ", 0, TOMO_OK },
        { "\"\\ud83c\\udf4e\"", 0, TOMO_OK },
        { "12345678901234567890123", 0, TOMO_OK },

        { "", 0, TOMO_INVALID },
        { " ", 0, TOMO_INVALID },
        { "{", 0, TOMO_INVALID },
        { "[1,]", 0, TOMO_INVALID },
        { "{\"a\":1,}", 0, TOMO_INVALID },
        { "{} {}", 0, TOMO_INVALID },
        { "{}x", 0, TOMO_INVALID },
        { "nul", 0, TOMO_INVALID },
        { "NaN", 0, TOMO_INVALID },
        { "01", 0, TOMO_INVALID },
        { "// no\n{}", 0, TOMO_INVALID },
        { "'x'", 0, TOMO_INVALID },
        { "\"a\nb\"", 0, TOMO_INVALID },
        { "\xef\xbb\xbf{}", 0, TOMO_INVALID },

        /* B16 */
        { "{\"a\":1,\"a\":2}", 0, TOMO_INVALID },
        { "{\"a\":null,\"a\":2}", 0, TOMO_INVALID },
        { "{\"a\":1,\"\\u0061\":2}", 0, TOMO_INVALID },
        { "[{\"a\":1},{\"a\":1}]", 0, TOMO_OK },

        /* B17 */
        { "\"\xc0\xaf\"", 0, TOMO_INVALID },
        { "\"\xed\xa0\x80\"", 0, TOMO_INVALID },
        { "\"\xe3\x81\"", 0, TOMO_INVALID },
        { "\"\\ud800\"", 0, TOMO_INVALID },
        { "\"\\udc00\"", 0, TOMO_INVALID },
        { "\"\\ud800\\u0041\"", 0, TOMO_INVALID },
        { "\"\\ud800\\ud800\"", 0, TOMO_INVALID },
        { "\"\\u12\"", 0, TOMO_INVALID },
        { "\"\\\\ud800\"", 0, TOMO_OK },
        { "{\"a\\u0000b\":1}", 0, TOMO_INVALID },
        { "\"a\0b\"", 5, TOMO_INVALID },
    };

    size_t        i;
    json_t       *root;
    tomo_str_t    text;
    json_error_t  error;

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        text = cases[i].len == 0 ? tomo_str_c(cases[i].text)
                                 : tomo_str_n(cases[i].text, cases[i].len);
        error.why = NULL;

        if (parse(text, &root, &error) != cases[i].rc) {
            fail_msg("case %zu: %s (%s)", i, cases[i].text,
                     error.why == NULL ? "taken" : error.why);
        }

        assert_true((cases[i].rc == TOMO_OK) == (error.why == NULL));
    }
}


static void
B15_nesting_and_sizes(void **state)
{
    json_t         *root;
    uint8_t        *deep;
    tomo_str_t      text;
    tomo_arena_t    a;
    json_error_t    error;
    json_limits_t   limits = { .max_bytes = 10, .max_nodes = 3 };

    (void) state;

    deep = malloc(1000000);
    assert_non_null(deep);
    memset(deep, '[', 1000000);

    assert_int_equal(parse(tomo_str_n(deep, 1000000), &root, &error),
                     TOMO_LIMIT);
    assert_true(error.offset <= 64);

    memset(deep + 32, ']', 32);
    assert_int_equal(parse(tomo_str_n(deep, 64), &root, &error), TOMO_OK);
    memset(deep + 32, '[', 1);
    memset(deep + 33, ']', 33);
    assert_int_equal(parse(tomo_str_n(deep, 66), &root, &error), TOMO_LIMIT);
    free(deep);

    tomo_arena_init(&a, memory, sizeof(memory));
    text = tomo_str("[1,2,3]");
    assert_int_equal(json_parse(text, &limits, &a, &root, NULL), TOMO_LIMIT);
    text = tomo_str("[1,2]");
    assert_int_equal(json_parse(text, &limits, &a, &root, NULL), TOMO_OK);
    text = tomo_str("\"12345678901\"");
    assert_int_equal(json_parse(text, &limits, &a, &root, NULL), TOMO_LIMIT);

    tomo_arena_init(&a, memory, 64);
    text = tomo_str("[1,2]");
    assert_int_equal(json_parse(text, &limits, &a, &root, NULL), TOMO_FULL);
}


static void
getters(void **state)
{
    bool          flag = false;
    json_t       *root, *list;
    int64_t       n = 7;
    tomo_str_t    s = tomo_str("default");

    (void) state;

    assert_int_equal(parse(tomo_str(
        "{\"s\":\"\\u3042\\u0000b\",\"n\":-5,\"big\":461230966842064897123,"
        "\"f\":1.5,\"t\":true,\"z\":null,\"a\":[1,\"x\"],\"o\":{\"k\":\"v\"}}"),
        &root, NULL), TOMO_OK);

    assert_int_equal(json_str(root, "s", &s), TOMO_OK);
    unit_is_str(s, tomo_str("\xe3\x81\x82\0b"));
    assert_int_equal(json_str(root, "n", &s), TOMO_INVALID);
    assert_int_equal(json_str(root, "z", &s), TOMO_ABSENT);
    assert_int_equal(json_str(root, "none", &s), TOMO_ABSENT);
    assert_int_equal(json_str(NULL, "s", &s), TOMO_ABSENT);

    assert_int_equal(json_i64(root, "n", -5, 5, &n), TOMO_OK);
    assert_true(n == -5);
    assert_int_equal(json_i64(root, "n", -4, 5, &n), TOMO_INVALID);
    assert_int_equal(json_i64(root, "f", -9, 9, &n), TOMO_INVALID);
    assert_int_equal(json_i64(root, "big", INT64_MIN, INT64_MAX, &n),
                     TOMO_INVALID);
    assert_true(n == -5);
    assert_int_equal(json_id(root, "big", &s), TOMO_OK);
    unit_is_str(s, tomo_str("461230966842064897123"));
    assert_int_equal(json_bool(root, "t", &flag), TOMO_OK);
    assert_true(flag);

    assert_int_equal(json_array(root, "a", &list), TOMO_OK);
    assert_int_equal(list->n, 2);
    unit_is_str(json_at(list, 1)->text, tomo_str("x"));
    assert_null(json_at(list, 2));
    assert_int_equal(json_object(root, "a", &list), TOMO_INVALID);
    assert_int_equal(json_object(root, "o", &list), TOMO_OK);
    assert_null(json_get(list, "K"));
}


static void
writes_what_it_reads(void **state)
{
    static const char *const  texts[] = {
        "{}", "[]", "null", "true", "-1.50e+10", "\"\"",
        "{\"a\":[1,2,{\"b\":null}],\"c\":{},\"d\":[]}",
        "[\"\\u0000\\u001f\\\\\\\"\\/\xe3\x81\x82\",\"\xf0\x9f\x8d\x8e\"]",
    };

    size_t        i;
    json_t       *root;
    uint8_t       one[512], two[512];
    tomo_buf_t    b, c;

    (void) state;

    for (i = 0; i < UNIT_N(texts); i++) {
        assert_int_equal(parse(tomo_str_c(texts[i]), &root, NULL), TOMO_OK);
        tomo_buf_init(&b, one, sizeof(one));
        json_put(&b, NULL, root);
        assert_false(b.failed);
        assert_int_equal(parse(tomo_buf_str(&b), &root, NULL), TOMO_OK);
        tomo_buf_init(&c, two, sizeof(two));
        json_put(&c, NULL, root);
        unit_is_str(tomo_buf_str(&c), tomo_buf_str(&b));
    }
}


/* what is put into an answer as it is: B15 does not matter, its end does */

static void
is_whole(void **state)
{
    char        deep[20000];
    tomo_str_t  text;

    (void) state;

    assert_true(json_is_whole(tomo_str("{\"a\":[1,null,\"\"]}")));
    assert_true(json_is_whole(tomo_str("3")));
    assert_false(json_is_whole(tomo_str("")));
    assert_false(json_is_whole(tomo_str_null));
    assert_false(json_is_whole(tomo_str("{\"a\":")));
    assert_false(json_is_whole(tomo_str("{},\"actor\":1")));
    assert_false(json_is_whole(tomo_str("\"\xff\"")));

    memset(deep, '[', sizeof(deep));
    text = tomo_str_n(deep, sizeof(deep));
    assert_false(json_is_whole(text));
    memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
    assert_true(json_is_whole(text));
}


static void
writer(void **state)
{
    uint8_t     text[256];
    tomo_buf_t  b;

    (void) state;

    tomo_buf_init(&b, text, sizeof(text));
    json_open(&b, NULL, '{');
    json_put_c(&b, "a", "x\"y");
    json_open(&b, "l", '[');
    json_put_i64(&b, NULL, -1);
    json_put_bool(&b, NULL, true);
    json_put_null(&b, NULL);
    json_open(&b, NULL, '[');
    json_close(&b, ']');
    json_put_raw(&b, NULL, tomo_str("{\"r\":1}"));
    json_close(&b, ']');
    json_put_str(&b, "e", tomo_str_null);
    json_close(&b, '}');

    unit_is_str(tomo_buf_str(&b), tomo_str(
        "{\"a\":\"x\\\"y\",\"l\":[-1,true,null,[],{\"r\":1}],\"e\":\"\"}"));

    tomo_buf_init(&b, text, 4);
    json_put_c(&b, NULL, "too long");
    assert_true(b.failed);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_cases),
        cmocka_unit_test(B15_nesting_and_sizes),
        cmocka_unit_test(getters),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(is_whole),
        cmocka_unit_test(writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
