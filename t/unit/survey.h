/*
 * survey: what the tests of tomo_survey share: a form with every kind of
 * question, and reading a post against it.
 */

#ifndef TOMO_UNIT_SURVEY_H
#define TOMO_UNIT_SURVEY_H

#include "unit.h"
#include "tomo_survey.h"

#define SURVEY_NONCE  "AAECAwQFBgcICQoLDA0ODw"
#define SURVEY_ACTION "/s/TOKEN"
#define SURVEY_HEAD   "nonce=" SURVEY_NONCE "&rev=2&hp="

/* every kind once; no question is required but the consent "ok" */
static const char  survey_all[] =
    "survey no=3&rev=2&id=profile&open=1&title=T&intro=I&submit=S&thanks=Th\n"
    "q id=head&kind=heading&label=H\n"
    "q id=name&kind=text&label=Name&max=5\n"
    "q id=long&kind=long_text&label=Long&max=10\n"
    "q id=num&kind=number&label=Number\n"
    "q id=day&kind=date&label=Day\n"
    "q id=tel&kind=tel&label=Tel\n"
    "q id=mail&kind=mail&label=Mail\n"
    "q id=one&kind=single&label=One\n"
    "o id=a&label=A\n"
    "o id=b&label=B\n"
    "q id=sel&kind=select&label=Select\n"
    "o id=x&label=X\n"
    "q id=many&kind=multi&label=Many\n"
    "o id=p&label=P\n"
    "o id=q&label=Q\n"
    "o id=r&label=R\n"
    "q id=ok&kind=consent&label=OK&required=1\n";

static uint8_t  survey_form_memory[1024 * 1024];
static uint8_t  survey_post_memory[8 * 1024 * 1024];
static uint8_t  survey_page_memory[512 * 1024];


static inline tomo_rc_e
survey_parse(const char *form, tomo_survey_t *s)
{
    tomo_arena_t  a;

    tomo_arena_init(&a, survey_form_memory, sizeof(survey_form_memory));

    return tomo_survey_parse(tomo_str_c(form), &a, s);
}


/* the views in *answers point into memory that the next read uses again */
static inline tomo_rc_e
survey_read(const tomo_survey_t *s, tomo_str_t body, tomo_answers_t *answers)
{
    tomo_rc_e     rc;
    tomo_str_t    copy = unit_heap(body.data, body.len);
    tomo_arena_t  a;

    tomo_arena_init(&a, survey_post_memory, sizeof(survey_post_memory));
    rc = tomo_survey_read(s, copy, &a, answers);
    unit_free(copy);

    return rc;
}


static inline const char *
survey_page(const tomo_survey_t *s, const tomo_answers_t *answers)
{
    tomo_buf_t  b;

    tomo_buf_init(&b, survey_page_memory, sizeof(survey_page_memory));
    tomo_survey_page(&b, s, answers, tomo_str(SURVEY_NONCE),
                     tomo_str(SURVEY_ACTION), 2026);
    tomo_buf_byte(&b, '\0');
    assert_false(b.failed);

    return (const char *) survey_page_memory;
}


static inline size_t
survey_count(const char *text, const char *what)
{
    size_t  n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }

    return n;
}

#endif
