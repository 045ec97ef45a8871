#include "defstore.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feedpub.h"
#include "log.h"
#include "tomo_keys.h"
#include "tomo_rec.h"

#define DEFSTORE_HISTORY  100
#define DEFSTORE_FILES    10000
#define DEFSTORE_ARGS     300           /* of a commit, spare included */
#define DEFSTORE_BYTES    (4u << 20)


static tomo_str_t
defstore_key(char *text, owner_t *o, void (*fn)(tomo_buf_t *, tomo_str_t))
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, TOMO_KEY_MAX);
    fn(&b, o->id);

    return tomo_buf_str(&b);
}


/* friends on their way through the scenario are planned again (follow_up) */
static void
defstore_replan(owner_t *o, const def_t *def, int64_t now_ms)
{
    uint8_t     body[96];
    tomo_buf_t  b;

    tomo_buf_init(&b, body, sizeof(body));
    tomo_rec_put(&b, "do", tomo_str("replan"));
    tomo_rec_put_u64(&b, "scenario", def->no);
    tomo_rec_put_u64(&b, "cursor", 0);
    owner_follow_up(o, tomo_buf_str(&b), now_ms);
}


typedef void (*defstore_changed_pt)(owner_t *o, const def_t *def,
    int64_t now_ms);

/* what the change of a definition causes besides, by its kind */
static const defstore_changed_pt  defstore_changed[DEF_KIND_END] = {
    [DEF_SCENARIO] = defstore_replan,
};


/* history: rows kept; 1 also takes back what an earlier try wrote */
static void
defstore_write(owner_t *o, const def_t *def, unsigned history,
    int64_t now_ms)
{
    char        key[TOMO_KEY_MAX];
    uint8_t     name[160], no[32];
    uint8_t    *value;
    tomo_buf_t  n, v, k;

    value = malloc(def->text.len + 128);

    if (value == NULL) {
        o->commit->failed = true;
        return;
    }

    tomo_buf_init(&n, name, sizeof(name));
    tomo_buf_c(&n, defs_kind_word(def->kind));
    tomo_buf_byte(&n, '/');
    tomo_buf_put(&n, def->id);
    tomo_buf_init(&v, value, def->text.len + 128);
    defs_put_stored(&v, def);

    commit_op(o->commit, 'h', defstore_key(key, o, tomo_key_defs));
    commit_arg(o->commit, tomo_buf_str(&n));
    commit_arg(o->commit, tomo_buf_str(&v));
    commit_end(o->commit);

    tomo_buf_init(&k, key, sizeof(key));
    tomo_key_history(&k, o->id, tomo_buf_str(&n));
    commit_op(o->commit, 'l', tomo_buf_str(&k));
    commit_arg_u64(o->commit, history);
    commit_arg(o->commit, tomo_buf_str(&v));
    commit_end(o->commit);

    tomo_buf_init(&n, no, sizeof(no) - 1);
    tomo_buf_c(&n, "no:");
    tomo_buf_c(&n, defs_kind_word(def->kind));
    no[n.len] = '\0';
    commit_op(o->commit, 'h', defstore_key(key, o, tomo_key_meta));
    commit_pair_u64(o->commit, (const char *) no,
                    defs_last_no(o->defs, def->kind));
    commit_end(o->commit);
    free(value);

    feedpub_def(o, def);

    if (defstore_changed[def->kind] != NULL && def->revision > 1) {
        defstore_changed[def->kind](o, def, now_ms);
    }
}


/* the new set is o's; nothing is written yet */
static tomo_rc_e
defstore_change(owner_t *o, const def_edit_t *edits, size_t n,
    def_fault_t *fault)
{
    defs_t  *defs;

    defs = defs_change(o->defs, edits, n, fault);

    if (defs == NULL) {
        return TOMO_INVALID;
    }

    if (owner_defs(o, defs) != TOMO_OK) {
        defs_free(defs);
        fault->why = "out of memory";
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


static const def_t *
defstore_edited(owner_t *o, const def_edit_t *edit)
{
    def_kind_e  kind;

    return defs_kind_parse(edit->kind, &kind) == TOMO_OK
           ? defs_find(o->defs, kind, edit->id) : NULL;
}


static void
defstore_version(owner_t *o)
{
    char  key[TOMO_KEY_MAX];

    o->state.defs_version++;
    commit_op(o->commit, 'h', defstore_key(key, o, tomo_key_meta));
    commit_pair_u64(o->commit, "defs", o->state.defs_version);
    commit_end(o->commit);
}


tomo_rc_e
defstore_put(owner_t *o, const def_edit_t *edit, int64_t now_ms,
    def_fault_t *fault)
{
    tomo_rc_e     rc;
    const def_t  *def;

    rc = defstore_change(o, edit, 1, fault);

    if (rc != TOMO_OK) {
        return rc;
    }

    def = defstore_edited(o, edit);

    if (def != NULL) {
        defstore_write(o, def, DEFSTORE_HISTORY, now_ms);
    }

    defstore_version(o);

    if (def != NULL && feedpub_has(def->kind)) {
        feedpub_version(o);
    }

    return TOMO_OK;
}


/* --- a folder of documents ------------------------------------------------ */

static char *
defstore_read(const char *path, size_t *len)
{
    char  *text;
    FILE  *f;

    f = fopen(path, "rb");

    if (f == NULL) {
        return NULL;
    }

    text = malloc(DEF_DOCUMENT_MAX + 1);

    if (text != NULL) {
        *len = fread(text, 1, DEF_DOCUMENT_MAX + 1, f);

        if (ferror(f) || *len > DEF_DOCUMENT_MAX) {
            free(text);
            text = NULL;
        }
    }

    fclose(f);

    return text;
}


static bool
defstore_add(owner_t *o, defstore_folder_t *list, const char *kind,
    const char *dir, const char *file)
{
    char    path[4096];
    char   *text, *id;
    size_t  len, id_len;

    id_len = strlen(file) - strlen(".json");
    (void) snprintf(path, sizeof(path), "%s/%s", dir, file);
    text = defstore_read(path, &len);
    id = strndup(file, id_len);

    if (text == NULL || id == NULL || list->n == DEFSTORE_FILES) {
        log_error(o->account->id, "the definition %s cannot be read, or is "
                  "over %d bytes", path, DEF_DOCUMENT_MAX);
        free(text);
        free(id);
        return false;
    }

    list->edits[list->n] = (def_edit_t) {
        .kind = tomo_str_c(kind), .id = tomo_str_n(id, id_len),
        .document = tomo_str_n(text, len)
    };
    list->files[list->n++] = id;

    return true;
}


static int
defstore_json(const struct dirent *e)
{
    size_t  len = strlen(e->d_name);

    return len > 5 && memcmp(e->d_name + len - 5, ".json", 5) == 0
           && e->d_name[0] != '.';
}


static bool
defstore_kind(owner_t *o, defstore_folder_t *list, const char *kind)
{
    int             i, n;
    char            dir[2048];
    bool            ok = true;
    struct dirent **names;

    (void) snprintf(dir, sizeof(dir), "%s/%s", o->account->definitions, kind);
    n = scandir(dir, &names, defstore_json, alphasort);

    for (i = 0; i < n; i++) {
        ok = ok && defstore_add(o, list, kind, dir, names[i]->d_name);
        free(names[i]);
    }

    if (n >= 0) {
        free(names);
    }

    return ok;
}


static bool
defstore_list(owner_t *o, defstore_folder_t *list)
{
    int   k;
    bool  ok;

    list->edits = calloc(DEFSTORE_FILES, sizeof(def_edit_t));
    list->files = calloc(DEFSTORE_FILES, sizeof(char *));
    ok = list->edits != NULL && list->files != NULL;

    for (k = 0; ok && k < DEF_KIND_END; k++) {
        ok = defstore_kind(o, list, defs_kind_word((def_kind_e) k));
    }

    if (ok && list->n == 0) {
        log_warn(o->account->id, "no definitions in %s: expected files named "
                 "KIND/ID.json", o->account->definitions);
    }

    return ok && list->n > 0;
}


bool
defstore_folder_open(owner_t *o, defstore_folder_t *list)
{
    def_fault_t  fault;

    *list = (defstore_folder_t) { NULL, NULL, 0, 0 };

    if (o->account->definitions == NULL || defs_count(o->defs) > 0
        || !defstore_list(o, list))
    {
        return false;
    }

    if (defstore_change(o, list->edits, list->n, &fault) == TOMO_OK) {
        return true;
    }

    log_error(o->account->id, "definitions in %s are not loaded: "
              "%.*s/%s.json%s %s", o->account->definitions,
              (int) list->edits[fault.edit].kind.len,
              (const char *) list->edits[fault.edit].kind.data,
              list->files[fault.edit], fault.path, fault.why);

    return false;
}


bool
defstore_folder_some(owner_t *o, defstore_folder_t *list, int64_t now_ms)
{
    char          key[TOMO_KEY_MAX];
    const def_t  *def;

    for ( /* void */ ; list->i < list->n; list->i++) {
        if (!commit_room(o->commit, DEFSTORE_ARGS, DEFSTORE_BYTES)) {
            /* until the last commit stands, the folder is loaded again */
            commit_op(o->commit, 'h', defstore_key(key, o, tomo_key_meta));
            commit_pair_u64(o->commit, "loading", 1);
            commit_end(o->commit);
            return true;
        }

        def = defstore_edited(o, &list->edits[list->i]);

        if (def != NULL) {
            defstore_write(o, def, 1, now_ms);
        }
    }

    commit_op(o->commit, 'd', defstore_key(key, o, tomo_key_meta));
    commit_arg_c(o->commit, "loading");
    commit_end(o->commit);
    defstore_version(o);
    feedpub_version(o);

    return false;
}


void
defstore_folder_close(defstore_folder_t *list)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        free(list->files[i]);
        free((void *) (uintptr_t) list->edits[i].document.data);
    }

    free(list->edits);
    free(list->files);
}
