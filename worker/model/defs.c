#include "defs.h"

#include <stdlib.h>
#include <string.h>

#include "tomo_codec.h"
#include "tomo_journal.h"
#include "tomo_keys.h"

#define DEFS_BLOCK  (1u << 20)

typedef const void *(*def_compile_pt)(check_t *c, const json_t *doc,
    const def_t *def);

typedef struct defs_block_s  defs_block_t;

struct defs_block_s {
    defs_block_t  *next;
    tomo_arena_t   arena;
};

struct defs_s {
    defs_block_t  *blocks;          /* memory, the newest first */
    def_t         *items;
    size_t         n;
    size_t         cap;
    uint32_t      *table;           /* index + 1 by hash of kind and id */
    size_t         n_table;         /* a power of two, ≥ 2 · cap */
    def_t        **by_no[DEF_KIND_END];
    uint32_t       last_no[DEF_KIND_END];
};

static const struct {
    const char      *word;
    def_compile_pt   compile;
} defs_kinds[] = {
#define DEFS_ROW_(name, word, compile)  { word, compile },
    DEF_KINDS(DEFS_ROW_)
#undef DEFS_ROW_
};

static const json_limits_t  defs_limits = {
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


/* makes sure the newest block has room for bytes */
static tomo_arena_t *
defs_room(defs_t *defs, size_t bytes)
{
    size_t         cap;
    defs_block_t  *block;

    block = defs->blocks;

    if (block != NULL && block->arena.cap - block->arena.used > bytes) {
        return &block->arena;
    }

    cap = bytes > DEFS_BLOCK ? bytes : DEFS_BLOCK;
    block = malloc(sizeof(defs_block_t) + cap + 64);

    if (block == NULL) {
        return NULL;
    }

    tomo_arena_init(&block->arena, block + 1, cap + 64);
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


/* texts must live in a block of defs already */
static def_t *
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


void
defs_free(defs_t *defs)
{
    int            i;
    defs_block_t  *block;

    if (defs == NULL) {
        return;
    }

    while ((block = defs->blocks) != NULL) {
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


/* by_no: filled after the items array has stopped moving */
static bool
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


static const void *
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


/* --- edits ---------------------------------------------------------------- */

static bool
defs_refuse(def_fault_t *fault, int status, const char *path,
    const char *why)
{
    fault->status = status;
    fault->why = why;
    memcpy(fault->path, path, strlen(path) + 1);

    return false;
}


/* the document again, compact, with the new revision behind kind and id */
static tomo_str_t
defs_rewrite(tomo_arena_t *a, const json_t *doc, const def_t *def,
    size_t len)
{
    tomo_buf_t  b;

    tomo_buf_init(&b, tomo_arena_alloc(a, len * 6 + 512), len * 6 + 512);

    json_open(&b, NULL, '{');
    json_put_c(&b, "kind", defs_kind_word(def->kind));
    json_put_str(&b, "id", def->id);
    json_put_i64(&b, "revision", def->revision);

    json_each (member, doc) {
        if (!tomo_str_eq(member->name, tomo_str("kind"))
            && !tomo_str_eq(member->name, tomo_str("id"))
            && !tomo_str_eq(member->name, tomo_str("revision")))
        {
            uint8_t     name[72];
            tomo_buf_t  nb;

            tomo_buf_init(&nb, name, sizeof(name));
            tomo_buf_put(&nb, member->name.len < sizeof(name)
                              ? member->name : tomo_str("?"));
            tomo_buf_byte(&nb, 0);
            json_put(&b, (const char *) name, member);
        }
    }

    json_close(&b, '}');

    return b.failed ? tomo_str_null : tomo_buf_str(&b);
}


/* registers one edit in the new set, without compiling it */
static bool
defs_edit(defs_t *defs, const def_edit_t *edit, def_fault_t *fault)
{
    def_t          def, *place;
    json_t        *doc;
    int64_t        revision = 0;
    tomo_str_t     s;
    tomo_arena_t  *a;
    json_error_t   error;
    const def_t   *old;

    memset(&def, 0, sizeof(def));

    if (defs_kind_parse(edit->kind, &def.kind) != TOMO_OK) {
        return defs_refuse(fault, 404, "", "there is no such kind");
    }

    if (!tomo_keys_id_ok(edit->id)) {
        return defs_refuse(fault, 422, "/id", "must be 1 to 64 of a-z 0-9 _ "
                           ". - and begin with a letter or digit");
    }

    a = defs_room(defs, 64 * edit->document.len + 64 * 1024);
    if (a == NULL) {
        return defs_refuse(fault, 0, "", "out of memory");
    }

    if (json_parse(edit->document, &defs_limits, a, &doc, &error) != TOMO_OK) {
        return defs_refuse(fault, 422, "", error.why);
    }

    if (doc->kind != JSON_OBJECT) {
        return defs_refuse(fault, 422, "", "must be an object");
    }

    if ((json_str(doc, "kind", &s) != TOMO_ABSENT || json_get(doc, "kind"))
        && (json_str(doc, "kind", &s) != TOMO_OK
            || !tomo_str_eq(s, edit->kind)))
    {
        return defs_refuse(fault, 422, "/kind",
                           "must be the kind it is stored under");
    }

    if (json_get(doc, "id") != NULL
        && (json_str(doc, "id", &s) != TOMO_OK || !tomo_str_eq(s, edit->id)))
    {
        return defs_refuse(fault, 422, "/id",
                           "must be the id it is stored under");
    }

    if (json_i64(doc, "revision", 0, INT32_MAX - 1, &revision)
        == TOMO_INVALID)
    {
        return defs_refuse(fault, 422, "/revision",
                           "must be a whole number, 0 for a new document");
    }

    old = defs_find(defs, def.kind, edit->id);
    fault->revision = old != NULL ? old->revision : 0;

    if ((uint32_t) revision != fault->revision) {
        return defs_refuse(fault, 409, "/revision", old != NULL
                           ? "somebody changed it meanwhile: load it again"
                           : "it does not exist: leave the revision out");
    }

    def.id = tomo_arena_dup(a, edit->id);
    def.no = old != NULL ? old->no : defs->last_no[def.kind] + 1;
    def.revision = (uint32_t) revision + 1;
    def.text = defs_rewrite(a, doc, &def, edit->document.len);

    if (def.text.len == 0 || a->failed) {
        return defs_refuse(fault, 422, "", "is too large");
    }

    if (old != NULL) {
        place = &defs->items[old - defs->items];
        *place = def;
        return true;
    }

    return defs_append(defs, &def) != NULL
           || defs_refuse(fault, 0, "", "out of memory");
}


/* a copy of the registrations; nothing is compiled */
static defs_t *
defs_copy(const defs_t *old)
{
    def_t          def;
    size_t         i;
    defs_t        *defs;
    tomo_arena_t  *a;

    defs = defs_create();

    for (i = 0; defs != NULL && i < old->n; i++) {
        def = old->items[i];
        a = defs_room(defs, def.id.len + def.text.len + 64);

        if (a == NULL) {
            defs_free(defs);
            return NULL;
        }

        def.id = tomo_arena_dup(a, def.id);
        def.text = tomo_arena_dup(a, def.text);

        if (defs_append(defs, &def) == NULL) {
            defs_free(defs);
            return NULL;
        }
    }

    return defs;
}


/* compiles all; only faults of the edited ones count */
static bool
defs_compile_edited(defs_t *defs, const def_edit_t *edits, size_t n,
    def_fault_t *fault)
{
    size_t       i, e;
    check_t      c;
    def_t       *def;

    for (i = 0; i < defs->n; i++) {
        def = &defs->items[i];

        if (defs_compile_one(defs, def, &c) != NULL) {
            continue;
        }

        for (e = 0; e < n; e++) {
            if (tomo_str_eq(edits[e].id, def->id)
                && tomo_str_eq(edits[e].kind,
                               tomo_str_c(defs_kind_word(def->kind))))
            {
                fault->edit = e;
                return defs_refuse(fault, 422, c.fault, c.why);
            }
        }
    }

    return true;
}


defs_t *
defs_change(const defs_t *old, const def_edit_t *edits, size_t n,
    def_fault_t *fault)
{
    size_t   i;
    defs_t  *defs;

    memset(fault, 0, sizeof(def_fault_t));
    defs = defs_copy(old);

    if (defs == NULL) {
        (void) defs_refuse(fault, 0, "", "out of memory");
        return NULL;
    }

    for (i = 0; i < n; i++) {
        fault->edit = i;

        if (!defs_edit(defs, &edits[i], fault)) {
            goto failed;
        }
    }

    if (!defs_number(defs)) {
        (void) defs_refuse(fault, 0, "", "out of memory");
        goto failed;
    }

    if (!defs_compile_edited(defs, edits, n, fault)) {
        goto failed;
    }

    return defs;

failed:

    defs_free(defs);

    return NULL;
}
