/* Templates: what parses renders; what an insert gives comes out as it is. */

#include "tomo_tmpl.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static tomo_str_t
value(void *ctx, const tomo_part_t *part)
{
    (void) part;

    return *(tomo_str_t *) ctx;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         i, at, want;
    const char    *why;
    tomo_buf_t     b;
    tomo_str_t     insert = tomo_str("{{name}}");
    tomo_tmpl_t    t;
    tomo_arena_t   a;
    static uint8_t memory[64 * 1024], out[1024 * 1024];

    if (size > 64 * 1024) {
        return 0;
    }

    tomo_arena_init(&a, memory, sizeof(memory));

    if (tomo_tmpl_parse(tomo_str_n(data, size), &a, &t, &at, &why) != TOMO_OK)
    {
        return 0;
    }

    tomo_buf_init(&b, out, sizeof(out));
    tomo_tmpl_render(&t, value, &insert, &b);

    for (i = 0, want = 0; i < t.n; i++) {
        want += t.parts[i].kind == TOMO_PART_TEXT ? t.parts[i].text.len
                                                  : insert.len;
    }

    if (b.failed || b.len != want) {
        abort();
    }

    return 0;
}
