/* api/friends: friends by LINE user id, by id, page by page */

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"
#include "tomo_journal.h"

#define FRIENDS_USER_MAX    80
#define FRIENDS_ODD_MAX     100         /* told of */
#define FRIENDS_WINDOW      100         /* numbers read at once, at least */
#define FRIENDS_LOOKED_MAX  10000       /* numbers looked at for one page */
#define FRIENDS_ROW_BYTES   1024        /* of names and brackets */
#define FRIENDS_FIELD_BYTES 80          /* a field's id and quotes */
#define FRIENDS_TAG_BYTES   40          /* that a byte of `tags` becomes */

/* a page on its way */
typedef struct {
    uint64_t  first;                    /* number to look at next */
    uint64_t  n;                        /* friends still wanted */
    uint64_t  last;                     /* number last given to anybody */
    uint64_t  odd[FRIENDS_ODD_MAX];     /* records that are none */
    size_t    n_odd;
} friends_page_t;


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


/* room for whatever a record may become */
static void
friends_room(request_t *r, const redisReply *pairs)
{
    size_t      bytes = FRIENDS_ROW_BYTES;
    tomo_str_t  value;

    for (size_t i = 0; i + 1 < redis_len(pairs); i += 2) {
        value = redis_str(redis_at(pairs, i + 1));
        bytes += FRIENDS_FIELD_BYTES
                 + value.len
                   * (tomo_str_eq(redis_str(redis_at(pairs, i)),
                                  tomo_str("tags"))
                      ? FRIENDS_TAG_BYTES : HTTP_ESCAPED);
    }

    http_more(r, bytes);
}


/* the names are held */
static void
friends_put(routes_t *routes, request_t *r, const conf_account_t *account,
    uint64_t serial, const redisReply *pairs)
{
    tomo_str_t  name;

    name = redis_pair(pairs, "name");

    friends_room(r, pairs);
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


/* one record into the page; false: no answer of use */
static bool
friends_take(routes_t *routes, request_t *r, const conf_account_t *account,
    friends_page_t *page, const redisReply *reply)
{
    if (page->n == 0) {
        return reply != NULL;           /* read ahead: for the next page */
    }

    if (redis_error_of(reply) == REDIS_ERR_TYPE) {
        if (page->n_odd < FRIENDS_ODD_MAX) {
            page->odd[page->n_odd++] = page->first;
        }

    } else if (!redis_is(reply, REDIS_REPLY_ARRAY)) {
        return false;

    } else if (redis_len(reply) > 0) {
        friends_put(routes, r, account, page->first, reply);
        page->n--;
    }

    page->first++;

    return true;
}


/* the next n numbers; false: r was answered 503 */
static bool
friends_read(routes_t *routes, request_t *r, redis_t *redis,
    const conf_account_t *account, friends_page_t *page, uint64_t n)
{
    bool         ok = true;
    read_key_t   key;
    redisReply  *reply;

    for (uint64_t i = 0; i < n && ok; i++) {
        tomo_key_friend(read_key(&key), tomo_str_c(account->id),
                        page->first + i);
        ok = redis_append_c(redis, "HGETALL", read_key_c(&key), NULL)
             == TOMO_OK;
    }

    for (uint64_t i = 0; i < n && ok; i++) {
        reply = redis_reply(redis);
        ok = friends_take(routes, r, account, page, reply);
        freeReplyObject(reply);
    }

    if (!ok) {
        redis_drop(redis, "unexpected reply to HGETALL of a friend");
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "redis_down",
                   "reading friends failed; try again");
    }

    return ok;
}


/*
 * Numbers of deleted friends are gaps: goes on until the page is full, or
 * nobody has a higher number, or enough was looked at.
 */
static bool
friends_fill(routes_t *routes, request_t *r, redis_t *redis,
    const conf_account_t *account, friends_page_t *page)
{
    uint64_t  n, looked = 0;

    do {
        n = page->n > FRIENDS_WINDOW ? page->n : FRIENDS_WINDOW;

        if (!friends_read(routes, r, redis, account, page, n)) {
            return false;
        }

        looked += n;
    } while (page->n > 0 && page->first <= page->last
             && looked < FRIENDS_LOOKED_MAX);

    return true;
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


/* the number last given; what is not there is 0; false: r was answered */
static bool
friends_last(request_t *r, redis_t *redis, const conf_account_t *account,
    uint64_t *last)
{
    bool         ok;
    read_key_t   key;
    redisReply  *reply;

    tomo_key_meta(read_key(&key), tomo_str_c(account->id));
    reply = redis_call_c(redis, "HGET", read_key_c(&key), "serial", NULL);
    ok = redis_is(reply, REDIS_REPLY_NIL)
         || context_reply_ok(r, reply, REDIS_REPLY_STRING);

    if (tomo_u64_get(redis_str(reply), UINT32_MAX, last) != TOMO_OK) {
        *last = 0;
    }

    freeReplyObject(reply);

    return ok;
}


/* the page behind after; false: r was answered */
static bool
friends_range(request_t *r, redis_t *redis, const conf_account_t *account,
    friends_page_t *page)
{
    uint64_t     after = 0;
    const char  *text;

    text = http_query(r, "after");

    if (text && tomo_u64_get(tomo_str_c(text), UINT32_MAX, &after) != TOMO_OK)
    {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_after",
                   "after is the id of a friend, a number");
        return false;
    }

    page->first = after + 1;

    return routes_limit(r, &page->n)
           && friends_last(r, redis, account, &page->last);
}


/* what the page says besides its friends */
static void
friends_list_end(request_t *r, const friends_page_t *page)
{
    json_close(&r->out, ']');

    if (page->n_odd > 0) {
        http_more(r, page->n_odd * FRIENDS_ROW_BYTES);
        json_open(&r->out, "unreadable", '[');

        for (size_t i = 0; i < page->n_odd; i++) {
            json_open(&r->out, NULL, '{');
            json_put_i64(&r->out, "id", (int64_t) page->odd[i]);
            json_put_c(&r->out, "reason", "is no hash");
            json_close(&r->out, '}');
        }

        json_close(&r->out, ']');
    }

    if (page->last > 0 && page->first <= page->last) {
        json_put_i64(&r->out, "next", (int64_t) page->first - 1);
    }

    json_close(&r->out, '}');
}


static void
friends_list_fill(routes_t *routes, request_t *r, redis_t *redis,
    const conf_account_t *account)
{
    bool            ok;
    const char     *user_id = http_query(r, "user_id");
    friends_page_t  page = { .n = 1 };

    ok = user_id != NULL
         ? friends_lookup(r, redis, account, user_id, &page.first)
         : friends_range(r, redis, account, &page);

    if (!ok || !friends_hold(routes, r, redis, account)) {
        return;
    }

    r->status = MHD_HTTP_OK;
    json_open(&r->out, NULL, '{');
    json_open(&r->out, "friends", '[');

    if (user_id == NULL) {
        ok = friends_fill(routes, r, redis, account, &page);

    } else if (page.first != 0) {
        ok = friends_read(routes, r, redis, account, &page, 1);
    }

    if (ok) {
        friends_list_end(r, &page);
    }

    names_done(routes->names, account);
}


http_rc_e
friends_list(routes_t *routes, request_t *r, const route_match_t *m)
{
    redis_t  *redis;

    redis = context_redis(routes->ctx, r);

    if (redis != NULL) {
        friends_list_fill(routes, r, redis, m->account);
        context_redis_done(routes->ctx, redis);
    }

    return HTTP_ANSWERED;
}


static void
friends_one_fill(routes_t *routes, request_t *r, redis_t *redis,
    const route_match_t *m, uint64_t serial)
{
    bool            ok;
    friends_page_t  page = { .first = serial, .n = 1 };

    if (!friends_hold(routes, r, redis, m->account)) {
        return;
    }

    r->status = MHD_HTTP_OK;
    ok = friends_read(routes, r, redis, m->account, &page, 1);
    names_done(routes->names, m->account);

    if (!ok || r->out.len > 0) {
        return;
    }

    if (page.n_odd > 0) {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "unreadable",
                   "what Redis holds of this friend is no hash; somebody "
                   "wrote to it: restore a backup");

    } else if (!deletions_one(redis, r, m, serial)) {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "no friend of that id");
    }
}


http_rc_e
friends_one(routes_t *routes, request_t *r, const route_match_t *m)
{
    uint64_t  serial;
    redis_t  *redis;

    if (tomo_u64_get(m->args[0], UINT32_MAX, &serial) != TOMO_OK
        || serial == 0)
    {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found", "no friend of that id");
        return HTTP_ANSWERED;
    }

    redis = context_redis(routes->ctx, r);

    if (redis != NULL) {
        friends_one_fill(routes, r, redis, m, serial);
        context_redis_done(routes->ctx, redis);
    }

    return HTTP_ANSWERED;
}
