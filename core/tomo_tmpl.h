/*
 * tomo_tmpl: texts with inserts: {{name}}, {{name|fallback}}, {{link:ID}},
 * {{survey:ID}}, {{field:ID|fallback}}.  `{{{{` is a literal `{{`.  The value
 * of an insert is data: it is never read as a template again (B62).
 *
 * A template is checked and cut into parts once; rendering only copies.
 */

#ifndef TOMO_TMPL_H
#define TOMO_TMPL_H

#include "tomo_base.h"

#define TOMO_TMPL_PARTS  200

typedef enum {
    TOMO_PART_TEXT = 0,     /* text: verbatim */
    TOMO_PART_NAME,         /* the friend's display name */
    TOMO_PART_FIELD,        /* id: a field */
    TOMO_PART_LINK,         /* id: a link: its personal URL */
    TOMO_PART_SURVEY        /* id: a survey: its personal URL */
} tomo_part_e;

typedef struct {
    tomo_part_e  kind;
    tomo_str_t   text;      /* TEXT: the text; else the fallback, may be "" */
    tomo_str_t   id;
} tomo_part_t;

typedef struct {
    tomo_part_t  *parts;
    size_t        n;
    bool          personal;     /* has any insert: not for multicast */
} tomo_tmpl_t;

/*
 * Views into text and arena.  TOMO_INVALID with *at = offset of the fault and
 * *why = static text; TOMO_LIMIT: too many parts; TOMO_FULL.
 */
tomo_rc_e tomo_tmpl_parse(tomo_str_t text, tomo_arena_t *a, tomo_tmpl_t *t,
    size_t *at, const char **why) TOMO_MUST_CHECK;

/*
 * Gives the value of an insert, or an empty view for "use the fallback".
 * The view must stay valid until the call of tomo_tmpl_render returns.
 */
typedef tomo_str_t (*tomo_tmpl_value_pt)(void *ctx, const tomo_part_t *part);

void tomo_tmpl_render(const tomo_tmpl_t *t, tomo_tmpl_value_pt value,
    void *ctx, tomo_buf_t *out);

#endif
