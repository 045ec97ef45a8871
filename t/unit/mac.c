/* tomo_mac: published vectors, prepared keys, sealing. */

#include "unit.h"
#include "tomo_codec.h"
#include "tomo_mac.h"

#include <openssl/err.h>

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>


static void
is_hex(const uint8_t *got, size_t len, const char *want)
{
    char        text[129];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_hex_put(&b, tomo_str_n(got, len));
    tomo_buf_byte(&b, 0);
    assert_false(b.failed);
    assert_string_equal(text, want);
}


/* RFC 4231, test cases 1, 2, 3, 4, 6, 7 */
static void
hmac_rfc4231(void **state)
{
    size_t      i;
    uint8_t     key[131], out[32], data[512];
    tomo_mac_t  m;

    static const struct {
        uint8_t      fill;      /* 0: key is text */
        size_t       len;
        const char  *text;      /* the key, or NULL */
        const char  *data;
        const char  *mac;
    } cases[] = {
        { 0x0b, 20, NULL, "Hi There",
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { 0, 4, "Jefe", "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { 0xaa, 131, NULL,
          "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
        { 0xaa, 131, NULL,
          "This is a test using a larger than block-size key and a larger "
          "than block-size data. The key needs to be hashed before being "
          "used by the HMAC algorithm.",
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        if (cases[i].text != NULL) {
            memcpy(key, cases[i].text, cases[i].len);
        } else {
            memset(key, cases[i].fill, cases[i].len);
        }

        assert_int_equal(tomo_mac_init(&m, tomo_str_n(key, cases[i].len)),
                         TOMO_OK);
        /* twice: a prepared key is good for any number of uses */
        assert_int_equal(tomo_mac_sign(&m, tomo_str_c(cases[i].data), out),
                         TOMO_OK);
        assert_int_equal(tomo_mac_sign(&m, tomo_str_c(cases[i].data), out),
                         TOMO_OK);
        is_hex(out, 32, cases[i].mac);

        /* in pieces of one byte */
        assert_int_equal(tomo_mac_begin(&m), TOMO_OK);
        unit_copy(data, cases[i].data);

        for (size_t k = 0; k < strlen(cases[i].data); k++) {
            assert_int_equal(tomo_mac_update(&m, tomo_str_n(data + k, 1)),
                             TOMO_OK);
        }

        assert_int_equal(tomo_mac_end(&m, out), TOMO_OK);
        is_hex(out, 32, cases[i].mac);
        tomo_mac_free(&m);
    }
}


static void
hash_hmac_equals_prepared(void **state)
{
    size_t       n;
    uint8_t      key[200], a[32], b[32];
    tomo_mac_t   m;
    tomo_hash_t  h;
    tomo_str_t   chunks[3] = { tomo_str("one"), tomo_str(""), tomo_str("two") };

    (void) state;

    assert_int_equal(tomo_hash_init(&h), TOMO_OK);
    memset(key, 'k', sizeof(key));

    for (n = 0; n < sizeof(key); n++) {
        assert_int_equal(tomo_mac_init(&m, tomo_str_n(key, n)), TOMO_OK);
        assert_int_equal(tomo_mac_sign(&m, tomo_str("onetwo"), a), TOMO_OK);
        assert_int_equal(tomo_hash_hmac(&h, tomo_str_n(key, n), chunks, 3, b),
                         TOMO_OK);
        assert_true(tomo_mac_same(a, b, 32));
        tomo_mac_free(&m);
    }

    tomo_hash_free(&h);
    tomo_hash_free(&h);
}


/* FIPS 197, appendix C.3 */
static void
aes_block_fips197(void **state)
{
    uint8_t        key[32], in[16], out[16];
    size_t         i;
    tomo_cipher_t  c;

    (void) state;

    for (i = 0; i < 32; i++) {
        key[i] = (uint8_t) i;
    }

    for (i = 0; i < 16; i++) {
        in[i] = (uint8_t) (i * 0x11);
    }

    assert_int_equal(tomo_cipher_init(&c, key), TOMO_OK);

    for (i = 0; i < 3; i++) {
        assert_int_equal(tomo_cipher_encrypt(&c, in, out), TOMO_OK);
        is_hex(out, 16, "8ea2b7ca516745bfeafc49904b496089");
        assert_int_equal(tomo_cipher_decrypt(&c, out, out), TOMO_OK);
        assert_memory_equal(out, in, 16);
    }

    tomo_cipher_free(&c);
}


static void
seal_binds_bytes_and_place(void **state)
{
    uint8_t     key[32], sealed[64], plain[64];
    size_t      i, bit;
    tomo_buf_t  s, p;
    tomo_str_t  text = tomo_str("channel secret");
    tomo_str_t  aad = tomo_str("secret|demo|1");

    (void) state;

    memset(key, 7, sizeof(key));
    tomo_buf_init(&s, sealed, sizeof(sealed));
    assert_int_equal(tomo_seal(key, (const uint8_t *) "123456789012", aad,
                               text, &s), TOMO_OK);
    assert_int_equal(s.len, text.len + TOMO_SEAL_OVERHEAD);

    tomo_buf_init(&p, plain, sizeof(plain));
    assert_int_equal(tomo_seal_open(key, aad, tomo_buf_str(&s), &p), TOMO_OK);
    assert_true(tomo_str_eq(tomo_buf_str(&p), text));

    tomo_buf_reset(&p);

    for (i = 0; i < s.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            sealed[i] ^= (uint8_t) (1u << bit);
            assert_int_equal(tomo_seal_open(key, aad, tomo_buf_str(&s), &p),
                             TOMO_DENIED);
            assert_int_equal(p.len, 0);
            sealed[i] ^= (uint8_t) (1u << bit);
        }

        assert_int_equal(tomo_seal_open(key, aad, tomo_str_n(sealed, i), &p),
                         TOMO_DENIED);
    }

    assert_int_equal(tomo_seal_open(key, tomo_str("secret|demo|2"),
                                    tomo_buf_str(&s), &p), TOMO_DENIED);
    tomo_buf_init(&p, plain, text.len - 1);
    assert_int_equal(tomo_seal_open(key, aad, tomo_buf_str(&s), &p),
                     TOMO_FULL);
}


static void
subkeys_differ_by_label(void **state)
{
    uint8_t     a[32], b[32], want[32];
    tomo_mac_t  m;

    (void) state;

    assert_int_equal(tomo_mac_derive(tomo_str("master"), "token-mac", a),
                     TOMO_OK);
    assert_int_equal(tomo_mac_derive(tomo_str("master"), "edge-seal", b),
                     TOMO_OK);
    assert_false(tomo_mac_same(a, b, 32));
    assert_int_equal(tomo_mac_init(&m, tomo_str("master")), TOMO_OK);
    assert_int_equal(tomo_mac_sign(&m, tomo_str("token-mac"), want), TOMO_OK);
    assert_true(tomo_mac_same(a, want, 32));
    tomo_mac_free(&m);
}


/*
 * T49: what does not open leaves no error in OpenSSL's queue, where the TLS
 * of nginx or libcurl would find it and blame its own connection.
 */
static void
no_error_left(void **state)
{
    size_t      i;
    uint8_t     key[32] = { 7 }, nonce[12] = { 9 }, sealed[64], out[64];
    tomo_buf_t  b, plain;

    (void) state;
    tomo_buf_init(&b, sealed, sizeof(sealed));
    assert_int_equal(tomo_seal(key, nonce, tomo_str("aad"), tomo_str("text"),
                               &b), TOMO_OK);

    for (i = 0; i < b.len; i++) {
        sealed[i] ^= 1;
        tomo_buf_init(&plain, out, sizeof(out));
        assert_int_equal(tomo_seal_open(key, tomo_str("aad"),
                                        tomo_buf_str(&b), &plain),
                         TOMO_DENIED);
        assert_int_equal(ERR_peek_error(), 0);
        sealed[i] ^= 1;
    }

    for (i = 0; i < b.len; i++) {
        tomo_buf_init(&plain, out, sizeof(out));
        assert_int_not_equal(tomo_seal_open(key, tomo_str("aad"),
                                            tomo_str_n(sealed, i), &plain),
                             TOMO_OK);
        assert_int_equal(ERR_peek_error(), 0);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_rfc4231),
        cmocka_unit_test(hash_hmac_equals_prepared),
        cmocka_unit_test(aes_block_fips197),
        cmocka_unit_test(seal_binds_bytes_and_place),
        cmocka_unit_test(no_error_left),
        cmocka_unit_test(subkeys_differ_by_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
