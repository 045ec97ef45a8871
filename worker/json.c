#include "json.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "tomo_codec.h"
#include "tomo_utf8.h"

#define JSON_BYTES_DEFAULT  (1024 * 1024)
#define JSON_NODES_DEFAULT  20000
#define JSON_MEMBERS_MAX    1000    /* of one object; the search for
                                       duplicates is linear */


typedef struct {
    tomo_arena_t  *arena;
    json_t        *root;
    json_t        *stack[JSON_DEPTH_MAX];
    size_t         depth;
    size_t         nodes;
    size_t         max_nodes;
    tomo_str_t     name;        /* of the member that comes next */
    tomo_rc_e      rc;
    const char    *why;
} json_build_t;


static int
json_stop(json_build_t *b, tomo_rc_e rc, const char *why)
{
    b->rc = rc;
    b->why = why;

    return 0;
}


static json_t *
json_node(json_build_t *b, json_kind_e kind)
{
    json_t  *j, *parent;

    if (++b->nodes > b->max_nodes) {
        json_stop(b, TOMO_LIMIT, "too many values");
        return NULL;
    }

    j = tomo_arena_alloc(b->arena, sizeof(*j));

    if (j == NULL) {
        json_stop(b, TOMO_FULL, "too large for its memory");
        return NULL;
    }

    j->kind = kind;

    if (b->depth == 0) {
        b->root = j;
        return j;
    }

    parent = b->stack[b->depth - 1];

    if (parent->kind == JSON_OBJECT) {
        j->name = b->name;
    }

    if (parent->last == NULL) {
        parent->first = j;

    } else {
        parent->last->next = j;
    }

    parent->last = j;
    parent->n++;

    return j;
}


static tomo_str_t
json_text(json_build_t *b, const void *data, size_t len)
{
    tomo_str_t  s;

    if (len == 0) {
        return tomo_str("");
    }

    s = tomo_arena_dup(b->arena, tomo_str_n(data, len));

    if (s.data == NULL) {
        json_stop(b, TOMO_FULL, "too large for its memory");
    }

    return s;
}


static int
json_on_null(void *ctx)
{
    return json_node(ctx, JSON_NULL) != NULL;
}


static int
json_on_bool(void *ctx, int value)
{
    json_t  *j = json_node(ctx, JSON_BOOL);

    if (j == NULL) {
        return 0;
    }

    j->boolean = value != 0;

    return 1;
}


static int
json_on_number(void *ctx, const char *text, size_t len)
{
    json_t  *j = json_node(ctx, JSON_NUMBER);

    if (j == NULL) {
        return 0;
    }

    j->text = json_text(ctx, text, len);

    return j->text.data != NULL;
}


static int
json_on_string(void *ctx, const unsigned char *text, size_t len)
{
    json_t  *j = json_node(ctx, JSON_STRING);

    if (j == NULL) {
        return 0;
    }

    j->text = json_text(ctx, text, len);

    return j->text.data != NULL;
}


static int
json_on_name(void *ctx, const unsigned char *text, size_t len)
{
    json_build_t  *b = ctx;
    json_t        *object = b->stack[b->depth - 1];
    tomo_str_t     name = tomo_str_n(text, len);

    if (object->n >= JSON_MEMBERS_MAX) {
        return json_stop(b, TOMO_LIMIT, "too many members in one object");
    }

    if (len > 0 && memchr(text, 0, len) != NULL) {
        return json_stop(b, TOMO_INVALID, "a zero byte in a name");
    }

    if (json_get_str(object, name) != NULL) {
        return json_stop(b, TOMO_INVALID, "the same name twice");
    }

    /* json_get hides nulls, a second one of the same name counts too */
    json_each(j, object) {
        if (j->kind == JSON_NULL && tomo_str_eq(j->name, name)) {
            return json_stop(b, TOMO_INVALID, "the same name twice");
        }
    }

    b->name = json_text(b, text, len);

    return b->name.data != NULL;
}


static int
json_on_open(json_build_t *b, json_kind_e kind)
{
    json_t  *j;

    if (b->depth == JSON_DEPTH_MAX) {
        return json_stop(b, TOMO_LIMIT, "nested too deeply");
    }

    j = json_node(b, kind);

    if (j == NULL) {
        return 0;
    }

    b->stack[b->depth++] = j;

    return 1;
}


static int
json_on_object(void *ctx)
{
    return json_on_open(ctx, JSON_OBJECT);
}


static int
json_on_array(void *ctx)
{
    return json_on_open(ctx, JSON_ARRAY);
}


static int
json_on_close(void *ctx)
{
    json_build_t  *b = ctx;

    b->depth--;

    return 1;
}


static const yajl_callbacks  json_callbacks = {
    .yajl_null = json_on_null,
    .yajl_boolean = json_on_bool,
    .yajl_number = json_on_number,
    .yajl_string = json_on_string,
    .yajl_start_map = json_on_object,
    .yajl_map_key = json_on_name,
    .yajl_end_map = json_on_close,
    .yajl_start_array = json_on_array,
    .yajl_end_array = json_on_close,
};


static bool
json_hex4(tomo_str_t text, size_t at, uint32_t *unit)
{
    uint32_t  n = 0;

    if (text.len - at < 4) {
        return false;
    }

    for (size_t i = at; i < at + 4; i++) {
        uint8_t   c = text.data[i];
        uint32_t  digit;

        if (c >= '0' && c <= '9') {
            digit = (uint32_t) c - '0';

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t) (c | 0x20) - 'a' + 10;

        } else {
            return false;
        }

        n = n << 4 | digit;
    }

    *unit = n;

    return true;
}


/*
 * The parser turns a lone \u surrogate into something else silently, so the
 * escapes are read here first.  Returns the offset of a fault, or text.len.
 */

static size_t
json_surrogates(tomo_str_t text)
{
    size_t    i = 0;
    uint32_t  unit, low;

    while (i < text.len) {
        const uint8_t  *p = memchr(text.data + i, '\\', text.len - i);

        if (p == NULL) {
            return text.len;
        }

        i = (size_t) (p - text.data) + 1;

        if (i == text.len || text.data[i] != 'u') {
            i++;
            continue;
        }

        if (!json_hex4(text, i + 1, &unit)) {
            return i - 1;
        }

        i += 5;

        if (unit < 0xd800 || unit > 0xdfff) {
            continue;
        }

        if (unit > 0xdbff || text.len - i < 6 || text.data[i] != '\\'
            || text.data[i + 1] != 'u' || !json_hex4(text, i + 2, &low)
            || low < 0xdc00 || low > 0xdfff)
        {
            return i - 6;
        }

        i += 6;
    }

    return text.len;
}


static tomo_rc_e
json_run(tomo_str_t text, json_build_t *b, size_t *offset)
{
    yajl_handle  h = yajl_alloc(&json_callbacks, NULL, b);
    yajl_status  status;

    if (h == NULL) {
        json_stop(b, TOMO_ERROR, "no memory for the parser");
        return TOMO_ERROR;
    }

    status = yajl_parse(h, text.data, text.len);
    *offset = yajl_get_bytes_consumed(h);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(h);
    }

    yajl_free(h);

    if (status != yajl_status_ok && b->rc == TOMO_OK) {
        json_stop(b, TOMO_INVALID, "not JSON");
    }

    if (b->rc == TOMO_OK && b->root == NULL) {
        json_stop(b, TOMO_INVALID, "empty");
    }

    return b->rc;
}


tomo_rc_e
json_parse(tomo_str_t text, const json_limits_t *limits, tomo_arena_t *a,
    json_t **root, json_error_t *error)
{
    size_t        offset = 0, max_bytes = JSON_BYTES_DEFAULT;
    tomo_rc_e     rc;
    json_build_t  b = { .arena = a, .max_nodes = JSON_NODES_DEFAULT };

    if (limits != NULL && limits->max_bytes != 0) {
        max_bytes = limits->max_bytes;
    }

    if (limits != NULL && limits->max_nodes != 0) {
        b.max_nodes = limits->max_nodes;
    }

    if (text.len > max_bytes) {
        json_stop(&b, TOMO_LIMIT, "too long");

    } else if (!tomo_utf8_ok(text)) {
        json_stop(&b, TOMO_INVALID, "not valid UTF-8");

    } else if ((offset = json_surrogates(text)) < text.len) {
        json_stop(&b, TOMO_INVALID, "a broken \\u escape");
    }

    rc = b.rc == TOMO_OK ? json_run(text, &b, &offset) : b.rc;

    if (rc == TOMO_OK) {
        *root = b.root;

    } else if (error != NULL) {
        error->offset = offset;
        error->why = b.why;
    }

    return rc;
}


bool
json_is_whole(tomo_str_t text)
{
    bool         whole;
    yajl_handle  h;

    if (text.len == 0 || (h = yajl_alloc(NULL, NULL, NULL)) == NULL) {
        return false;
    }

    whole = yajl_parse(h, text.data, text.len) == yajl_status_ok
            && yajl_complete_parse(h) == yajl_status_ok;
    yajl_free(h);

    return whole;
}
