/*
 * friend: a friend's record in memory while events are decided: a mirror of
 * the hash f:SERIAL (docs/formats.md, The friend) that remembers what changed.
 * It does no I/O: loader and writer are the caller's.  Memory is the arena's;
 * a full arena shows in its `failed` bit.  One thread.
 */

#ifndef FRIEND_H
#define FRIEND_H

#include "tomo_base.h"

typedef struct {
    tomo_str_t  name;
    tomo_str_t  value;
    bool        dirty;
    bool        gone;
} friend_field_t;

typedef struct {
    uint32_t         serial;
    bool             fresh;         /* made in this batch, not stored yet */
    tomo_arena_t    *arena;
    friend_field_t  *fields;
    size_t           n;
    size_t           cap;
    uint32_t        *tags;          /* ascending */
    size_t           n_tags;
    size_t           cap_tags;
} friend_t;

/* A friend's place in a scenario (field s:NO) */
typedef struct {
    uint32_t    gen;                /* 1, 2 …: which run this is */
    tomo_str_t  step;               /* id of the last step decided, or "" */
    bool        done;
    bool        paused;             /* blocked us meanwhile */
    int64_t     start_ms;
    int64_t     shift;              /* days */
    int64_t     due_ms;             /* of the next step */
    int64_t     prev_ms;            /* due moment of the last step */
    tomo_str_t  by;                 /* id of the event that started it */
    tomo_str_t  past;               /* ids of the steps decided before `step`,
                                       a `~` before each; `~`: none; "":
                                       those that stand before it */
} friend_scenario_t;

/* A friend's clicks on a link (field k:NO) */
typedef struct {
    uint64_t  clicks;
    int64_t   first_ms;
    int64_t   last_ms;
} friend_link_t;

/* A friend's answers to a survey (field a:NO) */
typedef struct {
    uint64_t  answers;
    int64_t   last_ms;
    uint64_t  rev;
} friend_survey_t;

/* pairs: n strings, field and value by turns, as HGETALL gave them */
void friend_init(friend_t *f, tomo_arena_t *arena, uint32_t serial,
    const tomo_str_t *pairs, size_t n);

/* a field's value; {NULL, 0}: absent */
tomo_str_t friend_get(const friend_t *f, tomo_str_t name);
tomo_str_t friend_get_c(const friend_t *f, const char *name);
/* absent or not a number: 0 */
int64_t friend_get_i64(const friend_t *f, const char *name);
/* the value is copied; unchanged values do not become dirty */
void friend_set(friend_t *f, tomo_str_t name, tomo_str_t value);
void friend_set_c(friend_t *f, const char *name, tomo_str_t value);
void friend_set_i64(friend_t *f, const char *name, int64_t value);
void friend_drop(friend_t *f, tomo_str_t name);

/* fields whose name is a letter and a number, as d:7 */
tomo_str_t friend_get_no(const friend_t *f, char letter, uint32_t no);
void friend_set_no(friend_t *f, char letter, uint32_t no, tomo_str_t value);
void friend_drop_no(friend_t *f, char letter, uint32_t no);

bool friend_has_tag(const friend_t *f, uint32_t no);
/* true: it changed */
bool friend_tag_add(friend_t *f, uint32_t no);
bool friend_tag_remove(friend_t *f, uint32_t no);

/* false: was never in it */
bool friend_scenario(const friend_t *f, uint32_t no, friend_scenario_t *s);
void friend_scenario_set(friend_t *f, uint32_t no,
    const friend_scenario_t *s);
bool friend_link(const friend_t *f, uint32_t no, friend_link_t *l);
void friend_link_set(friend_t *f, uint32_t no, const friend_link_t *l);
bool friend_survey(const friend_t *f, uint32_t no, friend_survey_t *s);
void friend_survey_set(friend_t *f, uint32_t no, const friend_survey_t *s);

/*
 * Follow state (promise W8): a function of the newest follow or unfollow and
 * of the newest sign of life, never of the order in which they arrived.
 * kind: 'f' follow, 'u' unfollow, 'l' a message or tap.  True when the
 * status word changed; *before is the word it had, "" for none.
 */
bool friend_follow(friend_t *f, char kind, int64_t at_ms,
    tomo_str_t *before);

/* calls fn for every scenario number the friend was ever in */
void friend_scenarios(friend_t *f, void (*fn)(void *ctx, uint32_t no),
    void *ctx);

#endif
