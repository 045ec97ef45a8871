#include "friend.h"

#include <string.h>

#include "tomo_codec.h"


static void
friend_tags_read(friend_t *f, tomo_str_t text)
{
    size_t    from, to;
    uint64_t  no;

    f->cap_tags = text.len / 2 + 9;
    f->tags = tomo_arena_array(f->arena, f->cap_tags, sizeof(uint32_t));

    if (f->tags == NULL) {
        f->cap_tags = 0;
        return;
    }

    for (from = 0; from < text.len; from = to + 1) {
        to = tomo_str_find(text, from, ',');

        if (tomo_u64_get(tomo_str_n(text.data + from, to - from),
                         UINT32_MAX, &no)
            == TOMO_OK
            && (f->n_tags == 0 || f->tags[f->n_tags - 1] < no))
        {
            f->tags[f->n_tags++] = (uint32_t) no;
        }
    }
}


void
friend_init(friend_t *f, tomo_arena_t *arena, uint32_t serial,
    const tomo_str_t *pairs, size_t n)
{
    size_t  i;

    memset(f, 0, sizeof(friend_t));
    f->serial = serial;
    f->arena = arena;
    f->fresh = n == 0;
    f->cap = n / 2 + 16;
    f->fields = tomo_arena_array(arena, f->cap, sizeof(friend_field_t));

    if (f->fields == NULL) {
        f->cap = 0;
        return;
    }

    for (i = 0; i + 1 < n; i += 2) {
        f->fields[f->n].name = tomo_arena_dup(arena, pairs[i]);
        f->fields[f->n].value = tomo_arena_dup(arena, pairs[i + 1]);
        f->n++;
    }

    friend_tags_read(f, friend_get_c(f, "tags"));
}


static friend_field_t *
friend_find(const friend_t *f, tomo_str_t name)
{
    size_t  i;

    for (i = 0; i < f->n; i++) {
        if (tomo_str_eq(f->fields[i].name, name)) {
            return &f->fields[i];
        }
    }

    return NULL;
}


tomo_str_t
friend_get(const friend_t *f, tomo_str_t name)
{
    friend_field_t  *field;

    field = friend_find(f, name);

    return field == NULL || field->gone ? tomo_str_null : field->value;
}


tomo_str_t
friend_get_c(const friend_t *f, const char *name)
{
    return friend_get(f, tomo_str_c(name));
}


int64_t
friend_get_i64(const friend_t *f, const char *name)
{
    int64_t  n = 0;

    return tomo_i64_get(friend_get_c(f, name), &n) == TOMO_OK ? n : 0;
}


static friend_field_t *
friend_field_new(friend_t *f, tomo_str_t name)
{
    friend_field_t  *more;

    if (f->n == f->cap) {
        more = tomo_arena_array(f->arena, 2 * f->cap + 16,
                                sizeof(friend_field_t));
        if (more == NULL) {
            return NULL;
        }

        if (f->n > 0) {
            memcpy(more, f->fields, f->n * sizeof(friend_field_t));
        }

        f->fields = more;
        f->cap = 2 * f->cap + 16;
    }

    f->fields[f->n] = (friend_field_t) {
        .name = tomo_arena_dup(f->arena, name), .gone = true
    };

    return &f->fields[f->n++];
}


void
friend_set(friend_t *f, tomo_str_t name, tomo_str_t value)
{
    friend_field_t  *field;

    field = friend_find(f, name);

    if (field == NULL) {
        field = friend_field_new(f, name);
        if (field == NULL) {
            return;
        }

    } else if (!field->gone && tomo_str_eq(field->value, value)) {
        return;
    }

    field->value = tomo_arena_dup(f->arena, value);
    field->gone = false;
    field->dirty = true;
}


void
friend_set_c(friend_t *f, const char *name, tomo_str_t value)
{
    friend_set(f, tomo_str_c(name), value);
}


void
friend_set_i64(friend_t *f, const char *name, int64_t value)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_i64(&b, value);
    friend_set_c(f, name, tomo_buf_str(&b));
}


void
friend_drop(friend_t *f, tomo_str_t name)
{
    friend_field_t  *field;

    field = friend_find(f, name);

    if (field != NULL && !field->gone) {
        field->gone = true;
        field->dirty = true;
        field->value = tomo_str_null;
    }
}


static tomo_str_t
friend_name_no(uint8_t text[24], char letter, uint32_t no)
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, 24);
    tomo_buf_byte(&b, (uint8_t) letter);
    tomo_buf_byte(&b, ':');
    tomo_buf_u64(&b, no);

    return tomo_buf_str(&b);
}


tomo_str_t
friend_get_no(const friend_t *f, char letter, uint32_t no)
{
    uint8_t  text[24];

    return friend_get(f, friend_name_no(text, letter, no));
}


void
friend_set_no(friend_t *f, char letter, uint32_t no, tomo_str_t value)
{
    uint8_t  text[24];

    friend_set(f, friend_name_no(text, letter, no), value);
}


void
friend_drop_no(friend_t *f, char letter, uint32_t no)
{
    uint8_t  text[24];

    friend_drop(f, friend_name_no(text, letter, no));
}


/* index of the first tag ≥ no */
static size_t
friend_tag_place(const friend_t *f, uint32_t no)
{
    size_t  low, high, middle;

    for (low = 0, high = f->n_tags; low < high; /* void */) {
        middle = low + (high - low) / 2;

        if (f->tags[middle] < no) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


bool
friend_has_tag(const friend_t *f, uint32_t no)
{
    size_t  i;

    i = friend_tag_place(f, no);

    return i < f->n_tags && f->tags[i] == no;
}


static void
friend_tags_write(friend_t *f)
{
    size_t      i, cap;
    uint8_t    *text;
    tomo_buf_t  b;

    cap = f->n_tags * 11 + 1;
    text = tomo_arena_alloc(f->arena, cap);

    if (text == NULL) {
        return;
    }

    tomo_buf_init(&b, text, cap);

    for (i = 0; i < f->n_tags; i++) {
        if (i > 0) {
            tomo_buf_byte(&b, ',');
        }

        tomo_buf_u64(&b, f->tags[i]);
    }

    if (f->n_tags == 0) {
        friend_drop(f, tomo_str("tags"));

    } else {
        friend_set_c(f, "tags", tomo_buf_str(&b));
    }
}


bool
friend_tag_add(friend_t *f, uint32_t no)
{
    size_t     i;
    uint32_t  *more;

    i = friend_tag_place(f, no);

    if (i < f->n_tags && f->tags[i] == no) {
        return false;
    }

    if (f->n_tags == f->cap_tags) {
        more = tomo_arena_array(f->arena, 2 * f->cap_tags + 8,
                                sizeof(uint32_t));
        if (more == NULL) {
            return false;
        }

        if (f->n_tags > 0) {
            memcpy(more, f->tags, f->n_tags * sizeof(uint32_t));
        }

        f->tags = more;
        f->cap_tags = 2 * f->cap_tags + 8;
    }

    memmove(&f->tags[i + 1], &f->tags[i],
            (f->n_tags - i) * sizeof(uint32_t));
    f->tags[i] = no;
    f->n_tags++;
    friend_tags_write(f);

    return true;
}


bool
friend_tag_remove(friend_t *f, uint32_t no)
{
    size_t  i;

    i = friend_tag_place(f, no);

    if (i == f->n_tags || f->tags[i] != no) {
        return false;
    }

    f->n_tags--;
    memmove(&f->tags[i], &f->tags[i + 1],
            (f->n_tags - i) * sizeof(uint32_t));
    friend_tags_write(f);

    return true;
}
