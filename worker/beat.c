#include "beat.h"


tomo_rc_e
beat_parse(tomo_str_t text, tomo_arena_t *a, tomo_rec_t *rec)
{
    uint8_t  *line = tomo_arena_alloc(a, text.len + 1);

    if (line == NULL) {
        return TOMO_FULL;
    }

    /* its fields stand apart by spaces, a record's by & */
    for (size_t i = 0; i < text.len; i++) {
        line[i] = text.data[i] == ' ' ? '&' : text.data[i];
    }

    return tomo_rec_parse(tomo_str_n(line, text.len), a, rec);
}
