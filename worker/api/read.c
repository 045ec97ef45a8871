/* api/read: see read.h */

#include "read.h"

#include "clock.h"
#include "tomo_codec.h"

#define READ_PASSED  "10"       /* more than ingest ever leaves behind */


tomo_buf_t *
read_key(read_key_t *k)
{
    tomo_buf_init(&k->buf, k->name, sizeof(k->name) - 1);
    return &k->buf;
}


const char *
read_key_c(read_key_t *k)
{
    k->name[k->buf.len] = '\0';
    return k->name;
}


int64_t
read_pair_i64(const redisReply *pairs, const char *name)
{
    int64_t     n;
    tomo_str_t  text;

    text = redis_pair(pairs, name);

    return text.len && tomo_i64_get(text, &n) == TOMO_OK ? n : 0;
}


int64_t
read_age_s(const redisReply *entries)
{
    int64_t     ms, age_s;
    tomo_str_t  id = redis_str(redis_at(redis_at(entries, 0), 0));

    if (id.len == 0
        || tomo_i64_get(tomo_str_n(id.data, tomo_str_find(id, 0, '-')), &ms)
           != TOMO_OK)
    {
        return 0;
    }

    age_s = (clock_real_ms() - ms) / 1000;

    return age_s > 0 ? age_s : 0;
}


bool
read_lane(redis_t *redis, read_key_t *key, tomo_str_t cursor,
    int64_t *waiting, int64_t *oldest_s)
{
    bool         ok = false;
    char         after[64], upto[64];
    int64_t      n;
    tomo_buf_t   a, b;
    redisReply  *all, *next, *passed;

    tomo_buf_init(&a, after, sizeof(after) - 1);
    tomo_buf_c(&a, cursor.len ? "(" : "-");
    tomo_buf_put(&a, cursor);
    tomo_buf_init(&b, upto, sizeof(upto) - 1);
    tomo_buf_put(&b, cursor.len ? cursor : tomo_str("0-0"));

    if (a.failed || b.failed) {
        return false;
    }

    after[a.len] = '\0';
    upto[b.len] = '\0';

    all = redis_call_c(redis, "XLEN", read_key_c(key), NULL);
    next = redis_call_c(redis, "XRANGE", read_key_c(key), after, "+",
                        "COUNT", "1", NULL);
    passed = redis_call_c(redis, "XRANGE", read_key_c(key), "-", upto,
                          "COUNT", READ_PASSED, NULL);

    if (redis_int(all, &n) == TOMO_OK && redis_is(next, REDIS_REPLY_ARRAY)
        && redis_is(passed, REDIS_REPLY_ARRAY))
    {
        ok = true;
        n -= (int64_t) redis_len(passed);
        *waiting = redis_len(next) ? (n > 1 ? n : 1) : 0;
        *oldest_s = read_age_s(next);
    }

    freeReplyObject(all);
    freeReplyObject(next);
    freeReplyObject(passed);

    return ok;
}
