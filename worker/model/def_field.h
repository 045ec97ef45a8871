/* def_field: the compiled form of a friend's field */

#ifndef DEF_FIELD_H
#define DEF_FIELD_H

#include "check.h"

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
} def_field_t;

#endif
