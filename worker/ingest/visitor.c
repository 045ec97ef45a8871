#include "visitor.h"


bool
visitor_is(decision_t *d, uint32_t serial, uint32_t check)
{
    size_t               i;
    uint32_t             own;
    tomo_str_t           uid;
    tomo_token_keys_t   *keys = &d->o->vault->tokens;

    d->f = serial != 0 ? view_friend(d->view, serial) : NULL;

    if (d->f == NULL) {
        return false;
    }

    uid = friend_get_c(d->f, "uid");

    for (i = 0; i < keys->n; i++) {
        if (tomo_token_check(&keys->keys[i], uid, &own) == TOMO_OK
            && own == check)
        {
            return true;
        }
    }

    d->f = NULL;

    return false;
}
