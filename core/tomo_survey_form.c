/*
 * tomo_survey_form.c: the compiled form of a survey, written and read.
 */

#include "tomo_survey.h"
#include "tomo_codec.h"
#include "tomo_keys.h"
#include "tomo_utf8.h"

#include <string.h>


#define FORM_SURVEY  tomo_str("survey ")
#define FORM_Q       tomo_str("q ")
#define FORM_O       tomo_str("o ")


static const struct {
    const char  *word;
    uint32_t     max;
} form_kinds[TOMO_QUESTION_END] = {
#define FORM_KIND(name, word, max)  { word, max },
    TOMO_QUESTIONS(FORM_KIND)
#undef FORM_KIND
};


const char *
tomo_question_word(tomo_question_e kind)
{
    return (unsigned) kind < TOMO_QUESTION_END ? form_kinds[kind].word : NULL;
}


tomo_rc_e
tomo_question_parse(tomo_str_t word, tomo_question_e *kind)
{
    unsigned  i;

    for (i = 0; i < TOMO_QUESTION_END; i++) {

        if (tomo_str_eq(word, tomo_str_c(form_kinds[i].word))) {
            *kind = (tomo_question_e) i;
            return TOMO_OK;
        }
    }

    return TOMO_INVALID;
}


bool
tomo_question_is_choice(tomo_question_e kind)
{
    return kind == TOMO_QUESTION_SINGLE || kind == TOMO_QUESTION_SELECT
           || kind == TOMO_QUESTION_MULTI;
}


static void
form_put_head(tomo_buf_t *b, tomo_str_t word, const char *name,
    tomo_str_t value)
{
    tomo_buf_put(b, word);
    tomo_buf_c(b, name);
    tomo_buf_byte(b, '=');
    tomo_percent_put(b, value);
}


/*
 * Controls are left out (a carriage return of an editor, say): the reader
 * refuses them.  s is valid UTF-8, so no run is cut inside a code point.
 */
static void
form_put_text(tomo_buf_t *b, const char *name, tomo_str_t s)
{
    size_t  i, next, run;

    tomo_rec_put(b, name, tomo_str_null);

    for (i = 0, run = 0; i < s.len; i = next) {
        next = i;
        (void) tomo_utf8_next(s, &next);

        if (tomo_utf8_has_control(tomo_str_n(s.data + i, next - i))) {
            tomo_percent_put(b, tomo_str_n(s.data + run, i - run));
            run = next;
        }
    }

    if (run < s.len) {
        tomo_percent_put(b, tomo_str_n(s.data + run, s.len - run));
    }
}


static void
form_put_question(tomo_buf_t *b, const tomo_question_t *q)
{
    size_t  i;

    form_put_head(b, FORM_Q, "id", q->id);
    tomo_rec_put(b, "kind", tomo_str_c(form_kinds[q->kind].word));
    form_put_text(b, "label", q->label);

    if (q->help.len > 0) {
        form_put_text(b, "help", q->help);
    }

    if (q->required) {
        tomo_rec_put_u64(b, "required", 1);
    }

    if (q->max > 0 && form_kinds[q->kind].max > 0) {
        tomo_rec_put_u64(b, "max", q->max);
    }

    tomo_rec_end(b);

    for (i = 0; i < q->n_options; i++) {
        form_put_head(b, FORM_O, "id", q->options[i].id);
        form_put_text(b, "label", q->options[i].label);
        tomo_rec_end(b);
    }
}


void
tomo_survey_put(tomo_buf_t *b, const tomo_survey_t *s)
{
    size_t  i;

    tomo_buf_put(b, FORM_SURVEY);
    tomo_buf_c(b, "no=");
    tomo_buf_u64(b, s->no);
    tomo_rec_put_u64(b, "rev", s->rev);
    tomo_rec_put(b, "id", s->id);
    tomo_rec_put_u64(b, "open", s->open ? 1 : 0);
    form_put_text(b, "title", s->title);
    form_put_text(b, "intro", s->intro);
    form_put_text(b, "submit", s->submit);
    form_put_text(b, "thanks", s->thanks);
    tomo_rec_end(b);

    for (i = 0; i < s->n_questions; i++) {
        form_put_question(b, &s->questions[i]);
    }
}


/* an absent text is empty; what is there must be fit for a page */
static tomo_rc_e
form_text(const tomo_rec_t *rec, const char *name, tomo_str_t *text)
{
    const tomo_str_t  *value = tomo_rec_get(rec, name);

    *text = tomo_str_null;

    if (value == NULL) {
        return TOMO_OK;
    }

    if (!tomo_utf8_ok(*value) || tomo_utf8_has_control(*value)) {
        return TOMO_INVALID;
    }

    *text = *value;

    return TOMO_OK;
}


static tomo_rc_e
form_flag(const tomo_rec_t *rec, const char *name, bool *flag)
{
    uint64_t   n = 0;
    tomo_rc_e  rc;

    rc = tomo_rec_get_u64(rec, name, 1, &n);
    if (rc != TOMO_OK && rc != TOMO_ABSENT) {
        return rc;
    }

    *flag = n == 1;

    return TOMO_OK;
}


static bool
form_get_id(const tomo_rec_t *rec, tomo_str_t *id)
{
    const tomo_str_t  *value = tomo_rec_get(rec, "id");

    if (value == NULL || !tomo_keys_id_ok(*value)) {
        return false;
    }

    *id = *value;

    return true;
}


static tomo_rc_e
form_survey(const tomo_rec_t *rec, tomo_survey_t *s)
{
    uint64_t  no, rev;

    if (tomo_rec_get_u64(rec, "no", UINT32_MAX, &no) != TOMO_OK
        || tomo_rec_get_u64(rec, "rev", UINT32_MAX, &rev) != TOMO_OK
        || form_flag(rec, "open", &s->open) != TOMO_OK
        || !form_get_id(rec, &s->id)
        || form_text(rec, "title", &s->title) != TOMO_OK
        || form_text(rec, "intro", &s->intro) != TOMO_OK
        || form_text(rec, "submit", &s->submit) != TOMO_OK
        || form_text(rec, "thanks", &s->thanks) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    s->no = (uint32_t) no;
    s->rev = (uint32_t) rev;

    return TOMO_OK;
}


static tomo_rc_e
form_max(const tomo_rec_t *rec, tomo_question_t *q)
{
    uint32_t   most;
    uint64_t   n;
    tomo_rc_e  rc;

    q->max = form_kinds[q->kind].max;
    most = q->kind == TOMO_QUESTION_TEXT || q->kind == TOMO_QUESTION_LONG_TEXT
           ? TOMO_SURVEY_TEXT_MAX : q->max;

    if (q->max == 0) {
        return TOMO_OK;
    }

    rc = tomo_rec_get_u64(rec, "max", UINT32_MAX, &n);

    if (rc == TOMO_ABSENT) {
        return TOMO_OK;
    }

    if (rc != TOMO_OK || n == 0) {
        return TOMO_INVALID;
    }

    /* a larger one asks for no more than the kind can hold */

    q->max = n < most ? (uint32_t) n : most;

    return TOMO_OK;
}


static tomo_rc_e
form_question(const tomo_rec_t *rec, tomo_survey_t *s)
{
    size_t             i;
    tomo_question_t   *q = &s->questions[s->n_questions];
    const tomo_str_t  *kind = tomo_rec_get(rec, "kind");

    /* a dot would let "birth.y" meet a part of the date "birth" */

    if (kind == NULL
        || !form_get_id(rec, &q->id)
        || tomo_str_find(q->id, 0, '.') < q->id.len
        || tomo_question_parse(*kind, &q->kind) != TOMO_OK
        || form_text(rec, "label", &q->label) != TOMO_OK
        || q->label.len == 0
        || form_text(rec, "help", &q->help) != TOMO_OK
        || form_flag(rec, "required", &q->required) != TOMO_OK
        || form_max(rec, q) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    for (i = 0; i < s->n_questions; i++) {

        if (tomo_str_eq(s->questions[i].id, q->id)) {
            return TOMO_INVALID;
        }
    }

    s->n_questions++;

    return TOMO_OK;
}


/* the options of a question lie behind one another: next is the first free */
static tomo_rc_e
form_option(const tomo_rec_t *rec, tomo_survey_t *s, tomo_option_t *next)
{
    size_t            i;
    tomo_question_t  *q;

    if (s->n_questions == 0) {
        return TOMO_INVALID;
    }

    q = &s->questions[s->n_questions - 1];

    if (!tomo_question_is_choice(q->kind)) {
        return TOMO_INVALID;
    }

    if (q->n_options == TOMO_SURVEY_OPTIONS) {
        return TOMO_LIMIT;
    }

    if (!form_get_id(rec, &next->id)
        || form_text(rec, "label", &next->label) != TOMO_OK
        || next->label.len == 0)
    {
        return TOMO_INVALID;
    }

    for (i = 0; i < q->n_options; i++) {

        if (tomo_str_eq(q->options[i].id, next->id)) {
            return TOMO_INVALID;
        }
    }

    if (q->n_options == 0) {
        q->options = next;
    }

    q->n_options++;

    return TOMO_OK;
}


/* room for all questions and options; lines are counted by their first word */
static tomo_rc_e
form_alloc(tomo_str_t text, tomo_arena_t *a, tomo_survey_t *s,
    tomo_option_t **options)
{
    size_t      n_q = 0, n_o = 0;
    tomo_str_t  line;

    while (tomo_rec_line(&text, &line)) {
        n_q += tomo_str_starts(line, FORM_Q);
        n_o += tomo_str_starts(line, FORM_O);
    }

    if (n_q > TOMO_SURVEY_QUESTIONS
        || n_o > TOMO_SURVEY_QUESTIONS * TOMO_SURVEY_OPTIONS)
    {
        return TOMO_LIMIT;
    }

    s->questions = tomo_arena_array(a, n_q + 1, sizeof(tomo_question_t));
    *options = tomo_arena_array(a, n_o + 1, sizeof(tomo_option_t));

    return s->questions == NULL || *options == NULL ? TOMO_FULL : TOMO_OK;
}


/* a choice needs something to choose, and all answers must fit one entry */
static tomo_rc_e
form_complete(const tomo_survey_t *s)
{
    size_t                  i, values;
    const tomo_question_t  *q;

    if (s->n_questions == 0) {
        return TOMO_INVALID;
    }

    for (i = 0, values = 0; i < s->n_questions; i++) {
        q = &s->questions[i];

        if (tomo_question_is_choice(q->kind) && q->n_options == 0) {
            return TOMO_INVALID;
        }

        values += q->kind == TOMO_QUESTION_MULTI ? q->n_options : 1;
    }

    return values > TOMO_SURVEY_VALUES ? TOMO_LIMIT : TOMO_OK;
}


static tomo_rc_e
form_line(tomo_str_t line, tomo_arena_t *a, tomo_survey_t *s,
    tomo_option_t **options)
{
    size_t      word;
    bool        question;
    tomo_rc_e   rc;
    tomo_rec_t  rec;

    question = tomo_str_starts(line, FORM_Q);

    if (!question && !tomo_str_starts(line, FORM_O)) {
        return TOMO_INVALID;
    }

    word = question ? FORM_Q.len : FORM_O.len;

    rc = tomo_rec_parse(tomo_str_n(line.data + word, line.len - word), a,
                        &rec);
    if (rc != TOMO_OK) {
        return rc;
    }

    if (question) {
        return form_question(&rec, s);
    }

    rc = form_option(&rec, s, *options);
    if (rc == TOMO_OK) {
        (*options)++;
    }

    return rc;
}


tomo_rc_e
tomo_survey_parse(tomo_str_t text, tomo_arena_t *a, tomo_survey_t *out)
{
    tomo_rc_e       rc;
    tomo_str_t      line;
    tomo_rec_t      rec;
    tomo_survey_t   s;
    tomo_option_t  *options;

    memset(&s, 0, sizeof(s));

    rc = form_alloc(text, a, &s, &options);
    if (rc != TOMO_OK) {
        return rc;
    }

    if (!tomo_rec_line(&text, &line) || !tomo_str_starts(line, FORM_SURVEY)) {
        return TOMO_INVALID;
    }

    rc = tomo_rec_parse(tomo_str_n(line.data + FORM_SURVEY.len,
                                   line.len - FORM_SURVEY.len), a, &rec);
    if (rc != TOMO_OK) {
        return rc;
    }

    rc = form_survey(&rec, &s);

    while (rc == TOMO_OK && tomo_rec_line(&text, &line)) {
        rc = form_line(line, a, &s, &options);
    }

    if (rc != TOMO_OK) {
        return rc;
    }

    rc = form_complete(&s);
    if (rc != TOMO_OK) {
        return rc;
    }

    *out = s;

    return TOMO_OK;
}
