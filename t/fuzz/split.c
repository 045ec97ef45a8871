/*
 * Webhook bodies: whole and in pieces give the same events, and what is taken
 * of an event is what stands at that place of the JSON.
 */

#include "fuzz.h"
#include "worker/ingest/split.h"
#include "worker/json.h"


static uint8_t  memory[3][16 << 20];


static tomo_str_t
text_at(const json_t *j, const char *object, const char *name)
{
    tomo_str_t  s = tomo_str_null;

    (void) !json_id(object != NULL ? json_get(j, object) : j, name, &s);

    return s;
}


/* the other reader of JSON agrees, where it can read the body at all */
static void
agrees(tomo_str_t body, const split_t *split)
{
    size_t           i;
    json_t          *root;
    tomo_str_t       s;
    tomo_arena_t     a;
    const event_t   *ev;
    const json_t    *j;

    tomo_arena_init(&a, memory[2], sizeof(memory[2]));

    if (json_parse(body, NULL, &a, &root, NULL) != TOMO_OK) {
        return;
    }

    FUZZ_HOLDS(tomo_str_eq(split->destination,
                           text_at(root, NULL, "destination")));

    for (i = 0; i < split->n; i++) {
        ev = &split->events[i];
        j = json_at(json_get(root, "events"), i);
        FUZZ_HOLDS(j != NULL);

        if (ev->fault != NULL) {
            continue;
        }

        FUZZ_HOLDS(tomo_str_eq(ev->type, text_at(j, NULL, "type")));
        FUZZ_HOLDS(tomo_str_eq(ev->id, text_at(j, NULL, "webhookEventId")));
        FUZZ_HOLDS(tomo_str_eq(ev->uid, text_at(j, "source", "userId")));
        FUZZ_HOLDS(tomo_str_eq(ev->reply, text_at(j, NULL, "replyToken")));
        s = text_at(j, "message", "text");
        FUZZ_HOLDS(tomo_str_eq(ev->text, s) || ev->text.len == 0
                   || tomo_str_eq(ev->text, text_at(j, "postback", "data")));
    }
}


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

    agrees(tomo_str_n(data, size), &whole);

    return 0;
}
