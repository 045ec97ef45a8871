/*
 * fuzz: what the fuzz targets share.  A target is t/fuzz/NAME.c with one
 * function; a property that does not hold ends the process.
 */

#ifndef TOMO_FUZZ_H
#define TOMO_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tomo_base.h"
#include "tomo_journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_HOLDS(property)                                                  \
    do {                                                                      \
        if (!(property)) {                                                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #property);    \
            abort();                                                          \
        }                                                                     \
    } while (0)

/* keeps the compiler from leaving reads out */
static inline void
fuzz_touch(tomo_str_t s)
{
    static volatile uint32_t  sum;

    sum = tomo_crc32c(sum, s.data, s.len);
}

#endif
