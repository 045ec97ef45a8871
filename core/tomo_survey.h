/*
 * tomo_survey: one survey as edge and worker share it: the compiled flat form
 * (made by the worker from the definition, never from outside), its HTML, and
 * the way from a posted body to answers.  No JSON, no I/O.
 *
 * Compiled form (text, lines of tomo_rec; docs/formats.md, Surveys):
 *   survey no=3&rev=2&id=profile&open=1&title=…&intro=…&submit=…&thanks=…
 *   q id=name&kind=text&label=…&help=…&required=1&max=40
 *   o id=coffee&label=…                    (options of the q before)
 * Ids follow tomo_keys_id_ok; a question's has no dot.
 */

#ifndef TOMO_SURVEY_H
#define TOMO_SURVEY_H

#include "tomo_rec.h"

#define TOMO_SURVEY_QUESTIONS  100
#define TOMO_SURVEY_OPTIONS    100      /* of one question */
#define TOMO_SURVEY_VALUES     (TOMO_REC_FIELDS_MAX - 16)   /* of one post */
#define TOMO_SURVEY_ID_MAX     64       /* tomo_keys_id_ok */
#define TOMO_SURVEY_TEXT_MAX   5000     /* most a text's max may be */
#define TOMO_SURVEY_NONCE_LEN  22       /* base64url of 16 random bytes */

/* X(name, word, max default): kinds of question */
#define TOMO_QUESTIONS(X)                                                     \
    X(HEADING,   "heading",   0)                                              \
    X(TEXT,      "text",      100)                                            \
    X(LONG_TEXT, "long_text", 2000)                                           \
    X(NUMBER,    "number",    18)                                             \
    X(DATE,      "date",      10)                                             \
    X(TEL,       "tel",       20)                                             \
    X(MAIL,      "mail",      254)                                            \
    X(SINGLE,    "single",    0)                                              \
    X(SELECT,    "select",    0)                                              \
    X(MULTI,     "multi",     0)                                              \
    X(CONSENT,   "consent",   0)

typedef enum {
#define TOMO_QUESTION_ENUM_(name, word, max)  TOMO_QUESTION_##name,
    TOMO_QUESTIONS(TOMO_QUESTION_ENUM_)
#undef TOMO_QUESTION_ENUM_
    TOMO_QUESTION_END
} tomo_question_e;

typedef struct {
    tomo_str_t  id;
    tomo_str_t  label;
} tomo_option_t;

typedef struct {
    tomo_str_t       id;
    tomo_question_e  kind;
    tomo_str_t       label;
    tomo_str_t       help;
    bool             required;
    uint32_t         max;           /* code points */
    tomo_option_t   *options;
    size_t           n_options;
} tomo_question_t;

typedef struct {
    uint32_t          no;
    uint32_t          rev;
    tomo_str_t        id;
    bool              open;
    tomo_str_t        title;
    tomo_str_t        intro;
    tomo_str_t        submit;       /* text of the button */
    tomo_str_t        thanks;
    tomo_question_t  *questions;
    size_t            n_questions;
} tomo_survey_t;

/*
 * What was given to one question, and what is wrong with it.  Normalised:
 * options are their ids, a date is YYYY-MM-DD, a number a plain integer, a
 * telephone number digits with at most a + before them, a consent "1".  With
 * an error: what to show again; a date then has three values, as posted.
 */
typedef struct {
    tomo_str_t  *values;
    size_t       n_values;
    const char  *error;             /* NULL: fine; else Japanese, for people */
} tomo_given_t;

typedef struct {
    tomo_given_t  *given;           /* one per question, same order */
    size_t         n;
    tomo_str_t     nonce;
    uint32_t       rev;             /* revision the page was made from */
    bool           trapped;         /* the trap field was filled (B52) */
    size_t         errors;
} tomo_answers_t;

const char *tomo_question_word(tomo_question_e kind);
tomo_rc_e tomo_question_parse(tomo_str_t word, tomo_question_e *kind)
    TOMO_MUST_CHECK;
/* has options */
bool tomo_question_is_choice(tomo_question_e kind);

/*
 * s must be complete, within limits and valid UTF-8; controls in its texts are
 * left out.  TOMO_FULL by b's failed bit.
 */
void tomo_survey_put(tomo_buf_t *b, const tomo_survey_t *s);
/*
 * Views into text and arena.  TOMO_INVALID: a broken line, an unknown kind, an
 * id twice, a choice without options, no question, text with controls;
 * TOMO_LIMIT: too many questions, options or possible values; TOMO_FULL.
 * The worker runs it on what it compiled, so that a form that could not be
 * answered is refused when it is saved.
 */
tomo_rc_e tomo_survey_parse(tomo_str_t text, tomo_arena_t *a,
    tomo_survey_t *s) TOMO_MUST_CHECK;

/*
 * An application/x-www-form-urlencoded body → answers.  Only this survey's
 * names, the nonce, the revision and the trap are read; unknown names are
 * ignored, options that were not offered are errors, text is strict UTF-8,
 * NFKC only where a field's kind asks for it (number, tel, date), lengths by
 * code points.  TOMO_INVALID: not a form (broken %, no nonce, not UTF-8,
 * a name twice that may come once); TOMO_LIMIT: over 1,000 fields; TOMO_FULL.
 * TOMO_OK with answers->errors > 0: show the page again.
 */
tomo_rc_e tomo_survey_read(const tomo_survey_t *s, tomo_str_t body,
    tomo_arena_t *a, tomo_answers_t *answers) TOMO_MUST_CHECK;

/*
 * The page.  answers NULL: blank.  nonce: 22 characters.  action: path the
 * form posts to, e.g. "/s/TOKEN".  Complete HTML document, Japanese, works
 * without script, no outside resource (docs/formats.md, Surveys).
 * answers of another revision: what still fits is filled in, under a line
 * that asks to look at the form again.  this_year: dates are offered from
 * two years after it down to 1900.
 */
void tomo_survey_page(tomo_buf_t *b, const tomo_survey_t *s,
    const tomo_answers_t *answers, tomo_str_t nonce, tomo_str_t action,
    int this_year);
void tomo_survey_thanks(tomo_buf_t *b, const tomo_survey_t *s);

/* pages of one sentence; they fit in so many bytes */
#define TOMO_SURVEY_NOTE_MAX  8192

/*
 * The polite page for anything unknown or closed: the same bytes each time,
 * so that a stranger learns nothing from it; and that of tracked links.
 */
void tomo_survey_gone(tomo_buf_t *b);
void tomo_survey_link_gone(tomo_buf_t *b);
/* a link that cannot be looked up now */
void tomo_survey_link_busy(tomo_buf_t *b);
/* cannot be stored now, try again; and: this was not our form's post */
void tomo_survey_busy(tomo_buf_t *b);
void tomo_survey_refused(tomo_buf_t *b);

/*
 * What to send as Content-Security-Policy with each of these pages: the
 * hash is that of tomo_survey_style, which stands between <style> and </style>
 */
#define TOMO_SURVEY_CSP                                                       \
    "default-src 'none'; "                                                    \
    "style-src 'sha256-EkQvswG6UsJNaZraP8Ckxsq6I5qTzNwzV4gAzLPDR9E='; "      \
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

extern const char  tomo_survey_style[];

/* appends &q.ID=value… of good answers to an answer line (tomo_entry) */
void tomo_survey_answers_put(tomo_buf_t *b, const tomo_survey_t *s,
    const tomo_answers_t *answers);

#endif
