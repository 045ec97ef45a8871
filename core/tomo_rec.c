/*
 * tomo_rec: lines of name=value.
 */

#include "tomo_rec.h"
#include "tomo_codec.h"

#include <string.h>


/* does a field follow another one?  A line may open with a word and a space */
static bool
rec_joined(const tomo_buf_t *b)
{
    return b->len > 0 && b->data[b->len - 1] != '\n'
           && b->data[b->len - 1] != ' ';
}


static void
rec_name(tomo_buf_t *b, const char *name)
{
    if (rec_joined(b)) {
        tomo_buf_byte(b, '&');
    }

    tomo_buf_c(b, name);
    tomo_buf_byte(b, '=');
}


/* name and value in one piece: most fields are short numbers */
static void
rec_pair(tomo_buf_t *b, const char *name, const uint8_t *value, size_t len)
{
    bool         joined;
    uint8_t     *p;
    tomo_str_t   key;

    key = tomo_str_c(name);
    joined = rec_joined(b);
    p = tomo_buf_take(b, joined + key.len + 1 + len);

    if (p == NULL) {
        return;
    }

    if (joined) {
        *p++ = '&';
    }

    memcpy(p, key.data, key.len);
    p += key.len;
    *p++ = '=';
    memcpy(p, value, len);
}


void
tomo_rec_put(tomo_buf_t *b, const char *name, tomo_str_t value)
{
    rec_name(b, name);
    tomo_percent_put(b, value);
}


void
tomo_rec_put_u64(tomo_buf_t *b, const char *name, uint64_t n)
{
    size_t   at;
    uint8_t  digits[20];

    at = sizeof(digits);

    do {
        digits[--at] = (uint8_t) ('0' + n % 10);
        n /= 10;
    } while (n > 0);

    rec_pair(b, name, digits + at, sizeof(digits) - at);
}


void
tomo_rec_put_i64(tomo_buf_t *b, const char *name, int64_t n)
{
    if (n >= 0) {
        tomo_rec_put_u64(b, name, (uint64_t) n);
        return;
    }

    rec_name(b, name);
    tomo_buf_i64(b, n);
}


void
tomo_rec_end(tomo_buf_t *b)
{
    tomo_buf_byte(b, '\n');
}


static size_t
rec_count(tomo_str_t line)
{
    size_t  n, at;

    if (line.len == 0) {
        return 0;
    }

    n = 1;

    for (at = tomo_str_find(line, 0, '&'); at < line.len;
         at = tomo_str_find(line, at + 1, '&'))
    {
        n++;
    }

    return n;
}


/* a value without escapes is a view of the line: no copy */
static tomo_rc_e
rec_value(tomo_str_t raw, tomo_arena_t *a, tomo_str_t *value)
{
    void        *p;
    tomo_rc_e    rc;
    tomo_buf_t   b;

    if (tomo_str_find(raw, 0, '%') == raw.len) {
        *value = raw;
        return TOMO_OK;
    }

    p = tomo_arena_alloc(a, raw.len);

    if (p == NULL) {
        return TOMO_FULL;
    }

    tomo_buf_init(&b, p, raw.len);
    rc = tomo_percent_get(raw, false, &b);
    *value = tomo_buf_str(&b);

    return rc;
}


tomo_rc_e
tomo_rec_parse(tomo_str_t line, tomo_arena_t *a, tomo_rec_t *rec)
{
    size_t             i, n, at, end, equals;
    tomo_rc_e          rc;
    tomo_rec_field_t  *fields;

    n = rec_count(line);

    if (n > TOMO_REC_FIELDS_MAX) {
        return TOMO_LIMIT;
    }

    fields = tomo_arena_array(a, n, sizeof(tomo_rec_field_t));

    if (fields == NULL) {
        return TOMO_FULL;
    }

    at = 0;

    for (i = 0; i < n; i++) {
        end = tomo_str_find(line, at, '&');
        equals = tomo_str_find(line, at, '=');

        if (equals >= end || equals == at) {
            return TOMO_INVALID;
        }

        fields[i].name = tomo_str_n(line.data + at, equals - at);
        rc = rec_value(tomo_str_n(line.data + equals + 1, end - equals - 1),
                       a, &fields[i].value);

        if (rc != TOMO_OK) {
            return rc;
        }

        at = end + 1;
    }

    rec->fields = fields;
    rec->n = n;

    return TOMO_OK;
}


bool
tomo_rec_line(tomo_str_t *rest, tomo_str_t *line)
{
    size_t  end;

    if (rest->len == 0) {
        return false;
    }

    end = tomo_str_find(*rest, 0, '\n');
    *line = tomo_str_n(rest->data, end);

    if (end < rest->len) {
        end++;
    }

    *rest = tomo_str_n(rest->data + end, rest->len - end);

    return true;
}


const tomo_str_t *
tomo_rec_get(const tomo_rec_t *rec, const char *name)
{
    size_t      i;
    tomo_str_t  want;

    want = tomo_str_c(name);

    for (i = 0; i < rec->n; i++) {
        if (tomo_str_eq(rec->fields[i].name, want)) {
            return &rec->fields[i].value;
        }
    }

    return NULL;
}


tomo_rc_e
tomo_rec_get_u64(const tomo_rec_t *rec, const char *name, uint64_t max,
    uint64_t *n)
{
    const tomo_str_t  *value;

    value = tomo_rec_get(rec, name);

    return (value == NULL) ? TOMO_ABSENT : tomo_u64_get(*value, max, n);
}


tomo_rc_e
tomo_rec_get_i64(const tomo_rec_t *rec, const char *name, int64_t *n)
{
    const tomo_str_t  *value;

    value = tomo_rec_get(rec, name);

    return (value == NULL) ? TOMO_ABSENT : tomo_i64_get(*value, n);
}
