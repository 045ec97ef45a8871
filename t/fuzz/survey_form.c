/*
 * Compiled forms: what parses is written and parsed again to the same text,
 * and has a page.
 */

#include "tomo_survey.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tomo_buf_t      a, b, page;
    tomo_arena_t    arena;
    tomo_survey_t   s;
    static uint8_t  memory[4 * 1024 * 1024], first[1024 * 1024],
                    second[1024 * 1024], html[8 * 1024 * 1024];

    if (size > 64 * 1024) {
        return 0;
    }

    tomo_arena_init(&arena, memory, sizeof(memory));

    if (tomo_survey_parse(tomo_str_n(data, size), &arena, &s) != TOMO_OK) {
        return 0;
    }

    tomo_buf_init(&a, first, sizeof(first));
    tomo_survey_put(&a, &s);

    tomo_buf_init(&page, html, sizeof(html));
    tomo_survey_page(&page, &s, NULL, tomo_str("AAECAwQFBgcICQoLDA0ODw"),
                     tomo_str("/s/TOKEN"), 2026);
    tomo_survey_thanks(&page, &s);

    tomo_arena_init(&arena, memory, sizeof(memory));

    if (a.failed || page.failed
        || tomo_survey_parse(tomo_buf_str(&a), &arena, &s) != TOMO_OK)
    {
        abort();
    }

    tomo_buf_init(&b, second, sizeof(second));
    tomo_survey_put(&b, &s);

    if (!tomo_str_eq(tomo_buf_str(&a), tomo_buf_str(&b))) {
        abort();
    }

    return 0;
}
