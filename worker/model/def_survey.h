/* def_survey: the compiled form of a survey: what the edge shows, and what
   the owner does with the answers */

#ifndef DEF_SURVEY_H
#define DEF_SURVEY_H

#include "action.h"
#include "tomo_survey.h"

typedef struct {
    tomo_survey_t   shape;
    bool            once;           /* a friend's first answer stands */
    uint32_t       *fields;         /* of each question; 0: none */
    actions_t     **options;        /* of each question, of each option */
    actions_t       actions;        /* after an answer */
} def_survey_t;

/* the compiled text of the edge feed; overflow shows in b */
void def_survey_put(tomo_buf_t *b, const def_survey_t *survey);

#endif
