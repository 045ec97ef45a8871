/*
 * tomo_token: the 39 characters behind /r/ and /s/ that carry their own
 * proof.  29 bytes in canonical unpadded base64url:
 *
 *   1 B   version (high 4 bits, now 1) and key id (low 4 bits)
 *   16 B  one AES-256 block over the fields below
 *   12 B  HMAC-SHA256("tomo-token" | the 17 bytes before), cut to 96 bits
 *
 * Fields of the block, most significant bit first:
 *   account 14 | kind 2 | target 20 | friend 30 | delivery 24 | day 14 |
 *   check 24
 * day: days since 2020-01-01 UTC of the issue.  check: the first 24 bits of
 * HMAC-SHA256(check key, LINE user id); 0 with friend 0.  friend 0 is
 * nobody in particular (a link on a flyer).
 *
 * The fields show nothing, cannot be forged, and name no URL.
 */

#ifndef TOMO_TOKEN_H
#define TOMO_TOKEN_H

#include "tomo_mac.h"

#define TOMO_TOKEN_LEN      39
#define TOMO_TOKEN_BYTES    29
#define TOMO_TOKEN_KEYS     2           /* live keys at a time */

typedef enum {
    TOMO_TOKEN_LINK = 1,
    TOMO_TOKEN_SURVEY = 2
} tomo_token_kind_e;

typedef struct {
    uint32_t           account;     /* 1 .. 2^14-1 */
    tomo_token_kind_e  kind;
    uint32_t           target;      /* link or survey number, 1 .. 2^20-1 */
    uint32_t           friend;      /* serial, 0 .. 2^30-1; 0 = nobody */
    uint32_t           delivery;    /* 0 .. 2^24-1; 0 = none */
    uint32_t           day;         /* since 2020-01-01 UTC, 0 .. 2^14-1 */
    uint32_t           check;       /* 24 bits */
} tomo_token_t;

/* The prepared keys of one key id.  Same thread rule as tomo_mac. */
typedef struct {
    uint8_t        id;              /* 0..15 */
    tomo_cipher_t  cipher;
    tomo_mac_t     mac;
    tomo_mac_t     check;
} tomo_token_key_t;

typedef struct {
    tomo_token_key_t  keys[TOMO_TOKEN_KEYS];    /* [0] issues */
    size_t            n;
} tomo_token_keys_t;

/* master: 32 bytes of the edge key file's line for this id */
tomo_rc_e tomo_token_key_init(tomo_token_key_t *k, uint8_t id,
    tomo_str_t master) TOMO_MUST_CHECK;
void tomo_token_keys_free(tomo_token_keys_t *k);

/* TOMO_INVALID when a field is out of range.  Writes 39 characters. */
tomo_rc_e tomo_token_issue(tomo_token_keys_t *k, const tomo_token_t *t,
    tomo_buf_t *out) TOMO_MUST_CHECK;

/*
 * TOMO_INVALID: not 39 canonical characters, or unknown version or kind.
 * TOMO_DENIED: unknown key id, or the MAC does not match.
 * Which of the two is for counters and logs only; strangers see one page.
 */
tomo_rc_e tomo_token_open(tomo_token_keys_t *k, tomo_str_t text,
    tomo_token_t *t) TOMO_MUST_CHECK;

/* the check of a LINE user id, 24 bits */
tomo_rc_e tomo_token_check(tomo_token_key_t *k, tomo_str_t user_id,
    uint32_t *check) TOMO_MUST_CHECK;

/*
 * Finds the token in the last path segment as chat programs hand it on: one
 * trailing run of the characters . , ) ] > ' " and the UTF-8 signs 。 、 ） 」
 * (also percent-encoded) is cut once; anything else that is not a token's
 * alphabet is refused (B33).  TOMO_INVALID or TOMO_OK with *token = 39 bytes
 * inside segment.
 */
tomo_rc_e tomo_token_trim(tomo_str_t segment, tomo_str_t *token)
    TOMO_MUST_CHECK;

/* days since 2020-01-01 UTC of a moment (Unix ms), clamped to the range */
uint32_t tomo_token_day(int64_t at_ms);

#endif
