/* UTF-8: decoding, cutting and normalising agree with each other. */

#include "fuzz.h"
#include "tomo_utf8.h"


static uint8_t  text[1 << 20], twice[1 << 21];


static void
cuts(tomo_str_t s, size_t max)
{
    size_t  n;

    n = tomo_utf8_cut_bytes(s, max);
    FUZZ_HOLDS(n <= s.len && n <= (max > s.len ? s.len : max));
    FUZZ_HOLDS(tomo_utf8_ok(tomo_str_n(s.data, n)));

    n = tomo_utf8_cut_utf16(s, max);
    FUZZ_HOLDS(n <= s.len);
    FUZZ_HOLDS(tomo_utf8_ok(tomo_str_n(s.data, n)));
    FUZZ_HOLDS(tomo_utf8_utf16(tomo_str_n(s.data, n)) <= max);
}


static void
normal(tomo_str_t s)
{
    tomo_buf_t  b, again;

    tomo_buf_init(&b, text, sizeof(text));

    if (tomo_utf8_nfkc(s, &b) != TOMO_OK) {
        return;
    }

    FUZZ_HOLDS(tomo_utf8_ok(tomo_buf_str(&b)));
    tomo_buf_init(&again, twice, sizeof(twice));

    if (tomo_utf8_nfkc(tomo_buf_str(&b), &again) == TOMO_OK) {
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), tomo_buf_str(&again)));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i, points;
    bool        ok;
    int32_t     cp;
    tomo_buf_t  b;
    tomo_str_t  s = tomo_str_n(data, size);

    if (size > 4096) {
        return 0;
    }

    tomo_buf_init(&b, text, sizeof(text));
    ok = true;
    points = 0;

    for (i = 0; i < size; /* void */) {
        cp = tomo_utf8_next(s, &i);
        FUZZ_HOLDS(i <= size);
        ok = ok && cp >= 0;
        points++;
        tomo_utf8_put(&b, cp);
    }

    FUZZ_HOLDS(tomo_utf8_ok(s) == ok);
    FUZZ_HOLDS(tomo_utf8_ok(tomo_buf_str(&b)));
    (void) tomo_utf8_has_control(s);
    FUZZ_HOLDS(tomo_utf8_cut_bytes(s, size / 2) <= size);
    FUZZ_HOLDS(tomo_utf8_cut_utf16(s, size / 2) <= size);

    if (ok) {
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), s));
        FUZZ_HOLDS(tomo_utf8_points(s) == points);

        for (i = 0; i <= size + 1 && i < 64; i++) {
            cuts(s, i);
        }

        normal(s);
    }

    return 0;
}
