/*
 * defs: all definitions of an account (DESIGN.md 7): documents with id,
 * number and revision, and what they compile to.  A set never changes once
 * compiled: an edit makes a new set, so that whoever decides by one sees one
 * state, and a refused commit throws the new set away.  What an edit does not
 * touch is shared by both.
 *
 * It does no I/O.  One thread.
 */

#ifndef DEFS_H
#define DEFS_H

#include "check.h"
#include "json.h"
#include "tomo_base.h"

/*
 * X(name, word, compile): the kinds of definition.  A new kind is a row here
 * and a file def_WORD.c.  The order is that of loading a folder.
 */
#define DEF_KINDS(X)                                                          \
    X(TAG,      "tag",      def_tag_compile)                                  \
    X(FIELD,    "field",    def_field_compile)                                \
    X(LINK,     "link",     def_link_compile)                                 \
    X(SURVEY,   "survey",   def_survey_compile)                               \
    X(SCENARIO, "scenario", def_scenario_compile)

typedef enum {
#define DEF_ENUM_(name, word, compile)  DEF_##name,
    DEF_KINDS(DEF_ENUM_)
#undef DEF_ENUM_
    DEF_KIND_END
} def_kind_e;

#define DEF_DOCUMENT_MAX  (256 * 1024)

typedef struct {
    def_kind_e   kind;
    tomo_str_t   id;
    uint32_t     no;            /* from 1 within its kind, for ever */
    uint32_t     revision;      /* from 1 */
    tomo_str_t   text;          /* the document, its revision included */
    const void  *compiled;      /* def_WORD_t */
} def_t;

typedef struct defs_s  defs_t;

/* One document to be stored */
typedef struct {
    tomo_str_t  kind;
    tomo_str_t  id;
    tomo_str_t  document;       /* JSON text */
} def_edit_t;

/* Why it was not stored: an HTTP status and words */
typedef struct {
    int          status;        /* 404 unknown kind, 409 stale, 422 */
    size_t       edit;          /* which of the edits */
    uint32_t     revision;      /* 409: the one that stands */
    char         path[CHECK_PATH_MAX];
    const char  *why;
} def_fault_t;

const char *defs_kind_word(def_kind_e kind);
tomo_rc_e defs_kind_parse(tomo_str_t word, def_kind_e *kind) TOMO_MUST_CHECK;

/* an empty set; NULL: out of memory */
defs_t *defs_create(void);
void defs_free(defs_t *defs);

/*
 * While loading: adds what the hash `defs` holds: field `KIND/ID`, value
 * `{"no","revision","document"}`.  TOMO_INVALID: not that.
 */
tomo_rc_e defs_add_stored(defs_t *defs, tomo_str_t field, tomo_str_t value)
    TOMO_MUST_CHECK;
/*
 * After loading: compiles all.  A stored document that no longer compiles
 * keeps its number, but has compiled == NULL; returns how many.
 */
size_t defs_compile_stored(defs_t *defs);

/*
 * A new set: old with the edits stored, all or none.  NULL: *fault says why
 * (status 0: out of memory).
 */
defs_t *defs_change(const defs_t *old, const def_edit_t *edits, size_t n,
    def_fault_t *fault);

size_t defs_count(const defs_t *defs);
const def_t *defs_at(const defs_t *defs, size_t i);
/* NULL: absent */
const def_t *defs_find(const defs_t *defs, def_kind_e kind, tomo_str_t id);
const def_t *defs_by_no(const defs_t *defs, def_kind_e kind, uint32_t no);
/* the compiled form of a number, NULL: absent or does not compile */
const void *defs_compiled(const defs_t *defs, def_kind_e kind, uint32_t no);
/* highest number given in a kind */
uint32_t defs_last_no(const defs_t *defs, def_kind_e kind);

/* appends the stored form {"no","revision","document"} */
void defs_put_stored(tomo_buf_t *b, const def_t *def);

/* compile one kind: NULL with a fault in c */
#define DEF_COMPILE_(name, word, compile)                                     \
    const void *compile(check_t *c, const json_t *doc, const def_t *def);
DEF_KINDS(DEF_COMPILE_)
#undef DEF_COMPILE_

#endif
