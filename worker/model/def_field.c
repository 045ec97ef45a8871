#include "def_field.h"

#include "defs.h"


static void
def_field_options(check_t *c, const json_t *doc, def_field_t *field)
{
    size_t                    down, down_i;
    const json_t             *list;
    static const char *const  members[] = { "id", "label", NULL };

    list = check_array(c, doc, "options", false, TOMO_SURVEY_OPTIONS);

    if (list == NULL) {
        return;
    }

    if (field->type != DEF_FIELD_CHOICE && field->type != DEF_FIELD_MULTI) {
        check_fail_at(c, "options", "only belong to choice and multi");
        return;
    }

    field->options = check_alloc(c, list->n, sizeof(tomo_option_t));

    if (field->options == NULL) {
        return;
    }

    down = check_down(c, "options");

    json_each (j, list) {
        down_i = check_down_i(c, field->n_options);
        check_members(c, j, members);
        field->options[field->n_options].id = check_id(c, j, "id");
        field->options[field->n_options++].label = check_text(c, j, "label",
                                                              true, 200);
        check_up(c, down_i);
    }

    check_up(c, down);
}


static tomo_str_t
def_field_label(const def_field_t *field, tomo_str_t id)
{
    size_t  i;

    for (i = 0; i < field->n_options; i++) {
        if (tomo_str_eq(field->options[i].id, id)) {
            return field->options[i].label;
        }
    }

    return id;
}


void
def_field_show(const def_field_t *field, tomo_str_t value, tomo_buf_t *out)
{
    size_t  at, end;

    if (field->type != DEF_FIELD_CHOICE && field->type != DEF_FIELD_MULTI) {
        tomo_buf_put(out, value);
        return;
    }

    for (at = 0; at < value.len; at = end + 1) {
        end = tomo_str_find(value, at, '\n');
        tomo_buf_c(out, at > 0 ? "、" : "");
        tomo_buf_put(out, def_field_label(field,
                                          tomo_str_n(value.data + at,
                                                     end - at)));
    }
}


const void *
def_field_compile(check_t *c, const json_t *doc, const def_t *def)
{
    def_field_t              *field;
    static const char *const  members[] = {
        "kind", "id", "revision", "name", "type", "options", NULL
    };
    static const char *const  types[] = {
#define DEF_FIELD_WORD_(name, word)  word,
        DEF_FIELD_TYPES(DEF_FIELD_WORD_)
#undef DEF_FIELD_WORD_
        NULL
    };

    check_members(c, doc, members);
    field = check_alloc(c, 1, sizeof(def_field_t));

    if (field == NULL) {
        return NULL;
    }

    field->id = def->id;
    field->name = check_text(c, doc, "name", true, 100);
    field->type = (def_field_type_e) check_word(c, doc, "type", types, -1);
    def_field_options(c, doc, field);

    return field;
}
