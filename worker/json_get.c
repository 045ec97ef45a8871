/* json_get: reading members of a tree with their types. */

#include "json.h"
#include "tomo_codec.h"


json_t *
json_get_str(const json_t *j, tomo_str_t name)
{
    if (j == NULL || j->kind != JSON_OBJECT) {
        return NULL;
    }

    json_each(member, j) {
        if (tomo_str_eq(member->name, name)) {
            return member->kind == JSON_NULL ? NULL : member;
        }
    }

    return NULL;
}


json_t *
json_get(const json_t *j, const char *name)
{
    return json_get_str(j, tomo_str_c(name));
}


json_t *
json_at(const json_t *j, size_t i)
{
    if (j == NULL || j->kind != JSON_ARRAY) {
        return NULL;
    }

    json_each(element, j) {
        if (i-- == 0) {
            return element;
        }
    }

    return NULL;
}


static tomo_rc_e
json_member(const json_t *j, const char *name, json_kind_e kind,
    json_t **member)
{
    json_t  *m = json_get(j, name);

    if (m == NULL) {
        return TOMO_ABSENT;
    }

    if (m->kind != kind) {
        return TOMO_INVALID;
    }

    *member = m;

    return TOMO_OK;
}


tomo_rc_e
json_str(const json_t *j, const char *name, tomo_str_t *s)
{
    json_t     *m;
    tomo_rc_e   rc = json_member(j, name, JSON_STRING, &m);

    if (rc == TOMO_OK) {
        *s = m->text;
    }

    return rc;
}


tomo_rc_e
json_int(const json_t *number, int64_t min, int64_t max, int64_t *n)
{
    int64_t  value;

    if (number == NULL || number->kind != JSON_NUMBER
        || tomo_i64_get(number->text, &value) != TOMO_OK
        || value < min || value > max)
    {
        return TOMO_INVALID;
    }

    *n = value;

    return TOMO_OK;
}


tomo_rc_e
json_i64(const json_t *j, const char *name, int64_t min, int64_t max,
    int64_t *n)
{
    json_t     *m;
    tomo_rc_e   rc = json_member(j, name, JSON_NUMBER, &m);

    return rc == TOMO_OK ? json_int(m, min, max, n) : rc;
}


tomo_rc_e
json_bool(const json_t *j, const char *name, bool *b)
{
    json_t     *m;
    tomo_rc_e   rc = json_member(j, name, JSON_BOOL, &m);

    if (rc == TOMO_OK) {
        *b = m->boolean;
    }

    return rc;
}


tomo_rc_e
json_id(const json_t *j, const char *name, tomo_str_t *s)
{
    json_t  *m = json_get(j, name);

    if (m == NULL) {
        return TOMO_ABSENT;
    }

    if (m->kind != JSON_STRING && m->kind != JSON_NUMBER) {
        return TOMO_INVALID;
    }

    *s = m->text;

    return TOMO_OK;
}


tomo_rc_e
json_array(const json_t *j, const char *name, json_t **array)
{
    return json_member(j, name, JSON_ARRAY, array);
}


tomo_rc_e
json_object(const json_t *j, const char *name, json_t **object)
{
    return json_member(j, name, JSON_OBJECT, object);
}
