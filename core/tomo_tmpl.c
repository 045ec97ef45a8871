/*
 * tomo_tmpl.c: cutting a template into parts, and copying them out.
 */

#include "tomo_tmpl.h"
#include "tomo_keys.h"


#define TMPL_NONE  ((size_t) -1)

/* What stands before the id, and may a fallback follow? */
typedef struct {
    const char   *word;
    tomo_part_e   kind;
    bool          has_id;
    bool          has_fallback;
} tmpl_insert_t;

static const tmpl_insert_t  tmpl_inserts[] = {
    { "name",   TOMO_PART_NAME,   false, true },
    { "field",  TOMO_PART_FIELD,  true,  true },
    { "link",   TOMO_PART_LINK,   true,  false },
    { "survey", TOMO_PART_SURVEY, true,  false }
};

#define TMPL_INSERTS  (sizeof(tmpl_inserts) / sizeof(tmpl_inserts[0]))

/* parts NULL: only counts */
typedef struct {
    tomo_part_t  *parts;
    size_t        n;
    bool          personal;
} tmpl_out_t;


static tomo_str_t
tmpl_sub(tomo_str_t s, size_t from, size_t to)
{
    return from < to ? tomo_str_n(s.data + from, to - from) : tomo_str_null;
}


/* offset of c c at or after from, or TMPL_NONE */
static size_t
tmpl_pair(tomo_str_t s, size_t from, uint8_t c)
{
    size_t  i;

    for (i = from; i + 1 < s.len; i++) {

        if (s.data[i] == c && s.data[i + 1] == c) {
            return i;
        }
    }

    return TMPL_NONE;
}


static void
tmpl_add(tmpl_out_t *out, const tomo_part_t *part)
{
    if (part->kind == TOMO_PART_TEXT && part->text.len == 0) {
        return;
    }

    if (part->kind != TOMO_PART_TEXT) {
        out->personal = true;
    }

    if (out->parts != NULL) {
        out->parts[out->n] = *part;
    }

    out->n++;
}


static void
tmpl_add_text(tmpl_out_t *out, tomo_str_t text)
{
    tomo_part_t  part = { .kind = TOMO_PART_TEXT, .text = text };

    tmpl_add(out, &part);
}


/* body: what stands between the braces; NULL, or why it is no insert */
static const char *
tmpl_insert(tomo_str_t body, tomo_part_t *part)
{
    size_t                bar, colon, i;
    tomo_str_t            head, word;
    const tmpl_insert_t  *in;

    bar = tomo_str_find(body, 0, '|');
    head = tmpl_sub(body, 0, bar);
    colon = tomo_str_find(head, 0, ':');
    word = tmpl_sub(head, 0, colon);

    for (i = 0; i < TMPL_INSERTS; i++) {

        if (tomo_str_eq(word, tomo_str_c(tmpl_inserts[i].word))) {
            break;
        }
    }

    if (i == TMPL_INSERTS) {
        return "unknown insert: use name, field:ID, link:ID or survey:ID,"
               " or {{{{ for a literal {{";
    }

    in = &tmpl_inserts[i];

    if (!in->has_fallback && bar < body.len) {
        return "this insert takes no |fallback";
    }

    if (!in->has_id && colon < head.len) {
        return "this insert takes no :ID";
    }

    part->kind = in->kind;
    part->id = tmpl_sub(head, colon + 1, head.len);
    part->text = tmpl_sub(body, bar + 1, body.len);

    if (in->has_id && !tomo_keys_id_ok(part->id)) {
        return "the insert's ID is missing or not [a-z0-9][a-z0-9_.-]{0,63}";
    }

    return NULL;
}


static tomo_rc_e
tmpl_scan(tomo_str_t text, tmpl_out_t *out, size_t *at, const char **why)
{
    size_t       start, open, close;
    const char  *fault;
    tomo_part_t  part;

    for (start = 0; /* void */ ; start = close + 2) {

        open = tmpl_pair(text, start, '{');

        if (open == TMPL_NONE) {
            tmpl_add_text(out, tmpl_sub(text, start, text.len));
            return out->n > TOMO_TMPL_PARTS ? TOMO_LIMIT : TOMO_OK;
        }

        if (tmpl_pair(text, open + 2, '{') == open + 2) {
            tmpl_add_text(out, tmpl_sub(text, start, open + 2));
            close = open + 2;

        } else {
            tmpl_add_text(out, tmpl_sub(text, start, open));
            close = tmpl_pair(text, open + 2, '}');

            if (close == TMPL_NONE) {
                *at = open;
                *why = "an insert is not closed: }} is missing";
                return TOMO_INVALID;
            }

            part = (tomo_part_t) { .kind = TOMO_PART_TEXT };
            fault = tmpl_insert(tmpl_sub(text, open + 2, close), &part);

            if (fault == NULL
                && tmpl_pair(part.text, 0, '{') != TMPL_NONE)
            {
                fault = "an insert cannot stand inside a fallback";
            }

            if (fault != NULL) {
                *at = open;
                *why = fault;
                return TOMO_INVALID;
            }

            tmpl_add(out, &part);
        }

        if (out->n > TOMO_TMPL_PARTS) {
            return TOMO_LIMIT;
        }
    }
}


tomo_rc_e
tomo_tmpl_parse(tomo_str_t text, tomo_arena_t *a, tomo_tmpl_t *t,
    size_t *at, const char **why)
{
    tomo_rc_e   rc;
    tmpl_out_t  out = { NULL, 0, false };

    rc = tmpl_scan(text, &out, at, why);
    if (rc != TOMO_OK) {
        return rc;
    }

    out.parts = tomo_arena_array(a, out.n + 1, sizeof(tomo_part_t));
    if (out.parts == NULL) {
        return TOMO_FULL;
    }

    out.n = 0;

    rc = tmpl_scan(text, &out, at, why);
    if (rc != TOMO_OK) {
        return rc;
    }

    t->parts = out.parts;
    t->n = out.n;
    t->personal = out.personal;

    return TOMO_OK;
}


void
tomo_tmpl_render(const tomo_tmpl_t *t, tomo_tmpl_value_pt value, void *ctx,
    tomo_buf_t *out)
{
    size_t              i;
    tomo_str_t          s;
    const tomo_part_t  *part;

    for (i = 0; i < t->n; i++) {
        part = &t->parts[i];
        s = tomo_str_null;

        if (part->kind != TOMO_PART_TEXT) {
            s = value(ctx, part);
        }

        tomo_buf_put(out, s.len > 0 ? s : part->text);
    }
}
