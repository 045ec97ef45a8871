#include "split.h"

#include <string.h>

#include <yajl/yajl_parse.h>

#include "tomo_codec.h"
#include "tomo_utf8.h"

#define SPLIT_PATH_MAX   160
#define SPLIT_CONTEXT    "/events/deliveryContext"
#define SPLIT_STAMP_MAX  ((UINT64_C(1) << 53) - 1)

typedef enum {
    SPLIT_STRING = 0,
    SPLIT_NUMBER,
    SPLIT_BOOL,
    SPLIT_ID                    /* a string, or a number as it is written */
} split_value_e;

/* members of an event that we read; path from the event down */
static const struct {
    const char     *path;
    split_value_e   kind;
    size_t          at;         /* offset in event_t */
    size_t          max;        /* bytes */
} split_members[] = {
    { "/type", SPLIT_STRING, offsetof(event_t, type), 64 },
    { "/webhookEventId", SPLIT_STRING, offsetof(event_t, id), 64 },
    { "/timestamp", SPLIT_NUMBER, offsetof(event_t, at_ms), 0 },
    { "/mode", SPLIT_STRING, offsetof(event_t, bot), 16 },
    { "/replyToken", SPLIT_STRING, offsetof(event_t, reply), 256 },
    { "/source/type", SPLIT_STRING, offsetof(event_t, origin), 64 },
    { "/source/userId", SPLIT_STRING, offsetof(event_t, uid), 64 },
    { "/follow/isUnblocked", SPLIT_BOOL, offsetof(event_t, unblocked), 0 },
    { "/message/type", SPLIT_STRING, offsetof(event_t, what), 64 },
    { "/message/id", SPLIT_ID, offsetof(event_t, ref), 64 },
    { "/message/text", SPLIT_STRING, offsetof(event_t, text), 65536 },
    { "/postback/data", SPLIT_STRING, offsetof(event_t, text), 4096 },
    { "/unsend/messageId", SPLIT_ID, offsetof(event_t, ref), 64 },
};

#define SPLIT_MEMBERS  (sizeof(split_members) / sizeof(split_members[0]))

typedef struct {
    yajl_handle    yajl;
    tomo_arena_t  *arena;
    split_t       *out;
    size_t         cap;
    tomo_str_t     body;
    size_t         base;                /* bytes fed before this chunk */
    unsigned       depth;
    bool           array[SPLIT_DEPTH_MAX + 1];
    size_t         marks[SPLIT_DEPTH_MAX + 1];  /* path length at depth */
    char           path[SPLIT_PATH_MAX];
    size_t         path_len;
    bool           lost;                /* at nothing that we read */
    bool           below[SPLIT_DEPTH_MAX + 1];  /* lost at depth, and under */
    event_t       *ev;
    size_t         ev_from;
    uint32_t       got;                 /* members of ev met so far */
    bool           events;              /* the events array was met */
    const char    *fault;
} split_state_t;


static int
split_stop(split_state_t *s, const char *why)
{
    if (s->fault == NULL) {
        s->fault = why;
    }

    return 0;
}


/* a fault of the current event, or of the whole body */
static void
split_odd(split_state_t *s, const char *why)
{
    if (s->ev != NULL) {
        if (s->ev->fault == NULL) {
            s->ev->fault = why;
        }

    } else {
        (void) split_stop(s, why);
    }
}


static bool
split_at(const split_state_t *s, const char *path)
{
    return !s->lost && s->path_len == strlen(path)
           && memcmp(s->path, path, s->path_len) == 0;
}


/* the member of the event we are at, or -1 */
static int
split_member(split_state_t *s)
{
    size_t  i, prefix = sizeof("/events") - 1;

    if (s->ev == NULL || s->lost) {
        return -1;
    }

    for (i = 0; i < SPLIT_MEMBERS; i++) {
        if (s->path_len - prefix == strlen(split_members[i].path)
            && memcmp(s->path + prefix, split_members[i].path,
                      s->path_len - prefix)
               == 0)
        {
            if (s->got & (UINT32_C(1) << i)) {
                split_odd(s, "duplicate_member");
                return -1;
            }

            s->got |= UINT32_C(1) << i;
            return (int) i;
        }
    }

    return -1;
}


static int
split_value(split_state_t *s, split_value_e kind, tomo_str_t text, bool b)
{
    int       i;
    uint64_t  n;
    uint8_t  *place;

    if (s->depth == 0) {
        return split_stop(s, "not_an_object");
    }

    if (split_at(s, "/destination")) {
        if (kind != SPLIT_STRING || s->out->destination.data != NULL) {
            return split_stop(s, "destination_odd");
        }

        s->out->destination = tomo_arena_dup(s->arena, text);
        return 1;
    }

    if (split_at(s, "/events")) {
        return split_stop(s, s->array[s->depth] ? "event_not_an_object"
                                                : "events_not_an_array");
    }

    i = split_member(s);

    if (i < 0) {
        return 1;
    }

    place = (uint8_t *) s->ev + split_members[i].at;

    if (kind != split_members[i].kind
        && (kind == SPLIT_BOOL || split_members[i].kind != SPLIT_ID))
    {
        split_odd(s, "member_of_other_kind");

    } else if (kind == SPLIT_BOOL) {
        *(bool *) (void *) place = b;

    } else if (split_members[i].kind == SPLIT_NUMBER) {
        if (tomo_u64_get(text, SPLIT_STAMP_MAX, &n) != TOMO_OK) {
            split_odd(s, "timestamp_odd");

        } else {
            *(int64_t *) (void *) place = (int64_t) n;
        }

    } else if (text.len > split_members[i].max || !tomo_utf8_ok(text)) {
        split_odd(s, "member_too_long");

    } else {
        *(tomo_str_t *) (void *) place = tomo_arena_dup(s->arena, text);
    }

    return 1;
}


static int
split_null(void *ctx)
{
    split_state_t  *s = ctx;

    if (s->depth == 0 || split_at(s, "/events")
        || split_at(s, "/destination"))
    {
        return split_stop(s, "not_a_webhook");
    }

    return 1;
}


static int
split_boolean(void *ctx, int b)
{
    return split_value(ctx, SPLIT_BOOL, tomo_str_null, b != 0);
}


static int
split_number(void *ctx, const char *text, size_t len)
{
    return split_value(ctx, SPLIT_NUMBER, tomo_str_n(text, len), false);
}


static int
split_string(void *ctx, const unsigned char *text, size_t len)
{
    return split_value(ctx, SPLIT_STRING, tomo_str_n(text, len), false);
}


static size_t
split_offset(const split_state_t *s)
{
    return s->base + yajl_get_bytes_consumed(s->yajl);
}


static int
split_event_open(split_state_t *s)
{
    event_t  *more;

    if (s->out->n == SPLIT_EVENTS_MAX) {
        return split_stop(s, "too_many_events");
    }

    if (s->out->n == s->cap) {
        more = tomo_arena_array(s->arena, 2 * s->cap + 8, sizeof(event_t));
        if (more == NULL) {
            return split_stop(s, "too_large");
        }

        if (s->out->n > 0) {
            memcpy(more, s->out->events, s->out->n * sizeof(event_t));
        }

        s->out->events = more;
        s->cap = 2 * s->cap + 8;
    }

    s->ev = &s->out->events[s->out->n++];
    s->ev_from = split_offset(s) - 1;
    s->got = 0;

    return 1;
}


static int
split_open(split_state_t *s, bool array)
{
    if (s->depth == SPLIT_DEPTH_MAX) {
        return split_stop(s, "too_deep");
    }

    if (s->depth == 0 && array) {
        return split_stop(s, "not_an_object");
    }

    if (s->depth == 1 && split_at(s, "/events")) {
        if (!array || s->events) {
            return split_stop(s, "events_not_an_array");
        }

        s->events = true;

    } else if (s->depth == 2 && split_at(s, "/events") && s->array[2]) {
        if (array) {
            return split_stop(s, "event_not_an_object");
        }

        if (split_event_open(s) == 0) {
            return 0;
        }

    } else if (split_at(s, "/destination")) {
        return split_stop(s, "destination_odd");

    } else if (s->ev != NULL && s->depth == 3 && split_at(s, SPLIT_CONTEXT)) {
        s->ev->context = split_offset(s) - 1 - s->ev_from;

    } else if (split_member(s) >= 0) {
        split_odd(s, "member_of_other_kind");
    }

    s->depth++;
    s->array[s->depth] = array;
    s->marks[s->depth] = s->path_len;
    s->below[s->depth] = s->lost;

    return 1;
}


static int
split_close(split_state_t *s)
{
    s->path_len = s->marks[s->depth];
    s->lost = s->below[s->depth];
    s->depth--;

    if (s->ev != NULL && s->depth == 3 && split_at(s, SPLIT_CONTEXT)) {
        s->ev->context_end = split_offset(s) - s->ev_from;
    }

    if (s->depth == 2 && s->ev != NULL) {
        s->ev->raw = tomo_str_n(s->body.data + s->ev_from,
                                split_offset(s) - s->ev_from);
        s->ev = NULL;
    }

    return 1;
}


static int
split_map_open(void *ctx)
{
    return split_open(ctx, false);
}


static int
split_array_open(void *ctx)
{
    return split_open(ctx, true);
}


static int
split_map_close(void *ctx)
{
    return split_close(ctx);
}


static int
split_array_close(void *ctx)
{
    return split_close(ctx);
}


static int
split_key(void *ctx, const unsigned char *name, size_t len)
{
    split_state_t  *s = ctx;

    s->path_len = s->marks[s->depth];
    s->lost = s->below[s->depth];

    /* a name with a slash, or below an array, could pass for another path */
    if (s->lost || memchr(name, '/', len) != NULL
        || s->path_len + 1 + len > SPLIT_PATH_MAX
        || (s->depth > 3 && s->array[s->depth - 1]))
    {
        s->lost = true;
        return 1;
    }

    s->path[s->path_len++] = '/';
    memcpy(s->path + s->path_len, name, len);
    s->path_len += len;

    return 1;
}


static const char *
split_run(split_state_t *s, size_t step)
{
    size_t       size;
    yajl_status  status = yajl_status_ok;

    static const yajl_callbacks  callbacks = {
        .yajl_null = split_null,
        .yajl_boolean = split_boolean,
        .yajl_number = split_number,
        .yajl_string = split_string,
        .yajl_start_map = split_map_open,
        .yajl_map_key = split_key,
        .yajl_end_map = split_map_close,
        .yajl_start_array = split_array_open,
        .yajl_end_array = split_array_close
    };

    s->yajl = yajl_alloc(&callbacks, NULL, s);

    if (s->yajl == NULL) {
        return "too_large";
    }

    for (s->base = 0; s->base < s->body.len && status == yajl_status_ok;
         s->base += size)
    {
        size = s->body.len - s->base;
        size = step > 0 && step < size ? step : size;
        status = yajl_parse(s->yajl, s->body.data + s->base, size);
    }

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(s->yajl);
    }

    yajl_free(s->yajl);

    if (s->fault != NULL) {
        return s->fault;
    }

    return status == yajl_status_ok ? NULL : "not_json";
}


const char *
split_body(tomo_str_t body, size_t step, tomo_arena_t *a, split_t *out)
{
    size_t          i;
    const char     *why;
    split_state_t   s;

    memset(out, 0, sizeof(split_t));

    if (body.len > SPLIT_BODY_MAX) {
        return "too_large";
    }

    /* yajl's own check lets surrogates and overlong forms pass */
    if (!tomo_utf8_ok(body)) {
        return "not_utf8";
    }

    memset(&s, 0, sizeof(s));
    s.arena = a;
    s.out = out;
    s.body = body;
    why = split_run(&s, step);

    if (why != NULL) {
        return why;
    }

    if (a->failed) {
        return "too_large";
    }

    if (!s.events || out->destination.data == NULL) {
        return "not_a_webhook";
    }

    for (i = 0; i < out->n; i++) {
        split_finish(&out->events[i]);
    }

    return NULL;
}
