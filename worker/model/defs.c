#include "defs_own.h"

#include <stdlib.h>
#include <string.h>

#include "tomo_journal.h"
#include "tomo_keys.h"

#define DEFS_BLOCK  (1u << 20)

typedef const void *(*def_compile_pt)(check_t *c, const json_t *doc,
    const def_t *def);

static const struct {
    const char      *word;
    def_compile_pt   compile;
} defs_kinds[] = {
#define DEFS_ROW_(name, word, compile)  { word, compile },
    DEF_KINDS(DEFS_ROW_)
#undef DEFS_ROW_
};

const json_limits_t  defs_limits = {
    .max_bytes = DEF_DOCUMENT_MAX, .max_nodes = 20000
};


const char *
defs_kind_word(def_kind_e kind)
{
    return defs_kinds[kind].word;
}


tomo_rc_e
defs_kind_parse(tomo_str_t word, def_kind_e *kind)
{
    int  i;

    for (i = 0; i < DEF_KIND_END; i++) {
        if (tomo_str_eq(word, tomo_str_c(defs_kinds[i].word))) {
            *kind = (def_kind_e) i;
            return TOMO_OK;
        }
    }

    return TOMO_INVALID;
}


tomo_arena_t *
defs_room(defs_t *defs, size_t bytes)
{
    size_t         cap;
    defs_block_t  *block;

    block = defs->blocks;

    /* a shared block stays as it is: the other set may have to fail alone */
    if (block != NULL && block->refs == 1
        && block->arena.cap - block->arena.used > bytes)
    {
        return &block->arena;
    }

    cap = bytes > DEFS_BLOCK ? bytes : DEFS_BLOCK;
    block = malloc(sizeof(defs_block_t) + cap + 64);

    if (block == NULL) {
        return NULL;
    }

    tomo_arena_init(&block->arena, block + 1, cap + 64);
    block->refs = 1;
    block->next = defs->blocks;
    defs->blocks = block;

    return &block->arena;
}


static void
defs_index(defs_t *defs, size_t item)
{
    size_t    slot;
    def_t    *def;
    uint32_t  crc;

    def = &defs->items[item];
    crc = (uint32_t) def->kind;
    slot = tomo_crc32c(crc, def->id.data, def->id.len);

    for (slot &= defs->n_table - 1; defs->table[slot] != 0; /* void */) {
        slot = (slot + 1) & (defs->n_table - 1);
    }

    defs->table[slot] = (uint32_t) item + 1;
}


static bool
defs_grow(defs_t *defs)
{
    def_t     *items;
    size_t     i, cap;
    uint32_t  *table;

    if (defs->n < defs->cap) {
        return true;
    }

    cap = defs->cap == 0 ? 64 : 2 * defs->cap;
    items = realloc(defs->items, cap * sizeof(def_t));

    if (items == NULL) {
        return false;
    }

    defs->items = items;
    table = calloc(4 * cap, sizeof(uint32_t));

    if (table == NULL) {
        return false;
    }

    free(defs->table);
    defs->table = table;
    defs->n_table = 4 * cap;
    defs->cap = cap;

    for (i = 0; i < defs->n; i++) {
        defs_index(defs, i);
    }

    return true;
}


def_t *
defs_append(defs_t *defs, const def_t *def)
{
    if (!defs_grow(defs)) {
        return NULL;
    }

    defs->items[defs->n] = *def;
    defs->items[defs->n].compiled = NULL;
    defs_index(defs, defs->n);

    if (def->no > defs->last_no[def->kind]) {
        defs->last_no[def->kind] = def->no;
    }

    return &defs->items[defs->n++];
}


defs_t *
defs_create(void)
{
    return calloc(1, sizeof(defs_t));
}


defs_t *
defs_share(const defs_t *old)
{
    defs_t  *defs;

    defs = defs_create();

    if (defs == NULL || old->n == 0) {
        return defs;
    }

    defs->items = malloc(old->cap * sizeof(def_t));
    defs->table = malloc(old->n_table * sizeof(uint32_t));

    if (defs->items == NULL || defs->table == NULL) {
        defs_free(defs);
        return NULL;
    }

    memcpy(defs->items, old->items, old->n * sizeof(def_t));
    memcpy(defs->table, old->table, old->n_table * sizeof(uint32_t));
    memcpy(defs->last_no, old->last_no, sizeof(defs->last_no));
    defs->n = old->n;
    defs->cap = old->cap;
    defs->n_table = old->n_table;
    defs->age = old->age + 1;
    defs->blocks = old->blocks;

    if (defs->blocks != NULL) {
        defs->blocks->refs++;
    }

    return defs;
}


void
defs_free(defs_t *defs)
{
    int            i;
    defs_block_t  *block;

    if (defs == NULL) {
        return;
    }

    while ((block = defs->blocks) != NULL && --block->refs == 0) {
        defs->blocks = block->next;
        free(block);
    }

    for (i = 0; i < DEF_KIND_END; i++) {
        free(defs->by_no[i]);
    }

    free(defs->items);
    free(defs->table);
    free(defs);
}


bool
defs_number(defs_t *defs)
{
    int     k;
    size_t  i;

    for (k = 0; k < DEF_KIND_END; k++) {
        free(defs->by_no[k]);
        defs->by_no[k] = calloc(defs->last_no[k] + (size_t) 1,
                                sizeof(def_t *));

        if (defs->by_no[k] == NULL) {
            return false;
        }
    }

    for (i = 0; i < defs->n; i++) {
        defs->by_no[defs->items[i].kind][defs->items[i].no] = &defs->items[i];
    }

    return true;
}


tomo_rc_e
defs_add_stored(defs_t *defs, tomo_str_t field, tomo_str_t value)
{
    def_t          def;
    size_t         slash;
    json_t        *root, *document;
    int64_t        no, revision;
    tomo_buf_t     b;
    tomo_arena_t  *a;

    memset(&def, 0, sizeof(def));
    slash = tomo_str_find(field, 0, '/');

    if (slash == field.len
        || defs_kind_parse(tomo_str_n(field.data, slash), &def.kind)
           != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    a = defs_room(defs, 64 * value.len + 64 * 1024);
    if (a == NULL) {
        return TOMO_ERROR;
    }

    def.id = tomo_arena_dup(a, tomo_str_n(field.data + slash + 1,
                                          field.len - slash - 1));

    if (json_parse(value, &(json_limits_t) { 2 * DEF_DOCUMENT_MAX, 30000 },
                   a, &root, NULL)
        != TOMO_OK
        || !tomo_keys_id_ok(def.id)
        || json_i64(root, "no", 1, (1 << 20) - 1, &no) != TOMO_OK
        || json_i64(root, "revision", 1, INT32_MAX, &revision) != TOMO_OK
        || json_object(root, "document", &document) != TOMO_OK
        || defs_find(defs, def.kind, def.id) != NULL)
    {
        return TOMO_INVALID;
    }

    tomo_buf_init(&b, tomo_arena_alloc(a, value.len * 6 + 64),
                  value.len * 6 + 64);
    json_put(&b, NULL, document);

    if (a->failed || b.failed) {
        return TOMO_ERROR;
    }

    def.no = (uint32_t) no;
    def.revision = (uint32_t) revision;
    def.text = tomo_buf_str(&b);

    return defs_append(defs, &def) != NULL ? TOMO_OK : TOMO_ERROR;
}


const void *
defs_compile_one(defs_t *defs, def_t *def, check_t *c)
{
    json_t        *doc;
    tomo_arena_t  *a;

    a = defs_room(defs, 128 * def->text.len + 256 * 1024);
    check_init(c, defs, a);

    if (a == NULL) {
        check_fail(c, "needs more memory than there is");
        return NULL;
    }

    if (json_parse(def->text, &defs_limits, a, &doc, NULL) != TOMO_OK) {
        check_fail(c, "is not a JSON object within the limits");
        return NULL;
    }

    def->compiled = defs_kinds[def->kind].compile(c, doc, def);

    if (a->failed) {
        check_fail(c, "is too large");
    }

    if (c->failed) {
        def->compiled = NULL;
    }

    return def->compiled;
}


size_t
defs_compile_stored(defs_t *defs)
{
    size_t   i, broken;
    check_t  c;

    if (!defs_number(defs)) {
        return defs->n;
    }

    for (i = 0, broken = 0; i < defs->n; i++) {
        if (defs_compile_one(defs, &defs->items[i], &c) == NULL) {
            broken++;
        }
    }

    return broken;
}


size_t
defs_count(const defs_t *defs)
{
    return defs->n;
}


const def_t *
defs_at(const defs_t *defs, size_t i)
{
    return i < defs->n ? &defs->items[i] : NULL;
}


const def_t *
defs_find(const defs_t *defs, def_kind_e kind, tomo_str_t id)
{
    size_t        slot;
    const def_t  *def;

    if (defs->n_table == 0) {
        return NULL;
    }

    slot = tomo_crc32c((uint32_t) kind, id.data, id.len);

    for (slot &= defs->n_table - 1; defs->table[slot] != 0; /* void */) {
        def = &defs->items[defs->table[slot] - 1];

        if (def->kind == kind && tomo_str_eq(def->id, id)) {
            return def;
        }

        slot = (slot + 1) & (defs->n_table - 1);
    }

    return NULL;
}


const def_t *
defs_by_no(const defs_t *defs, def_kind_e kind, uint32_t no)
{
    if (no == 0 || no > defs->last_no[kind] || defs->by_no[kind] == NULL) {
        return NULL;
    }

    return defs->by_no[kind][no];
}


const void *
defs_compiled(const defs_t *defs, def_kind_e kind, uint32_t no)
{
    const def_t  *def;

    def = defs_by_no(defs, kind, no);

    return def != NULL ? def->compiled : NULL;
}


uint32_t
defs_last_no(const defs_t *defs, def_kind_e kind)
{
    return defs->last_no[kind];
}


void
defs_put_stored(tomo_buf_t *b, const def_t *def)
{
    json_open(b, NULL, '{');
    json_put_i64(b, "no", def->no);
    json_put_i64(b, "revision", def->revision);
    json_put_raw(b, "document", def->text);
    json_close(b, '}');
}
