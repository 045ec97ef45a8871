/* friend_state: the typed records inside a friend, and the follow state */

#include "friend.h"

#include <stddef.h>

#include "tomo_codec.h"
#include "tomo_rec.h"

#define FRIEND_RECORD  4096

typedef enum {
    FRIEND_U32 = 0,
    FRIEND_U64,
    FRIEND_I64,
    FRIEND_BOOL,                /* 0 or 1 */
    FRIEND_FLAG,                /* a bool; absent: false */
    FRIEND_STR,
    FRIEND_WORD                 /* a string; absent: "" */
} friend_type_e;

/* A member of a record: its name, what it is, where it stands in memory */
typedef struct {
    const char     *name;
    friend_type_e   type;
    size_t          at;
} friend_member_t;

/* The records of a kind of field */
typedef struct {
    char                    letter;
    const friend_member_t  *members;
    size_t                  n;
} friend_kind_t;

static const friend_member_t  friend_scenario_members[] = {
    { "gen", FRIEND_U32, offsetof(friend_scenario_t, gen) },
    { "step", FRIEND_STR, offsetof(friend_scenario_t, step) },
    { "done", FRIEND_BOOL, offsetof(friend_scenario_t, done) },
    { "paused", FRIEND_FLAG, offsetof(friend_scenario_t, paused) },
    { "start", FRIEND_I64, offsetof(friend_scenario_t, start_ms) },
    { "shift", FRIEND_I64, offsetof(friend_scenario_t, shift) },
    { "due", FRIEND_I64, offsetof(friend_scenario_t, due_ms) },
    { "prev", FRIEND_I64, offsetof(friend_scenario_t, prev_ms) },
    { "by", FRIEND_STR, offsetof(friend_scenario_t, by) },
    { "past", FRIEND_WORD, offsetof(friend_scenario_t, past) },
};

static const friend_member_t  friend_link_members[] = {
    { "n", FRIEND_U64, offsetof(friend_link_t, clicks) },
    { "first", FRIEND_I64, offsetof(friend_link_t, first_ms) },
    { "last", FRIEND_I64, offsetof(friend_link_t, last_ms) },
};

static const friend_member_t  friend_survey_members[] = {
    { "n", FRIEND_U64, offsetof(friend_survey_t, answers) },
    { "last", FRIEND_I64, offsetof(friend_survey_t, last_ms) },
    { "rev", FRIEND_U64, offsetof(friend_survey_t, rev) },
};


/* what is absent or odd becomes 0, false or "" */
static void
friend_member_get(const friend_member_t *m, const tomo_rec_t *rec, void *out)
{
    void              *place = (uint8_t *) out + m->at;
    int64_t            i = 0;
    uint64_t           u = 0;
    const tomo_str_t  *s;

    switch (m->type) {

    case FRIEND_U32:
        (void) !tomo_rec_get_u64(rec, m->name, UINT32_MAX, &u);
        *(uint32_t *) place = (uint32_t) u;
        break;

    case FRIEND_U64:
        (void) !tomo_rec_get_u64(rec, m->name, UINT64_MAX, &u);
        *(uint64_t *) place = u;
        break;

    case FRIEND_I64:
        (void) !tomo_rec_get_i64(rec, m->name, &i);
        *(int64_t *) place = i;
        break;

    case FRIEND_BOOL:
    case FRIEND_FLAG:
        (void) !tomo_rec_get_u64(rec, m->name, 1, &u);
        *(bool *) place = u == 1;
        break;

    case FRIEND_STR:
    case FRIEND_WORD:
        s = tomo_rec_get(rec, m->name);
        *(tomo_str_t *) place = s != NULL ? *s : tomo_str_null;
        break;
    }
}


static void
friend_member_put(const friend_member_t *m, const void *in, tomo_buf_t *b)
{
    const void        *place = (const uint8_t *) in + m->at;
    const tomo_str_t  *s;

    switch (m->type) {

    case FRIEND_U32:
        tomo_rec_put_u64(b, m->name, *(const uint32_t *) place);
        break;

    case FRIEND_U64:
        tomo_rec_put_u64(b, m->name, *(const uint64_t *) place);
        break;

    case FRIEND_I64:
        tomo_rec_put_i64(b, m->name, *(const int64_t *) place);
        break;

    case FRIEND_BOOL:
    case FRIEND_FLAG:
        if (m->type == FRIEND_BOOL || *(const bool *) place) {
            tomo_rec_put_u64(b, m->name, *(const bool *) place);
        }
        break;

    case FRIEND_STR:
    case FRIEND_WORD:
        s = place;
        if (m->type == FRIEND_STR || s->len > 0) {
            tomo_rec_put(b, m->name, *s);
        }
        break;
    }
}


/* the record in field letter:no, decoded in the friend's arena */
static bool
friend_record(const friend_t *f, const friend_kind_t *kind, uint32_t no,
    void *out)
{
    size_t      i;
    tomo_rec_t  rec;
    tomo_str_t  text;

    text = friend_get_no(f, kind->letter, no);

    if (text.len == 0 || tomo_rec_parse(text, f->arena, &rec) != TOMO_OK) {
        return false;
    }

    for (i = 0; i < kind->n; i++) {
        friend_member_get(&kind->members[i], &rec, out);
    }

    return true;
}


static void
friend_record_set(friend_t *f, const friend_kind_t *kind, uint32_t no,
    const void *in)
{
    size_t      i;
    uint8_t     text[FRIEND_RECORD];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));

    for (i = 0; i < kind->n; i++) {
        friend_member_put(&kind->members[i], in, &b);
    }

    friend_set_no(f, kind->letter, no, tomo_buf_str(&b));
}


/* a new kind of record is its members and a row here */
#define FRIEND_RECORD_(name, letter)                                          \
    static const friend_kind_t  friend_kind_##name = {                        \
        letter, friend_##name##_members,                                      \
        sizeof(friend_##name##_members) / sizeof(friend_member_t)             \
    };                                                                        \
                                                                              \
                                                                              \
    bool                                                                      \
    friend_##name(const friend_t *f, uint32_t no, friend_##name##_t *out)     \
    {                                                                         \
        return friend_record(f, &friend_kind_##name, no, out);                \
    }                                                                         \
                                                                              \
                                                                              \
    void                                                                      \
    friend_##name##_set(friend_t *f, uint32_t no,                             \
        const friend_##name##_t *in)                                          \
    {                                                                         \
        friend_record_set(f, &friend_kind_##name, no, in);                    \
    }

FRIEND_RECORD_(scenario, 's')
FRIEND_RECORD_(link, 'k')
FRIEND_RECORD_(survey, 'a')


/*
 * fu: the newest of follow and unfollow, `f` or `u` (at the same moment the
 * unfollow wins); st_at its time; life_at the newest sign of life.  Who acts
 * after a block has come back, even if the follow event never reached us.
 */
bool
friend_follow(friend_t *f, char kind, int64_t at_ms, tomo_str_t *before)
{
    char        fu;
    int64_t     st_at, life_at;
    tomo_str_t  word, st;

    *before = friend_get_c(f, "st");
    word = friend_get_c(f, "fu");
    fu = word.len == 1 ? (char) word.data[0] : '-';
    st_at = friend_get_i64(f, "st_at");
    life_at = friend_get_i64(f, "life_at");

    if (kind == 'l') {
        life_at = at_ms > life_at ? at_ms : life_at;
        friend_set_i64(f, "life_at", life_at);

    } else if (fu == '-' || at_ms > st_at || (at_ms == st_at && kind == 'u')) {
        fu = kind;
        st_at = at_ms;
        friend_set_c(f, "fu", tomo_str_n(&kind, 1));
        friend_set_i64(f, "st_at", st_at);
    }

    if (fu == 'f' || (fu == 'u' && life_at > st_at)) {
        st = tomo_str("following");

    } else {
        st = fu == 'u' ? tomo_str("blocked") : tomo_str("unknown");
    }

    if (tomo_str_eq(*before, st)) {
        return false;
    }

    friend_set_c(f, "st", st);

    return true;
}


void
friend_scenarios(friend_t *f, void (*fn)(void *ctx, uint32_t no), void *ctx)
{
    size_t      i, n;
    uint64_t    no;
    tomo_str_t  name;

    n = f->n;

    for (i = 0; i < n; i++) {
        name = f->fields[i].name;

        if (!f->fields[i].gone && tomo_str_starts(name, tomo_str("s:"))
            && tomo_u64_get(tomo_str_n(name.data + 2, name.len - 2),
                            UINT32_MAX, &no)
               == TOMO_OK)
        {
            fn(ctx, (uint32_t) no);
        }
    }
}
