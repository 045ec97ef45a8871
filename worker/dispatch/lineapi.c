#include "lineapi.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "tomo_codec.h"
#include "tomo_utf8.h"

#define LINEAPI_ARENA     (1024 * 1024)
#define LINEAPI_MULTI_MAX 500
#define LINEAPI_SIZE_MAX  (2 * 1024 * 1024)


void
lineapi_init(lineapi_t *l)
{
    memset(l, 0, sizeof(*l));
    l->arena = malloc(LINEAPI_ARENA);

    if (l->arena == NULL) {
        abort();
    }
}


void
lineapi_free(lineapi_t *l)
{
    free(l->body);
    free(l->arena);
}


static void
lineapi_reserve(lineapi_t *l, size_t size)
{
    if (l->cap >= size) {
        return;
    }

    l->cap = 2 * size;
    l->body = realloc(l->body, l->cap);

    if (l->body == NULL) {
        abort();
    }
}


/* an id goes into a URL or a body: letters and digits, nothing else */

static bool
lineapi_id_ok(tomo_str_t id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t  c = id.data[i];

        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a'
                                         && (c | 0x20) <= 'z') || c == '-'))
        {
            return false;
        }
    }

    return id.len > 0 && id.len <= 80;
}


static const char *
lineapi_multicast(tomo_buf_t *b, tomo_str_t to)
{
    size_t      at = 0, end, n = 0;
    tomo_str_t  id;

    json_open(b, "to", '[');

    while (at < to.len) {
        end = tomo_str_find(to, at, ',');
        id = tomo_str_n(to.data + at, end - at);

        if (!lineapi_id_ok(id)) {
            return "a recipient's id is malformed";
        }

        if (++n > LINEAPI_MULTI_MAX) {
            return "more than 500 recipients";
        }

        json_put_str(b, NULL, id);
        at = end + 1;
    }

    json_close(b, ']');

    return n == 0 ? "nobody to send to" : NULL;
}


static const char *
lineapi_profile(lineapi_t *l, const row_t *row, wire_request_t *r)
{
    tomo_buf_t  path;

    if (!lineapi_id_ok(row->to)) {
        return "the friend's id is malformed";
    }

    tomo_buf_init(&path, l->path, sizeof(l->path) - 1);
    tomo_buf_c(&path, "/v2/bot/profile/");
    tomo_buf_put(&path, row->to);
    l->path[path.len] = '\0';
    r->path = l->path;

    return NULL;
}


const char *
lineapi_request(lineapi_t *l, const row_t *row, tomo_str_t to,
    wire_request_t *r)
{
    tomo_buf_t   b;
    const char  *why = NULL;

    memset(r, 0, sizeof(*r));

    if (row->via == TOMO_VIA_PROFILE) {
        return lineapi_profile(l, row, r);
    }

    /* a token may need escapes: six bytes for one at worst */
    lineapi_reserve(l, row->body.len + 4 * to.len + 6 * row->token.len
                       + 6 * row->to.len + 256);
    tomo_buf_init(&b, l->body, l->cap);
    json_open(&b, NULL, '{');

    switch (row->via) {

    case TOMO_VIA_REPLY:
        r->path = "/v2/bot/message/reply";
        r->once = true;
        json_put_str(&b, "replyToken", row->token);
        why = tomo_utf8_ok(row->token) ? NULL : "a broken reply token";
        break;

    case TOMO_VIA_MULTICAST:
        r->path = "/v2/bot/message/multicast";
        why = lineapi_multicast(&b, to);
        break;

    default:
        r->path = "/v2/bot/message/push";
        json_put_str(&b, "to", row->to);
        why = lineapi_id_ok(row->to) ? NULL : "the friend's id is malformed";
        break;
    }

    json_put_raw(&b, "messages", row->body);
    json_close(&b, '}');

    if (why == NULL && (b.failed || b.len > LINEAPI_SIZE_MAX)) {
        why = "larger than 2 MB";
    }

    r->post = true;
    r->type = "application/json";
    r->body = tomo_buf_str(&b);
    r->retry_key = row_counted(row) ? row->key : tomo_str_null;

    return why;
}


static void
lineapi_sent(const json_t *root, verdict_t *v)
{
    json_t      *list;
    tomo_str_t   id;

    if (json_array(root, "sentMessages", &list) != TOMO_OK) {
        return;
    }

    json_each(sent, list) {
        if (v->n_sent < VERDICT_SENT_MAX
            && json_id(sent, "id", &id) == TOMO_OK && id.len <= 40)
        {
            v->sent[v->n_sent++] = id;
        }
    }
}


/* an address of the web, without anything that ends or hides it */

static bool
lineapi_picture_ok(tomo_str_t url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.data[i] <= ' ') {
            return false;
        }
    }

    return tomo_str_starts(url, tomo_str("https://")) && url.len <= 2000
           && !tomo_utf8_has_control(url);
}


/*
 * A name goes into messages to the friend and into the console: nothing that
 * turns or hides the text around it.  A line break becomes a space.
 */

static tomo_str_t
lineapi_name(lineapi_t *l, tomo_str_t name)
{
    size_t      i = 0, from;
    tomo_buf_t  b;
    tomo_str_t  one;

    tomo_buf_init(&b, l->name, sizeof(l->name));

    while (i < name.len) {
        from = i;
        (void) tomo_utf8_next(name, &i);
        one = tomo_str_n(name.data + from, i - from);

        if (b.len + one.len > sizeof(l->name)) {
            break;
        }

        if (one.len == 1 && one.data[0] <= ' ') {
            if (b.len > 0 && b.data[b.len - 1] != ' ') {
                tomo_buf_byte(&b, ' ');
            }

        } else if (!tomo_utf8_has_control(one)) {
            tomo_buf_put(&b, one);
        }
    }

    while (b.len > 0 && b.data[b.len - 1] == ' ') {
        b.len--;
    }

    return tomo_buf_str(&b);
}


/* B95: a name may be null or huge, a picture's URL anything */

static void
lineapi_person(lineapi_t *l, const json_t *root, verdict_t *v)
{
    tomo_str_t  name, picture = tomo_str_null;

    if (json_str(root, "displayName", &name) == TOMO_OK) {
        v->name = lineapi_name(l, name);
    }

    (void) !json_str(root, "language", &v->language);
    (void) !json_str(root, "pictureUrl", &picture);

    if (lineapi_picture_ok(picture)) {
        v->picture = picture;
    }
}


void
lineapi_answer(lineapi_t *l, const row_t *row, const wire_answer_t *answer,
    verdict_t *v)
{
    json_t        *root = NULL;
    tomo_arena_t   arena;

    memset(v, 0, sizeof(*v));
    v->status = answer->status;
    v->request = tomo_str_c(answer->status == 409
                            && answer->accepted_id[0] != '\0'
                            ? answer->accepted_id : answer->request_id);

    if (answer->status == 0) {
        v->message = tomo_str_c(answer->cause);
        return;
    }

    tomo_arena_init(&arena, l->arena, LINEAPI_ARENA);

    if (answer->body.len == 0
        || json_parse(answer->body, NULL, &arena, &root, NULL) != TOMO_OK)
    {
        return;
    }

    lineapi_sent(root, v);

    if (answer->status >= 400) {
        (void) !json_str(root, "message", &v->message);

    } else if (row->via == TOMO_VIA_PROFILE) {
        lineapi_person(l, root, v);
    }
}
