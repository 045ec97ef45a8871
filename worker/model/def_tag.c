#include "def_tag.h"

#include "defs.h"


const void *
def_tag_compile(check_t *c, const json_t *doc, const def_t *def)
{
    def_tag_t                *tag;
    static const char *const  members[] = {
        "kind", "id", "revision", "name", "actions", NULL
    };

    check_members(c, doc, members);
    tag = check_alloc(c, 1, sizeof(def_tag_t));

    if (tag == NULL) {
        return NULL;
    }

    tag->id = def->id;
    tag->name = check_text(c, doc, "name", true, 100);
    tag->actions = actions_compile(c, doc, "actions");

    return tag;
}
