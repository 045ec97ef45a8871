/*
 * tomo_webhook: is this body from LINE?  The x-line-signature header against
 * an account's one or two live channel secrets (LINE.md 2).
 */

#ifndef TOMO_WEBHOOK_H
#define TOMO_WEBHOOK_H

#include "tomo_mac.h"

#define TOMO_WEBHOOK_SIGNATURE_LEN  44
#define TOMO_WEBHOOK_SECRETS        2

/* X(name, word): why a webhook was refused; word is in logs and counters */
#define TOMO_SIGNATURES(X)                                                    \
    X(OK_FIRST,  "verified")                                                  \
    X(OK_SECOND, "verified_next")                                             \
    X(MISSING,   "signature_missing")                                         \
    X(MALFORMED, "signature_malformed")                                       \
    X(WRONG,     "signature_wrong")

typedef enum {
#define TOMO_SIGNATURE_ENUM_(name, word)  TOMO_SIGNATURE_##name,
    TOMO_SIGNATURES(TOMO_SIGNATURE_ENUM_)
#undef TOMO_SIGNATURE_ENUM_
    TOMO_SIGNATURE_END
} tomo_signature_e;

/* canonical base64 of 32 bytes: exactly 44 characters, or TOMO_INVALID */
tomo_rc_e tomo_webhook_signature(tomo_str_t header, uint8_t *mac32)
    TOMO_MUST_CHECK;

/*
 * mac: the header's decoded 32 bytes.  body: n_chunks pieces in order, as
 * received.  secrets: one or two.  Takes the same time whichever byte
 * differs; always tries all secrets.  hash: one prepared tomo_hash_t serves
 * every account of a process (one thread at a time).
 */
tomo_signature_e tomo_webhook_verify(tomo_hash_t *hash, const uint8_t *mac32,
    const tomo_str_t *chunks, size_t n_chunks, const tomo_str_t *secrets,
    size_t n_secrets);

const char *tomo_signature_word(tomo_signature_e s);

#endif
