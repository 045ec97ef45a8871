/* api/friends: friends by LINE user id, by id, page by page */

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"
#include "tomo_journal.h"

#define FRIENDS_ROOM_EACH   16384
#define FRIENDS_USER_MAX    80


static void
friends_tags(routes_t *routes, request_t *r, const conf_account_t *account,
    tomo_str_t tags)
{
    size_t         end;
    uint64_t       no;
    const name_t  *name;

    json_open(&r->out, "tags", '[');

    for (size_t at = 0; at < tags.len; at = end + 1) {
        end = tomo_str_find(tags, at, ',');

        if (tomo_u64_get(tomo_str_n(tags.data + at, end - at), UINT32_MAX,
                         &no) != TOMO_OK)
        {
            continue;
        }

        name = names_find(routes->names, account, "tag", no);
        if (name) {
            json_put_c(&r->out, NULL, name->id);
        }
    }

    json_close(&r->out, ']');
}


/* multi: one string per line */
static void
friends_lines(request_t *r, const char *id, tomo_str_t value)
{
    size_t  end;

    json_open(&r->out, id, '[');

    for (size_t at = 0; at < value.len; at = end + 1) {
        end = tomo_str_find(value, at, '\n');
        json_put_str(&r->out, NULL, tomo_str_n(value.data + at, end - at));
    }

    json_close(&r->out, ']');
}


static void
friends_field(request_t *r, const name_t *name, tomo_str_t value)
{
    int64_t  n;

    if (strcmp(name->type, "multi") == 0) {
        friends_lines(r, name->id, value);

    } else if (strcmp(name->type, "number") == 0
               && tomo_i64_get(value, &n) == TOMO_OK)
    {
        json_put_i64(&r->out, name->id, n);

    } else {
        json_put_str(&r->out, name->id, value);
    }
}


static void
friends_fields(routes_t *routes, request_t *r, const conf_account_t *account,
    const redisReply *pairs)
{
    uint64_t       no;
    tomo_str_t     field;
    const name_t  *name;

    json_open(&r->out, "fields", '{');

    for (size_t i = 0; i + 1 < redis_len(pairs); i += 2) {
        field = redis_str(redis_at(pairs, i));

        if (!tomo_str_starts(field, tomo_str("d:"))
            || tomo_u64_get(tomo_str_n(field.data + 2, field.len - 2),
                            UINT32_MAX, &no) != TOMO_OK)
        {
            continue;
        }

        name = names_find(routes->names, account, "field", no);
        if (name) {
            friends_field(r, name, redis_str(redis_at(pairs, i + 1)));
        }
    }

    json_close(&r->out, '}');
}


/* the names are held */
static void
friends_put(routes_t *routes, request_t *r, const conf_account_t *account,
    uint64_t serial, const redisReply *pairs)
{
    tomo_str_t  name;

    name = redis_pair(pairs, "name");

    json_open(&r->out, NULL, '{');
    json_put_i64(&r->out, "id", (int64_t) serial);
    json_put_str(&r->out, "user_id", redis_pair(pairs, "uid"));

    if (name.data) {
        json_put_str(&r->out, "display_name", name);
    } else {
        json_put_null(&r->out, "display_name");
    }

    json_put_str(&r->out, "status", redis_pair(pairs, "st"));
    friends_tags(routes, r, account, redis_pair(pairs, "tags"));
    friends_fields(routes, r, account, pairs);
    json_close(&r->out, '}');
}


/* serials first .. first + n - 1, or those given; false: r was answered 503 */
static bool
friends_read(routes_t *routes, request_t *r, redis_t *redis,
    const conf_account_t *account, uint64_t first, uint64_t n)
{
    bool         ok = true;
    read_key_t   key;
    redisReply  *reply;

    for (uint64_t i = 0; i < n && ok; i++) {
        tomo_key_friend(read_key(&key), tomo_str_c(account->id), first + i);
        ok = redis_append_c(redis, "HGETALL", read_key_c(&key), NULL)
             == TOMO_OK;
    }

    for (uint64_t i = 0; i < n && ok; i++) {
        reply = redis_reply(redis);
        ok = redis_is(reply, REDIS_REPLY_ARRAY);

        if (redis_len(reply) > 0) {
            friends_put(routes, r, account, first + i, reply);
        }

        freeReplyObject(reply);
    }

    if (!ok) {
        redis_drop(redis, "unexpected reply to HGETALL of a friend");
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "redis_down",
                   "reading friends failed; try again");
    }

    return ok;
}


/* the serial of a LINE user id; 0: unknown; false: r was answered */
static bool
friends_lookup(request_t *r, redis_t *redis, const conf_account_t *account,
    const char *user_id, uint64_t *serial)
{
    bool         ok;
    size_t       len;
    uint32_t     bucket;
    read_key_t   key;
    redisReply  *reply;

    len = strlen(user_id);

    if (len == 0 || len > FRIENDS_USER_MAX) {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_user_id",
                   "user_id is a LINE user id such as U followed by 32 hex "
                   "digits");
        return false;
    }

    bucket = tomo_crc32c(0, user_id, len) & 0xffff;
    tomo_key_uid(read_key(&key), tomo_str_c(account->id), bucket);

    reply = redis_call_c(redis, "HGET", read_key_c(&key), user_id, NULL);
    ok = redis_is(reply, REDIS_REPLY_NIL)
         || context_reply_ok(r, reply, REDIS_REPLY_STRING);

    if (!ok || tomo_u64_get(redis_str(reply), UINT32_MAX, serial) != TOMO_OK) {
        *serial = 0;
    }

    freeReplyObject(reply);

    return ok;
}


static bool
friends_hold(routes_t *routes, request_t *r, redis_t *redis,
    const conf_account_t *account)
{
    if (names_hold(routes->names, redis, account) == TOMO_OK) {
        return true;
    }

    http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "redis_down",
               "reading the definitions failed; try again");
    return false;
}


/* the page: by user id, or limit serials behind after */
static bool
friends_range(request_t *r, redis_t *redis, const conf_account_t *account,
    uint64_t *first, uint64_t *n)
{
    uint64_t     after = 0;
    const char  *text;

    text = http_query(r, "user_id");

    if (text) {
        if (!friends_lookup(r, redis, account, text, first)) {
            return false;
        }

        *n = *first != 0;
        return true;
    }

    text = http_query(r, "after");

    if (text && tomo_u64_get(tomo_str_c(text), UINT32_MAX, &after) != TOMO_OK)
    {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_after",
                   "after is the id of a friend, a number");
        return false;
    }

    *first = after + 1;

    return routes_limit(r, n);
}


http_rc_e
friends_list(routes_t *routes, request_t *r, const route_match_t *m)
{
    uint64_t  first, n;
    redis_t  *redis;

    redis = context_redis(routes->ctx, r);
    if (redis == NULL) {
        return HTTP_ANSWERED;
    }

    if (friends_range(r, redis, m->account, &first, &n)
        && friends_hold(routes, r, redis, m->account))
    {
        r->status = MHD_HTTP_OK;
        http_room(r, (size_t) (n + 4) * FRIENDS_ROOM_EACH);
        json_open(&r->out, NULL, '{');
        json_open(&r->out, "friends", '[');

        if (friends_read(routes, r, redis, m->account, first, n)) {
            json_close(&r->out, ']');
            json_close(&r->out, '}');
        }

        names_done(routes->names, m->account);
    }

    context_redis_done(routes->ctx, redis);

    return HTTP_ANSWERED;
}


http_rc_e
friends_one(routes_t *routes, request_t *r, const route_match_t *m)
{
    uint64_t  serial;
    redis_t  *redis;

    if (tomo_u64_get(m->args[0], UINT32_MAX, &serial) != TOMO_OK) {
        serial = 0;
    }

    redis = context_redis(routes->ctx, r);
    if (redis == NULL) {
        return HTTP_ANSWERED;
    }

    if (friends_hold(routes, r, redis, m->account)) {
        r->status = MHD_HTTP_OK;
        http_room(r, 4 * FRIENDS_ROOM_EACH);

        if (friends_read(routes, r, redis, m->account, serial, 1)
            && r->out.len == 0
            && !deletions_one(redis, r, m, serial))
        {
            http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                       "no friend of that id");
        }

        names_done(routes->names, m->account);
    }

    context_redis_done(routes->ctx, redis);

    return HTTP_ANSWERED;
}
