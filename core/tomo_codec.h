/*
 * tomo_codec: hex, base64, base64url, percent-encoding and decimal numbers.
 * Decoders are strict: one text for one value (canonical), no white space.
 */

#ifndef TOMO_CODEC_H
#define TOMO_CODEC_H

#include "tomo_base.h"

void tomo_hex_put(tomo_buf_t *b, tomo_str_t bytes);             /* lower */
tomo_rc_e tomo_hex_get(tomo_str_t text, tomo_buf_t *out) TOMO_MUST_CHECK;
tomo_rc_e tomo_hex64_get(tomo_str_t text, uint64_t *n) TOMO_MUST_CHECK;

/* standard alphabet, padded; url alphabet, unpadded */
void tomo_b64_put(tomo_buf_t *b, tomo_str_t bytes);
void tomo_b64url_put(tomo_buf_t *b, tomo_str_t bytes);
/* TOMO_INVALID also for non-zero trailing bits */
tomo_rc_e tomo_b64_get(tomo_str_t text, tomo_buf_t *out) TOMO_MUST_CHECK;
tomo_rc_e tomo_b64url_get(tomo_str_t text, tomo_buf_t *out) TOMO_MUST_CHECK;

/* all but A-Z a-z 0-9 - . _ ~ becomes %XX */
void tomo_percent_put(tomo_buf_t *b, tomo_str_t s);
/* form: also '+' → space */
tomo_rc_e tomo_percent_get(tomo_str_t s, bool form, tomo_buf_t *out)
    TOMO_MUST_CHECK;

/* plain decimal, no sign for u64, no leading zeros but "0", within max */
tomo_rc_e tomo_u64_get(tomo_str_t s, uint64_t max, uint64_t *n)
    TOMO_MUST_CHECK;
tomo_rc_e tomo_i64_get(tomo_str_t s, int64_t *n) TOMO_MUST_CHECK;

/* escapes for HTML text and double- or single-quoted attributes */
void tomo_html_put(tomo_buf_t *b, tomo_str_t s);
/* a JSON string with its quotes; s must be valid UTF-8 */
void tomo_json_put(tomo_buf_t *b, tomo_str_t s);

#endif
