/* friend_state: the typed records inside a friend, and the follow state */

#include "friend.h"

#include "tomo_codec.h"
#include "tomo_rec.h"

#define FRIEND_RECORD  512


/* the record in field letter:no, decoded in the friend's arena */
static bool
friend_record(const friend_t *f, char letter, uint32_t no, tomo_rec_t *rec)
{
    tomo_str_t  text;

    text = friend_get_no(f, letter, no);

    return text.len > 0 && tomo_rec_parse(text, f->arena, rec) == TOMO_OK;
}


static int64_t
friend_record_i64(const tomo_rec_t *rec, const char *name)
{
    int64_t  n;

    return tomo_rec_get_i64(rec, name, &n) == TOMO_OK ? n : 0;
}


static uint64_t
friend_record_u64(const tomo_rec_t *rec, const char *name, uint64_t max)
{
    uint64_t  n;

    return tomo_rec_get_u64(rec, name, max, &n) == TOMO_OK ? n : 0;
}


bool
friend_scenario(const friend_t *f, uint32_t no, friend_scenario_t *s)
{
    tomo_rec_t         rec;
    const tomo_str_t  *by, *step;

    if (!friend_record(f, 's', no, &rec)) {
        return false;
    }

    by = tomo_rec_get(&rec, "by");
    step = tomo_rec_get(&rec, "step");

    *s = (friend_scenario_t) {
        .gen = (uint32_t) friend_record_u64(&rec, "gen", UINT32_MAX),
        .step = step != NULL ? *step : tomo_str_null,
        .done = friend_record_u64(&rec, "done", 1) == 1,
        .paused = friend_record_u64(&rec, "paused", 1) == 1,
        .start_ms = friend_record_i64(&rec, "start"),
        .shift = friend_record_i64(&rec, "shift"),
        .due_ms = friend_record_i64(&rec, "due"),
        .prev_ms = friend_record_i64(&rec, "prev"),
        .by = by != NULL ? *by : tomo_str_null
    };

    return true;
}


void
friend_scenario_set(friend_t *f, uint32_t no, const friend_scenario_t *s)
{
    uint8_t     text[FRIEND_RECORD];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_rec_put_u64(&b, "gen", s->gen);
    tomo_rec_put(&b, "step", s->step);
    tomo_rec_put_u64(&b, "done", s->done);

    if (s->paused) {
        tomo_rec_put_u64(&b, "paused", 1);
    }

    tomo_rec_put_i64(&b, "start", s->start_ms);
    tomo_rec_put_i64(&b, "shift", s->shift);
    tomo_rec_put_i64(&b, "due", s->due_ms);
    tomo_rec_put_i64(&b, "prev", s->prev_ms);
    tomo_rec_put(&b, "by", s->by);

    friend_set_no(f, 's', no, tomo_buf_str(&b));
}


bool
friend_link(const friend_t *f, uint32_t no, friend_link_t *l)
{
    tomo_rec_t  rec;

    if (!friend_record(f, 'k', no, &rec)) {
        return false;
    }

    l->clicks = friend_record_u64(&rec, "n", UINT64_MAX);
    l->first_ms = friend_record_i64(&rec, "first");
    l->last_ms = friend_record_i64(&rec, "last");

    return true;
}


void
friend_link_set(friend_t *f, uint32_t no, const friend_link_t *l)
{
    uint8_t     text[FRIEND_RECORD];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_rec_put_u64(&b, "n", l->clicks);
    tomo_rec_put_i64(&b, "first", l->first_ms);
    tomo_rec_put_i64(&b, "last", l->last_ms);

    friend_set_no(f, 'k', no, tomo_buf_str(&b));
}


bool
friend_survey(const friend_t *f, uint32_t no, friend_survey_t *s)
{
    tomo_rec_t  rec;

    if (!friend_record(f, 'a', no, &rec)) {
        return false;
    }

    s->answers = friend_record_u64(&rec, "n", UINT64_MAX);
    s->last_ms = friend_record_i64(&rec, "last");
    s->rev = friend_record_u64(&rec, "rev", UINT32_MAX);

    return true;
}


void
friend_survey_set(friend_t *f, uint32_t no, const friend_survey_t *s)
{
    uint8_t     text[FRIEND_RECORD];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_rec_put_u64(&b, "n", s->answers);
    tomo_rec_put_i64(&b, "last", s->last_ms);
    tomo_rec_put_u64(&b, "rev", s->rev);

    friend_set_no(f, 'a', no, tomo_buf_str(&b));
}


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
