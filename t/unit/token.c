/*
 * tomo_token: B27 (flips, truncation, extension), B28 (canonical text), B29
 * (unknown key, version), B33 (what chat programs hang on).
 */

#include "unit.h"
#include "tomo_codec.h"
#include "tomo_token.h"


/* samples[1] under master 0x11…, key id 3; computed apart from this code */
#define STABLE  "E0BXe0GIK11IVmapAXn1D_QaBPx-_VEVo6gkh1g"

static const tomo_token_t  samples[] = {
    { 1, TOMO_TOKEN_LINK, 1, 0, 0, 0, 0 },
    { 1, TOMO_TOKEN_LINK, 12, 7, 3, 2516, 0xabcdef },
    { (1u << 14) - 1, TOMO_TOKEN_SURVEY, (1u << 20) - 1, (1u << 30) - 1,
      (1u << 24) - 1, (1u << 14) - 1, (1u << 24) - 1 },
    { 0x2aaa, TOMO_TOKEN_LINK, 0x55555, 0x2aaaaaaa, 0x555555, 0x1555,
      0xaaaaaa },
    { 0x1555, TOMO_TOKEN_SURVEY, 0xaaaaa, 0x15555555, 0xaaaaaa, 0x2aaa,
      0x555555 },
};

static uint8_t  master[2][32];


static int
with_keys(void **state)
{
    static tomo_token_keys_t  keys;

    memset(master[0], 0x11, 32);
    memset(master[1], 0x22, 32);
    keys.n = 2;
    *state = &keys;

    return tomo_token_key_init(&keys.keys[0], 3, tomo_str_n(master[0], 32))
           == TOMO_OK
           && tomo_token_key_init(&keys.keys[1], 9, tomo_str_n(master[1], 32))
           == TOMO_OK ? 0 : -1;
}


static int
free_keys(void **state)
{
    tomo_token_keys_free(*state);

    return 0;
}


static void
issue(tomo_token_keys_t *k, const tomo_token_t *t, uint8_t *text)
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, TOMO_TOKEN_LEN);
    assert_int_equal(tomo_token_issue(k, t, &b), TOMO_OK);
    assert_int_equal(b.len, TOMO_TOKEN_LEN);
}


static void
is_same(const tomo_token_t *a, const tomo_token_t *b)
{
    assert_int_equal(a->account, b->account);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->target, b->target);
    assert_int_equal(a->friend, b->friend);
    assert_int_equal(a->delivery, b->delivery);
    assert_int_equal(a->day, b->day);
    assert_int_equal(a->check, b->check);
}


static void
opens_what_it_issued(void **state)
{
    size_t        i;
    uint8_t       text[TOMO_TOKEN_LEN];
    tomo_token_t  t;

    for (i = 0; i < UNIT_N(samples); i++) {
        issue(*state, &samples[i], text);
        assert_int_equal(tomo_token_open(*state, tomo_str_n(text, 39), &t),
                         TOMO_OK);
        is_same(&t, &samples[i]);
    }
}


/* the format is for ever: links live in chats for years */
static void
text_is_stable(void **state)
{
    uint8_t  text[TOMO_TOKEN_LEN];

    issue(*state, &samples[1], text);
    unit_is_str(tomo_str_n(text, TOMO_TOKEN_LEN), tomo_str(STABLE));
}


static void
refuses_fields_out_of_range(void **state)
{
    size_t        i;
    uint8_t       text[TOMO_TOKEN_LEN];
    tomo_buf_t    b;
    tomo_token_t  bad[9];

    for (i = 0; i < UNIT_N(bad); i++) {
        bad[i] = samples[1];
    }

    bad[0].account = 0;
    bad[1].account = 1u << 14;
    bad[2].target = 0;
    bad[3].target = 1u << 20;
    bad[4].friend = 1u << 30;
    bad[5].delivery = 1u << 24;
    bad[6].day = 1u << 14;
    bad[7].check = 1u << 24;
    bad[8].kind = (tomo_token_kind_e) 3;

    tomo_buf_init(&b, text, sizeof(text));

    for (i = 0; i < UNIT_N(bad); i++) {
        assert_int_equal(tomo_token_issue(*state, &bad[i], &b), TOMO_INVALID);
        assert_int_equal(b.len, 0);
    }

    tomo_buf_init(&b, text, sizeof(text) - 1);
    assert_int_equal(tomo_token_issue(*state, &samples[1], &b), TOMO_FULL);
}


static void
B27_every_bit_flip(void **state)
{
    size_t        i, bit;
    uint8_t       text[TOMO_TOKEN_LEN], bytes[TOMO_TOKEN_BYTES];
    uint8_t       again[TOMO_TOKEN_LEN];
    tomo_rc_e     rc;
    tomo_buf_t    b;
    tomo_token_t  t;

    issue(*state, &samples[1], text);

    for (i = 0; i < sizeof(text); i++) {
        for (bit = 0; bit < 8; bit++) {
            text[i] ^= (uint8_t) (1u << bit);
            rc = tomo_token_open(*state, tomo_str_n(text, sizeof(text)), &t);
            assert_true(rc == TOMO_INVALID || rc == TOMO_DENIED);
            text[i] ^= (uint8_t) (1u << bit);
        }
    }

    tomo_buf_init(&b, bytes, sizeof(bytes));
    assert_int_equal(tomo_b64url_get(tomo_str_n(text, sizeof(text)), &b),
                     TOMO_OK);

    for (i = 0; i < sizeof(bytes) * 8; i++) {
        bytes[i / 8] ^= (uint8_t) (1u << i % 8);
        tomo_buf_init(&b, again, sizeof(again));
        tomo_b64url_put(&b, tomo_str_n(bytes, sizeof(bytes)));
        rc = tomo_token_open(*state, tomo_buf_str(&b), &t);
        assert_true(rc == TOMO_INVALID || rc == TOMO_DENIED);
        bytes[i / 8] ^= (uint8_t) (1u << i % 8);
    }
}


static void
B27_truncation_and_extension(void **state)
{
    size_t        n;
    unsigned      c;
    uint8_t       text[TOMO_TOKEN_LEN + 1];
    tomo_str_t    copy;
    tomo_token_t  t;

    issue(*state, &samples[2], text);

    for (n = 0; n < TOMO_TOKEN_LEN; n++) {
        copy = unit_heap(text, n);
        assert_int_equal(tomo_token_open(*state, copy, &t), TOMO_INVALID);
        unit_free(copy);
    }

    for (c = 0; c < 256; c++) {
        text[TOMO_TOKEN_LEN] = (uint8_t) c;
        assert_int_equal(tomo_token_open(*state,
                                         tomo_str_n(text, sizeof(text)), &t),
                         TOMO_INVALID);
    }
}


/* the last sign carries two bits that say nothing: they must be zero */
static void
B28_only_canonical_text(void **state)
{
    size_t        i, value;
    uint8_t       text[TOMO_TOKEN_LEN];
    tomo_token_t  t;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    issue(*state, &samples[1], text);
    value = (size_t) (strchr(alphabet, text[38]) - alphabet);
    assert_int_equal(value % 4, 0);

    for (i = 1; i < 4; i++) {
        text[38] = (uint8_t) alphabet[value + i];
        assert_int_equal(tomo_token_open(*state, tomo_str_n(text, 39), &t),
                         TOMO_INVALID);
    }

    issue(*state, &samples[1], text);
    text[38] = '=';
    assert_int_equal(tomo_token_open(*state, tomo_str_n(text, 39), &t),
                     TOMO_INVALID);
}


static void
B29_unknown_key_and_version(void **state)
{
    uint8_t            text[TOMO_TOKEN_LEN], bytes[TOMO_TOKEN_BYTES];
    unsigned           head;
    tomo_rc_e          rc;
    tomo_buf_t         b;
    tomo_token_t       t;
    tomo_token_keys_t  one;

    issue(*state, &samples[1], text);
    tomo_buf_init(&b, bytes, sizeof(bytes));
    assert_int_equal(tomo_b64url_get(tomo_str_n(text, 39), &b), TOMO_OK);
    assert_int_equal(bytes[0], 0x13);

    for (head = 0; head < 256; head++) {
        if (head == 0x13) {
            continue;
        }

        bytes[0] = (uint8_t) head;
        tomo_buf_init(&b, text, sizeof(text));
        tomo_b64url_put(&b, tomo_str_n(bytes, sizeof(bytes)));
        rc = tomo_token_open(*state, tomo_buf_str(&b), &t);
        assert_int_equal(rc, head >> 4 == 1 ? TOMO_DENIED : TOMO_INVALID);
    }

    /* the second key opens what it issued while it was the first */
    one.n = 1;
    assert_int_equal(tomo_token_key_init(&one.keys[0], 9,
                                         tomo_str_n(master[1], 32)), TOMO_OK);
    issue(&one, &samples[1], text);
    assert_int_equal(tomo_token_open(*state, tomo_str_n(text, 39), &t),
                     TOMO_OK);
    is_same(&t, &samples[1]);

    /* the same id with another master is another key */
    tomo_token_keys_free(&one);
    one.n = 1;
    assert_int_equal(tomo_token_key_init(&one.keys[0], 3,
                                         tomo_str_n(master[1], 32)), TOMO_OK);
    issue(&one, &samples[1], text);
    assert_int_equal(tomo_token_open(*state, tomo_str_n(text, 39), &t),
                     TOMO_DENIED);
    tomo_token_keys_free(&one);

    assert_int_equal(tomo_token_key_init(&one.keys[0], 16,
                                         tomo_str_n(master[0], 32)),
                     TOMO_INVALID);
    assert_int_equal(tomo_token_key_init(&one.keys[0], 1,
                                         tomo_str_n(master[0], 31)),
                     TOMO_INVALID);
}


static void
B33_tail_of_chat_programs(void **state)
{
    size_t      i;
    uint8_t     text[128];
    tomo_rc_e   rc;
    tomo_str_t  token, segment;

    static const struct {
        const char  *tail;
        bool         ok;
    } cases[] = {
        { "", true }, { ".", true }, { ",", true }, { ")", true },
        { "]", true }, { ">", true }, { "'", true }, { "\"", true },
        { ").", true }, { "\u3002", true }, { "\u3001", true },
        { "\uff09", true }, { "\u300d", true }, { "\u300d\u3002", true },
        { "%E3%80%82", true }, { "%e3%80%82", true }, { "%EF%BC%89", true },
        { "%29", true }, { "%2E", true }, { "%E3%80%8D.", true },
        { "%2F", false }, { "%00", false }, { "%252E", false },
        { "/", false }, { "/..", false }, { ";", false }, { "A", false },
        { ".A", false }, { "A.", false }, { "%2", false }, { "%", false },
        { "%E3%80", false }, { "\xe3\x80", false }, { "\xe3", false },
        { " ", false }, { "!", false }, { "?", false }, { "\u300c", false },
    };

    issue(*state, &samples[1], text);

    for (i = 0; i < UNIT_N(cases); i++) {
        unit_copy(text + 39, cases[i].tail);
        segment = unit_heap(text, 39 + strlen(cases[i].tail));
        rc = tomo_token_trim(segment, &token);
        assert_int_equal(rc, cases[i].ok ? TOMO_OK : TOMO_INVALID);

        if (rc == TOMO_OK) {
            assert_ptr_equal(token.data, segment.data);
            assert_int_equal(token.len, 39);
        }

        unit_free(segment);
    }

    for (i = 0; i < 39; i++) {
        assert_int_equal(tomo_token_trim(tomo_str_n(text, i), &token),
                         TOMO_INVALID);
    }

    /* a sign in front or inside is no token */
    memmove(text + 1, text, 39);
    text[0] = '(';
    assert_int_equal(tomo_token_trim(tomo_str_n(text, 40), &token),
                     TOMO_INVALID);
}


static void
check_names_the_person(void **state)
{
    uint32_t            a, b;
    tomo_token_keys_t  *k = *state;

    assert_int_equal(tomo_token_check(&k->keys[0], tomo_str("U1"), &a),
                     TOMO_OK);
    assert_int_equal(tomo_token_check(&k->keys[0], tomo_str("U2"), &b),
                     TOMO_OK);
    assert_true(a <= 0xffffff && b <= 0xffffff && a != b);
}


static void
day_of_issue(void **state)
{
    (void) state;

    assert_int_equal(tomo_token_day(INT64_C(1577836800000)), 0);
    assert_int_equal(tomo_token_day(INT64_C(1577836800000) + 86399999), 0);
    assert_int_equal(tomo_token_day(INT64_C(1577836800000) + 86400000), 1);
    assert_int_equal(tomo_token_day(-1), 0);
    assert_int_equal(tomo_token_day(INT64_MIN), 0);
    assert_int_equal(tomo_token_day(INT64_MAX), 16383);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_it_issued),
        cmocka_unit_test(text_is_stable),
        cmocka_unit_test(refuses_fields_out_of_range),
        cmocka_unit_test(B27_every_bit_flip),
        cmocka_unit_test(B27_truncation_and_extension),
        cmocka_unit_test(B28_only_canonical_text),
        cmocka_unit_test(B29_unknown_key_and_version),
        cmocka_unit_test(B33_tail_of_chat_programs),
        cmocka_unit_test(check_names_the_person),
        cmocka_unit_test(day_of_issue),
    };

    return cmocka_run_group_tests(tests, with_keys, free_keys);
}
