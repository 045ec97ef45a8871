/* def_field: the compiled form of a friend's field */

#ifndef DEF_FIELD_H
#define DEF_FIELD_H

#include "check.h"
#include "tomo_survey.h"

#define DEF_FIELD_BYTES  8192           /* of a stored value */

/* X(name, word) */
#define DEF_FIELD_TYPES(X)                                                    \
    X(TEXT,      "text")                                                      \
    X(LONG_TEXT, "long_text")                                                 \
    X(NUMBER,    "number")                                                    \
    X(DATE,      "date")                                                      \
    X(CHOICE,    "choice")                                                    \
    X(MULTI,     "multi")

typedef enum {
#define DEF_FIELD_ENUM_(name, word)  DEF_FIELD_##name,
    DEF_FIELD_TYPES(DEF_FIELD_ENUM_)
#undef DEF_FIELD_ENUM_
    DEF_FIELD_TYPE_END
} def_field_type_e;

typedef struct {
    tomo_str_t        id;
    tomo_str_t        name;
    def_field_type_e  type;
    tomo_option_t    *options;      /* of choice and multi; may be none */
    size_t            n_options;
} def_field_t;

/*
 * What an insert shows of a stored value: the labels of a choice's ids, joined
 * by the Japanese comma; ids without a label and other types as they are.
 */
void def_field_show(const def_field_t *field, tomo_str_t value,
    tomo_buf_t *out);

#endif
