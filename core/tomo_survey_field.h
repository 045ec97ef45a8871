/*
 * tomo_survey_field: the HTML of one question.  A part of tomo_survey.
 */

#ifndef TOMO_SURVEY_FIELD_H
#define TOMO_SURVEY_FIELD_H

#include "tomo_survey.h"

typedef struct {
    const tomo_question_t  *question;
    const tomo_given_t     *given;      /* to fill in; NULL: blank */
    const char             *error;      /* NULL: none is shown */
    size_t                  index;      /* in the survey: makes the ids */
    int                     this_year;
} tomo_survey_field_t;

void tomo_survey_field_put(tomo_buf_t *b, const tomo_survey_field_t *f);
/* the id of the first thing to type or choose, for a link to it */
void tomo_survey_field_anchor(tomo_buf_t *b, const tomo_survey_t *s,
    size_t index);
/* three selects, the years with those of the Japanese eras beside them */
void tomo_survey_date_put(tomo_buf_t *b, const tomo_survey_field_t *f);
/* appends ` aria-describedby=…` and ` aria-invalid=…` where due */
void tomo_survey_field_aria(tomo_buf_t *b, const tomo_survey_field_t *f);
void tomo_survey_field_id(tomo_buf_t *b, size_t index, const char *tail);

/* escaped text; https:// addresses in it become links */
void tomo_survey_text_put(tomo_buf_t *b, tomo_str_t text);

#endif
