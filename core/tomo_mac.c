/*
 * tomo_mac: HMAC-SHA256, one AES-256 block and AES-256-GCM by libcrypto.
 */

#include "tomo_mac.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>


#define MAC_BLOCK   64          /* SHA-256's block */
#define SEAL_NONCE  12
#define SEAL_TAG    16


tomo_rc_e
tomo_hash_init(tomo_hash_t *h)
{
    EVP_MD      *md;
    EVP_MD_CTX  *ctx;

    h->ctx = NULL;
    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    ctx = EVP_MD_CTX_new();

    if (md == NULL || ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        EVP_MD_free(md);
        return TOMO_ERROR;
    }

    /* the context holds its own reference */
    EVP_MD_free(md);
    h->ctx = ctx;

    return TOMO_OK;
}


void
tomo_hash_free(tomo_hash_t *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}


static tomo_rc_e
hash_begin(tomo_hash_t *h, const uint8_t *block)
{
    if (EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1
        || EVP_DigestUpdate(h->ctx, block, MAC_BLOCK) != 1)
    {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


static tomo_rc_e
hash_end(tomo_hash_t *h, const uint8_t *outer, uint8_t *out)
{
    uint8_t  digest[TOMO_MAC_BYTES];

    if (EVP_DigestFinal_ex(h->ctx, digest, NULL) != 1
        || hash_begin(h, outer) != TOMO_OK
        || EVP_DigestUpdate(h->ctx, digest, sizeof(digest)) != 1
        || EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
    {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


/* key → the two blocks of HMAC; a key over 64 bytes is hashed first */
static tomo_rc_e
hash_blocks(tomo_hash_t *h, tomo_str_t key, uint8_t *inner, uint8_t *outer)
{
    size_t  i;

    memset(inner, 0, MAC_BLOCK);

    if (key.len <= MAC_BLOCK) {
        if (key.len > 0) {
            memcpy(inner, key.data, key.len);
        }

    } else if (EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1
               || EVP_DigestUpdate(h->ctx, key.data, key.len) != 1
               || EVP_DigestFinal_ex(h->ctx, inner, NULL) != 1)
    {
        return TOMO_ERROR;
    }

    for (i = 0; i < MAC_BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_hash_hmac(tomo_hash_t *h, tomo_str_t key, const tomo_str_t *chunks,
    size_t n, uint8_t *out)
{
    size_t     i;
    uint8_t    inner[MAC_BLOCK], outer[MAC_BLOCK];
    tomo_rc_e  rc;

    rc = hash_blocks(h, key, inner, outer);

    if (rc == TOMO_OK) {
        rc = hash_begin(h, inner);
    }

    for (i = 0; i < n && rc == TOMO_OK; i++) {
        if (EVP_DigestUpdate(h->ctx, chunks[i].data, chunks[i].len) != 1) {
            rc = TOMO_ERROR;
        }
    }

    if (rc == TOMO_OK) {
        rc = hash_end(h, outer, out);
    }

    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));

    return rc;
}


tomo_rc_e
tomo_mac_init(tomo_mac_t *m, tomo_str_t key)
{
    uint8_t    inner[MAC_BLOCK], outer[MAC_BLOCK];
    tomo_rc_e  rc;

    memset(m, 0, sizeof(*m));

    if (tomo_hash_init(&m->hash) != TOMO_OK
        || tomo_hash_init(&m->inner) != TOMO_OK
        || tomo_hash_init(&m->outer) != TOMO_OK)
    {
        tomo_mac_free(m);
        return TOMO_ERROR;
    }

    rc = hash_blocks(&m->hash, key, inner, outer);

    if (rc == TOMO_OK) {
        rc = hash_begin(&m->inner, inner);
    }

    if (rc == TOMO_OK) {
        rc = hash_begin(&m->outer, outer);
    }

    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));

    if (rc != TOMO_OK) {
        tomo_mac_free(m);
    }

    return rc;
}


/* libcrypto wipes the states itself */
void
tomo_mac_free(tomo_mac_t *m)
{
    tomo_hash_free(&m->hash);
    tomo_hash_free(&m->inner);
    tomo_hash_free(&m->outer);
}


tomo_rc_e
tomo_mac_begin(tomo_mac_t *m)
{
    if (EVP_MD_CTX_copy_ex(m->hash.ctx, m->inner.ctx) != 1) {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_mac_update(tomo_mac_t *m, tomo_str_t data)
{
    if (EVP_DigestUpdate(m->hash.ctx, data.data, data.len) != 1) {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_mac_end(tomo_mac_t *m, uint8_t *out)
{
    uint8_t  digest[TOMO_MAC_BYTES];

    if (EVP_DigestFinal_ex(m->hash.ctx, digest, NULL) != 1
        || EVP_MD_CTX_copy_ex(m->hash.ctx, m->outer.ctx) != 1
        || EVP_DigestUpdate(m->hash.ctx, digest, sizeof(digest)) != 1
        || EVP_DigestFinal_ex(m->hash.ctx, out, NULL) != 1)
    {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_mac_sign(tomo_mac_t *m, tomo_str_t data, uint8_t *out)
{
    tomo_rc_e  rc;

    rc = tomo_mac_begin(m);

    if (rc == TOMO_OK) {
        rc = tomo_mac_update(m, data);
    }

    return (rc == TOMO_OK) ? tomo_mac_end(m, out) : rc;
}


bool
tomo_mac_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}


tomo_rc_e
tomo_mac_derive(tomo_str_t master, const char *label, uint8_t *out)
{
    tomo_str_t   text;
    tomo_rc_e    rc;
    tomo_hash_t  h;

    rc = tomo_hash_init(&h);

    if (rc != TOMO_OK) {
        return rc;
    }

    text = tomo_str_c(label);
    rc = tomo_hash_hmac(&h, master, &text, 1, out);
    tomo_hash_free(&h);

    return rc;
}


/* ECB without padding is the bare block: no state between calls */
static EVP_CIPHER_CTX *
cipher_new(const uint8_t *key32, int encrypt)
{
    EVP_CIPHER      *aes;
    EVP_CIPHER_CTX  *ctx;

    aes = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    ctx = EVP_CIPHER_CTX_new();

    if (aes == NULL || ctx == NULL
        || EVP_CipherInit_ex2(ctx, aes, key32, NULL, encrypt, NULL) != 1
        || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1)
    {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }

    EVP_CIPHER_free(aes);

    return ctx;
}


tomo_rc_e
tomo_cipher_init(tomo_cipher_t *c, const uint8_t *key32)
{
    c->enc = cipher_new(key32, 1);
    c->dec = cipher_new(key32, 0);

    if (c->enc == NULL || c->dec == NULL) {
        tomo_cipher_free(c);
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


void
tomo_cipher_free(tomo_cipher_t *c)
{
    EVP_CIPHER_CTX_free(c->enc);
    EVP_CIPHER_CTX_free(c->dec);
    c->enc = NULL;
    c->dec = NULL;
}


static tomo_rc_e
cipher_block(void *ctx, const uint8_t *in, uint8_t *out)
{
    int  n;

    if (EVP_CipherUpdate(ctx, out, &n, in, TOMO_BLOCK_BYTES) != 1
        || n != TOMO_BLOCK_BYTES)
    {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_cipher_encrypt(tomo_cipher_t *c, const uint8_t *in, uint8_t *out)
{
    return cipher_block(c->enc, in, out);
}


tomo_rc_e
tomo_cipher_decrypt(tomo_cipher_t *c, const uint8_t *in, uint8_t *out)
{
    return cipher_block(c->dec, in, out);
}


static EVP_CIPHER_CTX *
seal_new(const uint8_t *key32, const uint8_t *nonce12, tomo_str_t aad,
    int encrypt)
{
    int              n;
    EVP_CIPHER      *gcm;
    EVP_CIPHER_CTX  *ctx;

    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    ctx = EVP_CIPHER_CTX_new();

    if (gcm == NULL || ctx == NULL
        || EVP_CipherInit_ex2(ctx, gcm, key32, nonce12, encrypt, NULL) != 1
        || (aad.len > 0 && EVP_CipherUpdate(ctx, NULL, &n, aad.data,
                                            (int) aad.len) != 1))
    {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }

    EVP_CIPHER_free(gcm);

    return ctx;
}


/* libcrypto counts in int */
static bool
seal_fits(tomo_str_t aad, tomo_str_t text)
{
    return aad.len <= INT_MAX / 2 && text.len <= INT_MAX / 2;
}


tomo_rc_e
tomo_seal(const uint8_t *key32, const uint8_t *nonce12, tomo_str_t aad,
    tomo_str_t plain, tomo_buf_t *out)
{
    int              n;
    size_t           len;
    uint8_t         *p;
    EVP_CIPHER_CTX  *ctx;

    if (!seal_fits(aad, plain)) {
        return TOMO_LIMIT;
    }

    len = out->len;
    p = tomo_buf_take(out, plain.len + TOMO_SEAL_OVERHEAD);

    if (p == NULL) {
        return TOMO_FULL;
    }

    ctx = seal_new(key32, nonce12, aad, 1);

    if (ctx == NULL) {
        goto failed;
    }

    memcpy(p, nonce12, SEAL_NONCE);
    p += SEAL_NONCE;

    if ((plain.len > 0 && EVP_CipherUpdate(ctx, p, &n, plain.data,
                                           (int) plain.len) != 1)
        || EVP_CipherFinal_ex(ctx, p + plain.len, &n) != 1
        || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG,
                               p + plain.len) != 1)
    {
        goto failed;
    }

    EVP_CIPHER_CTX_free(ctx);

    return TOMO_OK;

failed:

    EVP_CIPHER_CTX_free(ctx);
    out->len = len;

    return TOMO_ERROR;
}


tomo_rc_e
tomo_seal_open(const uint8_t *key32, tomo_str_t aad, tomo_str_t sealed,
    tomo_buf_t *out)
{
    int              n;
    size_t           len, was;
    uint8_t         *p, tag[SEAL_TAG];
    tomo_rc_e        rc;
    EVP_CIPHER_CTX  *ctx;

    if (sealed.len < TOMO_SEAL_OVERHEAD) {
        return TOMO_DENIED;
    }

    if (!seal_fits(aad, sealed)) {
        return TOMO_LIMIT;
    }

    was = out->len;
    len = sealed.len - TOMO_SEAL_OVERHEAD;
    p = tomo_buf_take(out, len);

    if (p == NULL) {
        return TOMO_FULL;
    }

    rc = TOMO_ERROR;
    memcpy(tag, sealed.data + SEAL_NONCE + len, SEAL_TAG);
    ctx = seal_new(key32, sealed.data, aad, 0);

    if (ctx == NULL
        || (len > 0 && EVP_CipherUpdate(ctx, p, &n, sealed.data + SEAL_NONCE,
                                        (int) len) != 1)
        || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) != 1)
    {
        goto failed;
    }

    if (EVP_CipherFinal_ex(ctx, p + len, &n) != 1) {
        rc = TOMO_DENIED;
        goto failed;
    }

    EVP_CIPHER_CTX_free(ctx);

    return TOMO_OK;

failed:

    /* bytes that are not proven authentic never leave */
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(p, len);
    out->len = was;

    return rc;
}


void
tomo_mac_wipe(void *p, size_t len)
{
    OPENSSL_cleanse(p, len);
}
