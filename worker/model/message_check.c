/*
 * message_check: would LINE take this message object?  (LINE.md 22, 23.)
 * Lengths that LINE counts in grapheme clusters are checked in UTF-16 units,
 * which is stricter and always safe.
 */

#include "message.h"

#include "tomo_utf8.h"

#define MESSAGE_QUICK_MAX      13
#define MESSAGE_BUBBLE_BYTES   (30 * 1024)
#define MESSAGE_CAROUSEL_BYTES (50 * 1024)

typedef enum {
    MESSAGE_TEXT = 0,
    MESSAGE_URL,                /* https, ≤ 2,000 */
    MESSAGE_INT,
    MESSAGE_NUMBER,
    MESSAGE_OBJECT,
    MESSAGE_ARRAY
} message_member_e;

/* what each kind must have; the rest of LINE's members pass unchecked */
static const struct {
    const char        *type;
    const char        *name;
    message_member_e   kind;
    size_t             max;
} message_members[] = {
    { "text", "text", MESSAGE_TEXT, MESSAGE_TEXT_MAX },
    { "textV2", "text", MESSAGE_TEXT, MESSAGE_TEXT_MAX },
    { "sticker", "packageId", MESSAGE_TEXT, 40 },
    { "sticker", "stickerId", MESSAGE_TEXT, 40 },
    { "image", "originalContentUrl", MESSAGE_URL, 2000 },
    { "image", "previewImageUrl", MESSAGE_URL, 2000 },
    { "video", "originalContentUrl", MESSAGE_URL, 2000 },
    { "video", "previewImageUrl", MESSAGE_URL, 2000 },
    { "audio", "originalContentUrl", MESSAGE_URL, 2000 },
    { "audio", "duration", MESSAGE_INT, 0 },
    { "location", "title", MESSAGE_TEXT, 100 },
    { "location", "address", MESSAGE_TEXT, 100 },
    { "location", "latitude", MESSAGE_NUMBER, 0 },
    { "location", "longitude", MESSAGE_NUMBER, 0 },
    { "imagemap", "baseUrl", MESSAGE_URL, 2000 },
    { "imagemap", "altText", MESSAGE_TEXT, MESSAGE_ALT_MAX },
    { "imagemap", "baseSize", MESSAGE_OBJECT, 0 },
    { "imagemap", "actions", MESSAGE_ARRAY, 50 },
    { "template", "altText", MESSAGE_TEXT, MESSAGE_ALT_MAX },
    { "template", "template", MESSAGE_OBJECT, 0 },
    { "flex", "altText", MESSAGE_TEXT, MESSAGE_ALT_MAX },
    { "flex", "contents", MESSAGE_OBJECT, 0 },
};


static void
message_check_member(check_t *c, const json_t *j, const char *name,
    message_member_e kind, size_t max)
{
    json_t      *member;
    tomo_str_t   s;

    switch (kind) {

    case MESSAGE_TEXT:
        (void) check_text(c, j, name, true, max);
        break;

    case MESSAGE_URL:
        s = check_text(c, j, name, true, max);
        if (!c->failed && !tomo_str_starts(s, tomo_str("https://"))) {
            check_fail_at(c, name, "must be an https address");
        }
        break;

    case MESSAGE_INT:
        if (json_get(j, name) == NULL) {
            check_fail_at(c, name, "is required");
        }
        (void) check_int(c, j, name, 1, INT32_MAX, 1);
        break;

    case MESSAGE_NUMBER:
        member = json_get(j, name);
        if (member == NULL || member->kind != JSON_NUMBER) {
            check_fail_at(c, name, "must be a number");
        }
        break;

    case MESSAGE_OBJECT:
        (void) check_object(c, j, name, true);
        break;

    case MESSAGE_ARRAY:
        (void) check_array(c, j, name, true, max);
        break;
    }
}


static void
message_check_actions(check_t *c, const json_t *j, size_t min, size_t max)
{
    size_t         down, down_i, i = 0;
    const json_t  *list;

    list = check_array(c, j, "actions", true, max);

    if (list == NULL) {
        return;
    }

    if (list->n < min) {
        check_fail_at(c, "actions", "has too few elements");
        return;
    }

    down = check_down(c, "actions");

    json_each (action, list) {
        down_i = check_down_i(c, i++);
        message_check_action(c, action, 20, true);
        check_up(c, down_i);
    }

    check_up(c, down);
}


static void
message_check_column(check_t *c, const json_t *column, size_t n_actions)
{
    bool           rich;
    const json_t  *actions;

    if (column->kind != JSON_OBJECT) {
        check_fail(c, "must be an object");
        return;
    }

    rich = json_get(column, "title") != NULL
           || json_get(column, "thumbnailImageUrl") != NULL;

    (void) check_text(c, column, "title", false, 40);
    (void) check_text(c, column, "text", true, rich ? 60 : 120);
    message_check_actions(c, column, 1, 3);
    actions = json_get(column, "actions");

    if (actions != NULL && actions->n != n_actions) {
        check_fail_at(c, "actions",
                      "must be as many as in the other columns");
    }
}


/* the member `action` */
static void
message_check_own_action(check_t *c, const json_t *j, size_t label_max,
    bool label_required)
{
    size_t         down;
    const json_t  *action;

    action = check_object(c, j, "action", true);

    if (action != NULL) {
        down = check_down(c, "action");
        message_check_action(c, action, label_max, label_required);
        check_up(c, down);
    }
}


static void
message_check_columns(check_t *c, const json_t *t, bool images)
{
    size_t         down, down_i, i, n_actions;
    const json_t  *list, *action;

    list = check_array(c, t, "columns", true, 10);

    if (list == NULL) {
        return;
    }

    down = check_down(c, "columns");
    action = json_get(list->first, "actions");
    n_actions = action != NULL ? action->n : 0;
    i = 0;

    json_each (column, list) {
        down_i = check_down_i(c, i++);

        if (images) {
            message_check_member(c, column, "imageUrl", MESSAGE_URL, 2000);
            message_check_own_action(c, column, 12, false);

        } else {
            message_check_column(c, column, n_actions);
        }

        check_up(c, down_i);
    }

    check_up(c, down);
}


static void
message_check_template(check_t *c, const json_t *j)
{
    bool                      rich;
    int                       type;
    size_t                    down;
    const json_t             *t;
    static const char *const  types[] = {
        "buttons", "confirm", "carousel", "image_carousel", NULL
    };

    t = json_get(j, "template");
    down = check_down(c, "template");
    type = check_word(c, t, "type", types, -1);

    if (type == 0) {
        rich = json_get(t, "title") != NULL
               || json_get(t, "thumbnailImageUrl") != NULL;
        (void) check_text(c, t, "title", false, 40);
        (void) check_text(c, t, "text", true, rich ? 60 : 160);
        message_check_actions(c, t, 1, 4);

    } else if (type == 1) {
        (void) check_text(c, t, "text", true, 240);
        message_check_actions(c, t, 2, 2);

    } else {
        message_check_columns(c, t, type == 3);
    }

    check_up(c, down);
}


/* every `action` in a Flex tree, whatever it is part of */
static void
message_check_flex_actions(check_t *c, const json_t *j)
{
    size_t  down, i = 0;

    json_each (item, j) {
        if (item->kind != JSON_OBJECT && item->kind != JSON_ARRAY) {
            continue;
        }

        if (j->kind == JSON_ARRAY) {
            down = check_down_i(c, i++);

        } else {
            char        name[64];
            tomo_buf_t  b;

            tomo_buf_init(&b, name, sizeof(name) - 1);
            tomo_buf_put(&b, item->name);
            name[b.len] = '\0';
            down = check_down(c, name);
        }

        if (j->kind == JSON_OBJECT && item->kind == JSON_OBJECT
            && tomo_str_eq(item->name, tomo_str("action")))
        {
            message_check_action(c, item, 40, false);
        }

        message_check_flex_actions(c, item);
        check_up(c, down);
    }
}


static void
message_check_flex(check_t *c, const json_t *j)
{
    int                       type;
    size_t                    down, max;
    uint8_t                   text[MESSAGE_CAROUSEL_BYTES];
    tomo_buf_t                b;
    const json_t             *contents;
    static const char *const  types[] = { "bubble", "carousel", NULL };

    contents = json_get(j, "contents");
    down = check_down(c, "contents");
    type = check_word(c, contents, "type", types, -1);

    if (type == 1) {
        (void) check_array(c, contents, "contents", true, 12);
    }

    max = type == 1 ? MESSAGE_CAROUSEL_BYTES : MESSAGE_BUBBLE_BYTES;
    tomo_buf_init(&b, text, max);
    json_put(&b, NULL, contents);

    if (b.failed) {
        check_fail(c, "is larger than LINE takes: 30 KB a bubble, 50 KB a "
                   "carousel");
    }

    message_check_flex_actions(c, contents);
    check_up(c, down);
}


static void
message_check_quick(check_t *c, const json_t *j)
{
    size_t         down, down_items, down_i, i = 0;
    const json_t  *quick, *items;

    quick = check_object(c, j, "quickReply", false);

    if (quick == NULL) {
        return;
    }

    down = check_down(c, "quickReply");
    items = check_array(c, quick, "items", true, MESSAGE_QUICK_MAX);
    down_items = check_down(c, "items");

    json_each (item, items) {
        down_i = check_down_i(c, i++);
        message_check_own_action(c, item, 20, true);
        check_up(c, down_i);
    }

    check_up(c, down_items);
    check_up(c, down);
}


void
message_check(check_t *c, const json_t *j)
{
    size_t      i;
    bool        known = false;
    tomo_str_t  type;

    if (j == NULL || j->kind != JSON_OBJECT) {
        check_fail(c, "must be a LINE message object");
        return;
    }

    type = check_text(c, j, "type", true, 40);

    for (i = 0; i < sizeof(message_members) / sizeof(message_members[0]); i++)
    {
        if (!c->failed && tomo_str_eq(type,
                                      tomo_str_c(message_members[i].type)))
        {
            known = true;
            message_check_member(c, j, message_members[i].name,
                                 message_members[i].kind,
                                 message_members[i].max);
        }
    }

    if (!known) {
        check_fail_at(c, "type", "is no kind of message that LINE knows");
    }

    if (c->failed) {
        return;
    }

    if (tomo_str_eq(type, tomo_str("template"))) {
        message_check_template(c, j);

    } else if (tomo_str_eq(type, tomo_str("flex"))) {
        message_check_flex(c, j);
    }

    message_check_quick(c, j);
}
