/*
 * Foreign JSON: what is read is bounded, and written out and read again it is
 * the same tree.
 */

#include "fuzz.h"
#include "tomo_utf8.h"
#include "worker/json.h"


static uint8_t  memory[2][8 << 20], text[4 << 20];


static size_t
depth(const json_t *j)
{
    size_t  n, most = 0;

    json_each(child, j) {
        n = depth(child);
        most = n > most ? n : most;
    }

    return most + (j->kind == JSON_ARRAY || j->kind == JSON_OBJECT);
}


static void
same(const json_t *a, const json_t *b)
{
    const json_t  *other = b->first;

    FUZZ_HOLDS(a->kind == b->kind && a->n == b->n);
    FUZZ_HOLDS(a->boolean == b->boolean);
    FUZZ_HOLDS(tomo_str_eq(a->name, b->name));
    FUZZ_HOLDS(tomo_str_eq(a->text, b->text));
    FUZZ_HOLDS(tomo_utf8_ok(a->text) && tomo_utf8_ok(a->name));

    json_each(child, a) {
        FUZZ_HOLDS(other != NULL);
        FUZZ_HOLDS(a->kind != JSON_OBJECT
                   || json_get_str(a, child->name)
                      == (child->kind == JSON_NULL ? NULL : child));
        same(child, other);
        other = other->next;
    }

    FUZZ_HOLDS(other == NULL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t         *root, *again;
    tomo_rc_e       rc;
    tomo_buf_t      b;
    tomo_arena_t    first, second;
    json_error_t    error = { 0 };
    json_limits_t   limits = { .max_bytes = 65536, .max_nodes = 4000 };

    tomo_arena_init(&first, memory[0], sizeof(memory[0]));
    rc = json_parse(tomo_str_n(data, size), &limits, &first, &root, &error);

    if (rc != TOMO_OK) {
        FUZZ_HOLDS(error.why != NULL && error.offset <= size);
        return 0;
    }

    FUZZ_HOLDS(size <= limits.max_bytes && depth(root) <= JSON_DEPTH_MAX);
    tomo_buf_init(&b, text, sizeof(text));
    json_put(&b, NULL, root);
    FUZZ_HOLDS(!b.failed);
    limits.max_bytes = sizeof(text);
    tomo_arena_init(&second, memory[1], sizeof(memory[1]));
    FUZZ_HOLDS(json_parse(tomo_buf_str(&b), &limits, &second, &again, NULL)
               == TOMO_OK);
    same(root, again);

    return 0;
}
