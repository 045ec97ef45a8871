#include "def_survey.h"

#include "defs.h"
#include "tomo_keys.h"


static const char *const  def_survey_kinds[] = {
#define DEF_SURVEY_WORD_(name, word, max)  word,
    TOMO_QUESTIONS(DEF_SURVEY_WORD_)
#undef DEF_SURVEY_WORD_
    NULL
};

static const uint32_t  def_survey_max[] = {
#define DEF_SURVEY_MAX_(name, word, max)  max,
    TOMO_QUESTIONS(DEF_SURVEY_MAX_)
#undef DEF_SURVEY_MAX_
};


static bool
def_survey_choices(tomo_question_e kind)
{
    return kind == TOMO_QUESTION_SINGLE || kind == TOMO_QUESTION_SELECT
           || kind == TOMO_QUESTION_MULTI;
}


static void
def_survey_option(check_t *c, const json_t *j, tomo_question_t *q,
    actions_t *actions)
{
    size_t                    i;
    tomo_option_t            *option;
    static const char *const  members[] = { "id", "label", "actions", NULL };

    check_members(c, j, members);
    option = &q->options[q->n_options];
    option->id = check_id(c, j, "id");
    option->label = check_text(c, j, "label", true, 200);
    actions[q->n_options] = actions_compile(c, j, "actions");

    for (i = 0; i < q->n_options; i++) {
        if (!c->failed && tomo_str_eq(q->options[i].id, option->id)) {
            check_fail_at(c, "id", "is used by an option before");
        }
    }

    q->n_options++;
}


static void
def_survey_options(check_t *c, const json_t *j, def_survey_t *survey,
    size_t index)
{
    size_t            down, down_i;
    actions_t        *actions;
    const json_t     *list;
    tomo_question_t  *q;

    q = &survey->shape.questions[index];

    if (!def_survey_choices(q->kind)) {
        if (json_get(j, "options") != NULL) {
            check_fail_at(c, "options", "only belong to single, select and "
                          "multi");
        }

        return;
    }

    list = check_array(c, j, "options", true, TOMO_SURVEY_OPTIONS);

    if (list == NULL) {
        return;
    }

    q->options = check_alloc(c, list->n, sizeof(tomo_option_t));
    actions = check_alloc(c, list->n, sizeof(actions_t));

    if (q->options == NULL || actions == NULL) {
        return;
    }

    survey->options[index] = actions;
    down = check_down(c, "options");

    json_each (item, list) {
        down_i = check_down_i(c, q->n_options);
        def_survey_option(c, item, q, actions);
        check_up(c, down_i);
    }

    check_up(c, down);
}


static void
def_survey_question(check_t *c, const json_t *j, def_survey_t *survey)
{
    size_t                    i, index;
    tomo_question_t          *q;
    static const char *const  members[] = {
        "id", "type", "label", "help", "required", "max", "field", "options",
        NULL
    };

    check_members(c, j, members);

    if (c->failed) {
        return;
    }

    index = survey->shape.n_questions++;
    q = &survey->shape.questions[index];
    q->id = check_id(c, j, "id");
    q->kind = (tomo_question_e) check_word(c, j, "type", def_survey_kinds, -1);
    q->label = check_text(c, j, "label", true, 500);
    q->help = check_text(c, j, "help", false, 1000);
    q->required = check_bool(c, j, "required", false);
    q->max = (uint32_t) check_int(c, j, "max", 1, 5000,
                                  def_survey_max[q->kind]);

    /* "birth.y" would meet a part of the date "birth" in the posted form */

    if (!c->failed && tomo_str_find(q->id, 0, '.') < q->id.len) {
        check_fail_at(c, "id", "of a question has no dot");
    }

    if (json_get(j, "field") != NULL) {
        survey->fields[index] = check_ref(c, j, "field", DEF_FIELD);
    }

    for (i = 0; i < index; i++) {
        if (!c->failed
            && tomo_str_eq(survey->shape.questions[i].id, q->id))
        {
            check_fail_at(c, "id", "is used by a question before");
        }
    }

    def_survey_options(c, j, survey, index);
}


/* what is refused here would be a form that nobody could post */
static void
def_survey_values(check_t *c, const def_survey_t *survey)
{
    size_t                  i, values;
    const tomo_question_t  *q;

    for (i = 0, values = 0; i < survey->shape.n_questions; i++) {
        q = &survey->shape.questions[i];
        values += q->kind == TOMO_QUESTION_MULTI ? q->n_options : 1;
    }

    if (!c->failed && values > TOMO_SURVEY_VALUES) {
        check_fail_at(c, "questions", "offer more choices than one post can "
                      "carry: at most 496, counting 1 for other questions");
    }
}


static void
def_survey_questions(check_t *c, const json_t *doc, def_survey_t *survey)
{
    size_t         down, down_i, i = 0;
    const json_t  *list;

    list = check_array(c, doc, "questions", true, TOMO_SURVEY_QUESTIONS);

    if (list == NULL) {
        return;
    }

    survey->shape.questions = check_alloc(c, list->n,
                                          sizeof(tomo_question_t));
    survey->fields = check_alloc(c, list->n, sizeof(uint32_t));
    survey->options = check_alloc(c, list->n, sizeof(actions_t *));

    if (c->arena->failed) {
        return;
    }

    down = check_down(c, "questions");

    json_each (item, list) {
        down_i = check_down_i(c, i++);
        def_survey_question(c, item, survey);
        check_up(c, down_i);
    }

    check_up(c, down);
}


const void *
def_survey_compile(check_t *c, const json_t *doc, const def_t *def)
{
    def_survey_t             *survey;
    static const char *const  members[] = {
        "kind", "id", "revision", "title", "intro", "submit", "thanks",
        "open", "once", "questions", "actions", NULL
    };

    check_members(c, doc, members);
    survey = check_alloc(c, 1, sizeof(def_survey_t));

    if (survey == NULL) {
        return NULL;
    }

    survey->shape.no = def->no;
    survey->shape.rev = def->revision;
    survey->shape.id = def->id;
    survey->shape.open = check_bool(c, doc, "open", true);
    survey->shape.title = check_text(c, doc, "title", true, 200);
    survey->shape.intro = check_text(c, doc, "intro", false, 2000);
    survey->shape.submit = check_text(c, doc, "submit", false, 40);
    survey->shape.thanks = check_text(c, doc, "thanks", false, 2000);
    survey->once = check_bool(c, doc, "once", false);

    if (survey->shape.submit.len == 0) {
        survey->shape.submit = tomo_str("送信する");
    }

    if (survey->shape.thanks.len == 0) {
        survey->shape.thanks = tomo_str("ご回答ありがとうございました。");
    }

    def_survey_questions(c, doc, survey);
    def_survey_values(c, survey);
    survey->actions = actions_compile(c, doc, "actions");

    return survey;
}


void
def_survey_put(tomo_buf_t *b, const def_survey_t *survey)
{
    tomo_survey_put(b, &survey->shape);
}
