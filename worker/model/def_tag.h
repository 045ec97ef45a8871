/* def_tag: the compiled form of a tag */

#ifndef DEF_TAG_H
#define DEF_TAG_H

#include "action.h"

typedef struct {
    tomo_str_t  id;
    tomo_str_t  name;
    actions_t   actions;        /* run once when it is added */
} def_tag_t;

#endif
