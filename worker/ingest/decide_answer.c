/*
 * decide_answer: a survey was answered.  The edge checked the post against
 * the survey it had; here it is checked again against the survey as it is
 * (RELIABILITY.md B46-B49) before it changes a friend.
 */

#include <string.h>

#include "effect_field.h"
#include "kinds.h"
#include "model/def_field.h"
#include "model/def_survey.h"
#include "tomo_keys.h"
#include "tomo_sched.h"
#include "tomo_utf8.h"
#include "visitor.h"

#define ANSWER_TEXT_BYTES  16384


static const tomo_option_t *
answer_option(const tomo_question_t *q, tomo_str_t id, size_t *index)
{
    size_t  i;

    for (i = 0; i < q->n_options; i++) {
        if (tomo_str_eq(q->options[i].id, id)) {
            *index = i;
            return &q->options[i];
        }
    }

    return NULL;
}


/* the i-th value given to question q; NULL behind the last */
static const tomo_str_t *
answer_value(const event_t *ev, const tomo_question_t *q, size_t i)
{
    size_t             k;
    const tomo_rec_t  *line = &ev->answer.line;

    for (k = 0; k < line->n; k++) {
        if (line->fields[k].name.len == q->id.len + 2
            && tomo_str_starts(line->fields[k].name, tomo_str("q."))
            && memcmp(line->fields[k].name.data + 2, q->id.data, q->id.len)
               == 0
            && i-- == 0)
        {
            return &line->fields[k].value;
        }
    }

    return NULL;
}


static bool
answer_date_ok(tomo_str_t s)
{
    int          i, n[3] = { 0, 0, 0 }, part = 0;
    tomo_date_t  date;

    if (s.len != 10) {
        return false;
    }

    for (i = 0; i < 10; i++) {
        if (i == 4 || i == 7) {
            if (s.data[i] != '-') {
                return false;
            }

            part++;
            continue;
        }

        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }

        n[part] = n[part] * 10 + (s.data[i] - '0');
    }

    date = (tomo_date_t) { n[0], n[1], n[2] };

    return tomo_sched_date_ok(date);
}


static bool
answer_choices(const tomo_question_t *q)
{
    return q->kind == TOMO_QUESTION_SINGLE || q->kind == TOMO_QUESTION_SELECT
           || q->kind == TOMO_QUESTION_MULTI;
}


static bool
answer_value_ok(const tomo_question_t *q, tomo_str_t value)
{
    size_t  option;

    if (answer_choices(q)) {
        return answer_option(q, value, &option) != NULL;
    }

    if (!tomo_utf8_ok(value)) {
        return false;
    }

    if (q->kind == TOMO_QUESTION_DATE) {
        return answer_date_ok(value);
    }

    return value.len <= DEF_FIELD_BYTES
           && (q->max == 0 || tomo_utf8_points(value) <= q->max
               || q->kind == TOMO_QUESTION_CONSENT);
}


/*
 * Why it does not fit, NULL if it does.  An answer to another revision is
 * taken as far as it still fits: its page was good when it was sent.
 */
static const char *
answer_check(const event_t *ev, const def_survey_t *survey)
{
    size_t                  i, k;
    const tomo_str_t       *value;
    const tomo_question_t  *q;

    if (ev->answer.rev != survey->shape.rev) {
        return NULL;
    }

    for (i = 0; i < survey->shape.n_questions; i++) {
        q = &survey->shape.questions[i];

        for (k = 0; (value = answer_value(ev, q, k)) != NULL; k++) {
            if (!answer_value_ok(q, *value)) {
                return "answer_odd";
            }

            if (k > 0 && q->kind != TOMO_QUESTION_MULTI) {
                return "answer_twice";
            }
        }

        if (k == 0 && q->required) {
            return "answer_missing";
        }
    }

    return NULL;
}


/* what a field stores: ids of options, texts as they are, one a line */
static tomo_str_t
answer_stored(decision_t *d, const tomo_question_t *q)
{
    size_t             k;
    uint8_t            text[DEF_FIELD_BYTES];
    tomo_buf_t         b;
    const tomo_str_t  *value;

    tomo_buf_init(&b, text, sizeof(text));

    for (k = 0; (value = answer_value(d->ev, q, k)) != NULL; k++) {
        if (!answer_value_ok(q, *value)) {
            continue;
        }

        if (b.len > 0) {
            tomo_buf_byte(&b, '\n');
        }

        tomo_buf_put(&b, *value);
    }

    return b.failed ? tomo_str_null
                    : tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


/* what the timeline shows: labels of options, with a comma between */
static void
answer_show(decision_t *d, const tomo_question_t *q, tomo_buf_t *out)
{
    size_t                k, option;
    const tomo_str_t     *value;
    const tomo_option_t  *o;

    tomo_buf_put(out, q->label);
    tomo_buf_c(out, ": ");

    for (k = 0; (value = answer_value(d->ev, q, k)) != NULL; k++) {
        if (!answer_value_ok(q, *value)) {
            continue;
        }

        o = answer_choices(q) ? answer_option(q, *value, &option) : NULL;
        tomo_buf_c(out, k > 0 ? ", " : "");
        tomo_buf_put(out, o != NULL ? o->label : *value);
    }

    tomo_buf_byte(out, '\n');
}


static void
answer_actions(decision_t *d, const def_survey_t *survey, size_t index)
{
    size_t                  k, option;
    const tomo_str_t       *value;
    const tomo_question_t  *q;

    q = &survey->shape.questions[index];

    for (k = 0; answer_choices(q)
                && (value = answer_value(d->ev, q, k)) != NULL; k++)
    {
        if (answer_option(q, *value, &option) != NULL) {
            decision_run(d, &survey->options[index][option], "survey",
                         survey->shape.id);
        }
    }
}


static void
answer_apply(decision_t *d, const def_survey_t *survey)
{
    size_t                  i;
    uint8_t                 bytes[ANSWER_TEXT_BYTES];
    tomo_buf_t              all;
    tomo_str_t              text;
    const tomo_question_t  *q;

    tomo_buf_init(&all, bytes, sizeof(bytes));

    for (i = 0; i < survey->shape.n_questions; i++) {
        q = &survey->shape.questions[i];
        text = answer_stored(d, q);

        if (text.len == 0) {
            continue;
        }

        if (survey->fields[i] != 0) {
            effect_field_put(d, survey->fields[i], text, d->ev->at_ms);
        }

        answer_show(d, q, &all);
        answer_actions(d, survey, i);
    }

    d->text = tomo_arena_dup(d->arena, tomo_buf_str(&all));
    decision_run(d, &survey->actions, "survey", survey->shape.id);
}


tomo_rc_e
decide_answer(decision_t *d)
{
    uint32_t             no = d->ev->answer.survey;
    friend_survey_t      mark = { 0 };
    const def_survey_t  *survey;

    survey = defs_compiled(d->o->defs, DEF_SURVEY, no);

    if (survey == NULL) {
        d->ev->fault = "survey_unknown";
        return TOMO_INVALID;
    }

    if (!visitor_is(d, d->ev->answer.friend, d->ev->answer.check)) {
        /* kept whole, for a person: it belongs to no friend */
        d->ev->fault = "answer_anonymous";
        return TOMO_INVALID;
    }

    d->ev->fault = answer_check(d->ev, survey);

    if (d->ev->fault != NULL) {
        return TOMO_INVALID;
    }

    decision_why(d, survey->shape.id);

    if (tomo_rec_get(&d->ev->answer.line, "quick") != NULL) {
        decision_why(d, tomo_str("quick"));       /* taken, but told (B52) */
    }

    if (friend_survey(d->f, no, &mark) && mark.answers > 0 && survey->once) {
        decision_fx(d, "ignored", tomo_str("once"));
        return TOMO_OK;
    }

    if (mark.answers == 0) {
        decision_index(d, 'i', d->f->serial, tomo_key_set_survey, no);
    }

    mark.answers++;
    mark.last_ms = d->ev->at_ms > mark.last_ms ? d->ev->at_ms : mark.last_ms;
    mark.rev = d->ev->answer.rev;
    friend_survey_set(d->f, no, &mark);
    answer_apply(d, survey);
    decision_raise(d, TRIGGER_SURVEY_ANSWERED, no);

    return TOMO_OK;
}
