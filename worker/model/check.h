/*
 * check: walking a definition's JSON while remembering where we are, so that
 * the first fault is reported as a JSON pointer (`/steps/2/when/tag`) with
 * words for the person who wrote it.  After the first fault every check_*
 * call returns a harmless value and nothing more is reported: check freely,
 * look at `failed` once.  One thread.
 */

#ifndef CHECK_H
#define CHECK_H

#include "json.h"
#include "tomo_base.h"

#define CHECK_PATH_MAX  256

struct defs_s;

typedef struct {
    const struct defs_s  *defs;         /* what references may name */
    tomo_arena_t         *arena;        /* for what is compiled */
    char                  path[CHECK_PATH_MAX];
    size_t                path_len;
    bool                  failed;
    char                  fault[CHECK_PATH_MAX];
    const char           *why;          /* static text */
} check_t;

void check_init(check_t *c, const struct defs_s *defs, tomo_arena_t *arena);

/* one step down; returns the length to give to check_up */
size_t check_down(check_t *c, const char *name);
size_t check_down_i(check_t *c, size_t index);
void check_up(check_t *c, size_t len);

/* the fault is here, or at member name of here */
void check_fail(check_t *c, const char *why);
void check_fail_at(check_t *c, const char *name, const char *why);

/* members outside the NULL-ended list are faults */
void check_members(check_t *c, const json_t *j, const char *const *names);

/*
 * Members of an object.  Required and missing, of another kind or out of
 * range: a fault.  Texts are limited in UTF-16 units, as LINE counts.
 */
tomo_str_t check_text(check_t *c, const json_t *j, const char *name,
    bool required, size_t max);
int64_t check_int(check_t *c, const json_t *j, const char *name,
    int64_t min, int64_t max, int64_t otherwise);
bool check_bool(check_t *c, const json_t *j, const char *name,
    bool otherwise);
/* NULL: absent or a fault; required: absent and empty are faults */
const json_t *check_array(check_t *c, const json_t *j, const char *name,
    bool required, size_t max);
const json_t *check_object(check_t *c, const json_t *j, const char *name,
    bool required);
/* index of the member's word in a NULL-ended list */
int check_word(check_t *c, const json_t *j, const char *name,
    const char *const *words, int otherwise);
/* an id by the grammar of tomo_keys_id_ok */
tomo_str_t check_id(check_t *c, const json_t *j, const char *name);
/* the number of the definition that the member names; 0: a fault */
uint32_t check_ref(check_t *c, const json_t *j, const char *name, int kind);

/* zeroed memory for what is compiled; NULL: arena full (its bit is set) */
void *check_alloc(check_t *c, size_t n, size_t size);

#endif
