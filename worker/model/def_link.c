#include "def_link.h"

#include "defs.h"
#include "tomo_feed.h"


const void *
def_link_compile(check_t *c, const json_t *doc, const def_t *def)
{
    def_link_t               *link;
    static const char *const  members[] = {
        "kind", "id", "revision", "name", "url", "open", "actions",
        "actions_once", NULL
    };

    check_members(c, doc, members);
    link = check_alloc(c, 1, sizeof(def_link_t));

    if (link == NULL) {
        return NULL;
    }

    link->id = def->id;
    link->name = check_text(c, doc, "name", true, 100);
    link->url = check_text(c, doc, "url", true, 2000);
    link->open = check_bool(c, doc, "open", true);
    link->actions_once = check_bool(c, doc, "actions_once", true);
    link->actions = actions_compile(c, doc, "actions");

    if (!c->failed && !tomo_link_url_ok(link->url)) {
        check_fail_at(c, "url", "must be a plain http or https address, at "
                      "most 2,000 ASCII characters");
    }

    return link;
}
