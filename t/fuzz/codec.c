/*
 * Codecs: what one reads, it writes back byte for byte (canonical), and what
 * one writes, it reads.
 */

#include "fuzz.h"
#include "tomo_codec.h"


typedef tomo_rc_e (*get_pt)(tomo_str_t text, tomo_buf_t *out);
typedef void (*put_pt)(tomo_buf_t *b, tomo_str_t bytes);

static uint8_t  bytes[2][1 << 20];


static void
canonical(get_pt get, put_pt put, bool folds, tomo_str_t in)
{
    tomo_buf_t  plain, text;

    tomo_buf_init(&plain, bytes[0], sizeof(bytes[0]));
    tomo_buf_init(&text, bytes[1], sizeof(bytes[1]));

    if (get(in, &plain) == TOMO_OK) {
        put(&text, tomo_buf_str(&plain));
        FUZZ_HOLDS(folds ? tomo_str_caseeq(tomo_buf_str(&text), in)
                         : tomo_str_eq(tomo_buf_str(&text), in));
    }

    tomo_buf_reset(&plain);
    tomo_buf_reset(&text);
    put(&text, in);
    FUZZ_HOLDS(get(tomo_buf_str(&text), &plain) == TOMO_OK);
    FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&plain), in));
}


static void
percent(tomo_str_t in)
{
    size_t      i;
    tomo_buf_t  plain, text;

    tomo_buf_init(&plain, bytes[0], sizeof(bytes[0]));
    tomo_buf_init(&text, bytes[1], sizeof(bytes[1]));
    tomo_percent_put(&text, in);
    FUZZ_HOLDS(text.len <= 3 * in.len);

    for (i = 0; i < text.len; i++) {
        FUZZ_HOLDS(text.data[i] > ' ' && text.data[i] < 127
                   && text.data[i] != '&' && text.data[i] != '=');
    }

    FUZZ_HOLDS(tomo_percent_get(tomo_buf_str(&text), false, &plain)
               == TOMO_OK);
    FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&plain), in));
    tomo_buf_reset(&plain);

    if (tomo_percent_get(in, true, &plain) == TOMO_OK) {
        FUZZ_HOLDS(plain.len <= in.len);
    }
}


static void
numbers(tomo_str_t in)
{
    int64_t     i;
    uint64_t    u;
    uint8_t     digits[32];
    tomo_buf_t  b;

    tomo_buf_init(&b, digits, sizeof(digits));

    if (tomo_u64_get(in, UINT64_MAX, &u) == TOMO_OK) {
        tomo_buf_u64(&b, u);
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), in));
    }

    tomo_buf_reset(&b);

    if (tomo_i64_get(in, &i) == TOMO_OK) {
        tomo_buf_i64(&b, i);
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), in));
    }

    tomo_buf_reset(&b);

    if (tomo_hex64_get(in, &u) == TOMO_OK) {
        tomo_buf_hex64(&b, u);
        FUZZ_HOLDS(tomo_str_caseeq(tomo_buf_str(&b), in));
    }
}


/* whatever goes in, no character comes out that ends a text or attribute */
static void
html(tomo_str_t in)
{
    size_t      i;
    tomo_buf_t  b;

    tomo_buf_init(&b, bytes[0], sizeof(bytes[0]));
    tomo_html_put(&b, in);
    FUZZ_HOLDS(!b.failed);

    for (i = 0; i < b.len; i++) {
        FUZZ_HOLDS(b.data[i] != '<' && b.data[i] != '>'
                   && b.data[i] != '"' && b.data[i] != '\'');
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tomo_str_t  in = tomo_str_n(data, size);

    if (size > 65536) {
        return 0;
    }

    canonical(tomo_hex_get, tomo_hex_put, true, in);
    canonical(tomo_b64_get, tomo_b64_put, false, in);
    canonical(tomo_b64url_get, tomo_b64url_put, false, in);
    percent(in);
    numbers(in);
    html(in);

    return 0;
}
