/*
 * json: foreign JSON (LINE's bodies, definitions, API requests) into our own
 * bounded tree, and JSON out.  The reader is yajl's SAX; its tree is never
 * used.
 *
 * Refused: anything but one document; nesting over 32; more bytes or nodes
 * than allowed; an object with the same name twice; invalid UTF-8 (overlong
 * forms and surrogates too), lone \u surrogates; NUL in a name.  A string may
 * hold \u0000: views have lengths.  Numbers stay text (ids beyond 2^53 live).
 *
 * A tree lives in the caller's arena and views the arena or the text: both
 * must outlive it.  Any thread.
 */

#ifndef JSON_H
#define JSON_H

#include "tomo_base.h"

#define JSON_DEPTH_MAX  32

typedef enum {
    JSON_NULL = 0,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} json_kind_e;

typedef struct json_s  json_t;

struct json_s {
    json_kind_e   kind;
    bool          boolean;
    tomo_str_t    name;         /* of a member, else {NULL, 0} */
    tomo_str_t    text;         /* STRING: decoded; NUMBER: as written */
    size_t        n;            /* members or elements */
    json_t       *first;
    json_t       *next;         /* sibling */
    json_t       *last;
};

typedef struct {
    size_t  max_bytes;          /* 0: 1 MiB */
    size_t  max_nodes;          /* 0: 20,000 */
} json_limits_t;

typedef struct {
    size_t       offset;        /* of the fault, bytes */
    const char  *why;           /* static text */
} json_error_t;

/*
 * TOMO_INVALID: not JSON, or refused by the rules above; TOMO_LIMIT: depth,
 * bytes or nodes; TOMO_FULL: arena (about 96 bytes a node and the decoded
 * strings).  limits and error may be NULL.
 */
tomo_rc_e json_parse(tomo_str_t text, const json_limits_t *limits,
    tomo_arena_t *a, json_t **root, json_error_t *error) TOMO_MUST_CHECK;

/* one document of JSON, of any depth and size? */
bool json_is_whole(tomo_str_t text);

/* member of an object; NULL: absent, null, or j is no object (or NULL) */
json_t *json_get(const json_t *j, const char *name);
json_t *json_get_str(const json_t *j, tomo_str_t name);
/* element i of an array; NULL */
json_t *json_at(const json_t *j, size_t i);

#define json_each(var, parent)                                                \
    for (json_t *var = (parent) == NULL ? NULL : (parent)->first;             \
         var != NULL; var = var->next)

/*
 * Typed members.  TOMO_ABSENT: not there or null; TOMO_INVALID: there, but of
 * another kind, not an integer, or out of range.  The out-parameter is
 * untouched then: set the default before.
 */
tomo_rc_e json_str(const json_t *j, const char *name, tomo_str_t *s)
    TOMO_MUST_CHECK;
tomo_rc_e json_i64(const json_t *j, const char *name, int64_t min,
    int64_t max, int64_t *n) TOMO_MUST_CHECK;
tomo_rc_e json_bool(const json_t *j, const char *name, bool *b)
    TOMO_MUST_CHECK;
/* an id as text: a string, or a number as it was written */
tomo_rc_e json_id(const json_t *j, const char *name, tomo_str_t *s)
    TOMO_MUST_CHECK;
tomo_rc_e json_array(const json_t *j, const char *name, json_t **array)
    TOMO_MUST_CHECK;
tomo_rc_e json_object(const json_t *j, const char *name, json_t **object)
    TOMO_MUST_CHECK;

/* an integer number node; TOMO_INVALID */
tomo_rc_e json_int(const json_t *number, int64_t min, int64_t max,
    int64_t *n) TOMO_MUST_CHECK;

/*
 * Writing: into a tomo_buf_t, which remembers overflow.  Commas are put where
 * the byte before asks for one, so calls may simply follow each other:
 *   json_open(b, NULL, '{'); json_put_str(b, "id", s); json_close(b, '}');
 * name NULL: an array element or the document itself.
 */
void json_open(tomo_buf_t *b, const char *name, char bracket);
void json_close(tomo_buf_t *b, char bracket);
void json_put_str(tomo_buf_t *b, const char *name, tomo_str_t s);
void json_put_c(tomo_buf_t *b, const char *name, const char *s);
void json_put_i64(tomo_buf_t *b, const char *name, int64_t n);
void json_put_bool(tomo_buf_t *b, const char *name, bool v);
void json_put_null(tomo_buf_t *b, const char *name);
/* raw: text that is JSON already */
void json_put_raw(tomo_buf_t *b, const char *name, tomo_str_t raw);
/* a tree, compact, members in their order */
void json_put(tomo_buf_t *b, const char *name, const json_t *j);

#endif
