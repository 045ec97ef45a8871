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

typedef enum {
    MESSAGE_WHOLE = 0,
    MESSAGE_CUT,                /* a text was longer than LINE takes */
    MESSAGE_EMPTY               /* … came out empty: LINE would refuse it */
} message_render_e;

/*
 * Appends the object, texts filled in by value (as tomo_tmpl_render).  Of what
 * is EMPTY nothing may be sent.
 */
message_render_e message_render(const message_t *m, tomo_tmpl_value_pt value,
    void *ctx, tomo_buf_t *out);

/* --- message_text.c ------------------------------------------------------- */

/* nothing but white space, or nothing */
bool message_text_blank(tomo_str_t s);
/* can it come out blank when values are missing? */
bool message_text_maybe_blank(const tomo_tmpl_t *t);
/* longest good beginning with at most max UTF-16 units: whole characters, and
   no address cut in two */
size_t message_text_cut(tomo_str_t s, size_t max);

/* message_check.c: faults of one object as LINE would find them */
void message_check(check_t *c, const json_t *j);
/* message_action.c */
void message_check_action(check_t *c, const json_t *j, size_t label_max,
    bool label_required);

#endif
