/* api/definitions: read from `defs`; a change becomes a command */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json.h"
#include "model/defs.h"
#include "read.h"
#include "routes.h"
#include "tomo_codec.h"

#define DEFINITIONS_ARENA_BYTES  (8u * 1024 * 1024)
#define DEFINITIONS_NODES_MAX    50000
#define DEFINITIONS_WHAT_EXTRA   512


/* memory for one document at a time; NULL: r was answered 503 */
static void *
definitions_memory(request_t *r)
{
    void  *memory = malloc(DEFINITIONS_ARENA_BYTES);

    if (memory == NULL) {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "memory",
                   "out of memory; try again");
    }

    return memory;
}


/*
 * {"no","revision","document"} of the store → the document with its revision.
 * NULL, or why it is not of that form; nothing was put then.
 */
static const char *
definitions_put_one(request_t *r, tomo_str_t stored, void *memory)
{
    json_t        *root, *document;
    int64_t        revision = 0;
    json_error_t   error = { .why = "is not JSON" };
    tomo_arena_t   arena;
    json_limits_t  limits = { .max_nodes = DEFINITIONS_NODES_MAX };

    tomo_arena_init(&arena, memory, DEFINITIONS_ARENA_BYTES);

    if (json_parse(stored, &limits, &arena, &root, &error) != TOMO_OK) {
        return error.why;
    }

    if (json_i64(root, "revision", 0, INT64_MAX, &revision) != TOMO_OK) {
        return "has no revision";
    }

    if (json_object(root, "document", &document) != TOMO_OK) {
        return "has no document";
    }

    json_open(&r->out, NULL, '{');

    json_each (member, document) {
        if (!tomo_str_eq(member->name, tomo_str("revision"))) {
            char  name[128];

            if (member->name.len < sizeof(name)) {
                memcpy(name, member->name.data, member->name.len);
                name[member->name.len] = '\0';
                json_put(&r->out, name, member);
            }
        }
    }

    json_put_i64(&r->out, "revision", revision);
    json_close(&r->out, '}');

    return NULL;
}


static bool
definitions_kind_ok(request_t *r, tomo_str_t word)
{
    def_kind_e  kind;

    if (defs_kind_parse(word, &kind) == TOMO_OK) {
        return true;
    }

    http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
               "kinds are tag, field, link, survey, scenario");
    return false;
}


typedef struct {
    tomo_str_t   id;
    tomo_str_t   stored;
    const char  *why;           /* it cannot be read */
} definitions_row_t;


static int
definitions_compare(const void *a, const void *b)
{
    return tomo_str_cmp(((const definitions_row_t *) a)->id,
                        ((const definitions_row_t *) b)->id);
}


/* which of a kind; false: r was answered 400 */
static bool
definitions_page(request_t *r, tomo_str_t *after, uint64_t *limit)
{
    const char  *text = http_query(r, "after");

    *after = tomo_str_c(text != NULL ? text : "");
    *limit = UINT64_MAX;

    if (text != NULL && !tomo_keys_id_ok(*after)) {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_after",
                   "after is the id of a definition");
        return false;
    }

    return http_query(r, "limit") == NULL || routes_limit(r, limit);
}


/* those of a kind behind after, by id; returns how many */
static size_t
definitions_rows(definitions_row_t *rows, const redisReply *defs,
    tomo_str_t kind, tomo_str_t after)
{
    size_t             n = 0;
    tomo_str_t         field;
    definitions_row_t  row;

    for (size_t i = 0; i + 1 < redis_len(defs); i += 2) {
        field = redis_str(redis_at(defs, i));

        if (tomo_str_starts(field, kind) && field.len > kind.len
            && field.data[kind.len] == '/')
        {
            row = (definitions_row_t) {
                .id = tomo_str_n(field.data + kind.len + 1,
                                 field.len - kind.len - 1),
                .stored = redis_str(redis_at(defs, i + 1))
            };

            if (tomo_str_cmp(row.id, after) > 0) {
                rows[n++] = row;
            }
        }
    }

    qsort(rows, n, sizeof(definitions_row_t), definitions_compare);

    return n;
}


static void
definitions_put_rows(request_t *r, definitions_row_t *rows, size_t n,
    void *memory)
{
    r->status = MHD_HTTP_OK;
    http_room(r, HTTP_ANSWER_MAX);
    json_open(&r->out, NULL, '{');
    json_open(&r->out, "definitions", '[');

    for (size_t i = 0; i < n; i++) {
        rows[i].why = definitions_put_one(r, rows[i].stored, memory);
    }

    json_close(&r->out, ']');
    json_open(&r->out, "unreadable", '[');

    for (size_t i = 0; i < n; i++) {
        if (rows[i].why != NULL) {
            json_open(&r->out, NULL, '{');
            json_put_str(&r->out, "id", rows[i].id);
            json_put_c(&r->out, "reason", rows[i].why);
            json_close(&r->out, '}');
        }
    }

    json_close(&r->out, ']');
    json_close(&r->out, '}');
}


http_rc_e
definitions_list(routes_t *routes, request_t *r, const route_match_t *m)
{
    void               *memory;
    size_t              n;
    redis_t            *redis;
    uint64_t            limit;
    read_key_t          key;
    tomo_str_t          after;
    redisReply         *defs;
    definitions_row_t  *rows = NULL;

    if (!definitions_kind_ok(r, m->args[0])
        || !definitions_page(r, &after, &limit)
        || (redis = context_redis(routes->ctx, r)) == NULL)
    {
        return HTTP_ANSWERED;
    }

    tomo_key_defs(read_key(&key), tomo_str_c(m->account->id));
    defs = redis_call_c(redis, "HGETALL", read_key_c(&key), NULL);
    context_redis_done(routes->ctx, redis);

    if (context_reply_ok(r, defs, REDIS_REPLY_ARRAY)
        && (memory = definitions_memory(r)) != NULL)
    {
        rows = calloc(redis_len(defs) / 2 + 1, sizeof(definitions_row_t));

        if (rows != NULL) {
            n = definitions_rows(rows, defs, m->args[0], after);
            definitions_put_rows(r, rows, n < limit ? n : (size_t) limit,
                                 memory);
        } else {
            http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "memory",
                       "out of memory; try again");
        }

        free(memory);
    }

    free(rows);
    freeReplyObject(defs);

    return HTTP_ANSWERED;
}


static void
definitions_read(request_t *r, redis_t *redis, const route_match_t *m)
{
    char         field[96];
    void        *memory;
    tomo_buf_t   b;
    read_key_t   key;
    redisReply  *reply;

    tomo_buf_init(&b, field, sizeof(field) - 1);
    tomo_buf_put(&b, m->args[0]);
    tomo_buf_byte(&b, '/');
    tomo_buf_put(&b, m->args[1]);
    field[b.len] = '\0';

    tomo_key_defs(read_key(&key), tomo_str_c(m->account->id));
    reply = redis_call_c(redis, "HGET", read_key_c(&key), field, NULL);

    if (redis_is(reply, REDIS_REPLY_NIL)) {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "no definition of that kind and id");

    } else if (context_reply_ok(r, reply, REDIS_REPLY_STRING)
               && (memory = definitions_memory(r)) != NULL)
    {
        r->status = MHD_HTTP_OK;
        http_room(r, redis_str(reply).len * 2 + 1024);

        if (definitions_put_one(r, redis_str(reply), memory) != NULL) {
            http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "unreadable",
                       "what Redis holds of it cannot be read; restore a "
                       "backup, or send the document anew");
        }

        free(memory);
    }

    freeReplyObject(reply);
}


http_rc_e
definitions_get(routes_t *routes, request_t *r, const route_match_t *m)
{
    redis_t  *redis;

    if (!definitions_kind_ok(r, m->args[0])) {
        return HTTP_ANSWERED;
    }

    if (!tomo_keys_id_ok(m->args[1])) {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "an id is a-z 0-9 _ . - and at most 64 long");
        return HTTP_ANSWERED;
    }

    redis = context_redis(routes->ctx, r);

    if (redis) {
        definitions_read(r, redis, m);
        context_redis_done(routes->ctx, redis);
    }

    return HTTP_ANSWERED;
}


/* application/json, with or without parameters */
static bool
definitions_type_ok(const char *type)
{
    tomo_str_t  t = tomo_str_c(type != NULL ? type : "");

    t.len = tomo_str_find(t, 0, ';');

    while (t.len > 0 && t.data[t.len - 1] == ' ') {
        t.len--;
    }

    return tomo_str_caseeq(t, tomo_str("application/json"));
}


/* of the tree below j, itself included; the parser bounds it */
static size_t
definitions_depth(const json_t *j)
{
    size_t  depth, most = 0;

    json_each (child, j) {
        depth = definitions_depth(child);
        most = depth > most ? depth : most;
    }

    return j->kind == JSON_OBJECT || j->kind == JSON_ARRAY ? most + 1 : 0;
}


/* media type, JSON form, and agreement of path and document */
static bool
definitions_body_ok(request_t *r, const route_match_t *m)
{
    bool           ok = false;
    void          *memory;
    json_t        *root;
    tomo_str_t     kind = m->args[0], id = m->args[1];
    json_error_t   error = { .why = "out of memory" };
    tomo_arena_t   arena;
    json_limits_t  limits = { .max_nodes = DEFINITIONS_NODES_MAX };

    if (!definitions_type_ok(r->content_type)) {
        http_error(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "not_json",
                   "send the document as application/json");
        return false;
    }

    memory = malloc(DEFINITIONS_ARENA_BYTES);
    tomo_arena_init(&arena, memory, memory ? DEFINITIONS_ARENA_BYTES : 0);

    if (json_parse(r->body, &limits, &arena, &root, &error) != TOMO_OK) {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_json", error.why);

    } else if (root->kind != JSON_OBJECT) {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_json",
                   "the document is a JSON object");

    } else if (definitions_depth(root) >= JSON_DEPTH_MAX) {
        /* the command and the store each put it into an object */
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_json", "nested too deep");

    } else if ((json_str(root, "kind", &kind) == TOMO_INVALID)
               || (json_str(root, "id", &id) == TOMO_INVALID)
               || !tomo_str_eq(kind, m->args[0])
               || !tomo_str_eq(id, m->args[1]))
    {
        http_error_at(r, MHD_HTTP_UNPROCESSABLE_CONTENT, "other_document",
                      "kind and id of the document differ from the path",
                      "/id");
    } else {
        ok = true;
    }

    free(memory);

    return ok;
}


http_rc_e
definitions_put(routes_t *routes, request_t *r, const route_match_t *m)
{
    void        *memory;
    http_rc_e    rc;
    tomo_buf_t   what;

    if (!definitions_kind_ok(r, m->args[0])) {
        return HTTP_ANSWERED;
    }

    if (!tomo_keys_id_ok(m->args[1])) {
        http_error_at(r, MHD_HTTP_UNPROCESSABLE_CONTENT, "bad_id",
                      "an id is a-z 0-9 _ . - and at most 64 long", "/id");
        return HTTP_ANSWERED;
    }

    if (!definitions_body_ok(r, m)) {
        return HTTP_ANSWERED;
    }

    memory = malloc(r->body.len + DEFINITIONS_WHAT_EXTRA);
    tomo_buf_init(&what, memory,
                  memory ? r->body.len + DEFINITIONS_WHAT_EXTRA : 0);

    tomo_buf_c(&what, "\"do\":\"definition.put\",\"kind\":");
    tomo_json_put(&what, m->args[0]);
    tomo_buf_c(&what, ",\"key\":");
    tomo_json_put(&what, m->args[1]);
    tomo_buf_c(&what, ",\"document\":");
    tomo_buf_put(&what, r->body);

    if (what.failed) {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "memory",
                   "out of memory; the change was not taken, send it again");
        free(memory);
        return HTTP_ANSWERED;
    }

    rc = commands_submit(routes->ctx->commands, r, m->account,
                         tomo_buf_str(&what));
    free(memory);

    return rc;
}
