/*
 * tomo_utf8: strict decoding and counting; normalisation by utf8proc.
 */

#include "tomo_utf8.h"

#include <utf8proc.h>


/* memory of one normalisation step, in code points: 4 KB of stack */
#define UTF8_RUN_MAX  1024
/* a run is cut at the next safe place after so many code points */
#define UTF8_RUN_CUT  48


int32_t
tomo_utf8_next(tomo_str_t s, size_t *i)
{
    size_t         left, n, k;
    int32_t        cp, least;
    const uint8_t  *p;

    p = s.data + *i;
    left = s.len - *i;

    if (p[0] < 0x80) {
        *i += 1;
        return p[0];
    }

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
        cp = p[0] & 0x1f;
        least = 0x80;

    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3;
        cp = p[0] & 0x0f;
        least = 0x800;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        cp = p[0] & 0x07;
        least = 0x10000;

    } else {
        goto broken;
    }

    if (left < n) {
        goto broken;
    }

    for (k = 1; k < n; k++) {
        if ((p[k] & 0xc0) != 0x80) {
            goto broken;
        }

        cp = cp << 6 | (p[k] & 0x3f);
    }

    if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
        goto broken;
    }

    *i += n;

    return cp;

broken:

    *i += 1;

    return -1;
}


bool
tomo_utf8_ok(tomo_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; /* void */) {
        /* most of it: ASCII, and kana and kanji from U+3000 to U+CFFF */
        if (s.data[i] < 0x80) {
            i++;

        } else if (s.data[i] >= 0xe3 && s.data[i] <= 0xec && s.len - i >= 3
                   && (s.data[i + 1] & 0xc0) == 0x80
                   && (s.data[i + 2] & 0xc0) == 0x80)
        {
            i += 3;

        } else if (tomo_utf8_next(s, &i) < 0) {
            return false;
        }
    }

    return true;
}


void
tomo_utf8_put(tomo_buf_t *b, int32_t cp)
{
    uint8_t  out[4];
    size_t   n;

    if (cp < 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
        cp = 0xfffd;
    }

    if (cp < 0x80) {
        out[0] = (uint8_t) cp;
        n = 1;

    } else if (cp < 0x800) {
        out[0] = (uint8_t) (0xc0 | cp >> 6);
        out[1] = (uint8_t) (0x80 | (cp & 0x3f));
        n = 2;

    } else if (cp < 0x10000) {
        out[0] = (uint8_t) (0xe0 | cp >> 12);
        out[1] = (uint8_t) (0x80 | (cp >> 6 & 0x3f));
        out[2] = (uint8_t) (0x80 | (cp & 0x3f));
        n = 3;

    } else {
        out[0] = (uint8_t) (0xf0 | cp >> 18);
        out[1] = (uint8_t) (0x80 | (cp >> 12 & 0x3f));
        out[2] = (uint8_t) (0x80 | (cp >> 6 & 0x3f));
        out[3] = (uint8_t) (0x80 | (cp & 0x3f));
        n = 4;
    }

    tomo_buf_bytes(b, out, n);
}


size_t
tomo_utf8_points(tomo_str_t s)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < s.len; i++) {
        n += (s.data[i] & 0xc0) != 0x80;
    }

    return n;
}


size_t
tomo_utf8_utf16(tomo_str_t s)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < s.len; i++) {
        n += (s.data[i] & 0xc0) != 0x80;
        n += s.data[i] >= 0xf0;
    }

    return n;
}


size_t
tomo_utf8_cut_utf16(tomo_str_t s, size_t max)
{
    size_t  i, next, units;

    units = 0;

    for (i = 0; i < s.len; i = next) {
        next = i;
        units += (tomo_utf8_next(s, &next) >= 0x10000) ? 2 : 1;

        if (units > max) {
            break;
        }
    }

    return i;
}


size_t
tomo_utf8_cut_bytes(tomo_str_t s, size_t max)
{
    size_t  n, back;

    if (s.len <= max) {
        return s.len;
    }

    n = max;

    /* broken text must not eat everything: a code point has 3 followers */
    for (back = 0; back < 3 && n > 0 && (s.data[n] & 0xc0) == 0x80; back++) {
        n--;
    }

    return n;
}


/* the bytes that a control character below may begin with */
static const uint8_t  utf8_control_first[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    [0x7f] = 1, [0xc2] = 1, [0xd8] = 1, [0xe2] = 1
};


bool
tomo_utf8_has_control(tomo_str_t s)
{
    size_t   i;
    int32_t  cp;

    for (i = 0; i < s.len; /* void */) {
        if (!utf8_control_first[s.data[i]]) {
            i++;
            continue;
        }

        cp = tomo_utf8_next(s, &i);

        if ((cp >= 0 && cp < 0x20 && cp != '\t' && cp != '\n')
            || (cp >= 0x7f && cp <= 0x9f)
            || cp == 0x061c || cp == 0x200e || cp == 0x200f
            || (cp >= 0x202a && cp <= 0x202e)
            || (cp >= 0x2066 && cp <= 0x2069))
        {
            return true;
        }
    }

    return false;
}


/*
 * Normalises one run: text from one safe place to the next.  Decomposition
 * and composition of utf8proc work in memory that we hand in, so nothing is
 * allocated.
 */
static tomo_rc_e
utf8_nfkc_run(tomo_str_t s, tomo_buf_t *out)
{
    utf8proc_int32_t    points[UTF8_RUN_MAX];
    utf8proc_ssize_t    n, i;
    utf8proc_option_t   options;

    options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;

    n = utf8proc_decompose(s.data, (utf8proc_ssize_t) s.len, points,
                           UTF8_RUN_MAX, options);

    if (n < 0) {
        return TOMO_INVALID;
    }

    if (n > UTF8_RUN_MAX) {
        return TOMO_LIMIT;
    }

    n = utf8proc_normalize_utf32(points, n, options);

    for (i = 0; i < n; i++) {
        tomo_utf8_put(out, points[i]);
    }

    return out->failed ? TOMO_FULL : TOMO_OK;
}


/*
 * May a run end before this character?  Yes for those that start a syllable
 * or stand alone in every composition: ASCII, kana, ideographs, full-width
 * forms.  (Not for half-width kana: their voicing marks compose backwards.)
 */
static bool
utf8_starts_run(int32_t cp)
{
    return cp < 0x80
           || (cp >= 0x3041 && cp <= 0x3096)
           || (cp >= 0x30a1 && cp <= 0x30fa)
           || (cp >= 0x4e00 && cp <= 0x9fff)
           || (cp >= 0xff01 && cp <= 0xff60);
}


tomo_rc_e
tomo_utf8_nfkc(tomo_str_t s, tomo_buf_t *out)
{
    size_t     i, from, next, points, len;
    tomo_rc_e  rc;

    if (!tomo_utf8_ok(s)) {
        return TOMO_INVALID;
    }

    len = out->len;

    for (from = 0; from < s.len; from = i) {
        points = 0;

        for (i = from; i < s.len; i = next) {
            next = i;

            if (utf8_starts_run(tomo_utf8_next(s, &next))
                && points >= UTF8_RUN_CUT)
            {
                break;
            }

            points++;
        }

        rc = utf8_nfkc_run(tomo_str_n(s.data + from, i - from), out);

        if (rc != TOMO_OK) {
            out->len = len;
            return rc;
        }
    }

    return out->failed ? TOMO_FULL : TOMO_OK;
}
