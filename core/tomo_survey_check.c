/*
 * tomo_survey_check.c: one question's value: cleaned, checked, or explained.
 */

#include "tomo_survey_check.h"
#include "tomo_codec.h"
#include "tomo_utf8.h"

#include <string.h>


#define CHECK_YEAR_MIN    1868
#define CHECK_YEAR_MAX    2200

static const char  check_empty[] = "入力してください。";
static const char  check_unchosen[] = "選んでください。";
static const char  check_consent[] =
    "同意いただける場合は、チェックを入れてください。";
static const char  check_control[] =
    "使えない文字があったので取り除きました。もう一度ご確認ください。";
static const char  check_parts[] = "年・月・日をすべて選んでください。";
static const char  check_no_day[] = "暦にある日付を選んでください。";


static tomo_str_t
check_trim(tomo_str_t s)
{
    size_t  i, n, begin, end;

    for (i = 0; i < s.len; i += n) {
        n = tomo_survey_space(s, i);

        if (n == 0) {
            break;
        }
    }

    for (begin = i, end = i; i < s.len; i += n) {
        n = tomo_survey_space(s, i);

        if (n == 0) {
            (void) tomo_utf8_next(s, &i);
            end = i;
        }
    }

    return tomo_str_n(s.data + begin, end - begin);
}


/*
 * One way of ending lines (or none, on a single line), no controls, no space
 * around.  *dropped: there were controls.
 */
static tomo_str_t
check_clean(tomo_str_t raw, bool lines, tomo_arena_t *a, bool *dropped)
{
    size_t      i, next;
    uint8_t     c;
    tomo_buf_t  b;
    tomo_str_t  point;

    *dropped = false;

    tomo_buf_init(&b, tomo_arena_alloc(a, raw.len + 1), raw.len + 1);

    if (b.data == NULL) {
        return tomo_str_null;
    }

    for (i = 0; i < raw.len; i = next) {
        next = i;
        (void) tomo_utf8_next(raw, &next);

        point = tomo_str_n(raw.data + i, next - i);
        c = raw.data[i];

        if (c == '\r') {

            if (next < raw.len && raw.data[next] == '\n') {
                continue;
            }

            c = '\n';
        }

        if (c == '\n' || c == '\t') {
            tomo_buf_byte(&b, lines ? c : ' ');

        } else if (tomo_utf8_has_control(point)) {
            *dropped = true;

        } else {
            tomo_buf_put(&b, point);
        }
    }

    return check_trim(tomo_buf_str(&b));
}


static const char *
check_length(tomo_str_t s, uint32_t max, tomo_arena_t *a)
{
    size_t       n = tomo_utf8_points(s);
    tomo_buf_t   b;
    const size_t  size = 128;

    if (n <= max) {
        return NULL;
    }

    tomo_buf_init(&b, tomo_arena_alloc(a, size), size);

    if (b.data == NULL) {
        return check_empty;
    }

    tomo_buf_u64(&b, max);
    tomo_buf_c(&b, "文字以内で入力してください（今は");
    tomo_buf_u64(&b, n);
    tomo_buf_c(&b, "文字です）。");
    tomo_buf_byte(&b, '\0');

    return (const char *) b.data;
}


static bool
check_part(tomo_str_t s, uint64_t min, uint64_t max, uint64_t *n)
{
    uint8_t     folded[TOMO_SURVEY_FOLD_BYTES];
    tomo_buf_t  b;
    tomo_str_t  v;

    tomo_buf_init(&b, folded, sizeof(folded));

    if (!tomo_survey_fold(s, &b)) {
        return false;
    }

    v = tomo_buf_str(&b);

    if (v.len == 2 && v.data[0] == '0') {
        v = tomo_str_n(v.data + 1, 1);
    }

    return tomo_u64_get(v, max, n) == TOMO_OK && *n >= min;
}


static uint64_t
check_month_days(uint64_t year, uint64_t month)
{
    bool  leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (month == 2) {
        return leap ? 29 : 28;
    }

    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}


static void
check_date(const tomo_question_t *q, tomo_given_t *g, tomo_arena_t *a)
{
    size_t      i, given;
    bool        dropped;
    uint64_t    y, m, d;
    tomo_buf_t  b;

    for (i = 0, given = 0; i < TOMO_SURVEY_DATE_PARTS; i++) {
        g->values[i] = check_clean(g->values[i], false, a, &dropped);
        given += g->values[i].len > 0;
    }

    if (given == 0) {
        g->n_values = 0;
        g->error = q->required ? check_unchosen : NULL;
        return;
    }

    g->n_values = TOMO_SURVEY_DATE_PARTS;

    if (given < TOMO_SURVEY_DATE_PARTS) {
        g->error = check_parts;
        return;
    }

    if (!check_part(g->values[0], CHECK_YEAR_MIN, CHECK_YEAR_MAX, &y)
        || !check_part(g->values[1], 1, 12, &m)
        || !check_part(g->values[2], 1, check_month_days(y, m), &d))
    {
        g->error = check_no_day;
        return;
    }

    tomo_buf_init(&b, tomo_arena_alloc(a, 16), 16);

    if (b.data == NULL) {
        return;
    }

    tomo_buf_u64(&b, y);
    tomo_buf_c(&b, m < 10 ? "-0" : "-");
    tomo_buf_u64(&b, m);
    tomo_buf_c(&b, d < 10 ? "-0" : "-");
    tomo_buf_u64(&b, d);

    g->values[0] = tomo_buf_str(&b);
    g->n_values = 1;
}


static void
check_typed(const tomo_question_t *q, tomo_given_t *g, tomo_arena_t *a)
{
    bool         dropped;
    tomo_str_t  *v = &g->values[0];

    if (g->n_values > 0) {
        *v = check_clean(*v, q->kind == TOMO_QUESTION_LONG_TEXT, a, &dropped);
        g->n_values = v->len > 0 ? 1 : 0;

        if (dropped) {
            g->error = check_control;
            return;
        }
    }

    if (g->n_values == 0) {
        g->error = q->required ? check_empty : NULL;
        return;
    }

    switch (q->kind) {

    case TOMO_QUESTION_NUMBER:
        g->error = tomo_survey_number(*v, q->max, v, a);
        break;

    case TOMO_QUESTION_TEL:
        g->error = tomo_survey_tel(*v, v, a);
        break;

    case TOMO_QUESTION_MAIL:
        g->error = check_length(*v, q->max, a);

        if (g->error == NULL) {
            g->error = tomo_survey_mail(*v);
        }

        break;

    default:
        g->error = check_length(*v, q->max, a);
    }
}


void
tomo_survey_check(const tomo_question_t *q, tomo_given_t *g, tomo_arena_t *a)
{
    switch (q->kind) {

    case TOMO_QUESTION_HEADING:
    case TOMO_QUESTION_END:
        break;

    case TOMO_QUESTION_DATE:
        check_date(q, g, a);
        break;

    case TOMO_QUESTION_SINGLE:
    case TOMO_QUESTION_SELECT:
    case TOMO_QUESTION_MULTI:
    case TOMO_QUESTION_CONSENT:

        if (g->error == NULL && g->n_values == 0 && q->required) {
            g->error = q->kind == TOMO_QUESTION_CONSENT ? check_consent
                                                        : check_unchosen;
        }

        break;

    default:
        check_typed(q, g, a);
    }
}
