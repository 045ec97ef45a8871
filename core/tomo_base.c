/*
 * tomo_base: views, bounded writers and arenas.
 */

#include "tomo_base.h"

#include <string.h>


tomo_str_t
tomo_str_c(const char *s)
{
    const char  *end;

    /* the NUL is there: memchr looks no further */
    end = memchr(s, '\0', PTRDIFF_MAX);

    return tomo_str_n(s, (size_t) (end - s));
}


tomo_str_t
tomo_str_n(const void *data, size_t len)
{
    tomo_str_t  s;

    s.data = data;
    s.len = len;

    return s;
}


bool
tomo_str_eq(tomo_str_t a, tomo_str_t b)
{
    if (a.len != b.len) {
        return false;
    }

    return a.len == 0 || memcmp(a.data, b.data, a.len) == 0;
}


int
tomo_str_cmp(tomo_str_t a, tomo_str_t b)
{
    int     order;
    size_t  n;

    n = (a.len < b.len) ? a.len : b.len;
    order = (n == 0) ? 0 : memcmp(a.data, b.data, n);

    if (order != 0) {
        return order;
    }

    return (a.len > b.len) - (a.len < b.len);
}


static uint8_t
base_lower(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') ? (uint8_t) (c | 0x20) : c;
}


bool
tomo_str_caseeq(tomo_str_t a, tomo_str_t b)
{
    size_t  i;

    if (a.len != b.len) {
        return false;
    }

    for (i = 0; i < a.len; i++) {
        if (base_lower(a.data[i]) != base_lower(b.data[i])) {
            return false;
        }
    }

    return true;
}


bool
tomo_str_starts(tomo_str_t s, tomo_str_t prefix)
{
    return s.len >= prefix.len
           && tomo_str_eq(tomo_str_n(s.data, prefix.len), prefix);
}


size_t
tomo_str_find(tomo_str_t s, size_t from, uint8_t c)
{
    const uint8_t  *hit;

    if (from >= s.len) {
        return s.len;
    }

    hit = memchr(s.data + from, c, s.len - from);

    return (hit == NULL) ? s.len : (size_t) (hit - s.data);
}


void
tomo_buf_init(tomo_buf_t *b, void *data, size_t cap)
{
    b->data = data;
    b->cap = cap;
    tomo_buf_reset(b);
}


void
tomo_buf_reset(tomo_buf_t *b)
{
    b->len = 0;
    b->failed = false;
}


/*
 * Once something did not fit, shorter pieces behind it must not slip in: the
 * text would be spliced.
 */
uint8_t *
tomo_buf_take(tomo_buf_t *b, size_t n)
{
    uint8_t  *p;

    if (b->failed || n > b->cap - b->len) {
        b->failed = true;
        return NULL;
    }

    p = b->data + b->len;
    b->len += n;

    return p;
}


void
tomo_buf_bytes(tomo_buf_t *b, const void *data, size_t len)
{
    uint8_t  *p;

    p = tomo_buf_take(b, len);

    if (p != NULL && len > 0) {
        memcpy(p, data, len);
    }
}


void
tomo_buf_put(tomo_buf_t *b, tomo_str_t s)
{
    tomo_buf_bytes(b, s.data, s.len);
}


void
tomo_buf_byte(tomo_buf_t *b, uint8_t c)
{
    tomo_buf_bytes(b, &c, 1);
}


void
tomo_buf_c(tomo_buf_t *b, const char *s)
{
    tomo_buf_put(b, tomo_str_c(s));
}


void
tomo_buf_u64(tomo_buf_t *b, uint64_t n)
{
    uint8_t  digits[20];
    size_t   at;

    at = sizeof(digits);

    do {
        digits[--at] = (uint8_t) ('0' + n % 10);
        n /= 10;
    } while (n > 0);

    tomo_buf_bytes(b, digits + at, sizeof(digits) - at);
}


void
tomo_buf_i64(tomo_buf_t *b, int64_t n)
{
    uint64_t  magnitude;

    magnitude = (uint64_t) n;

    if (n < 0) {
        /* sign and digits in one piece would need a copy: ask for both */
        if (b->failed || b->cap - b->len < 2) {
            b->failed = true;
            return;
        }

        tomo_buf_byte(b, '-');
        magnitude = 0 - magnitude;
    }

    tomo_buf_u64(b, magnitude);
}


void
tomo_buf_hex64(tomo_buf_t *b, uint64_t n)
{
    uint8_t  *p;
    size_t    i;

    p = tomo_buf_take(b, 16);

    if (p == NULL) {
        return;
    }

    for (i = 0; i < 16; i++) {
        p[15 - i] = (uint8_t) "0123456789abcdef"[n & 15];
        n >>= 4;
    }
}


tomo_str_t
tomo_buf_str(const tomo_buf_t *b)
{
    return tomo_str_n(b->data, b->len);
}


void
tomo_arena_init(tomo_arena_t *a, void *data, size_t cap)
{
    a->data = data;
    a->cap = cap;
    tomo_arena_reset(a);
}


void
tomo_arena_reset(tomo_arena_t *a)
{
    a->used = 0;
    a->failed = false;
}


void *
tomo_arena_alloc(tomo_arena_t *a, size_t size)
{
    size_t   pad;
    uint8_t  *p;

    /* the caller's block itself need not be aligned */
    pad = (size_t) (-((uintptr_t) a->data + a->used) & 7);

    if (a->failed || a->cap - a->used < pad
        || a->cap - a->used - pad < size)
    {
        a->failed = true;
        return NULL;
    }

    p = a->data + a->used + pad;
    a->used += pad + size;
    memset(p, 0, size);

    return p;
}


void *
tomo_arena_array(tomo_arena_t *a, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size) {
        a->failed = true;
        return NULL;
    }

    return tomo_arena_alloc(a, n * size);
}


tomo_str_t
tomo_arena_dup(tomo_arena_t *a, tomo_str_t s)
{
    void  *p;

    p = tomo_arena_alloc(a, s.len);

    if (p == NULL) {
        return tomo_str_null;
    }

    if (s.len > 0) {
        memcpy(p, s.data, s.len);
    }

    return tomo_str_n(p, s.len);
}


void
tomo_put_le(uint8_t *p, uint64_t n, size_t bytes)
{
    size_t  i;

    for (i = 0; i < bytes; i++) {
        p[i] = (uint8_t) (n >> (8 * i));
    }
}


uint64_t
tomo_get_le(const uint8_t *p, size_t bytes)
{
    uint64_t  n;
    size_t    i;

    n = 0;

    for (i = 0; i < bytes; i++) {
        n |= (uint64_t) p[i] << (8 * i);
    }

    return n;
}
