#include "commit.h"

#include <stdlib.h>
#include <string.h>

#include "tomo_journal.h"


commit_t *
commit_create(size_t bytes)
{
    commit_t  *c;

    c = calloc(1, sizeof(commit_t));
    if (c == NULL) {
        return NULL;
    }

    c->text = malloc(bytes);
    if (c->text == NULL) {
        free(c);
        return NULL;
    }

    c->cap = bytes;

    return c;
}


void
commit_free(commit_t *c)
{
    if (c != NULL) {
        free(c->text);
        free(c);
    }
}


static tomo_str_t
commit_copy(commit_t *c, tomo_str_t s)
{
    tomo_str_t  copy;

    if (s.len > c->cap - c->used) {
        c->failed = true;
        return tomo_str_null;
    }

    copy = tomo_str_n(c->text + c->used, s.len);

    if (s.len > 0) {
        memcpy(c->text + c->used, s.data, s.len);
        c->used += s.len;
    }

    return copy;
}


/* the key's index from 1, as commit.lua counts; 0: no room */
static size_t
commit_key(commit_t *c, tomo_str_t key)
{
    size_t  slot, n;

    n = sizeof(c->table) / sizeof(c->table[0]);
    slot = tomo_crc32c(0, key.data, key.len) % n;

    while (c->table[slot] != 0) {
        if (tomo_str_eq(c->keys[c->table[slot] - 1], key)) {
            return c->table[slot];
        }

        slot = (slot + 1) % n;
    }

    if (c->n_keys == COMMIT_KEYS_MAX) {
        c->failed = true;
        return 0;
    }

    c->keys[c->n_keys] = commit_copy(c, key);
    c->n_keys++;
    c->table[slot] = (uint16_t) c->n_keys;

    return c->n_keys;
}


void
commit_reset(commit_t *c, tomo_str_t lease, tomo_str_t cursor)
{
    c->used = 0;
    c->n_args = 0;
    c->n_keys = 0;
    c->open = 0;
    c->failed = false;
    memset(c->table, 0, sizeof(c->table));
    (void) commit_key(c, lease);
    (void) commit_key(c, cursor);
}


void
commit_arg(commit_t *c, tomo_str_t arg)
{
    if (c->n_args == sizeof(c->args) / sizeof(c->args[0])) {
        c->failed = true;
        return;
    }

    c->args[c->n_args++] = commit_copy(c, arg);
}


void
commit_arg_c(commit_t *c, const char *arg)
{
    commit_arg(c, tomo_str_c(arg));
}


void
commit_arg_u64(commit_t *c, uint64_t n)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_u64(&b, n);
    commit_arg(c, tomo_buf_str(&b));
}


void
commit_arg_i64(commit_t *c, int64_t n)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_i64(&b, n);
    commit_arg(c, tomo_buf_str(&b));
}


void
commit_op(commit_t *c, char op, tomo_str_t key)
{
    commit_arg(c, tomo_str_n(&op, 1));
    c->open = c->n_args;
    commit_arg(c, tomo_str_null);
    commit_arg_u64(c, commit_key(c, key));
}


void
commit_end(commit_t *c)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    if (c->failed) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_u64(&b, c->n_args - c->open - 1);
    c->args[c->open] = commit_copy(c, tomo_buf_str(&b));
}


void
commit_pair(commit_t *c, const char *name, tomo_str_t value)
{
    commit_arg_c(c, name);
    commit_arg(c, value);
}


void
commit_pair_u64(commit_t *c, const char *name, uint64_t value)
{
    commit_arg_c(c, name);
    commit_arg_u64(c, value);
}


void
commit_pair_i64(commit_t *c, const char *name, int64_t value)
{
    commit_arg_c(c, name);
    commit_arg_i64(c, value);
}


bool
commit_room(const commit_t *c, size_t n_args, size_t bytes)
{
    return !c->failed
           && c->n_args + n_args <= COMMIT_ARGS_MAX
           && c->used + bytes <= c->cap
           && c->n_keys + COMMIT_KEYS_ROOM <= COMMIT_KEYS_MAX;
}
