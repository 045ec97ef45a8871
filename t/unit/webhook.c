/*
 * tomo_webhook: LINE's published vector and two more (LINE.md 2), and every
 * way of getting a signature wrong (B1, B3..B5, B7, B8).
 */

#include "unit.h"
#include "tomo_codec.h"
#include "tomo_webhook.h"


#define EMPTY_BODY  "{\"destination\":\"U00000000000000000000000000000000\"," \
                    "\"events\":[]}"

static const struct {
    const char  *secret;
    const char  *body;
    const char  *signature;
} vectors[] = {
    { "8c570fa6dd201bb328f1c1eac23a96d8",
      "{\"destination\":\"U8e742f61d673b39c7fff3cecb7536ef0\",\"events\":[]}",
      "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=" },
    { "s3cr3t-demo-channel-secret-000000", EMPTY_BODY,
      "AHmKS6jo80cQrsyerSjLj6IKx04coQCzoh7Hnb4SYWQ=" },
    { "s3cr3t-demo-channel-secret-000000",
      "{\"destination\":\"U00000000000000000000000000000000\",\"events\":["
      "{\"type\":\"message\",\"message\":{\"type\":\"text\",\"id\":\"1\","
      "\"quoteToken\":\"q\",\"text\":\"\u3053\u3093\u306b\u3061\u306f "
      "\\ud83c\\udf4e \\\\n\"}}]}",
      "rk7kq0w/d5FabLl9fdEzL6BSpFzAae+jvtUnMyUbp/s=" },
};


static int
with_hash(void **state)
{
    static tomo_hash_t  hash;

    *state = &hash;

    return tomo_hash_init(&hash) == TOMO_OK ? 0 : -1;
}


static int
free_hash(void **state)
{
    tomo_hash_free(*state);

    return 0;
}


static tomo_signature_e
verify(tomo_hash_t *h, const char *header, tomo_str_t body,
    const char *first, const char *second)
{
    uint8_t     mac[32];
    tomo_str_t  secrets[2];

    if (tomo_webhook_signature(tomo_str_c(header), mac) != TOMO_OK) {
        return TOMO_SIGNATURE_MALFORMED;
    }

    secrets[0] = tomo_str_c(first);
    secrets[1] = tomo_str_c(second == NULL ? "" : second);

    return tomo_webhook_verify(h, mac, &body, 1, secrets,
                               second == NULL ? 1 : 2);
}


static void
B8_published_vectors(void **state)
{
    size_t      i, cut;
    uint8_t     mac[32];
    tomo_str_t  body, chunks[3], secret;

    assert_int_equal(strlen(vectors[1].body), 63);
    assert_int_equal(strlen(vectors[2].body), 175);

    for (i = 0; i < UNIT_N(vectors); i++) {
        body = tomo_str_c(vectors[i].body);
        assert_int_equal(verify(*state, vectors[i].signature, body,
                                vectors[i].secret, NULL),
                         TOMO_SIGNATURE_OK_FIRST);

        /* the body in pieces, wherever nginx cut it */
        secret = tomo_str_c(vectors[i].secret);
        assert_int_equal(tomo_webhook_signature(
                             tomo_str_c(vectors[i].signature), mac), TOMO_OK);

        for (cut = 0; cut <= body.len; cut++) {
            chunks[0] = tomo_str_n(body.data, cut);
            chunks[1] = tomo_str_null;
            chunks[2] = tomo_str_n(body.data + cut, body.len - cut);
            assert_int_equal(tomo_webhook_verify(*state, mac, chunks, 3,
                                                 &secret, 1),
                             TOMO_SIGNATURE_OK_FIRST);
        }
    }
}


/* every bit of body and signature counts */
static void
B5_anything_else_is_wrong(void **state)
{
    size_t      i, bit;
    uint8_t     body[256], mac[32];
    tomo_str_t  text, secret;

    text = tomo_str_c(vectors[2].body);
    secret = tomo_str_c(vectors[2].secret);
    memcpy(body, text.data, text.len);
    text.data = body;
    assert_int_equal(tomo_webhook_signature(
                         tomo_str_c(vectors[2].signature), mac), TOMO_OK);

    for (i = 0; i < text.len * 8; i++) {
        bit = 1u << i % 8;
        body[i / 8] ^= (uint8_t) bit;
        assert_int_equal(tomo_webhook_verify(*state, mac, &text, 1,
                                             &secret, 1),
                         TOMO_SIGNATURE_WRONG);
        body[i / 8] ^= (uint8_t) bit;
    }

    for (i = 0; i < sizeof(mac) * 8; i++) {
        bit = 1u << i % 8;
        mac[i / 8] ^= (uint8_t) bit;
        assert_int_equal(tomo_webhook_verify(*state, mac, &text, 1,
                                             &secret, 1),
                         TOMO_SIGNATURE_WRONG);
        mac[i / 8] ^= (uint8_t) bit;
    }

    /* another channel's secret; no secret set; none listed */
    assert_int_equal(verify(*state, vectors[1].signature,
                            tomo_str(EMPTY_BODY), vectors[0].secret, NULL),
                     TOMO_SIGNATURE_WRONG);
    assert_int_equal(tomo_webhook_verify(*state, mac, &text, 1, NULL, 0),
                     TOMO_SIGNATURE_WRONG);
}


/* HMAC under the empty key must not open an account without a secret */
static void
B5_empty_secret_never_fits(void **state)
{
    uint8_t     mac[32];
    tomo_str_t  body = tomo_str(EMPTY_BODY), none[2] = { { NULL, 0 } };

    assert_int_equal(tomo_hash_hmac(*state, none[0], &body, 1, mac), TOMO_OK);
    assert_int_equal(tomo_webhook_verify(*state, mac, &body, 1, none, 2),
                     TOMO_SIGNATURE_WRONG);
}


static void
B7_old_and_new_secret(void **state)
{
    const char  *right, *other, *sign;
    tomo_str_t   body = tomo_str(EMPTY_BODY);

    right = vectors[1].secret;
    other = vectors[0].secret;
    sign = vectors[1].signature;

    assert_int_equal(verify(*state, sign, body, right, other),
                     TOMO_SIGNATURE_OK_FIRST);
    assert_int_equal(verify(*state, sign, body, other, right),
                     TOMO_SIGNATURE_OK_SECOND);
    assert_int_equal(verify(*state, sign, body, right, right),
                     TOMO_SIGNATURE_OK_FIRST);
    assert_int_equal(verify(*state, sign, body, "", right),
                     TOMO_SIGNATURE_OK_SECOND);
    assert_int_equal(verify(*state, sign, body, other, other),
                     TOMO_SIGNATURE_WRONG);
    assert_string_equal(tomo_signature_word(TOMO_SIGNATURE_OK_SECOND),
                        "verified_next");
    assert_string_equal(tomo_signature_word(TOMO_SIGNATURE_MISSING),
                        "signature_missing");
}


/* B1: absent or empty; B4: one text for one value */
static void
B4_only_canonical_base64(void **state)
{
    size_t   i;
    char     big[8193];
    uint8_t  mac[32];

    static const char *const  refused[] = {
        "",                                                     /* B1 */
        "=",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs",          /* unpadded */
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs==",
        "GhRKmvmHys4Pi8DxkF4-EayaH0OqtJtaZxgTD9fMDLs=",         /* url */
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDL s=",        /* space */
        "GhRKmvmHys4Pi8DxkF4+ ayaH0OqtJtaZxgTD9fMDLs=",
        " GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs= ",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs\n",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLt=",         /* bits */
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLu=",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLv=",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDA==",         /* 31 */
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLsA",         /* 33 */
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMD=s=",
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fM====",
        "sha256=GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD=",
        ("GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=,"
         "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="),         /* B2 */
    };

    (void) state;

    for (i = 0; i < UNIT_N(refused); i++) {
        assert_int_equal(tomo_webhook_signature(tomo_str_c(refused[i]), mac),
                         TOMO_INVALID);
    }

    memset(big, 'A', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(tomo_webhook_signature(tomo_str_c(big), mac),
                     TOMO_INVALID);
}


/* every byte at every place: refused, or decodes to what encodes back */
static void
B4_every_byte_at_every_place(void **state)
{
    size_t       i;
    unsigned     c;
    uint8_t      text[44], back[48], mac[32];
    tomo_rc_e    rc;
    tomo_buf_t   b;
    tomo_str_t   copy;

    (void) state;

    for (i = 0; i < sizeof(text); i++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, vectors[0].signature, sizeof(text));
            text[i] = (uint8_t) c;
            copy = unit_heap(text, sizeof(text));
            rc = tomo_webhook_signature(copy, mac);
            unit_free(copy);

            if (rc != TOMO_OK) {
                continue;
            }

            tomo_buf_init(&b, back, sizeof(back));
            tomo_b64_put(&b, tomo_str_n(mac, sizeof(mac)));
            unit_is_str(tomo_buf_str(&b), tomo_str_n(text, sizeof(text)));
        }

        copy = unit_heap(vectors[0].signature, i);
        assert_int_equal(tomo_webhook_signature(copy, mac), TOMO_INVALID);
        unit_free(copy);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B8_published_vectors),
        cmocka_unit_test(B5_anything_else_is_wrong),
        cmocka_unit_test(B5_empty_secret_never_fits),
        cmocka_unit_test(B7_old_and_new_secret),
        cmocka_unit_test(B4_only_canonical_base64),
        cmocka_unit_test(B4_every_byte_at_every_place),
    };

    return cmocka_run_group_tests(tests, with_hash, free_hash);
}
