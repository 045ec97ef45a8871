#include "message.h"

#include <string.h>

#include "defs.h"
#include "tomo_codec.h"
#include "tomo_utf8.h"

/* members anywhere in a message object that may hold inserts */
static const struct {
    const char  *name;
    size_t       max;
    bool         uri;
} message_texts[] = {
    { "text", MESSAGE_TEXT_MAX, false },
    { "altText", MESSAGE_ALT_MAX, false },
    { "uri", MESSAGE_URI_MAX, true },
};

typedef struct {
    check_t     *c;
    messages_t  *set;
    message_t   *m;
    size_t       cap;
    tomo_buf_t   raw;           /* of the piece being made */
} message_cut_t;


static void
message_piece(message_cut_t *cut, const tomo_tmpl_t *tmpl, size_t max)
{
    message_piece_t  *more;

    if (cut->m->n == cut->cap) {
        more = check_alloc(cut->c, 2 * cut->cap + 4, sizeof(message_piece_t));
        if (more == NULL) {
            return;
        }

        if (cut->m->n > 0) {
            memcpy(more, cut->m->pieces,
                   cut->m->n * sizeof(message_piece_t));
        }

        cut->m->pieces = more;
        cut->cap = 2 * cut->cap + 4;
    }

    more = &cut->m->pieces[cut->m->n++];
    more->raw = tomo_arena_dup(cut->c->arena, tomo_buf_str(&cut->raw));
    more->max = max;

    if (tmpl != NULL) {
        more->tmpl = *tmpl;
    }

    tomo_buf_reset(&cut->raw);
}


/* inserts must name what exists; an address takes links and surveys only */
static void
message_check_parts(check_t *c, const tomo_tmpl_t *t, bool uri)
{
    size_t              i;
    const tomo_part_t  *part;

    for (i = 0; i < t->n; i++) {
        part = &t->parts[i];

        if (part->kind == TOMO_PART_LINK
            && defs_find(c->defs, DEF_LINK, part->id) == NULL)
        {
            check_fail(c, "{{link:…}} names a link that does not exist");
        }

        if (part->kind == TOMO_PART_SURVEY
            && defs_find(c->defs, DEF_SURVEY, part->id) == NULL)
        {
            check_fail(c, "{{survey:…}} names a survey that does not exist");
        }

        if (part->kind == TOMO_PART_FIELD
            && defs_find(c->defs, DEF_FIELD, part->id) == NULL)
        {
            check_fail(c, "{{field:…}} names a field that does not exist");
        }

        if (uri && (part->kind == TOMO_PART_NAME
                    || part->kind == TOMO_PART_FIELD))
        {
            check_fail(c, "an address may only have {{link:…}} and "
                       "{{survey:…}}");
        }
    }
}


/* true: j was a text with inserts and has been put */
static bool
message_cut_text(message_cut_t *cut, const json_t *j)
{
    size_t        i, at, len;
    tomo_tmpl_t   tmpl;
    const char   *why;

    for (i = 0; i < sizeof(message_texts) / sizeof(message_texts[0]); i++) {
        if (j->kind == JSON_STRING
            && tomo_str_eq(j->name, tomo_str_c(message_texts[i].name)))
        {
            break;
        }
    }

    if (i == sizeof(message_texts) / sizeof(message_texts[0])
        || memmem(j->text.data, j->text.len, "{{", 2) == NULL)
    {
        return false;
    }

    len = check_down(cut->c, message_texts[i].name);
    why = "has an insert that is not understood";

    if (tomo_tmpl_parse(j->text, cut->c->arena, &tmpl, &at, &why) != TOMO_OK) {
        check_fail(cut->c, why);
        check_up(cut->c, len);
        return true;
    }

    message_check_parts(cut->c, &tmpl, message_texts[i].uri);

    if (!cut->c->failed && message_text_maybe_blank(&tmpl)) {
        check_fail(cut->c, "may come out empty, and LINE refuses that: give "
                   "an insert a fallback, as {{name|friend}}");
    }

    check_up(cut->c, len);
    cut->set->personal = cut->set->personal || tmpl.personal;
    message_piece(cut, &tmpl, message_texts[i].max);

    return true;
}


/* like json_put, but texts with inserts end a piece */
static void
message_cut(message_cut_t *cut, const json_t *j)
{
    bool  first = true;

    if (j->kind != JSON_OBJECT && j->kind != JSON_ARRAY) {
        json_put(&cut->raw, NULL, j);
        return;
    }

    tomo_buf_byte(&cut->raw, j->kind == JSON_OBJECT ? '{' : '[');

    json_each (item, j) {
        if (!first) {
            tomo_buf_byte(&cut->raw, ',');
        }

        first = false;

        if (j->kind == JSON_OBJECT) {
            tomo_json_put(&cut->raw, item->name);
            tomo_buf_byte(&cut->raw, ':');

            if (message_cut_text(cut, item)) {
                continue;
            }
        }

        if (item->kind == JSON_OBJECT || item->kind == JSON_ARRAY) {
            message_cut(cut, item);

        } else {
            tomo_buf_t  one;

            /* apart, for json_put looks at the byte before */
            tomo_buf_init(&one, cut->raw.data + cut->raw.len,
                          cut->raw.cap - cut->raw.len);
            json_put(&one, NULL, item);
            cut->raw.len += one.len;
            cut->raw.failed = cut->raw.failed || one.failed;
        }
    }

    tomo_buf_byte(&cut->raw, j->kind == JSON_OBJECT ? '}' : ']');
}


static void
message_compile(check_t *c, messages_t *set, const json_t *j)
{
    uint8_t        scratch[128 * 1024];
    message_cut_t  cut;

    memset(&cut, 0, sizeof(cut));
    cut.c = c;
    cut.set = set;
    cut.m = &set->items[set->n++];
    tomo_buf_init(&cut.raw, scratch, sizeof(scratch));
    message_cut(&cut, j);

    if (cut.raw.failed) {
        check_fail(c, "is too large");
        return;
    }

    message_piece(&cut, NULL, 0);
}


messages_t *
messages_compile(check_t *c, const json_t *j, const char *name)
{
    size_t         down, down_i;
    messages_t    *set;
    const json_t  *list;

    list = check_array(c, j, name, true, MESSAGE_BUBBLES_MAX);
    set = check_alloc(c, 1, sizeof(messages_t));

    if (list == NULL || set == NULL) {
        return NULL;
    }

    set->items = check_alloc(c, list->n, sizeof(message_t));
    if (set->items == NULL) {
        return NULL;
    }

    down = check_down(c, name);

    json_each (item, list) {
        down_i = check_down_i(c, set->n);
        message_check(c, item);

        if (!c->failed) {
            message_compile(c, set, item);
        }

        check_up(c, down_i);

        if (c->failed) {
            break;
        }
    }

    check_up(c, down);

    return set;
}


message_render_e
message_render(const message_t *m, tomo_tmpl_value_pt value, void *ctx,
    tomo_buf_t *out)
{
    size_t            i;
    uint8_t           scratch[64 * 1024];
    tomo_buf_t        text;
    tomo_str_t        s;
    message_render_e  what = MESSAGE_WHOLE;

    for (i = 0; i < m->n; i++) {
        tomo_buf_put(out, m->pieces[i].raw);

        if (m->pieces[i].tmpl.n == 0) {
            continue;
        }

        tomo_buf_init(&text, scratch, sizeof(scratch));
        tomo_tmpl_render(&m->pieces[i].tmpl, value, ctx, &text);
        s = tomo_buf_str(&text);
        s.len = message_text_cut(s, m->pieces[i].max);

        if (message_text_blank(s)) {
            return MESSAGE_EMPTY;
        }

        if (text.failed || s.len != text.len) {
            what = MESSAGE_CUT;
        }

        tomo_json_put(out, s);
    }

    return what;
}
