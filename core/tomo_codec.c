/*
 * tomo_codec: hex, base64, percent-encoding and numbers.
 */

#include "tomo_codec.h"

#include <string.h>


#define CODEC_NONE  0xff

static const char  codec_b64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char  codec_b64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


/*
 * Values of the signs of both alphabets.  One that is foreign to an alphabet
 * has that alphabet's bit set, one of neither has both.
 */
#define CODEC_B64_FOREIGN     0x80
#define CODEC_B64URL_FOREIGN  0x40

static const uint8_t  codec_values[128] = {
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 126, 192, 190, 192, 127,
     52,  53,  54,  55,  56,  57,  58,  59,  60,  61, 192, 192,
    192, 192, 192, 192, 192,   0,   1,   2,   3,   4,   5,   6,
      7,   8,   9,  10,  11,  12,  13,  14,  15,  16,  17,  18,
     19,  20,  21,  22,  23,  24,  25, 192, 192, 192, 192, 191,
    192,  26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,
     37,  38,  39,  40,  41,  42,  43,  44,  45,  46,  47,  48,
     49,  50,  51, 192, 192, 192, 192, 192
};


static uint8_t
codec_hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return (uint8_t) (c - '0');
    }

    return (c >= 'a' && c <= 'f') ? (uint8_t) (c - 'a' + 10) : CODEC_NONE;
}


void
tomo_hex_put(tomo_buf_t *b, tomo_str_t bytes)
{
    uint8_t  *p;
    size_t    i;

    if (bytes.len > SIZE_MAX / 2) {
        b->failed = true;
        return;
    }

    p = tomo_buf_take(b, bytes.len * 2);

    if (p == NULL) {
        return;
    }

    for (i = 0; i < bytes.len; i++) {
        *p++ = (uint8_t) "0123456789abcdef"[bytes.data[i] >> 4];
        *p++ = (uint8_t) "0123456789abcdef"[bytes.data[i] & 15];
    }
}


tomo_rc_e
tomo_hex_get(tomo_str_t text, tomo_buf_t *out)
{
    uint8_t  *p;
    size_t    i;

    if (text.len % 2 != 0) {
        return TOMO_INVALID;
    }

    for (i = 0; i < text.len; i++) {
        if (codec_hex_value(text.data[i]) == CODEC_NONE) {
            return TOMO_INVALID;
        }
    }

    p = tomo_buf_take(out, text.len / 2);

    if (p == NULL) {
        return TOMO_FULL;
    }

    for (i = 0; i < text.len; i += 2) {
        *p++ = (uint8_t) (codec_hex_value(text.data[i]) << 4
                          | codec_hex_value(text.data[i + 1]));
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_hex64_get(tomo_str_t text, uint64_t *n)
{
    uint8_t   v;
    size_t    i;
    uint64_t  sum;

    if (text.len != 16) {
        return TOMO_INVALID;
    }

    sum = 0;

    for (i = 0; i < 16; i++) {
        v = codec_hex_value(text.data[i]);

        if (v == CODEC_NONE) {
            return TOMO_INVALID;
        }

        sum = sum << 4 | v;
    }

    *n = sum;

    return TOMO_OK;
}


static void
codec_b64_put(tomo_buf_t *b, tomo_str_t s, const char *alphabet, bool pad)
{
    uint8_t   *p;
    size_t     i, k, n, signs;
    uint32_t   v;

    if (s.len > SIZE_MAX / 2) {
        b->failed = true;
        return;
    }

    signs = (s.len * 4 + 2) / 3;
    p = tomo_buf_take(b, pad ? (s.len + 2) / 3 * 4 : signs);

    if (p == NULL) {
        return;
    }

    for (i = 0; i < s.len; i += 3) {
        n = (s.len - i < 3) ? s.len - i : 3;
        v = (uint32_t) s.data[i] << 16;
        v |= (n > 1) ? (uint32_t) s.data[i + 1] << 8 : 0;
        v |= (n > 2) ? s.data[i + 2] : 0;

        for (k = 0; k <= n; k++) {
            *p++ = (uint8_t) alphabet[v >> (18 - 6 * k) & 63];
        }

        for (; pad && k < 4; k++) {
            *p++ = '=';
        }
    }
}


/* signs: the text without its padding */
static bool
codec_b64_ok(tomo_str_t signs, uint8_t foreign)
{
    size_t   i;
    uint8_t  v, bad, high;

    v = 0;
    bad = 0;
    high = 0;

    for (i = 0; i < signs.len; i++) {
        v = codec_values[signs.data[i] & 127];
        bad |= v;
        high |= signs.data[i];
    }

    /* the last sign of an open group carries bits that must be zero */
    return (bad & foreign) == 0 && (high & 0x80) == 0
           && signs.len % 4 != 1
           && (signs.len % 4 != 2 || (v & 15) == 0)
           && (signs.len % 4 != 3 || (v & 3) == 0);
}


/* up to four signs as 24 bits */
static uint32_t
codec_b64_four(const uint8_t *signs, size_t n)
{
    size_t    k;
    uint32_t  v;

    v = 0;

    for (k = 0; k < 4; k++) {
        v = v << 6 | (k < n ? codec_values[signs[k]] & 63u : 0);
    }

    return v;
}


static tomo_rc_e
codec_b64_get(tomo_str_t signs, uint8_t foreign, tomo_buf_t *out)
{
    uint8_t   *p;
    size_t     i, n;
    uint32_t   v;

    if (!codec_b64_ok(signs, foreign)) {
        return TOMO_INVALID;
    }

    p = tomo_buf_take(out, signs.len / 4 * 3 + signs.len % 4 * 3 / 4);

    if (p == NULL) {
        return TOMO_FULL;
    }

    for (i = 0; i + 4 <= signs.len; i += 4) {
        v = codec_b64_four(signs.data + i, 4);
        *p++ = (uint8_t) (v >> 16);
        *p++ = (uint8_t) (v >> 8);
        *p++ = (uint8_t) v;
    }

    n = signs.len - i;

    if (n > 1) {
        v = codec_b64_four(signs.data + i, n);
        *p++ = (uint8_t) (v >> 16);

        if (n > 2) {
            *p = (uint8_t) (v >> 8);
        }
    }

    return TOMO_OK;
}


void
tomo_b64_put(tomo_buf_t *b, tomo_str_t bytes)
{
    codec_b64_put(b, bytes, codec_b64, true);
}


void
tomo_b64url_put(tomo_buf_t *b, tomo_str_t bytes)
{
    codec_b64_put(b, bytes, codec_b64url, false);
}


tomo_rc_e
tomo_b64_get(tomo_str_t text, tomo_buf_t *out)
{
    size_t  n;

    if (text.len % 4 != 0) {
        return TOMO_INVALID;
    }

    for (n = 0; n < 2 && n < text.len; n++) {
        if (text.data[text.len - n - 1] != '=') {
            break;
        }
    }

    return codec_b64_get(tomo_str_n(text.data, text.len - n),
                         CODEC_B64_FOREIGN, out);
}


tomo_rc_e
tomo_b64url_get(tomo_str_t text, tomo_buf_t *out)
{
    return codec_b64_get(text, CODEC_B64URL_FOREIGN, out);
}


/*
 * What each byte becomes, and its length: letters, digits and - . _ ~ stay.
 * ESC: %XY; ROW: a row of 16 escapes.
 */
#define SAFE(c)    { c, 0, 0, 1 }
#define ESC(x, y)  { '%', x, y, 3 }
#define DIGITS(x)                                                             \
    ESC(x, '0'), ESC(x, '1'), ESC(x, '2'), ESC(x, '3'), ESC(x, '4'),          \
    ESC(x, '5'), ESC(x, '6'), ESC(x, '7'), ESC(x, '8'), ESC(x, '9')
#define ROW(x)                                                                \
    DIGITS(x), ESC(x, 'A'), ESC(x, 'B'), ESC(x, 'C'), ESC(x, 'D'),            \
    ESC(x, 'E'), ESC(x, 'F')

static const uint8_t  codec_percent[256][4] = {
    ROW('0'), ROW('1'),
    DIGITS('2'), ESC('2', 'A'), ESC('2', 'B'), ESC('2', 'C'), SAFE('-'),
    SAFE('.'), ESC('2', 'F'),
    SAFE('0'), SAFE('1'), SAFE('2'), SAFE('3'), SAFE('4'), SAFE('5'),
    SAFE('6'), SAFE('7'), SAFE('8'), SAFE('9'), ESC('3', 'A'), ESC('3', 'B'),
    ESC('3', 'C'), ESC('3', 'D'), ESC('3', 'E'), ESC('3', 'F'),
    ESC('4', '0'), SAFE('A'), SAFE('B'), SAFE('C'), SAFE('D'), SAFE('E'),
    SAFE('F'), SAFE('G'), SAFE('H'), SAFE('I'), SAFE('J'), SAFE('K'),
    SAFE('L'), SAFE('M'), SAFE('N'), SAFE('O'), SAFE('P'), SAFE('Q'),
    SAFE('R'), SAFE('S'), SAFE('T'), SAFE('U'), SAFE('V'), SAFE('W'),
    SAFE('X'), SAFE('Y'), SAFE('Z'), ESC('5', 'B'), ESC('5', 'C'),
    ESC('5', 'D'), ESC('5', 'E'), SAFE('_'),
    ESC('6', '0'), SAFE('a'), SAFE('b'), SAFE('c'), SAFE('d'), SAFE('e'),
    SAFE('f'), SAFE('g'), SAFE('h'), SAFE('i'), SAFE('j'), SAFE('k'),
    SAFE('l'), SAFE('m'), SAFE('n'), SAFE('o'), SAFE('p'), SAFE('q'),
    SAFE('r'), SAFE('s'), SAFE('t'), SAFE('u'), SAFE('v'), SAFE('w'),
    SAFE('x'), SAFE('y'), SAFE('z'), ESC('7', 'B'), ESC('7', 'C'),
    ESC('7', 'D'), SAFE('~'), ESC('7', 'F'),
    ROW('8'), ROW('9'), ROW('A'), ROW('B'), ROW('C'), ROW('D'), ROW('E'),
    ROW('F')
};


/*
 * A user agent comes through here on every tap: while there is room all four
 * bytes are copied, and as many as count are kept.
 */
void
tomo_percent_put(tomo_buf_t *b, tomo_str_t s)
{
    uint8_t        *p, *end;
    size_t          i;
    const uint8_t  *sign;

    if (b->failed) {
        return;
    }

    p = b->data + b->len;
    end = b->data + b->cap;

    for (i = 0; i < s.len && end - p >= 4; i++) {
        sign = codec_percent[s.data[i]];
        memcpy(p, sign, 4);
        p += sign[3];
    }

    b->len = (size_t) (p - b->data);

    for (/* void */; i < s.len; i++) {
        sign = codec_percent[s.data[i]];
        tomo_buf_bytes(b, sign, sign[3]);
    }
}


/* hex digits and 0x10; browsers and chat programs write either case */
static const uint8_t  codec_hex[256] = {
    ['0'] = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
    ['A'] = 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
    ['a'] = 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f
};


tomo_rc_e
tomo_percent_get(tomo_str_t s, bool form, tomo_buf_t *out)
{
    uint8_t  *p, c;
    size_t    i, n;

    n = s.len;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] != '%') {
            continue;
        }

        if (s.len - i < 3
            || (codec_hex[s.data[i + 1]] & codec_hex[s.data[i + 2]]) == 0)
        {
            return TOMO_INVALID;
        }

        i += 2;
        n -= 2;
    }

    p = tomo_buf_take(out, n);

    if (p == NULL) {
        return TOMO_FULL;
    }

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (c == '%') {
            c = (uint8_t) (codec_hex[s.data[i + 1]] << 4
                           | (codec_hex[s.data[i + 2]] & 15));
            i += 2;

        } else if (form && c == '+') {
            c = ' ';
        }

        *p++ = c;
    }

    return TOMO_OK;
}


tomo_rc_e
tomo_u64_get(tomo_str_t s, uint64_t max, uint64_t *n)
{
    size_t    i;
    uint64_t  sum, digit;

    if (s.len == 0 || s.len > 20 || (s.data[0] == '0' && s.len > 1)) {
        return TOMO_INVALID;
    }

    sum = 0;

    for (i = 0; i < s.len; i++) {
        digit = (uint64_t) s.data[i] - '0';

        if (s.data[i] < '0' || digit > 9
            || sum > (UINT64_MAX - digit) / 10)
        {
            return TOMO_INVALID;
        }

        sum = sum * 10 + digit;
    }

    if (sum > max) {
        return TOMO_INVALID;
    }

    *n = sum;

    return TOMO_OK;
}


tomo_rc_e
tomo_i64_get(tomo_str_t s, int64_t *n)
{
    uint64_t   magnitude;
    tomo_rc_e  rc;

    if (s.len == 0 || s.data[0] != '-') {
        rc = tomo_u64_get(s, INT64_MAX, &magnitude);

        if (rc == TOMO_OK) {
            *n = (int64_t) magnitude;
        }

        return rc;
    }

    rc = tomo_u64_get(tomo_str_n(s.data + 1, s.len - 1),
                      (uint64_t) INT64_MAX + 1, &magnitude);

    /* "-0" would be a second text for 0 */
    if (rc != TOMO_OK || magnitude == 0) {
        return TOMO_INVALID;
    }

    *n = -(int64_t) (magnitude - 1) - 1;

    return TOMO_OK;
}
