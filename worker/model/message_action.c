/* message_action: LINE's action objects inside messages (LINE.md 23) */

#include "message.h"

#include <string.h>

#define MESSAGE_MEMBERS  3


static const struct {
    const char  *type;
    struct {
        const char  *name;
        size_t       max;
        bool         required;
    } members[MESSAGE_MEMBERS];
} message_actions[] = {
    { "postback", { { "data", 300, true }, { "displayText", 300, false },
                    { "fillInText", 300, false } } },
    { "message", { { "text", 300, true } } },
    { "uri", { { "uri", MESSAGE_URI_MAX, true } } },
    { "datetimepicker", { { "data", 300, true }, { "mode", 20, true } } },
    { "camera", { { NULL, 0, false } } },
    { "cameraRoll", { { NULL, 0, false } } },
    { "location", { { NULL, 0, false } } },
    { "richmenuswitch", { { "richMenuAliasId", 32, true },
                          { "data", 300, true } } },
    { "clipboard", { { "clipboardText", 1000, true } } },
};


/* the address must be of a scheme LINE opens; a tracked link becomes one */
static void
message_check_uri(check_t *c, const json_t *j)
{
    size_t                    i;
    tomo_str_t                s = tomo_str_null;
    static const char *const  heads[] = {
        "https://", "http://", "line://", "tel:", "{{link:", "{{survey:"
    };

    if (json_str(j, "uri", &s) != TOMO_OK) {
        return;
    }

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        if (tomo_str_starts(s, tomo_str_c(heads[i]))) {
            return;
        }
    }

    check_fail_at(c, "uri", "must begin with https, http, line or tel, or be "
                  "{{link:…}} or {{survey:…}}");
}


void
message_check_action(check_t *c, const json_t *j, size_t label_max,
    bool label_required)
{
    size_t      i, k;
    tomo_str_t  type;

    if (j->kind != JSON_OBJECT) {
        check_fail(c, "must be an action object");
        return;
    }

    type = check_text(c, j, "type", true, 40);

    for (i = 0; i < sizeof(message_actions) / sizeof(message_actions[0]); i++)
    {
        if (tomo_str_eq(type, tomo_str_c(message_actions[i].type))) {
            break;
        }
    }

    if (c->failed) {
        return;
    }

    if (i == sizeof(message_actions) / sizeof(message_actions[0])) {
        check_fail_at(c, "type", "is no kind of action that LINE knows");
        return;
    }

    (void) check_text(c, j, "label", label_required, label_max);

    for (k = 0; k < MESSAGE_MEMBERS; k++) {
        if (message_actions[i].members[k].name != NULL) {
            (void) check_text(c, j, message_actions[i].members[k].name,
                              message_actions[i].members[k].required,
                              message_actions[i].members[k].max);
        }
    }

    message_check_uri(c, j);
}
