#include "recover.h"

#include "log.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define RECOVER_AHEAD     64            /* numbers looked at behind the last */
#define RECOVER_BUCKETS   65536         /* of `uid` (view_bucket) */
#define RECOVER_PIPELINE  1024
#define RECOVER_DELIVERY  65536         /* more than anyone has steps */
#define RECOVER_MAX       ((1u << 30) - 1)


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


static void
recover_above(owner_t *o, uint64_t serial)
{
    if (serial > o->state.serial && serial <= RECOVER_MAX) {
        o->state.serial = (uint32_t) serial;
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
        if (tomo_u64_get(redis_str(redis_at(pairs, i)), RECOVER_MAX, &serial)
            == TOMO_OK)
        {
            recover_above(o, serial);
        }
    }

    return TOMO_OK;
}


static tomo_rc_e
recover_buckets(owner_t *o, redis_t *r, uint32_t from)
{
    char         key[TOMO_KEY_MAX];
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

    return rc;
}


/* the highest number that anybody has, or had */
static tomo_rc_e
recover_highest(owner_t *o, redis_t *r)
{
    int64_t    ahead = 1;
    tomo_rc_e  rc = TOMO_OK;

    for (uint32_t i = 0; i < RECOVER_BUCKETS && rc == TOMO_OK;
         i += RECOVER_PIPELINE)
    {
        rc = recover_buckets(o, r, i);
    }

    for (size_t i = 0; i < o->gone.n; i++) {
        recover_above(o, o->gone.list[i].serial);
    }

    /* records that no user id leads to: stepped over */
    while (rc == TOMO_OK && ahead > 0 && o->state.serial < RECOVER_MAX) {
        rc = recover_ahead(o, r, &ahead);
        o->state.serial += ahead == RECOVER_AHEAD ? RECOVER_AHEAD : ahead > 0;
    }

    return rc;
}


/* does `meta` say the last number at all?  A new account's does not */
static tomo_rc_e
recover_said(owner_t *o, redis_t *r, bool *said)
{
    char         key[TOMO_KEY_MAX];
    tomo_rc_e    rc;
    tomo_buf_t   b;
    redisReply  *reply;

    tomo_buf_init(&b, key, sizeof(key) - 1);
    tomo_key_meta(&b, o->id);
    key[b.len] = '\0';
    reply = redis_call_c(r, "HGET", key, "serial", NULL);
    *said = redis_is(reply, REDIS_REPLY_STRING);
    rc = *said || redis_is(reply, REDIS_REPLY_NIL) ? TOMO_OK : TOMO_AGAIN;
    freeReplyObject(reply);

    return rc;
}


tomo_rc_e
recover_numbers(owner_t *o, redis_t *r, bool *changed)
{
    bool       said, young;
    int64_t    ahead;
    uint32_t   was = o->state.serial;
    tomo_rc_e  rc;

    *changed = false;
    rc = recover_said(o, r, &said);

    if (rc == TOMO_OK) {
        rc = recover_ahead(o, r, &ahead);
    }

    if (rc != TOMO_OK) {
        return rc;
    }

    young = o->state.counters[OWNER_EVENTS] == 0 && o->gone.n == 0
            && defs_count(o->defs) == 0;

    if (ahead == 0 && (said || young)) {
        return TOMO_OK;
    }

    rc = recover_highest(o, r);

    if (rc != TOMO_OK) {
        return rc;
    }

    *changed = true;

    if (o->state.serial != was) {
        log_error(o->account->id, "its key `meta` was gone, or older than its "
                  "friends: the last friend's number was %u there, and goes "
                  "on after %u, the highest that anybody has; somebody wrote "
                  "to this Redis: if it was restored in part, restore it "
                  "whole", (unsigned) was, (unsigned) o->state.serial);

        if (o->state.delivery == 0) {
            o->state.delivery = RECOVER_DELIVERY;
        }
    }

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
}
