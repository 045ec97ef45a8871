/* tomo_rec: lines of name=value; tomo_feed: links and fields (B31). */

#include "unit.h"
#include "tomo_feed.h"


static _Alignas(8) uint8_t  memory[65536];


static void
writes_and_reads_every_byte(void **state)
{
    size_t        i;
    uint64_t      u;
    int64_t       n;
    uint8_t       text[2048], bytes[256];
    tomo_buf_t    b;
    tomo_rec_t    rec;
    tomo_str_t    rest, line;
    tomo_arena_t  a;

    (void) state;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t) i;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_rec_put(&b, "all", tomo_str_n(bytes, sizeof(bytes)));
    tomo_rec_put_i64(&b, "at", -5);
    tomo_rec_put(&b, "empty", tomo_str_null);
    tomo_rec_put_u64(&b, "big", UINT64_MAX);
    tomo_rec_end(&b);
    tomo_rec_put(&b, "second", tomo_str("line"));
    tomo_rec_put(&b, "second", tomo_str("again"));
    assert_false(b.failed);

    rest = tomo_buf_str(&b);
    tomo_arena_init(&a, memory, sizeof(memory));
    assert_true(tomo_rec_line(&rest, &line));
    assert_int_equal(tomo_rec_parse(line, &a, &rec), TOMO_OK);
    assert_int_equal(rec.n, 4);
    unit_is_str(*tomo_rec_get(&rec, "all"), tomo_str_n(bytes, 256));
    unit_is_str(*tomo_rec_get(&rec, "empty"), tomo_str_null);
    assert_int_equal(tomo_rec_get_i64(&rec, "at", &n), TOMO_OK);
    assert_true(n == -5);
    assert_int_equal(tomo_rec_get_u64(&rec, "at", 9, &u), TOMO_INVALID);
    assert_int_equal(tomo_rec_get_u64(&rec, "big", UINT64_MAX, &u), TOMO_OK);
    assert_int_equal(tomo_rec_get_i64(&rec, "big", &n), TOMO_INVALID);
    assert_int_equal(tomo_rec_get_u64(&rec, "none", 1, &u), TOMO_ABSENT);
    assert_null(tomo_rec_get(&rec, "al"));

    assert_true(tomo_rec_line(&rest, &line));
    assert_int_equal(tomo_rec_parse(line, &a, &rec), TOMO_OK);
    assert_int_equal(rec.n, 2);
    unit_is_str(*tomo_rec_get(&rec, "second"), tomo_str("line"));
    unit_is_str(rec.fields[1].value, tomo_str("again"));
    assert_false(tomo_rec_line(&rest, &line));

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "survey ");
    tomo_rec_put_u64(&b, "no", 3);
    unit_is_str(tomo_buf_str(&b), tomo_str("survey no=3"));
}


static void
parse_cases(void **state)
{
    size_t        i;
    tomo_rec_t    rec;
    tomo_str_t    copy;
    tomo_arena_t  a;

    static const struct {
        const char  *line;
        tomo_rc_e    rc;
        size_t       n;
    } cases[] = {
        { "", TOMO_OK, 0 }, { "a=", TOMO_OK, 1 }, { "a=1&b=2", TOMO_OK, 2 },
        { "a=1=2", TOMO_OK, 1 }, { "a=+", TOMO_OK, 1 },
        { "a", TOMO_INVALID, 0 }, { "=1", TOMO_INVALID, 0 },
        { "=", TOMO_INVALID, 0 }, { "&", TOMO_INVALID, 0 },
        { "a=1&", TOMO_INVALID, 0 }, { "&a=1", TOMO_INVALID, 0 },
        { "a=1&&b=2", TOMO_INVALID, 0 }, { "a&b=1", TOMO_INVALID, 0 },
        { "a=1&b", TOMO_INVALID, 0 }, { "a=%", TOMO_INVALID, 0 },
        { "a=%4", TOMO_INVALID, 0 }, { "a=%4x&b=1", TOMO_INVALID, 0 },
        { "a=%&41", TOMO_INVALID, 0 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_arena_init(&a, memory, sizeof(memory));
        copy = unit_heap(cases[i].line, strlen(cases[i].line));
        assert_int_equal(tomo_rec_parse(copy, &a, &rec), cases[i].rc);

        if (cases[i].rc == TOMO_OK) {
            assert_int_equal(rec.n, cases[i].n);
        }

        unit_free(copy);
    }
}


static void
limits(void **state)
{
    size_t        i, n;
    uint8_t       line[4 * (TOMO_REC_FIELDS_MAX + 1)];
    tomo_rec_t    rec;
    tomo_arena_t  a;

    (void) state;

    for (n = 0; n < sizeof(line); n += 4) {
        memcpy(line + n, "a=1&", 4);
    }

    tomo_arena_init(&a, memory, sizeof(memory));
    assert_int_equal(tomo_rec_parse(tomo_str_n(line, 4 * TOMO_REC_FIELDS_MAX
                                                     - 1), &a, &rec),
                     TOMO_OK);
    assert_int_equal(rec.n, TOMO_REC_FIELDS_MAX);
    tomo_arena_reset(&a);
    assert_int_equal(tomo_rec_parse(tomo_str_n(line, sizeof(line) - 1), &a,
                                    &rec), TOMO_LIMIT);

    for (i = 0; i < 80; i++) {
        tomo_arena_init(&a, memory, i);
        assert_int_equal(tomo_rec_parse(tomo_str("a=%41&b=%42"), &a, &rec),
                         i < 2 * sizeof(tomo_rec_field_t) + 11 ? TOMO_FULL
                                                               : TOMO_OK);
    }
}


static const struct {
    const char  *url;
    bool         ok;
}  urls[] = {
    { "https://example.com", true }, { "http://example.com/", true },
    { "HTTPS://Example.COM/a?b=c#d", true },
    { "https://example.com:8443/x", true },
    { "https://example.com?x=1", true }, { "https://e", true },
    { "https://example.com#a@b", true },
    { "https://example.com/@user", true },
    { "https://xn--r8jz45g.jp/%E3%81%82", true },
    { "https://127.0.0.1:8080/", true },
    { "https://[::1]/", true }, { "https://[2001:db8::1]:443/", true },
    { "", false }, { "https://", false }, { "http:///path", false },
    { "javascript:alert(1)", false }, { "JaVaScRiPt:alert(1)", false },
    { "data:text/html,x", false }, { "//host/path", false },
    { "/path", false }, { "host.com", false },
    { "https:\\\\host", false }, { "https:\\host", false },
    { "https:/host", false }, { "https:host", false },
    { "https://good.com\\@evil.com", false },
    { "https://good@evil.com", false },
    { "https://good:pw@evil.com/", false }, { "https://@evil", false },
    { "https://host/\r\nSet-Cookie: a=b", false },
    { "https://host/\n", false }, { "https://host/a b", false },
    { " https://host/", false }, { "https://host/\t", false },
    { "https://host/\x7f", false },
    { "https://h\u00f6st/", false }, { "https://host/\u3042", false },
    { "https://ho\xff.com/", false },
    { "https://host:0/", false }, { "https://host:65536/", false },
    { "https://host:/", false }, { "https://host:8a/", false },
    { "https://:80/", false }, { "https://.host/", false },
    { "https://[::1", false }, { "https://[]/", false },
    { "https://[::1]x/", false }, { "https://[g::1]/", false },
    { "https://ho%73t/", false }, { "https://a,b/", false },
    { "https://host/\"onx", false }, { "https://host/<b>", false },
    { "ftp://host/", false }, { "tel:0312345678", false },
    { "line://ti/p/@x", false }, { "http", false }, { "http:", false },
};


static void
B31_where_a_redirect_may_lead(void **state)
{
    size_t      i;
    char        big[8193];
    tomo_str_t  copy;

    (void) state;

    for (i = 0; i < UNIT_N(urls); i++) {
        copy = unit_heap(urls[i].url, strlen(urls[i].url));

        if (tomo_link_url_ok(copy) != urls[i].ok) {
            fail_msg("%s", urls[i].url);
        }

        unit_free(copy);
    }

    assert_false(tomo_link_url_ok(tomo_str_n("https://a/\0b", 12)));
    memset(big, 'a', sizeof(big));
    memcpy(big, "https://", 8);
    big[11] = '/';
    assert_true(tomo_link_url_ok(tomo_str_n(big, 2000)));
    assert_false(tomo_link_url_ok(tomo_str_n(big, 2001)));
    assert_false(tomo_link_url_ok(tomo_str_n(big, 8192)));
}


static void
B31_links_of_the_feed(void **state)
{
    uint8_t       text[512];
    tomo_buf_t    b;
    tomo_link_t   l, back;
    tomo_arena_t  a;

    (void) state;

    l.url = tomo_str("https://example.com/a?b=c&d=%20");
    l.open = true;
    tomo_buf_init(&b, text, sizeof(text));
    tomo_link_put(&b, &l);
    unit_is_str(tomo_buf_str(&b), tomo_str(
        "url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d%3D%2520&open=1"));
    tomo_arena_init(&a, memory, sizeof(memory));
    assert_int_equal(tomo_link_parse(tomo_buf_str(&b), &a, &back), TOMO_OK);
    unit_is_str(back.url, l.url);
    assert_true(back.open);

    assert_int_equal(tomo_link_parse(tomo_str("url=javascript%3Aa&open=1"),
                                     &a, &back), TOMO_INVALID);
    assert_int_equal(tomo_link_parse(tomo_str("url=https%3A%2F%2Fa&open=2"),
                                     &a, &back), TOMO_INVALID);
    assert_int_equal(tomo_link_parse(tomo_str("url=https%3A%2F%2Fa"), &a,
                                     &back), TOMO_INVALID);
    assert_int_equal(tomo_link_parse(tomo_str("open=1"), &a, &back),
                     TOMO_INVALID);
    assert_int_equal(tomo_link_parse(
        tomo_str("url=https%3A%2F%2Fa&open=0&later=x"), &a, &back), TOMO_OK);
    assert_false(back.open);
}


static void
fields_of_the_feed(void **state)
{
    size_t            i;
    uint8_t           text[32];
    uint32_t          number;
    tomo_buf_t        b;
    tomo_item_kind_e  kind;

    static const struct {
        const char        *field;
        tomo_rc_e          rc;
        tomo_item_kind_e   kind;
        uint32_t           number;
    } cases[] = {
        { "version", TOMO_ABSENT, 0, 0 }, { "number", TOMO_ABSENT, 0, 0 },
        { "secret/1", TOMO_OK, TOMO_ITEM_SECRET, 1 },
        { "secret/2", TOMO_OK, TOMO_ITEM_SECRET, 2 },
        { "secret/3", TOMO_INVALID, 0, 0 },
        { "link/12", TOMO_OK, TOMO_ITEM_LINK, 12 },
        { "survey/4294967295", TOMO_OK, TOMO_ITEM_SURVEY, UINT32_MAX },
        { "survey/4294967296", TOMO_INVALID, 0, 0 },
        { "link/0", TOMO_INVALID, 0, 0 }, { "link/", TOMO_INVALID, 0, 0 },
        { "link/01", TOMO_INVALID, 0, 0 }, { "link/1 ", TOMO_INVALID, 0, 0 },
        { "link", TOMO_INVALID, 0, 0 }, { "", TOMO_INVALID, 0, 0 },
        { "Link/1", TOMO_INVALID, 0, 0 }, { "route/1", TOMO_INVALID, 0, 0 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        assert_int_equal(tomo_feed_field_parse(tomo_str_c(cases[i].field),
                                               &kind, &number), cases[i].rc);

        if (cases[i].rc == TOMO_OK) {
            assert_int_equal(kind, cases[i].kind);
            assert_int_equal(number, cases[i].number);
            tomo_buf_init(&b, text, sizeof(text));
            tomo_feed_field_put(&b, kind, number);
            unit_is_str(tomo_buf_str(&b), tomo_str_c(cases[i].field));
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_every_byte),
        cmocka_unit_test(parse_cases),
        cmocka_unit_test(limits),
        cmocka_unit_test(B31_where_a_redirect_may_lead),
        cmocka_unit_test(B31_links_of_the_feed),
        cmocka_unit_test(fields_of_the_feed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
