/*
 * tomo_survey_field.c: one question as HTML: label, help, field, error, in
 * this order, tied together for those who listen to the page.
 *
 * Ids in the page are numbers (q3, q3-h), so that no id of a definition can
 * meet another one.
 */

#include "tomo_survey_field.h"
#include "tomo_codec.h"


/* type, keyboard and what a browser may fill in, by kind */
static const struct {
    tomo_question_e  kind;
    const char      *attributes;
} field_inputs[] = {
    { TOMO_QUESTION_NUMBER, " type=\"text\" inputmode=\"numeric\""
                            " autocomplete=\"off\"" },
    { TOMO_QUESTION_TEL,    " type=\"tel\" inputmode=\"tel\""
                            " autocomplete=\"tel\"" },
    { TOMO_QUESTION_MAIL,   " type=\"email\" inputmode=\"email\""
                            " autocomplete=\"email\" autocapitalize=\"none\""
                            " spellcheck=\"false\"" },
    { TOMO_QUESTION_TEXT,   " type=\"text\"" }
};

#define FIELD_INPUTS  (sizeof(field_inputs) / sizeof(field_inputs[0]))

/* ids that say what a text is about (docs/formats.md, Surveys) */
static const struct {
    const char  *id;
    const char  *autocomplete;
} field_texts[] = {
    { "name",          "name" },
    { "family_name",   "family-name" },
    { "given_name",    "given-name" },
    { "nickname",      "nickname" },
    { "company",       "organization" },
    { "postal_code",   "postal-code" },
    { "prefecture",    "address-level1" },
    { "city",          "address-level2" },
    { "address_line1", "address-line1" },
    { "address_line2", "address-line2" }
};

#define FIELD_TEXTS  (sizeof(field_texts) / sizeof(field_texts[0]))


void
tomo_survey_field_id(tomo_buf_t *b, size_t index, const char *tail)
{
    tomo_buf_byte(b, 'q');
    tomo_buf_u64(b, index);

    if (tail[0] != '\0') {
        tomo_buf_byte(b, '-');
        tomo_buf_c(b, tail);
    }
}


static void
field_attr_id(tomo_buf_t *b, const char *name,
    const tomo_survey_field_t *f, const char *tail)
{
    tomo_buf_byte(b, ' ');
    tomo_buf_c(b, name);
    tomo_buf_c(b, "=\"");
    tomo_survey_field_id(b, f->index, tail);
    tomo_buf_byte(b, '"');
}


static void
field_attr_name(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    tomo_buf_c(b, " name=\"q.");
    tomo_html_put(b, f->question->id);
    tomo_buf_byte(b, '"');
}


static bool
field_is_group(tomo_question_e kind)
{
    return kind == TOMO_QUESTION_SINGLE || kind == TOMO_QUESTION_MULTI
           || kind == TOMO_QUESTION_DATE;
}


void
tomo_survey_field_anchor(tomo_buf_t *b, const tomo_survey_t *s, size_t index)
{
    tomo_question_e  kind = s->questions[index].kind;

    tomo_survey_field_id(b, index, kind == TOMO_QUESTION_DATE ? "y"
                                   : field_is_group(kind) ? "0" : "");
}


static void
field_describedby(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    bool  help = f->question->help.len > 0;

    if (!help && f->error == NULL) {
        return;
    }

    tomo_buf_c(b, " aria-describedby=\"");

    if (help) {
        tomo_survey_field_id(b, f->index, "h");
    }

    if (f->error != NULL) {

        if (help) {
            tomo_buf_byte(b, ' ');
        }

        tomo_survey_field_id(b, f->index, "e");
    }

    tomo_buf_byte(b, '"');
}


/* a group carries its description itself, its parts only that they are wrong */
void
tomo_survey_field_aria(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    if (!field_is_group(f->question->kind)) {
        field_describedby(b, f);
    }

    if (f->question->required && f->question->kind != TOMO_QUESTION_MULTI) {
        tomo_buf_c(b, " required");
    }

    if (f->error != NULL) {
        tomo_buf_c(b, " aria-invalid=\"true\"");
    }
}


static void
field_badge(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    tomo_buf_c(b, f->question->required ? " <span class=\"r\">必須</span>"
                                        : " <span class=\"o\">任意</span>");
}


static void
field_help(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    if (f->question->help.len == 0) {
        return;
    }

    tomo_buf_c(b, "<p class=\"h\"");
    field_attr_id(b, "id", f, "h");
    tomo_buf_byte(b, '>');
    tomo_survey_text_put(b, f->question->help);
    tomo_buf_c(b, "</p>\n");
}


static void
field_error(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    if (f->error == NULL) {
        return;
    }

    tomo_buf_c(b, "<p class=\"e\"");
    field_attr_id(b, "id", f, "e");
    tomo_buf_c(b, ">エラー：");
    tomo_html_put(b, tomo_str_c(f->error));
    tomo_buf_c(b, "</p>\n");
}


static tomo_str_t
field_value(const tomo_survey_field_t *f)
{
    return f->given != NULL && f->given->n_values > 0 ? f->given->values[0]
                                                      : tomo_str_null;
}


static bool
field_chosen(const tomo_survey_field_t *f, tomo_str_t id)
{
    size_t  i;

    for (i = 0; f->given != NULL && i < f->given->n_values; i++) {

        if (tomo_str_eq(f->given->values[i], id)) {
            return true;
        }
    }

    return false;
}


static void
field_input(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    size_t           i;
    tomo_str_t       id = f->question->id;
    tomo_question_e  kind = f->question->kind;

    tomo_buf_c(b, "<input class=\"f\"");
    field_attr_id(b, "id", f, "");
    field_attr_name(b, f);

    for (i = 0; i < FIELD_INPUTS; i++) {

        if (field_inputs[i].kind == kind) {
            tomo_buf_c(b, field_inputs[i].attributes);
        }
    }

    for (i = 0; kind == TOMO_QUESTION_TEXT && i < FIELD_TEXTS; i++) {

        if (tomo_str_eq(id, tomo_str_c(field_texts[i].id))) {
            tomo_buf_c(b, " autocomplete=\"");
            tomo_buf_c(b, field_texts[i].autocomplete);
            tomo_buf_byte(b, '"');
        }
    }

    tomo_survey_field_aria(b, f);
    tomo_buf_c(b, " value=\"");
    tomo_html_put(b, field_value(f));
    tomo_buf_c(b, "\">\n");
}


static void
field_textarea(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    tomo_buf_c(b, "<textarea class=\"f\" rows=\"5\"");
    field_attr_id(b, "id", f, "");
    field_attr_name(b, f);
    tomo_survey_field_aria(b, f);
    tomo_buf_byte(b, '>');
    tomo_html_put(b, field_value(f));
    tomo_buf_c(b, "</textarea>\n");
}


static void
field_select(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    size_t                i;
    const tomo_option_t  *o;

    tomo_buf_c(b, "<select class=\"f\"");
    field_attr_id(b, "id", f, "");
    field_attr_name(b, f);
    tomo_survey_field_aria(b, f);
    tomo_buf_c(b, ">\n<option value=\"\">");
    tomo_buf_c(b, f->question->required ? "選んでください" : "選択しない");
    tomo_buf_c(b, "</option>\n");

    for (i = 0; i < f->question->n_options; i++) {
        o = &f->question->options[i];

        tomo_buf_c(b, "<option value=\"");
        tomo_html_put(b, o->id);
        tomo_buf_c(b, field_chosen(f, o->id) ? "\" selected>" : "\">");
        tomo_html_put(b, o->label);
        tomo_buf_c(b, "</option>\n");
    }

    tomo_buf_c(b, "</select>\n");
}


/* n: position in the group, which makes the id */
static void
field_choice(tomo_buf_t *b, const tomo_survey_field_t *f, size_t n,
    tomo_str_t id, tomo_str_t label, bool checked)
{
    bool  many = f->question->kind == TOMO_QUESTION_MULTI;

    tomo_buf_c(b, "<label class=\"k\"><input id=\"");
    tomo_survey_field_id(b, f->index, "");
    tomo_buf_byte(b, '-');
    tomo_buf_u64(b, n);
    tomo_buf_c(b, many ? "\" type=\"checkbox\"" : "\" type=\"radio\"");
    field_attr_name(b, f);
    tomo_buf_c(b, " value=\"");
    tomo_html_put(b, id);
    tomo_buf_byte(b, '"');

    if (many && f->error != NULL) {
        tomo_buf_c(b, " aria-invalid=\"true\"");
    }

    tomo_buf_c(b, checked ? " checked><span>" : "><span>");
    tomo_html_put(b, label);
    tomo_buf_c(b, "</span></label>\n");
}


/*
 * A radio button cannot be let go of again without a script, so an optional
 * question has one that means nothing, unless its author thought of that.
 */
static void
field_choices(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    bool                    none;
    size_t                  i;
    tomo_str_t              label = tomo_str("回答しない");
    const tomo_question_t  *q = f->question;

    none = q->kind == TOMO_QUESTION_SINGLE && !q->required;

    for (i = 0; i < q->n_options; i++) {
        none = none && !tomo_str_eq(q->options[i].label, label);
        field_choice(b, f, i, q->options[i].id, q->options[i].label,
                     field_chosen(f, q->options[i].id));
    }

    if (none) {
        field_choice(b, f, i, tomo_str_null, label, false);
    }
}


static void
field_group(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    const tomo_question_t  *q = f->question;

    tomo_buf_c(b, "<fieldset");

    if (q->kind == TOMO_QUESTION_SINGLE) {
        tomo_buf_c(b, " role=\"radiogroup\"");

        if (q->required) {
            tomo_buf_c(b, " aria-required=\"true\"");
        }

        if (f->error != NULL) {
            tomo_buf_c(b, " aria-invalid=\"true\"");
        }
    }

    field_describedby(b, f);
    tomo_buf_c(b, ">\n<legend class=\"l\">");
    tomo_html_put(b, q->label);
    field_badge(b, f);
    tomo_buf_c(b, "</legend>\n");
    field_help(b, f);

    if (q->kind == TOMO_QUESTION_DATE) {
        tomo_survey_date_put(b, f);

    } else {
        field_choices(b, f);
    }

    field_error(b, f);
    tomo_buf_c(b, "</fieldset>\n");
}


/* what is agreed to is read before the box */
static void
field_consent(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    field_help(b, f);
    tomo_buf_c(b, "<label class=\"k\"><input type=\"checkbox\" value=\"1\"");
    field_attr_id(b, "id", f, "");
    field_attr_name(b, f);
    tomo_survey_field_aria(b, f);
    tomo_buf_c(b, field_chosen(f, tomo_str("1")) ? " checked><span>"
                                                 : "><span>");
    tomo_html_put(b, f->question->label);
    field_badge(b, f);
    tomo_buf_c(b, "</span></label>\n");
    field_error(b, f);
}


static void
field_single(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    tomo_buf_c(b, "<label class=\"l\"");
    field_attr_id(b, "for", f, "");
    tomo_buf_byte(b, '>');
    tomo_html_put(b, f->question->label);
    field_badge(b, f);
    tomo_buf_c(b, "</label>\n");
    field_help(b, f);

    switch (f->question->kind) {

    case TOMO_QUESTION_LONG_TEXT:
        field_textarea(b, f);
        break;

    case TOMO_QUESTION_SELECT:
        field_select(b, f);
        break;

    default:
        field_input(b, f);
    }

    field_error(b, f);
}


void
tomo_survey_field_put(tomo_buf_t *b, const tomo_survey_field_t *f)
{
    if (f->question->kind == TOMO_QUESTION_HEADING) {
        tomo_buf_c(b, "<h2>");
        tomo_html_put(b, f->question->label);
        tomo_buf_c(b, "</h2>\n");
        field_help(b, f);
        return;
    }

    tomo_buf_c(b, f->error != NULL ? "<div class=\"c b\">\n"
                                   : "<div class=\"c\">\n");

    if (field_is_group(f->question->kind)) {
        field_group(b, f);

    } else if (f->question->kind == TOMO_QUESTION_CONSENT) {
        field_consent(b, f);

    } else {
        field_single(b, f);
    }

    tomo_buf_c(b, "</div>\n");
}
