/*
 * tomo_rec: flat records: `name=value&name=value`, one per line, values
 * percent-encoded (everything but A-Z a-z 0-9 - . _ ~).  The form of what we
 * write ourselves into streams, the edge feed and the friend's hash: readable
 * in redis-cli, versionable, tolerant: a reader ignores names it does not
 * know and may meet names again (lists).
 */

#ifndef TOMO_REC_H
#define TOMO_REC_H

#include "tomo_base.h"

#define TOMO_REC_FIELDS_MAX  512        /* of one line */

typedef struct {
    tomo_str_t  name;
    tomo_str_t  value;      /* decoded */
} tomo_rec_field_t;

typedef struct {
    tomo_rec_field_t  *fields;
    size_t             n;
} tomo_rec_t;

/*
 * Appends name= and the encoded value; `&` before it unless the buffer is
 * empty or ends with \n or a space.
 */
void tomo_rec_put(tomo_buf_t *b, const char *name, tomo_str_t value);
void tomo_rec_put_u64(tomo_buf_t *b, const char *name, uint64_t n);
void tomo_rec_put_i64(tomo_buf_t *b, const char *name, int64_t n);
/* ends the line with \n */
void tomo_rec_end(tomo_buf_t *b);

/*
 * Decodes one line (without its \n) into the arena.  TOMO_INVALID: a field
 * without '=', an empty name, a broken %-sequence; TOMO_LIMIT: too many
 * fields; TOMO_FULL: arena.  *rec lives as long as line and arena do.
 */
tomo_rc_e tomo_rec_parse(tomo_str_t line, tomo_arena_t *a, tomo_rec_t *rec)
    TOMO_MUST_CHECK;

/* cuts the next line off *rest; false at the end */
bool tomo_rec_line(tomo_str_t *rest, tomo_str_t *line);

/* first field of that name; NULL: absent */
const tomo_str_t *tomo_rec_get(const tomo_rec_t *rec, const char *name);
/* numbers: TOMO_ABSENT, or TOMO_INVALID when not plain decimal in range */
tomo_rc_e tomo_rec_get_u64(const tomo_rec_t *rec, const char *name,
    uint64_t max, uint64_t *n) TOMO_MUST_CHECK;
tomo_rc_e tomo_rec_get_i64(const tomo_rec_t *rec, const char *name,
    int64_t *n) TOMO_MUST_CHECK;

#endif
