/*
 * tomo_base: the few types every part of Tomo shares: a view of bytes, a
 * bounded writer, an arena and the return codes.
 *
 * Nothing here allocates, reads a clock or keeps state: memory comes from the
 * caller.  All functions are safe on any thread as long as no two threads use
 * the same buffer or arena.
 */

#ifndef TOMO_BASE_H
#define TOMO_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOMO_MUST_CHECK  __attribute__((warn_unused_result))

/*
 * Every function that can fail for a reason of its input returns one of these.
 * On anything but TOMO_OK the out-parameters are untouched.
 */
typedef enum {
    TOMO_OK = 0,
    TOMO_INVALID,       /* the input breaks a rule of its format */
    TOMO_LIMIT,         /* well formed, but over a stated limit */
    TOMO_FULL,          /* the caller's buffer or arena is too small */
    TOMO_ABSENT,        /* nothing there (end of data, unknown id) */
    TOMO_DENIED,        /* authentic data was required, this is not */
    TOMO_AGAIN,         /* cannot be decided yet: more bytes, or later */
    TOMO_ERROR          /* a library or the system failed */
} tomo_rc_e;

/* A view of bytes: not NUL-terminated, not owned.  data may be NULL if len 0 */
typedef struct {
    const uint8_t  *data;
    size_t          len;
} tomo_str_t;

#define tomo_str(lit)                                                         \
    ((tomo_str_t) { (const uint8_t *) (lit), sizeof(lit) - 1 })
#define tomo_str_null  ((tomo_str_t) { NULL, 0 })

/* view of a C string / of n bytes */
tomo_str_t tomo_str_c(const char *s);
tomo_str_t tomo_str_n(const void *data, size_t len);
bool tomo_str_eq(tomo_str_t a, tomo_str_t b);
/* <0, 0, >0: bytewise order, shorter first on a common prefix */
int tomo_str_cmp(tomo_str_t a, tomo_str_t b);
/* ASCII letters folded */
bool tomo_str_caseeq(tomo_str_t a, tomo_str_t b);
bool tomo_str_starts(tomo_str_t s, tomo_str_t prefix);
/* index of the first c at or after from, or s.len */
size_t tomo_str_find(tomo_str_t s, size_t from, uint8_t c);


/*
 * A bounded writer over memory of the caller.  Appending what does not fit
 * sets `failed`, which sticks; the bytes written before stay as they were.
 * Append freely, check once.
 */
typedef struct {
    uint8_t  *data;
    size_t    len;
    size_t    cap;
    bool      failed;
} tomo_buf_t;

void tomo_buf_init(tomo_buf_t *b, void *data, size_t cap);
void tomo_buf_reset(tomo_buf_t *b);                    /* len 0, not failed */
void tomo_buf_put(tomo_buf_t *b, tomo_str_t s);
void tomo_buf_bytes(tomo_buf_t *b, const void *data, size_t len);
void tomo_buf_byte(tomo_buf_t *b, uint8_t c);
void tomo_buf_c(tomo_buf_t *b, const char *s);
void tomo_buf_u64(tomo_buf_t *b, uint64_t n);          /* decimal */
void tomo_buf_i64(tomo_buf_t *b, int64_t n);           /* decimal */
void tomo_buf_hex64(tomo_buf_t *b, uint64_t n);        /* 16 digits, lower */
/* reserves n bytes, to be filled by the caller; NULL when it does not fit */
uint8_t *tomo_buf_take(tomo_buf_t *b, size_t n);
tomo_str_t tomo_buf_str(const tomo_buf_t *b);


/*
 * An arena: bump allocation in one block of the caller, freed all at once by
 * tomo_arena_reset.  Allocations are 8-byte aligned and zeroed.  The `failed`
 * bit sticks.
 */
typedef struct {
    uint8_t  *data;
    size_t    used;
    size_t    cap;
    bool      failed;
} tomo_arena_t;

void tomo_arena_init(tomo_arena_t *a, void *data, size_t cap);
void tomo_arena_reset(tomo_arena_t *a);
void *tomo_arena_alloc(tomo_arena_t *a, size_t size);  /* NULL: full */
void *tomo_arena_array(tomo_arena_t *a, size_t n, size_t size);
/* a copy that lives as long as the arena's content; {NULL, 0} when full */
tomo_str_t tomo_arena_dup(tomo_arena_t *a, tomo_str_t s);

/* little-endian numbers in byte strings (all our binary formats) */
void tomo_put_le(uint8_t *p, uint64_t n, size_t bytes);
uint64_t tomo_get_le(const uint8_t *p, size_t bytes);

#define TOMO_SEC_MS   INT64_C(1000)
#define TOMO_MIN_MS   INT64_C(60000)
#define TOMO_HOUR_MS  INT64_C(3600000)
#define TOMO_DAY_MS   INT64_C(86400000)

#endif
