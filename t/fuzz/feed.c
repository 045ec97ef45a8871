/* The edge feed: fields, links, and where a redirect may lead (B31). */

#include "fuzz.h"
#include "tomo_feed.h"


static void
url(tomo_str_t s)
{
    size_t  i;

    if (!tomo_link_url_ok(s)) {
        return;
    }

    FUZZ_HOLDS(s.len <= 2000 && s.len > 7);
    FUZZ_HOLDS((s.data[0] | 0x20) == 'h');

    for (i = 0; i < s.len; i++) {
        FUZZ_HOLDS(s.data[i] > ' ' && s.data[i] < 0x7f
                   && s.data[i] != '\\');
    }

    /* no @ in front of the path: nothing hides the host */
    for (i = (s.data[4] == ':') ? 7 : 8; i < s.len && s.data[i] != '/'
         && s.data[i] != '?' && s.data[i] != '#'; i++)
    {
        FUZZ_HOLDS(s.data[i] != '@' && s.data[i] != '%');
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t           text[8192], memory[2][16384];
    uint32_t          number;
    tomo_buf_t        b;
    tomo_str_t        s = tomo_str_n(data, size);
    tomo_link_t       l, back;
    tomo_arena_t      a;
    tomo_item_kind_e  kind;

    url(s);
    tomo_buf_init(&b, text, sizeof(text));

    if (tomo_feed_field_parse(s, &kind, &number) == TOMO_OK) {
        tomo_feed_field_put(&b, kind, number);
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), s));
    }

    tomo_arena_init(&a, memory[0], sizeof(memory[0]));

    if (tomo_link_parse(s, &a, &l) == TOMO_OK) {
        url(l.url);
        tomo_buf_reset(&b);
        tomo_link_put(&b, &l);
        FUZZ_HOLDS(!b.failed);
        tomo_arena_init(&a, memory[1], sizeof(memory[1]));
        FUZZ_HOLDS(tomo_link_parse(tomo_buf_str(&b), &a, &back) == TOMO_OK);
        FUZZ_HOLDS(back.open == l.open && tomo_str_eq(back.url, l.url));
    }

    return 0;
}
