/*
 * tomo_survey_check: what was posted to one question → what is stored, or
 * what is wrong with it, by the question's kind.  A part of tomo_survey.
 */

#ifndef TOMO_SURVEY_CHECK_H
#define TOMO_SURVEY_CHECK_H

#include "tomo_survey.h"

#define TOMO_SURVEY_DATE_PARTS  3       /* year, month, day */
#define TOMO_SURVEY_FOLD_BYTES  512     /* longer is no number or date */

/*
 * g->values hold what was posted, decoded, valid UTF-8 (a date: its three
 * parts); choices were checked against the options already.  Puts the
 * normalised values in their place, or sets g->error.  Out of memory shows in
 * the arena.
 */
void tomo_survey_check(const tomo_question_t *q, tomo_given_t *g,
    tomo_arena_t *a);

/* bytes of the white space at s[i], 0: none; U+00A0 and U+3000 count */
size_t tomo_survey_space(tomo_str_t s, size_t i);
/* NFKC, dashes to '-', white space out; false: too long to be meant */
bool tomo_survey_fold(tomo_str_t s, tomo_buf_t *out);

/*
 * NULL and *value (in the arena), or what is wrong, in Japanese.  A mail
 * address stays as it was typed.
 */
const char *tomo_survey_number(tomo_str_t s, uint32_t max, tomo_str_t *value,
    tomo_arena_t *a);
const char *tomo_survey_tel(tomo_str_t s, tomo_str_t *value,
    tomo_arena_t *a);
const char *tomo_survey_mail(tomo_str_t s);

#endif
