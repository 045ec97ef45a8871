/*
 * tomo_entry: golden files of every kind and version, and the parsers of
 * clicks and answers.
 */

#include "unit.h"
#include "tomo_codec.h"
#include "tomo_entry.h"


static _Alignas(8) uint8_t  memory[65536];


/* the next bulk string of a RESP array */
static tomo_str_t
bulk(tomo_str_t file, size_t *at)
{
    size_t      end;
    uint64_t    len;
    tomo_str_t  s;

    assert_int_equal(file.data[*at], '$');
    end = tomo_str_find(file, *at, '\r');
    assert_int_equal(tomo_u64_get(tomo_str_n(file.data + *at + 1,
                                             end - *at - 1), 100000, &len),
                     TOMO_OK);
    s = tomo_str_n(file.data + end + 2, (size_t) len);
    *at = end + 2 + (size_t) len + 2;
    assert_true(*at <= file.len);

    return s;
}


/* files hold the ten arguments as XADD carries them */
static void
golden_every_kind_reads_and_writes_back(void **state)
{
    char          path[64];
    size_t        at, i;
    uint8_t       text[128], out[4096];
    unsigned      kind;
    tomo_buf_t    b, again;
    tomo_str_t    file, pairs[10], argv[10];
    tomo_entry_t  e;

    (void) state;

    for (kind = 1; kind < TOMO_ENTRY_KIND_END; kind++) {
        snprintf(path, sizeof(path), "entry-%s-v1.resp",
                 tomo_entry_kind_name(kind));
        file = unit_golden(path);
        at = tomo_str_find(file, 0, '\n') + 1;

        for (i = 0; i < 10; i++) {
            pairs[i] = bulk(file, &at);
        }

        assert_int_equal(at, file.len);
        assert_int_equal(tomo_entry_decode(pairs, 5, &e), TOMO_OK);
        assert_int_equal(e.kind, kind);
        assert_true(e.writer == UINT64_C(0x00c0ffee12345678));
        assert_int_equal(e.seq, kind);
        assert_true(e.at_ms == INT64_C(1700000001000) + (int64_t) kind - 1);

        tomo_buf_init(&b, text, sizeof(text));
        assert_int_equal(tomo_entry_encode(&e, &b, argv), TOMO_OK);
        tomo_buf_init(&again, out, sizeof(out));
        tomo_buf_c(&again, "*10\r\n");

        for (i = 0; i < 10; i++) {
            tomo_buf_c(&again, "$");
            tomo_buf_u64(&again, argv[i].len);
            tomo_buf_c(&again, "\r\n");
            tomo_buf_put(&again, argv[i]);
            tomo_buf_c(&again, "\r\n");
        }

        unit_is_str(tomo_buf_str(&again), file);
        unit_free(file);
    }
}


static tomo_str_t
golden_body(const char *path, tomo_str_t *file)
{
    size_t      at, i;
    tomo_str_t  s;

    *file = unit_golden(path);
    at = tomo_str_find(*file, 0, '\n') + 1;

    for (i = 0; i < 10; i++) {
        s = bulk(*file, &at);
    }

    return s;
}


static void
golden_clicks(void **state)
{
    size_t        n;
    uint8_t       out[1024];
    tomo_buf_t    b;
    tomo_str_t    file, body, rest, line;
    tomo_click_t  c;
    tomo_arena_t  a;

    (void) state;

    body = golden_body("entry-click-v1.resp", &file);
    tomo_buf_init(&b, out, sizeof(out));
    rest = body;
    n = 0;

    while (tomo_rec_line(&rest, &line)) {
        tomo_arena_init(&a, memory, sizeof(memory));
        assert_int_equal(tomo_click_parse(line, &a, &c), TOMO_OK);
        tomo_click_put(&b, &c);

        if (n++ == 0) {
            assert_true(c.at_ms == INT64_C(1700000000123) && c.link == 12
                        && c.friend == 7 && c.delivery == 3 && c.day == 2516
                        && c.check == 0xabcdef);
            assert_int_equal(c.visit, TOMO_VISIT_HUMAN);
            unit_is_str(c.ua, tomo_str("Mozilla/5.0 Line/15.12.1"));
        } else {
            assert_int_equal(c.visit, TOMO_VISIT_PREVIEW);
        }
    }

    assert_int_equal(n, 2);
    unit_is_str(tomo_buf_str(&b), body);
    unit_free(file);
}


static void
golden_answer(void **state)
{
    size_t         i;
    uint8_t        out[1024];
    tomo_buf_t     b;
    tomo_str_t     file, body;
    tomo_arena_t   a;
    tomo_answer_t  s;

    (void) state;

    body = golden_body("entry-answer-v1.resp", &file);
    tomo_arena_init(&a, memory, sizeof(memory));
    assert_int_equal(tomo_answer_parse(body, &a, &s), TOMO_OK);
    assert_true(s.survey == 3 && s.rev == 2 && s.friend == 7);
    unit_is_str(s.nonce, tomo_str("AAECAwQFBgcICQoLDA0ODw"));
    unit_is_str(*tomo_rec_get(&s.line, "q.name"), tomo_str("\u5c71\u7530"));

    tomo_buf_init(&b, out, sizeof(out));
    tomo_answer_put(&b, &s);

    for (i = 9; i < s.line.n; i++) {
        tomo_rec_put(&b, i == 9 ? "q.name" : "q.like",
                     s.line.fields[i].value);
    }

    unit_is_str(tomo_buf_str(&b), body);
    unit_free(file);
}


static const struct {
    size_t       at;        /* which argument is replaced */
    const char  *value;
    tomo_rc_e    rc;
}  cases[] = {
    { 1, "0", TOMO_INVALID }, { 1, "2", TOMO_LIMIT },
    { 1, "999", TOMO_LIMIT }, { 1, "", TOMO_INVALID },
    { 1, "01", TOMO_INVALID }, { 3, "nothing", TOMO_INVALID },
    { 3, "", TOMO_INVALID }, { 5, "", TOMO_INVALID },
    { 5, "1.5", TOMO_INVALID }, { 5, "-7", TOMO_OK },
    { 5, "9223372036854775808", TOMO_INVALID },
    { 7, "", TOMO_INVALID }, { 7, "0000000000000001", TOMO_INVALID },
    { 7, "0000000000000001-", TOMO_INVALID },
    { 7, "000000000000001-1", TOMO_INVALID },
    { 7, "000000000000000G-1", TOMO_INVALID },
    { 7, "0000000000000001-01", TOMO_INVALID },
    { 7, "0000000000000001-18446744073709551615", TOMO_OK },
    { 7, "0000000000000001-18446744073709551616", TOMO_INVALID },
    { 9, "", TOMO_OK }, { 0, "x", TOMO_INVALID },
    { 0, "k", TOMO_INVALID },
};


static void
decode_is_tolerant_and_strict(void **state)
{
    size_t        i, k;
    uint8_t       text[128];
    tomo_buf_t    b;
    tomo_str_t    good[10], pairs[14];
    tomo_entry_t  e, out;

    (void) state;

    e.kind = TOMO_ENTRY_click;
    e.at_ms = INT64_MIN;
    e.writer = UINT64_MAX;
    e.seq = UINT64_MAX;
    e.body = tomo_str("body");
    tomo_buf_init(&b, text, sizeof(text));
    assert_int_equal(tomo_entry_encode(&e, &b, good), TOMO_OK);
    assert_int_equal(tomo_entry_decode(good, 5, &out), TOMO_OK);
    assert_true(out.at_ms == e.at_ms && out.writer == e.writer
                && out.seq == e.seq && out.kind == e.kind);

    for (i = 0; i < UNIT_N(cases); i++) {
        memcpy(pairs, good, sizeof(good));
        pairs[cases[i].at] = tomo_str_c(cases[i].value);
        assert_int_equal(tomo_entry_decode(pairs, 5, &out), cases[i].rc);
    }

    /* each missing in turn; unknown names and another order */
    for (i = 0; i < 5; i++) {
        for (k = 0; k < 4; k++) {
            pairs[2 * k] = good[2 * (k + (k >= i))];
            pairs[2 * k + 1] = good[2 * (k + (k >= i)) + 1];
        }

        assert_int_equal(tomo_entry_decode(pairs, 4, &out), TOMO_INVALID);
        pairs[8] = tomo_str("later");
        pairs[9] = tomo_str("1");
        pairs[10] = good[2 * i];
        pairs[11] = good[2 * i + 1];
        pairs[12] = tomo_str("z");
        pairs[13] = tomo_str("");
        assert_int_equal(tomo_entry_decode(pairs, 7, &out), TOMO_OK);
        unit_is_str(out.body, e.body);
    }

    e.kind = TOMO_ENTRY_KIND_END;
    assert_int_equal(tomo_entry_encode(&e, &b, good), TOMO_INVALID);
    e.kind = TOMO_ENTRY_click;

    for (i = 0; i < 40; i++) {
        tomo_buf_init(&b, text, i);
        assert_int_equal(tomo_entry_encode(&e, &b, good), TOMO_FULL);
    }
}


/* numbers are for ever */
static void
kinds_are_stable(void **state)
{
    unsigned  kind;

    static const char *const  names[] = {
        NULL, "webhook", "click", "answer", "verdict", "command",
        "follow_up", "attempt"
    };

    (void) state;

    for (kind = 1; kind < UNIT_N(names); kind++) {
        assert_string_equal(tomo_entry_kind_name(kind), names[kind]);
        assert_int_equal(tomo_entry_kind_parse(tomo_str_c(names[kind])),
                         kind);
    }

    assert_null(tomo_entry_kind_name(0));
    assert_null(tomo_entry_kind_name(UNIT_N(names)));
    assert_int_equal(tomo_entry_kind_parse(tomo_str("")), TOMO_ENTRY_NONE);
    assert_int_equal(tomo_visit_parse(tomo_str("prefetch")),
                     TOMO_VISIT_PREFETCH);
    assert_int_equal(tomo_visit_parse(tomo_str("who knows")),
                     TOMO_VISIT_PREVIEW);
}


static void
click_cuts_and_refuses(void **state)
{
    size_t        n;
    uint8_t       out[2048], ua[600];
    tomo_rc_e     rc;
    tomo_buf_t    b;
    tomo_str_t    copy;
    tomo_click_t  c = { 0 }, back;
    tomo_arena_t  a;

    (void) state;

    /* 85 characters of 3 bytes are 255: the cut splits none */
    for (n = 0; n < sizeof(ua); n += 3) {
        memcpy(ua + n, "\u3042", 3);
    }

    c.ua = tomo_str_n(ua, sizeof(ua));
    c.visit = TOMO_VISIT_HEAD;
    c.flood = 9880;
    tomo_buf_init(&b, out, sizeof(out));
    tomo_click_put(&b, &c);
    assert_int_equal(out[b.len - 1], '\n');
    tomo_arena_init(&a, memory, sizeof(memory));
    assert_int_equal(tomo_click_parse(tomo_str_n(out, b.len - 1), &a, &back),
                     TOMO_OK);
    assert_int_equal(back.ua.len, 255);
    assert_int_equal(back.visit, TOMO_VISIT_HEAD);
    assert_int_equal(back.flood, 9880);         /* B36 */

    /* every prefix: no crash; without ua= it is still a click */
    for (n = 0; n < b.len; n++) {
        copy = unit_heap(out, n);
        tomo_arena_init(&a, memory, sizeof(memory));
        rc = tomo_click_parse(copy, &a, &back);
        assert_true(rc == TOMO_OK || rc == TOMO_INVALID);
        unit_free(copy);
    }

    tomo_arena_reset(&a);
    assert_int_equal(tomo_click_parse(
        tomo_str("at=1&link=4294967296&friend=0&delivery=0&day=0&check=0"),
        &a, &back), TOMO_INVALID);
    assert_int_equal(tomo_click_parse(
        tomo_str("at=1&link=1&friend=-1&delivery=0&day=0&check=0"),
        &a, &back), TOMO_INVALID);
    assert_int_equal(tomo_click_parse(
        tomo_str("at=1&link=1&friend=1&delivery=0&day=0&check=0&new=thing"),
        &a, &back), TOMO_OK);
    assert_int_equal(back.visit, TOMO_VISIT_PREVIEW);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_every_kind_reads_and_writes_back),
        cmocka_unit_test(golden_clicks),
        cmocka_unit_test(golden_answer),
        cmocka_unit_test(decode_is_tolerant_and_strict),
        cmocka_unit_test(kinds_are_stable),
        cmocka_unit_test(click_cuts_and_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
