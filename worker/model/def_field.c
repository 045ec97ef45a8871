#include "def_field.h"

#include "defs.h"


const void *
def_field_compile(check_t *c, const json_t *doc, const def_t *def)
{
    def_field_t              *field;
    static const char *const  members[] = {
        "kind", "id", "revision", "name", "type", NULL
    };
    static const char *const  types[] = {
#define DEF_FIELD_WORD_(name, word)  word,
        DEF_FIELD_TYPES(DEF_FIELD_WORD_)
#undef DEF_FIELD_WORD_
        NULL
    };

    check_members(c, doc, members);
    field = check_alloc(c, 1, sizeof(def_field_t));

    if (field == NULL) {
        return NULL;
    }

    field->id = def->id;
    field->name = check_text(c, doc, "name", true, 100);
    field->type = (def_field_type_e) check_word(c, doc, "type", types, -1);

    return field;
}
