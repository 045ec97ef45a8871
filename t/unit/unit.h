/*
 * unit: what the unit tests share: cmocka in the right order, small helpers.
 */

#ifndef TOMO_UNIT_H
#define TOMO_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tomo_base.h"

#define UNIT_N(a)  (sizeof(a) / sizeof((a)[0]))

/* a copy without its NUL: reads beyond it are ASan's to find */
static inline void
unit_copy(uint8_t *to, const char *s)
{
    memcpy(to, s, strlen(s));
}

/* exact-size heap copy, so that ASan sees the first byte read too far */
static inline tomo_str_t
unit_heap(const void *data, size_t len)
{
    uint8_t  *p;

    p = malloc(len == 0 ? 1 : len);
    assert_non_null(p);

    if (len > 0) {
        memcpy(p, data, len);
    }

    return tomo_str_n(p, len);
}

static inline void
unit_free(tomo_str_t s)
{
    free((void *) (uintptr_t) s.data);
}

/* a file of t/golden/; the tree's top is TOMO_TOP, or where we stand */
static inline tomo_str_t
unit_golden(const char *name)
{
    char         path[4096];
    FILE        *file;
    size_t       n;
    uint8_t     *data;
    const char  *top;

    top = getenv("TOMO_TOP");
    snprintf(path, sizeof(path), "%s/t/golden/%s", top == NULL ? "." : top,
             name);
    file = fopen(path, "rb");

    if (file == NULL) {
        fail_msg("%s: set TOMO_TOP to the top of the source tree", path);
    }

    data = malloc(65536);
    assert_non_null(data);
    n = fread(data, 1, 65536, file);
    fclose(file);
    assert_true(n > 0 && n < 65536);

    return tomo_str_n(data, n);
}

#define unit_is_str(got, want)                                                \
    do {                                                                      \
        tomo_str_t  got_ = (got), want_ = (want);                             \
        assert_int_equal(got_.len, want_.len);                                \
        assert_true(tomo_str_eq(got_, want_));                                \
    } while (0)

#endif
