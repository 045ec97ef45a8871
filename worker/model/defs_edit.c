/* defs_edit: storing documents: all of an edit, or none */

#include "defs_own.h"

#include <string.h>

#include "tomo_keys.h"

#define DEFS_AGE_MAX  32


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


/* kind and id of the document, where it names them, are those of its place */
static bool
defs_check_place(const json_t *doc, const def_edit_t *edit,
    def_fault_t *fault)
{
    tomo_str_t  s;

    if (doc->kind != JSON_OBJECT) {
        return defs_refuse(fault, 422, "", "must be an object");
    }

    if (json_get(doc, "kind") != NULL
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

    return true;
}


/* 409 unless the document was made from the revision that stands */
static bool
defs_check_revision(const json_t *doc, const def_t *old, def_fault_t *fault)
{
    int64_t  revision = 0;

    if (json_i64(doc, "revision", 0, INT32_MAX - 1, &revision)
        == TOMO_INVALID)
    {
        return defs_refuse(fault, 422, "/revision",
                           "must be a whole number, 0 for a new document");
    }

    fault->revision = old != NULL ? old->revision : 0;

    if ((uint32_t) revision != fault->revision) {
        return defs_refuse(fault, 409, "/revision", old != NULL
                           ? "somebody changed it meanwhile: load it again"
                           : "it does not exist: leave the revision out");
    }

    return true;
}


/* registers one edit in the new set, without compiling it */
static bool
defs_edit(defs_t *defs, const def_edit_t *edit, def_fault_t *fault)
{
    def_t          def;
    json_t        *doc;
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

    old = defs_find(defs, def.kind, edit->id);

    if (!defs_check_place(doc, edit, fault)
        || !defs_check_revision(doc, old, fault))
    {
        return false;
    }

    def.id = tomo_arena_dup(a, edit->id);
    def.no = old != NULL ? old->no : defs->last_no[def.kind] + 1;
    def.revision = fault->revision + 1;
    def.text = defs_rewrite(a, doc, &def, edit->document.len);

    if (def.text.len == 0 || a->failed) {
        return defs_refuse(fault, 422, "", "is too large");
    }

    if (old != NULL) {
        defs->items[old - defs->items] = def;
        return true;
    }

    return defs_append(defs, &def) != NULL
           || defs_refuse(fault, 0, "", "out of memory");
}


/*
 * A copy of the registrations; nothing is compiled.  Once in a while it takes
 * the place of sharing, so that texts replaced long ago do not stay for ever.
 */
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


/*
 * Compiles what is new, and what did not compile before: the edit may have
 * brought what it missed.  The others stay: of another definition a form
 * holds the number alone, which never changes.  Only faults of the edited
 * ones count.
 */
static bool
defs_compile_edited(defs_t *defs, const def_edit_t *edits, size_t n,
    def_fault_t *fault)
{
    size_t       i, e;
    check_t      c;
    def_t       *def;

    for (i = 0; i < defs->n; i++) {
        def = &defs->items[i];

        if (def->compiled != NULL
            || defs_compile_one(defs, def, &c) != NULL)
        {
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
    defs = old->age < DEFS_AGE_MAX ? defs_share(old) : defs_copy(old);

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
