#include "recover.h"

#include "clock.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define RECOVER_AHEAD     64            /* numbers looked at at each start */
#define RECOVER_BUCKETS   65536         /* of `uid` (view_bucket) */
#define RECOVER_PIPELINE  1024          /* buckets, or numbers, of one part */
#define RECOVER_PARTS     4             /* of one call */
#define RECOVER_EMPTY     16            /* parts without a record: the end */
#define RECOVER_DELIVERY  65536         /* more than anyone has steps */
#define RECOVER_EPOCH_MS  INT64_C(1767225600000)    /* 2026-01-01 UTC */


static tomo_str_t
recover_key(char *text, const owner_t *o,
    void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t), uint64_t no)
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, TOMO_KEY_MAX - 1);
    fn(&b, o->id, no);
    text[b.len] = '\0';

    return tomo_buf_str(&b);
}


/* how many of the next numbers have a record already? */
static tomo_rc_e
recover_ahead(owner_t *o, redis_t *r, int64_t *n)
{
    char           keys[RECOVER_AHEAD][TOMO_KEY_MAX];
    tomo_rc_e      rc;
    redisReply    *reply;
    redis_args_t   args = { 0 };

    redis_arg_c(&args, "EXISTS");

    for (uint32_t i = 0; i < RECOVER_AHEAD; i++) {
        redis_arg(&args, recover_key(keys[i], o, tomo_key_friend,
                                     o->state.serial + 1 + i));
    }

    reply = redis_call(r, &args);
    rc = redis_int(reply, n);
    freeReplyObject(reply);
    redis_args_free(&args);

    return rc == TOMO_OK ? TOMO_OK : TOMO_AGAIN;
}


/* the highest number of a deleted person */
static uint32_t
recover_stones(const owner_t *o)
{
    uint32_t  highest = 0;

    for (size_t i = 0; i < o->gone.n; i++) {
        if (o->gone.list[i].serial > highest
            && o->gone.list[i].serial <= OWNER_SERIAL_MAX)
        {
            highest = o->gone.list[i].serial;
        }
    }

    return highest;
}


static void
recover_above(owner_t *o, uint64_t serial)
{
    if (serial > o->search.highest && serial <= OWNER_SERIAL_MAX) {
        o->search.highest = (uint32_t) serial;
    }
}


/* the user ids of a bucket and their numbers */
static tomo_rc_e
recover_bucket(owner_t *o, uint32_t bucket, const redisReply *pairs)
{
    uint64_t  serial;

    if (redis_error_of(pairs) == REDIS_ERR_TYPE) {
        log_error(o->account->id, "its friends cannot be counted: the key "
                  "uid:%u is no hash; somebody wrote to this Redis: move the "
                  "key away, ingest goes on by itself", (unsigned) bucket);
        return TOMO_INVALID;
    }

    if (!redis_is(pairs, REDIS_REPLY_ARRAY)) {
        return TOMO_AGAIN;
    }

    for (size_t i = 1; i < redis_len(pairs); i += 2) {
        if (tomo_u64_get(redis_str(redis_at(pairs, i)), OWNER_SERIAL_MAX,
                         &serial)
            == TOMO_OK)
        {
            recover_above(o, serial);
        }
    }

    return TOMO_OK;
}


/* the next part of the buckets */
static tomo_rc_e
recover_buckets(owner_t *o, redis_t *r)
{
    char         key[TOMO_KEY_MAX];
    uint32_t     from = o->search.buckets;
    tomo_rc_e    rc = TOMO_OK, one;
    redisReply  *reply;

    for (uint32_t i = 0; i < RECOVER_PIPELINE; i++) {
        (void) recover_key(key, o, tomo_key_uid, from + i);

        if (redis_append_c(r, "HGETALL", key, NULL) != TOMO_OK) {
            return TOMO_AGAIN;
        }
    }

    for (uint32_t i = 0; i < RECOVER_PIPELINE; i++) {
        reply = redis_reply(r);

        if (reply == NULL) {
            return TOMO_AGAIN;
        }

        one = recover_bucket(o, from + i, reply);
        rc = rc == TOMO_OK ? one : rc;
        freeReplyObject(reply);
    }

    o->search.buckets += RECOVER_PIPELINE;

    return rc;
}


/*
 * Records behind the highest number, that no user id leads to: the next part
 * of the numbers there.  One that lies further on still is never written
 * over: the commit of a new friend is refused when its record is there.
 */
static tomo_rc_e
recover_records(owner_t *o, redis_t *r)
{
    bool             found = false;
    char             key[TOMO_KEY_MAX];
    int64_t          n;
    uint64_t         from;
    redisReply      *reply;
    owner_search_t  *s = &o->search;

    from = s->highest + UINT64_C(1) + s->empty * RECOVER_PIPELINE;

    for (uint32_t i = 0; i < RECOVER_PIPELINE; i++) {
        (void) recover_key(key, o, tomo_key_friend, from + i);

        if (redis_append_c(r, "EXISTS", key, NULL) != TOMO_OK) {
            return TOMO_AGAIN;
        }
    }

    for (uint32_t i = 0; i < RECOVER_PIPELINE; i++) {
        reply = redis_reply(r);

        if (redis_int(reply, &n) != TOMO_OK) {
            freeReplyObject(reply);
            return TOMO_AGAIN;
        }

        freeReplyObject(reply);

        if (n > 0) {
            found = true;
            recover_above(o, from + i);
        }
    }

    s->empty = found ? 0 : s->empty + 1;

    return TOMO_OK;
}


/* the highest number that anybody has, or had; TOMO_AGAIN: not yet */
static tomo_rc_e
recover_search(owner_t *o, redis_t *r)
{
    tomo_rc_e        rc = TOMO_OK;
    owner_search_t  *s = &o->search;

    if (!s->on || s->generation != r->generation) {
        *s = (owner_search_t) {
            .on = true, .told = s->told, .generation = r->generation
        };
    }

    if (!s->told) {
        s->told = true;
        log_warn(o->account->id, "its key `meta` is gone, or older than its "
                 "friends: looking for the highest number in all keys "
                 "`uid:N`; the account waits meanwhile");
    }

    recover_above(o, o->state.serial);
    recover_above(o, recover_stones(o));

    for (size_t i = 0; i < RECOVER_PARTS && rc == TOMO_OK; i++) {
        if (s->buckets < RECOVER_BUCKETS) {
            rc = recover_buckets(o, r);

        } else if (s->empty < RECOVER_EMPTY
                   && s->highest < OWNER_SERIAL_MAX)
        {
            rc = recover_records(o, r);

        } else {
            s->on = false;
            o->state.serial = s->highest;
            return TOMO_OK;
        }
    }

    s->on = rc == TOMO_OK;

    return rc == TOMO_OK ? TOMO_AGAIN : rc;
}


bool
recover_more(const owner_t *o)
{
    return o->search.on;
}


void
recover_forget(owner_t *o)
{
    o->search.on = false;
}


/*
 * Only `meta` and `cursor` tell which numbers deliveries had, and neither can
 * be trusted: go on behind whatever has been given since.  Nobody adds a step
 * every minute for long: the minutes since 2026 are behind those that were
 * given after another such loss, too, and fit into 24 bits until 2057.
 */
static void
recover_deliveries(owner_t *o)
{
    int64_t  next, minutes;

    next = (int64_t) o->state.delivery + RECOVER_DELIVERY;
    minutes = (clock_real_ms() - RECOVER_EPOCH_MS) / TOMO_MIN_MS;
    next = next > minutes ? next : minutes;
    o->state.delivery = next < OWNER_DELIVERY_MAX ? (uint32_t) next
                                                  : OWNER_DELIVERY_MAX;
}


static void
recover_tell(const owner_t *o)
{
    const owner_numbers_t  *m = &o->numbers;

    if (m->serial == o->state.serial && m->delivery == o->state.delivery) {
        return;
    }

    log_error(o->account->id, "its key `meta` was gone, or older than its "
              "friends: the last friend's number was %u there, and goes on "
              "after %u, the highest that anybody has; the last delivery's "
              "was %u, and goes on after %u; somebody wrote to this Redis: if "
              "it was restored in part, restore it whole",
              (unsigned) m->serial, (unsigned) o->state.serial,
              (unsigned) m->delivery, (unsigned) o->state.delivery);
}


tomo_rc_e
recover_numbers(owner_t *o, redis_t *r, bool *changed)
{
    bool       young;
    int64_t    ahead;
    tomo_rc_e  rc;

    *changed = false;
    rc = recover_ahead(o, r, &ahead);

    if (rc != TOMO_OK) {
        return rc;
    }

    /* a new account's `meta` does not say the last number at all */
    young = o->state.counters[OWNER_EVENTS] == 0 && o->gone.n == 0
            && defs_count(o->defs) == 0;

    if (ahead > 0 || o->numbers.taken
        || recover_stones(o) > o->state.serial
        || (!o->numbers.known && !young))
    {
        rc = recover_search(o, r);

        if (rc != TOMO_OK) {
            return rc;
        }

        *changed = true;
        o->numbers.taken = false;
        recover_deliveries(o);
    }

    o->search = (owner_search_t) { .on = false };
    *changed = *changed || o->numbers.serial != o->state.serial
               || o->numbers.delivery != o->state.delivery;
    recover_tell(o);

    return TOMO_OK;
}


void
recover_put(owner_t *o)
{
    char        key[TOMO_KEY_MAX];
    tomo_buf_t  b;

    tomo_buf_init(&b, key, sizeof(key));
    tomo_key_meta(&b, o->id);
    commit_op(o->commit, 'h', tomo_buf_str(&b));
    commit_pair_u64(o->commit, "serial", o->state.serial);
    commit_pair_u64(o->commit, "delivery", o->state.delivery);
    commit_end(o->commit);

    if (!o->numbers.in_meta && o->gone.n > 0) {
        /* nobody knows any more whether Redis' file was written anew */
        owner_erases(o);
    }
}
