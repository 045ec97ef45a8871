/* json_put: writing JSON into a bounded buffer. */

#include "json.h"
#include "tomo_codec.h"


/* the comma and the name that must stand before the next value */

static void
json_before(tomo_buf_t *b, const char *name)
{
    uint8_t  c = b->len == 0 ? '\0' : b->data[b->len - 1];

    if (c != '\0' && c != '{' && c != '[' && c != ':' && c != ',') {
        tomo_buf_byte(b, ',');
    }

    if (name != NULL) {
        tomo_json_put(b, tomo_str_c(name));
        tomo_buf_byte(b, ':');
    }
}


void
json_open(tomo_buf_t *b, const char *name, char bracket)
{
    json_before(b, name);
    tomo_buf_byte(b, (uint8_t) bracket);
}


void
json_close(tomo_buf_t *b, char bracket)
{
    tomo_buf_byte(b, (uint8_t) bracket);
}


void
json_put_str(tomo_buf_t *b, const char *name, tomo_str_t s)
{
    json_before(b, name);
    tomo_json_put(b, s);
}


void
json_put_c(tomo_buf_t *b, const char *name, const char *s)
{
    json_put_str(b, name, tomo_str_c(s));
}


void
json_put_i64(tomo_buf_t *b, const char *name, int64_t n)
{
    json_before(b, name);
    tomo_buf_i64(b, n);
}


void
json_put_bool(tomo_buf_t *b, const char *name, bool v)
{
    json_before(b, name);
    tomo_buf_c(b, v ? "true" : "false");
}


void
json_put_null(tomo_buf_t *b, const char *name)
{
    json_before(b, name);
    tomo_buf_c(b, "null");
}


void
json_put_raw(tomo_buf_t *b, const char *name, tomo_str_t raw)
{
    json_before(b, name);
    tomo_buf_put(b, raw);
}


/* recursion is bounded: a tree is at most JSON_DEPTH_MAX deep */

static void
json_put_node(tomo_buf_t *b, const json_t *j)
{
    bool  object = j->kind == JSON_OBJECT;

    switch (j->kind) {

    case JSON_NULL:
        tomo_buf_c(b, "null");
        return;

    case JSON_BOOL:
        tomo_buf_c(b, j->boolean ? "true" : "false");
        return;

    case JSON_NUMBER:
        tomo_buf_put(b, j->text);
        return;

    case JSON_STRING:
        tomo_json_put(b, j->text);
        return;

    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }

    tomo_buf_byte(b, object ? '{' : '[');

    json_each(member, j) {
        if (member != j->first) {
            tomo_buf_byte(b, ',');
        }

        if (object) {
            tomo_json_put(b, member->name);
            tomo_buf_byte(b, ':');
        }

        json_put_node(b, member);
    }

    tomo_buf_byte(b, object ? '}' : ']');
}


void
json_put(tomo_buf_t *b, const char *name, const json_t *j)
{
    json_before(b, name);
    json_put_node(b, j);
}
