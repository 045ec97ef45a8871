/*
 * Posted forms: good answers make a line that reads back, bad ones a page,
 * and the number of '<' in a page does not depend on what was typed (B44,
 * B45, B49).
 */

#include "tomo_entry.h"
#include "tomo_survey.h"
#include "tomo_utf8.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char  form[] =
    "survey no=3&rev=2&id=profile&open=1&title=T&intro=I&submit=S&thanks=Th\n"
    "q id=a&kind=text&label=A&max=5\nq id=b&kind=long_text&label=B&max=10\n"
    "q id=c&kind=number&label=C\nq id=d&kind=date&label=D\n"
    "q id=e&kind=tel&label=E\nq id=f&kind=mail&label=F\n"
    "q id=g&kind=single&label=G\no id=x&label=X\n"
    "q id=h&kind=multi&label=H\no id=x&label=X\no id=y&label=Y\n"
    "q id=i&kind=consent&label=I\n";

static uint8_t  form_memory[64 * 1024], post_memory[8 * 1024 * 1024];
static uint8_t  line[1024 * 1024], html[8 * 1024 * 1024];


static size_t
count_tags(const tomo_survey_t *s, const tomo_answers_t *answers)
{
    size_t      i, n;
    tomo_buf_t  b;

    tomo_buf_init(&b, html, sizeof(html));
    tomo_survey_page(&b, s, answers, tomo_str("AAECAwQFBgcICQoLDA0ODw"),
                     tomo_str("/s/TOKEN"), 2026);

    if (b.failed || !tomo_utf8_ok(tomo_buf_str(&b))) {
        abort();
    }

    for (i = 0, n = 0; i < b.len; i++) {
        n += html[i] == '<';
    }

    return n;
}


static void
check_line(const tomo_survey_t *s, const tomo_answers_t *answers)
{
    tomo_buf_t     b;
    tomo_arena_t   a;
    tomo_answer_t  back, one = { .at_ms = 1, .survey = 3, .rev = 2 };

    one.nonce = answers->nonce;

    tomo_buf_init(&b, line, sizeof(line));
    tomo_answer_put(&b, &one);
    tomo_survey_answers_put(&b, s, answers);

    tomo_arena_init(&a, form_memory, sizeof(form_memory));

    if (b.failed
        || tomo_answer_parse(tomo_buf_str(&b), &a, &back) != TOMO_OK
        || !tomo_str_eq(back.nonce, tomo_str_n(answers->nonce.data,
                                               answers->nonce.len)))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          i, k, tags;
    tomo_arena_t    a;
    tomo_survey_t   s;
    tomo_answers_t  answers;

    if (size > 64 * 1024) {
        return 0;
    }

    tomo_arena_init(&a, form_memory, sizeof(form_memory));

    if (tomo_survey_parse(tomo_str_c(form), &a, &s) != TOMO_OK) {
        abort();
    }

    tomo_arena_init(&a, post_memory, sizeof(post_memory));

    if (tomo_survey_read(&s, tomo_str_n(data, size), &a, &answers)
        != TOMO_OK)
    {
        return 0;
    }

    tags = count_tags(&s, &answers);

    for (i = 0; i < answers.n; i++) {

        for (k = 0; k < answers.given[i].n_values; k++) {

            if (tomo_utf8_has_control(answers.given[i].values[k])) {
                abort();
            }
        }
    }

    if (answers.errors == 0) {
        check_line(&s, &answers);
        return 0;
    }

    for (i = 0; i < 6; i++) {

        for (k = 0; k < answers.given[i].n_values; k++) {
            answers.given[i].values[k] = tomo_str_null;
        }
    }

    if (tags != count_tags(&s, &answers)) {
        abort();
    }

    return 0;
}
