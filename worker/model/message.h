/*
 * message: the LINE message objects of a step or an action: checked against
 * LINE's limits (LINE.md 22, 23) and cut once into pieces that are verbatim
 * JSON and pieces that are texts with inserts; rendering for a friend only
 * copies.  An insert's value always becomes the inside of a JSON string.
 */

#ifndef MESSAGE_H
#define MESSAGE_H

#include "check.h"
#include "tomo_tmpl.h"

#define MESSAGE_BUBBLES_MAX  5          /* of one call (LINE.md 13) */
#define MESSAGE_TEXT_MAX     5000       /* UTF-16 units (LINE.md 22) */
#define MESSAGE_URI_MAX      1000
#define MESSAGE_ALT_MAX      1500

typedef struct {
    tomo_str_t   raw;           /* verbatim JSON */
    tomo_tmpl_t  tmpl;          /* n > 0: a text with inserts follows */
    size_t       max;           /* of the rendered text, UTF-16 units */
} message_piece_t;

typedef struct {
    message_piece_t  *pieces;
    size_t            n;
} message_t;

typedef struct {
    message_t  *items;
    size_t      n;
    bool        personal;       /* an insert anywhere: not for multicast */
} messages_t;

/* member name of j: an array of 1 to 5 message objects; NULL with a fault */
messages_t *messages_compile(check_t *c, const json_t *j, const char *name);

/*
 * Appends the object, texts filled in by value (as tomo_tmpl_render).  false:
 * a text had become longer than LINE takes and was cut at a whole character.
 */
bool message_render(const message_t *m, tomo_tmpl_value_pt value, void *ctx,
    tomo_buf_t *out);

/* message_check.c: faults of one object as LINE would find them */
void message_check(check_t *c, const json_t *j);
/* message_action.c */
void message_check_action(check_t *c, const json_t *j, size_t label_max,
    bool label_required);

#endif
