/*
 * view_own: what the two halves of loading share: view_load.c (friends, marks,
 * rows of the outbox) and view_page.c (pages of longer keys).  For them alone.
 */

#ifndef VIEW_OWN_H
#define VIEW_OWN_H

#include "view.h"

typedef enum {
    VIEW_UID = 0,               /* serial of the event's user id */
    VIEW_MET,
    VIEW_OLD_SET,
    VIEW_ROW,
    VIEW_PAGE,
    VIEW_ERASE_OUT,
    VIEW_ERASE_ASIDE,
    VIEW_ROWS,
    VIEW_FRIEND
} view_want_e;

typedef struct {
    view_want_e  kind;
    event_t     *ev;
    uint32_t     serial;
} view_want_t;

typedef struct {
    view_t        *v;
    redis_t       *r;
    redis_args_t   args;
    view_want_t   *wants;
    size_t         n;
    size_t         cap;
    tomo_rc_e      rc;
} view_load_t;

/* the reply to the command just built is wanted for this */
void view_want(view_load_t *l, view_want_e kind, event_t *ev,
    uint32_t serial);
/* begins the next command */
void view_command(view_load_t *l, const char *command, const tomo_buf_t *key);

/* strings of a flat array, copied to the arena; NULL: full */
tomo_str_t *view_copy(view_t *v, const redisReply *array);

/* a page of what a follow-up goes through */
void view_ask_page(view_load_t *l, event_t *ev);
void view_take_page(view_load_t *l, event_t *ev, const redisReply *reply);
void view_take_erase(view_load_t *l, event_t *ev, bool out,
    const redisReply *reply);
/* the rows of the friend's timeline, newest first */
void view_ask_rows(view_load_t *l, event_t *ev);

#endif
