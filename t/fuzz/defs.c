/*
 * Definitions: the first byte chooses the kind.  What is stored can be stored
 * again from its own text, and loads again.
 */

#include "fuzz.h"
#include "worker/model/defs.h"


static uint8_t  stored[4 << 20];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    defs_t        *empty, *first, *second, *loaded;
    uint8_t        field[128];
    def_edit_t     edit;
    tomo_buf_t     b, f;
    def_fault_t    fault;
    const def_t   *def;

    if (size < 1 || size > 65536) {
        return 0;
    }

    edit.kind = tomo_str_c(defs_kind_word((def_kind_e)
                                          (data[0] % DEF_KIND_END)));
    edit.id = tomo_str("a");
    edit.document = tomo_str_n(data + 1, size - 1);
    empty = defs_create();
    FUZZ_HOLDS(empty != NULL);
    first = defs_change(empty, &edit, 1, &fault);

    if (first == NULL) {
        FUZZ_HOLDS(fault.status == 409 || fault.status == 422);
        FUZZ_HOLDS(fault.why != NULL);
        defs_free(empty);
        return 0;
    }

    def = defs_at(first, 0);
    FUZZ_HOLDS(def != NULL && def->compiled != NULL && def->revision == 1);
    edit.document = def->text;
    second = defs_change(first, &edit, 1, &fault);
    FUZZ_HOLDS(second != NULL && defs_at(second, 0)->revision == 2);

    tomo_buf_init(&b, stored, sizeof(stored));
    defs_put_stored(&b, def);
    tomo_buf_init(&f, field, sizeof(field));
    tomo_buf_put(&f, edit.kind);
    tomo_buf_c(&f, "/a");
    loaded = defs_create();
    FUZZ_HOLDS(loaded != NULL && !b.failed);
    FUZZ_HOLDS(defs_add_stored(loaded, tomo_buf_str(&f), tomo_buf_str(&b))
               == TOMO_OK);
    FUZZ_HOLDS(defs_compile_stored(loaded) == 0);

    defs_free(loaded);
    defs_free(second);
    defs_free(first);
    defs_free(empty);

    return 0;
}
