/*
 * tomo_survey_read.c: a posted form → answers.
 */

#include "tomo_survey_check.h"
#include "tomo_codec.h"
#include "tomo_utf8.h"

#include <string.h>


#define READ_FIELDS_MAX   1000
#define READ_NONCE_BYTES  16

static const char  read_not_offered[] = "選択肢の中から選んでください。";

/* the names besides the questions; each may come once */
typedef struct {
    bool  nonce;
    bool  rev;
    bool  hp;
} read_seen_t;

typedef struct {
    const tomo_survey_t  *survey;
    tomo_arena_t         *arena;
    tomo_answers_t       *answers;
    read_seen_t           seen;
    bool                (*given)[TOMO_SURVEY_DATE_PARTS];  /* by question */
} read_t;


static tomo_rc_e
read_decode(tomo_str_t text, tomo_arena_t *a, tomo_str_t *out)
{
    tomo_rc_e   rc;
    tomo_buf_t  b;

    tomo_buf_init(&b, tomo_arena_alloc(a, text.len + 1), text.len + 1);

    if (b.data == NULL) {
        return TOMO_FULL;
    }

    rc = tomo_percent_get(text, true, &b);
    if (rc != TOMO_OK) {
        return rc;
    }

    *out = tomo_buf_str(&b);

    return tomo_utf8_ok(*out) ? TOMO_OK : TOMO_INVALID;
}


/* room for all that may be given to one question */
static size_t
read_slots(const tomo_question_t *q)
{
    switch (q->kind) {

    case TOMO_QUESTION_MULTI:
        return q->n_options;

    case TOMO_QUESTION_DATE:
        return TOMO_SURVEY_DATE_PARTS;

    default:
        return 1;
    }
}


static tomo_rc_e
read_alloc(read_t *r)
{
    size_t         i;
    tomo_given_t  *g;

    r->answers->n = r->survey->n_questions;
    r->answers->given = tomo_arena_array(r->arena, r->answers->n + 1,
                                         sizeof(tomo_given_t));
    r->given = tomo_arena_array(r->arena, r->answers->n + 1,
                                sizeof(r->given[0]));

    if (r->answers->given == NULL || r->given == NULL) {
        return TOMO_FULL;
    }

    for (i = 0; i < r->answers->n; i++) {
        g = &r->answers->given[i];
        g->values = tomo_arena_array(r->arena,
                                     read_slots(&r->survey->questions[i]),
                                     sizeof(tomo_str_t));
        if (g->values == NULL) {
            return TOMO_FULL;
        }
    }

    return TOMO_OK;
}


static tomo_rc_e
read_once(bool *seen)
{
    if (*seen) {
        return TOMO_INVALID;
    }

    *seen = true;

    return TOMO_OK;
}


static tomo_rc_e
read_nonce(read_t *r, tomo_str_t value)
{
    uint8_t     bytes[READ_NONCE_BYTES];
    tomo_buf_t  b;

    tomo_buf_init(&b, bytes, sizeof(bytes));

    if (value.len != TOMO_SURVEY_NONCE_LEN
        || tomo_b64url_get(value, &b) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    r->answers->nonce = value;

    return read_once(&r->seen.nonce);
}


static tomo_rc_e
read_rev(read_t *r, tomo_str_t value)
{
    uint64_t  rev;

    if (tomo_u64_get(value, UINT32_MAX, &rev) != TOMO_OK) {
        return TOMO_INVALID;
    }

    r->answers->rev = (uint32_t) rev;

    return read_once(&r->seen.rev);
}


static bool
read_has(const tomo_given_t *g, tomo_str_t value)
{
    size_t  i;

    for (i = 0; i < g->n_values; i++) {

        if (tomo_str_eq(g->values[i], value)) {
            return true;
        }
    }

    return false;
}


static bool
read_offered(const tomo_question_t *q, tomo_str_t value)
{
    size_t  i;

    for (i = 0; i < q->n_options; i++) {

        if (tomo_str_eq(q->options[i].id, value)) {
            return true;
        }
    }

    return q->kind == TOMO_QUESTION_CONSENT
           && tomo_str_eq(value, tomo_str("1"));
}


/*
 * Choices keep what stands in the form, so nothing else can be stored.  An
 * empty value is the entry for "none of them".
 */
static tomo_rc_e
read_choice(const tomo_question_t *q, tomo_given_t *g, bool *given,
    tomo_str_t value)
{
    if (q->kind != TOMO_QUESTION_MULTI && read_once(given) != TOMO_OK) {
        return TOMO_INVALID;
    }

    if (value.len == 0) {
        return TOMO_OK;
    }

    if (!read_offered(q, value)) {
        g->error = read_not_offered;
        return TOMO_OK;
    }

    if (read_has(g, value)) {
        return TOMO_INVALID;
    }

    g->values[g->n_values++] = value;

    return TOMO_OK;
}


/* the three parts come in any order, so each has its slot */
static tomo_rc_e
read_date_part(tomo_given_t *g, bool *given, tomo_str_t part,
    tomo_str_t value)
{
    size_t             i;
    static const char  parts[] = "ymd";

    for (i = 0; i < TOMO_SURVEY_DATE_PARTS; i++) {

        if (part.len == 1 && part.data[0] == (uint8_t) parts[i]) {
            g->values[i] = value;
            return read_once(&given[i]);
        }
    }

    return TOMO_OK;
}


/* name: what stands behind "q." */
static tomo_rc_e
read_answer(read_t *r, tomo_str_t name, tomo_str_t value)
{
    size_t                  i, dot;
    bool                   *given, dated;
    tomo_str_t              id;
    tomo_given_t           *g;
    const tomo_question_t  *q;

    dot = tomo_str_find(name, 0, '.');
    dated = dot < name.len;
    id = tomo_str_n(name.data, dot);

    for (i = 0; i < r->survey->n_questions; i++) {

        if (tomo_str_eq(r->survey->questions[i].id, id)) {
            break;
        }
    }

    if (i == r->survey->n_questions) {
        return TOMO_OK;
    }

    q = &r->survey->questions[i];
    g = &r->answers->given[i];
    given = r->given[i];

    if (q->kind == TOMO_QUESTION_HEADING
        || dated != (q->kind == TOMO_QUESTION_DATE))
    {
        return TOMO_OK;
    }

    if (dated) {
        return read_date_part(g, given,
                              tomo_str_n(name.data + dot + 1,
                                         name.len - dot - 1), value);
    }

    if (tomo_question_is_choice(q->kind)
        || q->kind == TOMO_QUESTION_CONSENT)
    {
        return read_choice(q, g, given, value);
    }

    g->values[0] = value;
    g->n_values = 1;

    return read_once(given);
}


static tomo_rc_e
read_field(read_t *r, tomo_str_t field)
{
    size_t      eq;
    tomo_rc_e   rc;
    tomo_str_t  name, value;

    eq = tomo_str_find(field, 0, '=');

    rc = read_decode(tomo_str_n(field.data, eq), r->arena, &name);
    if (rc != TOMO_OK) {
        return rc;
    }

    value = tomo_str_null;

    if (eq < field.len) {
        rc = read_decode(tomo_str_n(field.data + eq + 1, field.len - eq - 1),
                         r->arena, &value);
        if (rc != TOMO_OK) {
            return rc;
        }
    }

    if (tomo_str_eq(name, tomo_str("nonce"))) {
        return read_nonce(r, value);
    }

    if (tomo_str_eq(name, tomo_str("rev"))) {
        return read_rev(r, value);
    }

    if (tomo_str_eq(name, tomo_str("hp"))) {
        r->answers->trapped = value.len > 0;
        return read_once(&r->seen.hp);
    }

    if (tomo_str_starts(name, tomo_str("q."))) {
        return read_answer(r, tomo_str_n(name.data + 2, name.len - 2), value);
    }

    return TOMO_OK;
}


static tomo_rc_e
read_fields(read_t *r, tomo_str_t body)
{
    size_t     from, to, n;
    tomo_rc_e  rc;

    for (from = 0, n = 0; from < body.len; from = to + 1) {

        if (++n > READ_FIELDS_MAX) {
            return TOMO_LIMIT;
        }

        to = tomo_str_find(body, from, '&');

        if (to == from) {
            continue;
        }

        rc = read_field(r, tomo_str_n(body.data + from, to - from));
        if (rc != TOMO_OK) {
            return rc;
        }
    }

    return r->seen.nonce && r->seen.rev ? TOMO_OK : TOMO_INVALID;
}


tomo_rc_e
tomo_survey_read(const tomo_survey_t *s, tomo_str_t body, tomo_arena_t *a,
    tomo_answers_t *out)
{
    size_t          i;
    read_t          r;
    tomo_rc_e       rc;
    tomo_answers_t  answers;

    memset(&answers, 0, sizeof(answers));
    memset(&r, 0, sizeof(r));

    r.survey = s;
    r.arena = a;
    r.answers = &answers;

    rc = read_alloc(&r);
    if (rc != TOMO_OK) {
        return rc;
    }

    rc = read_fields(&r, body);
    if (rc != TOMO_OK) {
        return rc;
    }

    for (i = 0; i < answers.n; i++) {
        tomo_survey_check(&s->questions[i], &answers.given[i], a);
        answers.errors += answers.given[i].error != NULL;
    }

    if (a->failed) {
        return TOMO_FULL;
    }

    *out = answers;

    return TOMO_OK;
}


void
tomo_survey_answers_put(tomo_buf_t *b, const tomo_survey_t *s,
    const tomo_answers_t *answers)
{
    size_t               i, k;
    char                 name[2 + TOMO_SURVEY_ID_MAX + 1];
    const tomo_str_t    *id;
    const tomo_given_t  *g;

    for (i = 0; i < answers->n; i++) {
        g = &answers->given[i];
        id = &s->questions[i].id;

        if (g->error != NULL || id->len > TOMO_SURVEY_ID_MAX) {
            continue;
        }

        memcpy(name, "q.", 2);
        memcpy(name + 2, id->data, id->len);
        name[2 + id->len] = '\0';

        for (k = 0; k < g->n_values; k++) {
            tomo_rec_put(b, name, g->values[k]);
        }
    }
}
