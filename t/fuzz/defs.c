/*
 * Definitions: what is stored can be stored again from its own text, and loads
 * again.  The first byte chooses the kind, the rest is the document.
 */

#include "fuzz.h"
#include "base.h"
#include "worker/model/defs.h"


static uint8_t  stored[4 << 20];


/* everything is stored, and loads again from that */

static void
load(const defs_t *set)
{
    defs_t        *loaded = defs_create();
    uint8_t        field[128];
    tomo_buf_t     b, f;
    const def_t   *def;

    FUZZ_HOLDS(loaded != NULL);

    for (size_t i = 0; i < defs_count(set); i++) {
        def = defs_at(set, i);
        tomo_buf_init(&b, stored, sizeof(stored));
        defs_put_stored(&b, def);
        tomo_buf_init(&f, field, sizeof(field));
        tomo_buf_c(&f, defs_kind_word(def->kind));
        tomo_buf_byte(&f, '/');
        tomo_buf_put(&f, def->id);
        FUZZ_HOLDS(!b.failed && !f.failed);
        FUZZ_HOLDS(defs_add_stored(loaded, tomo_buf_str(&f), tomo_buf_str(&b))
                   == TOMO_OK);
    }

    FUZZ_HOLDS(defs_compile_stored(loaded) == 0);
    defs_free(loaded);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    defs_t        *first, *second;
    def_edit_t     edit;
    def_kind_e     kind;
    def_fault_t    fault;
    const def_t   *def;

    if (size < 1 || size > 65536) {
        return 0;
    }

    edit.kind = tomo_str_c(defs_kind_word((def_kind_e)
                                          (data[0] % DEF_KIND_END)));
    edit.id = tomo_str("a");
    edit.document = tomo_str_n(data + 1, size - 1);
    first = defs_change(fuzz_base(), &edit, 1, &fault);

    if (first == NULL) {
        FUZZ_HOLDS(fault.status == 409 || fault.status == 422);
        FUZZ_HOLDS(fault.why != NULL);
        return 0;
    }

    FUZZ_HOLDS(defs_kind_parse(edit.kind, &kind) == TOMO_OK);
    def = defs_find(first, kind, edit.id);
    FUZZ_HOLDS(def != NULL && def->compiled != NULL && def->revision == 1);
    edit.document = def->text;
    second = defs_change(first, &edit, 1, &fault);
    FUZZ_HOLDS(second != NULL && defs_find(second, kind, edit.id)->revision
                                     == 2);

    load(second);
    defs_free(second);
    defs_free(first);

    return 0;
}
