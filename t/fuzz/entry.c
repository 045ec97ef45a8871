/*
 * Entries, clicks and answers: what is read and written again is the same
 * (B99).  Input: NUL-separated name and value pairs, and lines.
 */

#include "fuzz.h"
#include "tomo_entry.h"


static uint8_t  memory[1 << 20];


static void
entry(const uint8_t *data, size_t size)
{
    size_t        n, at, end;
    uint8_t       text[128];
    tomo_buf_t    b;
    tomo_str_t    pairs[32], argv[10], all = tomo_str_n(data, size);
    tomo_entry_t  e, back;

    n = 0;

    for (at = 0; at < size && n < 32; at = end + 1) {
        end = tomo_str_find(all, at, 0);
        pairs[n++] = tomo_str_n(data + at, end - at);
    }

    if (tomo_entry_decode(pairs, n / 2, &e) != TOMO_OK) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    FUZZ_HOLDS(tomo_entry_encode(&e, &b, argv) == TOMO_OK);
    FUZZ_HOLDS(tomo_entry_decode(argv, 5, &back) == TOMO_OK);
    FUZZ_HOLDS(back.kind == e.kind && back.at_ms == e.at_ms
               && back.writer == e.writer && back.seq == e.seq
               && tomo_str_eq(back.body, e.body));
}


static void
click(tomo_str_t line)
{
    uint8_t       text[2048];
    tomo_buf_t    b;
    tomo_click_t  c, back;
    tomo_arena_t  a;

    tomo_arena_init(&a, memory, sizeof(memory));

    if (tomo_click_parse(line, &a, &c) != TOMO_OK) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_click_put(&b, &c);
    FUZZ_HOLDS(!b.failed && text[b.len - 1] == '\n');
    FUZZ_HOLDS(tomo_click_parse(tomo_str_n(text, b.len - 1), &a, &back)
               == TOMO_OK);
    FUZZ_HOLDS(back.at_ms == c.at_ms && back.link == c.link
               && back.friend == c.friend && back.delivery == c.delivery
               && back.day == c.day && back.check == c.check
               && back.visit == c.visit && back.ua.len <= 256
               && tomo_str_starts(c.ua, back.ua));
}


static void
answer(tomo_str_t line)
{
    uint8_t        text[2048];
    tomo_buf_t     b;
    tomo_arena_t   a;
    tomo_answer_t  s, back;

    tomo_arena_init(&a, memory, sizeof(memory));

    if (tomo_answer_parse(line, &a, &s) != TOMO_OK) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_answer_put(&b, &s);
    FUZZ_HOLDS(!b.failed);
    FUZZ_HOLDS(tomo_answer_parse(tomo_buf_str(&b), &a, &back) == TOMO_OK);
    FUZZ_HOLDS(back.survey == s.survey && back.rev == s.rev
               && back.friend == s.friend && back.check == s.check
               && tomo_str_eq(back.nonce, s.nonce));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tomo_str_t  rest = tomo_str_n(data, size), line;

    entry(data, size);

    while (tomo_rec_line(&rest, &line)) {
        click(line);
        answer(line);
    }

    return 0;
}
