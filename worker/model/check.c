#include "check.h"

#include <string.h>

#include "defs.h"
#include "tomo_keys.h"
#include "tomo_utf8.h"


void
check_init(check_t *c, const struct defs_s *defs, tomo_arena_t *arena)
{
    memset(c, 0, sizeof(check_t));
    c->defs = defs;
    c->arena = arena;
}


static size_t
check_push(check_t *c, tomo_str_t name)
{
    size_t  len = c->path_len;

    if (name.len + 2 < CHECK_PATH_MAX - len) {
        c->path[c->path_len++] = '/';
        memcpy(c->path + c->path_len, name.data, name.len);
        c->path_len += name.len;
    }

    return len;
}


size_t
check_down(check_t *c, const char *name)
{
    return check_push(c, tomo_str_c(name));
}


size_t
check_down_i(check_t *c, size_t index)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_u64(&b, index);

    return check_push(c, tomo_buf_str(&b));
}


void
check_up(check_t *c, size_t len)
{
    c->path_len = len;
}


void
check_fail(check_t *c, const char *why)
{
    if (c->failed) {
        return;
    }

    c->failed = true;
    c->why = why;
    memcpy(c->fault, c->path, c->path_len);
    c->fault[c->path_len] = '\0';
}


static void
check_fail_str(check_t *c, tomo_str_t name, const char *why)
{
    size_t  len;

    len = check_push(c, name);
    check_fail(c, why);
    check_up(c, len);
}


void
check_fail_at(check_t *c, const char *name, const char *why)
{
    check_fail_str(c, tomo_str_c(name), why);
}


void
check_members(check_t *c, const json_t *j, const char *const *names)
{
    size_t  i;

    if (j->kind != JSON_OBJECT) {
        check_fail(c, "must be an object");
        return;
    }

    json_each (member, j) {
        for (i = 0; names[i] != NULL; i++) {
            if (tomo_str_eq(member->name, tomo_str_c(names[i]))) {
                break;
            }
        }

        if (names[i] == NULL) {
            check_fail_str(c, member->name.len > 64 ? tomo_str("…")
                                                    : member->name,
                           "is not a member of this kind of object");
        }
    }
}


tomo_str_t
check_text(check_t *c, const json_t *j, const char *name, bool required,
    size_t max)
{
    tomo_rc_e   rc;
    tomo_str_t  s = tomo_str_null;

    rc = json_str(j, name, &s);

    if (rc == TOMO_INVALID) {
        check_fail_at(c, name, "must be a string");
        return tomo_str_null;
    }

    if (required && s.len == 0) {
        check_fail_at(c, name, "is required and must not be empty");
        return tomo_str_null;
    }

    if (memchr(s.len > 0 ? s.data : (const uint8_t *) "", 0, s.len) != NULL) {
        check_fail_at(c, name, "must not hold a NUL character");
        return tomo_str_null;
    }

    if (tomo_utf8_utf16(s) > max) {
        check_fail_at(c, name, "is too long");
        return tomo_str_null;
    }

    return s;
}


int64_t
check_int(check_t *c, const json_t *j, const char *name, int64_t min,
    int64_t max, int64_t otherwise)
{
    int64_t  n = otherwise;

    if (json_i64(j, name, min, max, &n) == TOMO_INVALID) {
        check_fail_at(c, name, "must be a whole number within its range");
    }

    return n;
}


bool
check_bool(check_t *c, const json_t *j, const char *name, bool otherwise)
{
    bool  b = otherwise;

    if (json_bool(j, name, &b) == TOMO_INVALID) {
        check_fail_at(c, name, "must be true or false");
    }

    return b;
}


const json_t *
check_array(check_t *c, const json_t *j, const char *name, bool required,
    size_t max)
{
    json_t  *array;

    array = json_get(j, name);

    if (array == NULL) {
        if (required) {
            check_fail_at(c, name, "is required");
        }

        return NULL;
    }

    if (array->kind != JSON_ARRAY) {
        check_fail_at(c, name, "must be an array");
        return NULL;
    }

    if (array->n > max || (required && array->n == 0)) {
        check_fail_at(c, name, array->n == 0 ? "must not be empty"
                                             : "has too many elements");
        return NULL;
    }

    return array;
}


const json_t *
check_object(check_t *c, const json_t *j, const char *name, bool required)
{
    json_t  *object;

    object = json_get(j, name);

    if (object == NULL) {
        if (required) {
            check_fail_at(c, name, "is required");
        }

        return NULL;
    }

    if (object->kind != JSON_OBJECT) {
        check_fail_at(c, name, "must be an object");
        return NULL;
    }

    return object;
}


int
check_word(check_t *c, const json_t *j, const char *name,
    const char *const *words, int otherwise)
{
    int         i;
    tomo_rc_e   rc;
    tomo_str_t  word = tomo_str_null;

    rc = json_str(j, name, &word);

    if (rc == TOMO_ABSENT && otherwise >= 0) {
        return otherwise;
    }

    for (i = 0; rc == TOMO_OK && words[i] != NULL; i++) {
        if (tomo_str_eq(word, tomo_str_c(words[i]))) {
            return i;
        }
    }

    check_fail_at(c, name, rc == TOMO_ABSENT ? "is required"
                                             : "is none of the known words");

    return otherwise >= 0 ? otherwise : 0;
}


tomo_str_t
check_id(check_t *c, const json_t *j, const char *name)
{
    tomo_str_t  id;

    id = check_text(c, j, name, true, 64);

    if (!c->failed && !tomo_keys_id_ok(id)) {
        check_fail_at(c, name, "must be 1 to 64 of a-z 0-9 _ . - and begin "
                      "with a letter or digit");
    }

    return id;
}


uint32_t
check_ref(check_t *c, const json_t *j, const char *name, int kind)
{
    tomo_str_t    id;
    const def_t  *def;

    id = check_text(c, j, name, true, 64);

    if (c->failed) {
        return 0;
    }

    def = defs_find(c->defs, (def_kind_e) kind, id);

    if (def == NULL) {
        check_fail_at(c, name, "names a definition that does not exist");
        return 0;
    }

    return def->no;
}


void *
check_alloc(check_t *c, size_t n, size_t size)
{
    return tomo_arena_array(c->arena, n > 0 ? n : 1, size);
}
