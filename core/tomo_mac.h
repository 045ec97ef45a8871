/*
 * tomo_mac: the only place that talks to libcrypto: HMAC-SHA256 with prepared
 * keys, constant-time comparison, one AES-256 block, sealing with AES-256-GCM.
 *
 * A prepared key holds libcrypto objects: make it once at start, free it at
 * the end, use it from one thread at a time.  No function logs or keeps a
 * secret elsewhere; tomo_*_free wipes.
 */

#ifndef TOMO_MAC_H
#define TOMO_MAC_H

#include "tomo_base.h"

#define TOMO_MAC_BYTES       32
#define TOMO_BLOCK_BYTES     16
#define TOMO_SEAL_OVERHEAD   28         /* nonce 12 + tag 16 */

/*
 * These live in memory of the caller (e.g. a pool), size by sizeof.  Signing,
 * verifying and the block calls re-initialise what was prepared.  HMAC is
 * built on a digest context, so that one context serves prepared keys and
 * channel secrets alike.  OpenSSL 3.0 allocates a digest's state at each
 * start, two short-lived pieces per MAC (EVP_MAC does as well); nothing else
 * on these paths allocates (t/unit/alloc.c).
 */

/* a prepared SHA-256, good for HMAC under any key */
typedef struct {
    void     *ctx;      /* EVP_MD_CTX */
} tomo_hash_t;

/* a prepared HMAC-SHA256 key: a signature copies the two states */
typedef struct {
    tomo_hash_t  hash;
    tomo_hash_t  inner;         /* has eaten key xor ipad */
    tomo_hash_t  outer;         /* has eaten key xor opad */
} tomo_mac_t;

/* a prepared AES-256 block key */
typedef struct {
    void     *enc;      /* EVP_CIPHER_CTX */
    void     *dec;
} tomo_cipher_t;

/* TOMO_ERROR: libcrypto failed (memory).  Freeing a zeroed struct is fine. */
tomo_rc_e tomo_hash_init(tomo_hash_t *h) TOMO_MUST_CHECK;
void tomo_hash_free(tomo_hash_t *h);
/* HMAC-SHA256 of n chunks under a key that is not prepared */
tomo_rc_e tomo_hash_hmac(tomo_hash_t *h, tomo_str_t key,
    const tomo_str_t *chunks, size_t n, uint8_t *out) TOMO_MUST_CHECK;

tomo_rc_e tomo_mac_init(tomo_mac_t *m, tomo_str_t key) TOMO_MUST_CHECK;
void tomo_mac_free(tomo_mac_t *m);
/* one-shot and chunked; out is 32 bytes */
tomo_rc_e tomo_mac_sign(tomo_mac_t *m, tomo_str_t data, uint8_t *out)
    TOMO_MUST_CHECK;
tomo_rc_e tomo_mac_begin(tomo_mac_t *m) TOMO_MUST_CHECK;
tomo_rc_e tomo_mac_update(tomo_mac_t *m, tomo_str_t data) TOMO_MUST_CHECK;
tomo_rc_e tomo_mac_end(tomo_mac_t *m, uint8_t *out) TOMO_MUST_CHECK;
/* constant time in len */
bool tomo_mac_same(const uint8_t *a, const uint8_t *b, size_t len);

/*
 * Derives a 32-byte subkey: HMAC-SHA256(master, label).  Labels in use are
 * listed in docs/formats.md, Keys on disk.
 */
tomo_rc_e tomo_mac_derive(tomo_str_t master, const char *label, uint8_t *out)
    TOMO_MUST_CHECK;

tomo_rc_e tomo_cipher_init(tomo_cipher_t *c, const uint8_t *key32)
    TOMO_MUST_CHECK;
void tomo_cipher_free(tomo_cipher_t *c);
/* one 16-byte block each; in and out may be the same */
tomo_rc_e tomo_cipher_encrypt(tomo_cipher_t *c, const uint8_t *in,
    uint8_t *out) TOMO_MUST_CHECK;
tomo_rc_e tomo_cipher_decrypt(tomo_cipher_t *c, const uint8_t *in,
    uint8_t *out) TOMO_MUST_CHECK;

/*
 * Sealing: out = nonce (12, dice of the caller, never used twice with a key)
 * | ciphertext | tag (16).  aad binds the sealed bytes to their place.
 * tomo_seal_open: TOMO_DENIED when the tag does not match.
 */
tomo_rc_e tomo_seal(const uint8_t *key32, const uint8_t *nonce12,
    tomo_str_t aad, tomo_str_t plain, tomo_buf_t *out) TOMO_MUST_CHECK;
tomo_rc_e tomo_seal_open(const uint8_t *key32, tomo_str_t aad,
    tomo_str_t sealed, tomo_buf_t *out) TOMO_MUST_CHECK;

/* wipes memory in a way the compiler keeps */
void tomo_mac_wipe(void *p, size_t len);

#endif
