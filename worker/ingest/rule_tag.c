/* rule_tag: what a tag itself wants done when somebody gets it */

#include "model/def_tag.h"
#include "rule.h"


void
rule_tag(decision_t *d, trigger_e trigger, uint32_t no)
{
    const def_tag_t  *tag;

    (void) trigger;
    tag = defs_compiled(d->o->defs, DEF_TAG, no);

    if (tag != NULL) {
        decision_run(d, &tag->actions, "tag", tag->id);
    }
}
