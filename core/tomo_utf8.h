/*
 * tomo_utf8: strict UTF-8 (no overlong forms, no surrogates, ≤ U+10FFFF) and
 * the ways of counting that LINE and we use.
 */

#ifndef TOMO_UTF8_H
#define TOMO_UTF8_H

#include "tomo_base.h"

bool tomo_utf8_ok(tomo_str_t s);
/* decodes at s[*i], moves *i; -1 for a broken sequence (moves one byte) */
int32_t tomo_utf8_next(tomo_str_t s, size_t *i);
void tomo_utf8_put(tomo_buf_t *b, int32_t cp);
size_t tomo_utf8_points(tomo_str_t s);          /* code points of valid text */
size_t tomo_utf8_utf16(tomo_str_t s);           /* UTF-16 units (LINE.md 23) */
/* longest prefix of whole code points with at most max UTF-16 units */
size_t tomo_utf8_cut_utf16(tomo_str_t s, size_t max);
/* longest prefix of whole code points with at most max bytes */
size_t tomo_utf8_cut_bytes(tomo_str_t s, size_t max);
/* C0 controls but \t \n, DEL, C1, bidi overrides and isolates */
bool tomo_utf8_has_control(tomo_str_t s);
/*
 * NFKC by utf8proc into out.  TOMO_INVALID: not UTF-8; TOMO_LIMIT: a pile of
 * combining marks that is no writing; TOMO_FULL.
 */
tomo_rc_e tomo_utf8_nfkc(tomo_str_t s, tomo_buf_t *out) TOMO_MUST_CHECK;

#endif
