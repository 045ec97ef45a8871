/*
 * tomo_survey_date.c: a date as three selects.  People who know a birth year
 * by its era find it beside the western year.
 */

#include "tomo_survey_field.h"
#include "tomo_survey_check.h"
#include "tomo_codec.h"


#define DATE_YEAR_FIRST  1900
#define DATE_YEAR_LAST   2198
#define DATE_YEARS_AHEAD 2

static const struct {
    int          first;
    const char  *name;
} date_eras[] = {
    { 2019, "令和" },
    { 1989, "平成" },
    { 1926, "昭和" },
    { 1912, "大正" },
    { 1868, "明治" }
};

#define DATE_ERAS  (sizeof(date_eras) / sizeof(date_eras[0]))

/* in which order the parts stand in tomo_given_t, and how they are called */
static const struct {
    const char  *tail;              /* of the field's name and id */
    const char  *label;
    const char  *bday;              /* autocomplete of a birth date */
} date_parts[TOMO_SURVEY_DATE_PARTS] = {
    { "y", "年", "bday-year" },
    { "m", "月", "bday-month" },
    { "d", "日", "bday-day" }
};


static void
date_put_era(tomo_buf_t *b, int year, size_t era)
{
    tomo_buf_c(b, date_eras[era].name);

    if (year == date_eras[era].first) {
        tomo_buf_c(b, "元");

    } else {
        tomo_buf_u64(b, (uint64_t) (year - date_eras[era].first + 1));
    }

    tomo_buf_c(b, "年");
}


/* a year in which the era changed has both names */
static void
date_put_wareki(tomo_buf_t *b, int year)
{
    size_t  i;

    for (i = 0; i < DATE_ERAS - 1; i++) {

        if (year >= date_eras[i].first) {
            break;
        }
    }

    if (year == date_eras[i].first && i + 1 < DATE_ERAS) {
        date_put_era(b, year, i + 1);
        tomo_buf_c(b, "・");
    }

    date_put_era(b, year, i);
}


static void
date_put_option(tomo_buf_t *b, int n, int chosen, const char *unit)
{
    tomo_buf_c(b, "<option value=\"");
    tomo_buf_i64(b, n);
    tomo_buf_c(b, n == chosen ? "\" selected>" : "\">");
    tomo_buf_i64(b, n);
    tomo_buf_c(b, unit);
}


static void
date_put_options(tomo_buf_t *b, size_t part, int chosen, int last)
{
    int  n;

    tomo_buf_c(b, "<option value=\"\">選択</option>");

    if (part == 0) {
        if (last < DATE_YEAR_FIRST || last > DATE_YEAR_LAST) {
            last = DATE_YEAR_LAST;
        }

        for (n = last; n >= DATE_YEAR_FIRST; n--) {
            date_put_option(b, n, chosen, "年（");
            date_put_wareki(b, n);
            tomo_buf_c(b, "）");
        }

        return;
    }

    for (n = 1; n <= (part == 1 ? 12 : 31); n++) {
        date_put_option(b, n, chosen, date_parts[part].label);
    }
}


/* "08" and "8" are the same month; anything else chooses nothing */
static int
date_number(const uint8_t *p, size_t len)
{
    int     n;
    size_t  i;

    for (i = 0, n = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9' || len > 4) {
            return -1;
        }

        n = n * 10 + (p[i] - '0');
    }

    return len > 0 ? n : -1;
}


/* from three values as posted, or from one YYYY-MM-DD */
static void
date_chosen(const tomo_given_t *g, int chosen[TOMO_SURVEY_DATE_PARTS])
{
    size_t             i;
    const tomo_str_t  *v;

    for (i = 0; i < TOMO_SURVEY_DATE_PARTS; i++) {
        chosen[i] = -1;
    }

    if (g == NULL) {
        return;
    }

    v = g->values;

    if (g->n_values == 1 && v[0].len == sizeof("YYYY-MM-DD") - 1) {
        chosen[0] = date_number(v[0].data, 4);
        chosen[1] = date_number(v[0].data + 5, 2);
        chosen[2] = date_number(v[0].data + 8, 2);
    }

    if (g->n_values == TOMO_SURVEY_DATE_PARTS) {

        for (i = 0; i < TOMO_SURVEY_DATE_PARTS; i++) {
            chosen[i] = date_number(v[i].data, v[i].len);
        }
    }
}


void
tomo_survey_date_put(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    int     chosen[TOMO_SURVEY_DATE_PARTS], last;
    bool    birth;
    size_t  i;

    date_chosen(f->given, chosen);

    birth = tomo_str_starts(f->question->id, tomo_str("birth"));
    last = f->this_year + (birth ? 0 : DATE_YEARS_AHEAD);

    tomo_buf_c(b, "<div class=\"d\">\n");

    for (i = 0; i < TOMO_SURVEY_DATE_PARTS; i++) {
        tomo_buf_c(b, "<div><label for=\"");
        tomo_survey_field_id(b, f->index, date_parts[i].tail);
        tomo_buf_c(b, "\">");
        tomo_buf_c(b, date_parts[i].label);
        tomo_buf_c(b, "</label><select class=\"f\" id=\"");
        tomo_survey_field_id(b, f->index, date_parts[i].tail);
        tomo_buf_c(b, "\" name=\"q.");
        tomo_html_put(b, f->question->id);
        tomo_buf_byte(b, '.');
        tomo_buf_c(b, date_parts[i].tail);
        tomo_buf_byte(b, '"');

        if (birth) {
            tomo_buf_c(b, " autocomplete=\"");
            tomo_buf_c(b, date_parts[i].bday);
            tomo_buf_byte(b, '"');
        }

        tomo_survey_field_aria(b, f);
        tomo_buf_byte(b, '>');
        date_put_options(b, i, chosen[i], last);
        tomo_buf_c(b, "</select></div>\n");
    }

    tomo_buf_c(b, "</div>\n");
}
