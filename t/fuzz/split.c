/* Webhook bodies: whole and in pieces give the same events. */

#include "fuzz.h"
#include "worker/ingest/split.h"


static uint8_t  memory[2][8 << 20];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         i;
    split_t        whole, pieces;
    const char    *why, *also;
    tomo_arena_t   a, b;

    tomo_arena_init(&a, memory[0], sizeof(memory[0]));
    tomo_arena_init(&b, memory[1], sizeof(memory[1]));
    why = split_body(tomo_str_n(data, size), 0, &a, &whole);
    also = split_body(tomo_str_n(data, size), 3, &b, &pieces);
    FUZZ_HOLDS((why == NULL) == (also == NULL));

    if (why != NULL) {
        return 0;
    }

    FUZZ_HOLDS(whole.n == pieces.n);

    for (i = 0; i < whole.n; i++) {
        FUZZ_HOLDS(whole.events[i].kind == pieces.events[i].kind);
        FUZZ_HOLDS(whole.events[i].at_ms == pieces.events[i].at_ms);
        FUZZ_HOLDS((whole.events[i].fault == NULL)
                   == (pieces.events[i].fault == NULL));
        FUZZ_HOLDS(tomo_str_eq(whole.events[i].raw, pieces.events[i].raw));
        FUZZ_HOLDS(tomo_str_eq(whole.events[i].text,
                               pieces.events[i].text));
        FUZZ_HOLDS(whole.events[i].fault != NULL
                   || event_id_ok(whole.events[i].id));
        FUZZ_HOLDS(whole.events[i].context == pieces.events[i].context);
        FUZZ_HOLDS(whole.events[i].context <= whole.events[i].context_end);
        FUZZ_HOLDS(whole.events[i].context_end <= whole.events[i].raw.len);
        FUZZ_HOLDS(whole.events[i].raw.len > 0
                   && whole.events[i].raw.data[0] == '{');
    }

    return 0;
}
