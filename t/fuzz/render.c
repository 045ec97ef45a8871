/*
 * Messages: what compiles renders to JSON of the same shape, whatever the name
 * holds: a value is the inside of a string, never more (B62).  Input: a list
 * of message objects, a NUL, and what a friend is called.
 */

#include "fuzz.h"
#include "base.h"
#include "tomo_utf8.h"
#include "worker/model/defs.h"
#include "worker/model/message.h"


static uint8_t  memory[3][4 << 20], text[4 << 20];


static tomo_str_t
value(void *ctx, const tomo_part_t *part)
{
    (void) part;

    return *(tomo_str_t *) ctx;
}


/* the same but for the texts that inserts are in */
static void
shape(const json_t *a, const json_t *b)
{
    const json_t  *other = b->first;

    FUZZ_HOLDS(a->kind == b->kind && a->n == b->n);
    FUZZ_HOLDS(tomo_str_eq(a->name, b->name));

    if (a->kind == JSON_NUMBER) {
        FUZZ_HOLDS(tomo_str_eq(a->text, b->text));
    }

    json_each(child, a) {
        shape(child, other);
        other = other->next;
    }
}


static void
rendered(const json_t *list, const messages_t *m, tomo_str_t name)
{
    size_t         i;
    json_t        *again;
    tomo_buf_t     b;
    tomo_arena_t   a;

    FUZZ_HOLDS(m->n == list->n && m->n <= MESSAGE_BUBBLES_MAX);

    for (i = 0; i < m->n; i++) {
        tomo_buf_init(&b, text, sizeof(text));

        if (message_render(&m->items[i], value, &name, &b) == MESSAGE_EMPTY)
        {
            continue;           /* it is not sent at all */
        }

        FUZZ_HOLDS(!b.failed);
        tomo_arena_init(&a, memory[2], sizeof(memory[2]));
        FUZZ_HOLDS(json_parse(tomo_buf_str(&b), NULL, &a, &again, NULL)
                   == TOMO_OK);
        shape(json_at(list, i), again);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         cut;
    json_t        *root;
    check_t        c;
    tomo_str_t     all = tomo_str_n(data, size), name = tomo_str_null;
    messages_t    *m;
    tomo_arena_t   tree, compiled;

    cut = tomo_str_find(all, 0, 0);

    if (cut < size) {
        name = tomo_str_n(data + cut + 1, size - cut - 1);
    }

    tomo_arena_init(&tree, memory[0], sizeof(memory[0]));
    tomo_arena_init(&compiled, memory[1], sizeof(memory[1]));

    if (size > 65536 || !tomo_utf8_ok(name)
        || json_parse(tomo_str_n(data, cut), NULL, &tree, &root, NULL)
           != TOMO_OK)
    {
        return 0;
    }

    check_init(&c, fuzz_base(), &compiled);
    m = messages_compile(&c, root, "messages");

    if (m != NULL && !c.failed && !compiled.failed) {
        rendered(json_get(root, "messages"), m, name);

    } else {
        FUZZ_HOLDS(!c.failed || c.why != NULL);
    }

    return 0;
}
