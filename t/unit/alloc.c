/*
 * alloc: issuing and opening tokens and verifying webhooks allocates no more
 * than the digest states of OpenSSL 3.0, two per MAC, and gives them back.
 * (The rest of core/ has no way to: scripts/lint looks at what its objects
 * call.)
 */

#include "unit.h"
#include "tomo_token.h"
#include "tomo_webhook.h"

#include <openssl/crypto.h>


static size_t   allocations;
static int64_t  held;


static void *
count_malloc(size_t n, const char *file, int line)
{
    (void) file;
    (void) line;
    allocations++;
    held++;

    return malloc(n);
}


static void *
count_realloc(void *p, size_t n, const char *file, int line)
{
    (void) file;
    (void) line;
    allocations++;
    held += (p == NULL);

    return realloc(p, n);
}


static void
count_free(void *p, const char *file, int line)
{
    (void) file;
    (void) line;
    held -= (p != NULL);
    free(p);
}


static void
token_paths(void **state)
{
    size_t             i, before;
    int64_t            held_before;
    uint8_t            text[TOMO_TOKEN_LEN], master[32] = { 1 };
    uint32_t           check;
    tomo_buf_t         b;
    tomo_token_t       t = { 1, TOMO_TOKEN_LINK, 2, 3, 4, 5, 6 }, back;
    tomo_token_keys_t  keys;

    (void) state;

    assert_int_equal(tomo_token_key_init(&keys.keys[0], 1,
                                         tomo_str_n(master, 32)), TOMO_OK);
    keys.n = 1;
    assert_true(allocations > 0);       /* the counter counts */
    before = allocations;
    held_before = held;

    for (i = 0; i < 100; i++) {
        tomo_buf_init(&b, text, sizeof(text));
        assert_int_equal(tomo_token_issue(&keys, &t, &b), TOMO_OK);
        assert_int_equal(tomo_token_open(&keys, tomo_buf_str(&b), &back),
                         TOMO_OK);
        assert_int_equal(tomo_token_check(&keys.keys[0], tomo_str("U1"),
                                          &check), TOMO_OK);
        text[5] ^= 1;
        assert_int_not_equal(tomo_token_open(&keys, tomo_buf_str(&b), &back),
                             TOMO_OK);
    }

    assert_in_range(allocations - before, 0, 100 * 4 * 2);
    assert_true(held == held_before);
    tomo_token_keys_free(&keys);
}


static void
webhook_path(void **state)
{
    size_t       i, before;
    int64_t      held_before;
    uint8_t      body[3000], mac[32];
    tomo_str_t   chunks[2], secrets[2];
    tomo_hash_t  hash;

    (void) state;

    memset(body, 'b', sizeof(body));
    assert_int_equal(tomo_hash_init(&hash), TOMO_OK);
    chunks[0] = tomo_str_n(body, 1000);
    chunks[1] = tomo_str_n(body + 1000, 2000);
    secrets[0] = tomo_str("8c570fa6dd201bb328f1c1eac23a96d8");
    secrets[1] = tomo_str("s3cr3t-demo-channel-secret-000000");
    before = allocations;
    held_before = held;

    for (i = 0; i < 100; i++) {
        assert_int_equal(tomo_webhook_signature(
            tomo_str("GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="), mac),
            TOMO_OK);
        assert_int_equal(tomo_webhook_verify(&hash, mac, chunks, 2, secrets,
                                             2), TOMO_SIGNATURE_WRONG);
    }

    assert_in_range(allocations - before, 0, 100 * 2 * 2);
    assert_true(held == held_before);
    tomo_hash_free(&hash);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_paths),
        cmocka_unit_test(webhook_path),
    };

    /* before libcrypto allocates anything */
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free)
        != 1)
    {
        return 1;
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}
