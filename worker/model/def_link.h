/* def_link: the compiled form of a tracked link */

#ifndef DEF_LINK_H
#define DEF_LINK_H

#include "action.h"

typedef struct {
    tomo_str_t  id;
    tomo_str_t  name;
    tomo_str_t  url;
    bool        open;
    bool        actions_once;   /* at the friend's first click only */
    actions_t   actions;
} def_link_t;

#endif
