#include "many.h"

#include "json.h"
#include "tomo_codec.h"

#define MANY_TEXT_BYTES  8192
#define MANY_SPARE_ARGS  200            /* cursor, trims, the follow-up */

/* members of the follow-up that are taken over as they are */
static const struct {
    const char  *name;
    size_t       at;                    /* offset in many_t */
} many_members[] = {
    { "id", offsetof(many_t, id) },
    { "def", offsetof(many_t, about.def) },
    { "step", offsetof(many_t, about.step) },
    { "gen", offsetof(many_t, about.gen) },
    { "due", offsetof(many_t, about.due) },
    { "delivery", offsetof(many_t, about.delivery) },
    { "links", offsetof(many_t, about.links) },
    { "body", offsetof(many_t, body) },
    { "to", offsetof(many_t, to) },
    { "serials", offsetof(many_t, serials) },
    { "event", offsetof(many_t, events) },
};

#define MANY_MEMBERS  (sizeof(many_members) / sizeof(many_members[0]))


static tomo_str_t *
many_member(many_t *m, size_t i)
{
    return (tomo_str_t *) (void *) ((uint8_t *) m + many_members[i].at);
}


tomo_str_t
many_text(decision_t *d, tomo_str_t body)
{
    json_t         *root;
    uint8_t         bytes[MANY_TEXT_BYTES];
    tomo_buf_t      b;
    tomo_str_t      s;
    json_limits_t   limits = { .max_bytes = 1 << 20, .max_nodes = 50000 };

    if (json_parse(body, &limits, d->arena, &root, NULL) != TOMO_OK) {
        return tomo_str_null;
    }

    tomo_buf_init(&b, bytes, sizeof(bytes));

    json_each (bubble, root) {
        if (json_str(bubble, "text", &s) != TOMO_OK
            && json_str(bubble, "altText", &s) != TOMO_OK
            && json_str(bubble, "type", &s) != TOMO_OK)
        {
            continue;
        }

        if (b.len > 0) {
            tomo_buf_c(&b, "\n\n");
        }

        tomo_buf_put(&b, s);
    }

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


/* cuts the first of a list joined by commas off */
static tomo_str_t
many_next(tomo_str_t *list)
{
    size_t      to = tomo_str_find(*list, 0, ',');
    tomo_str_t  first = tomo_str_n(list->data, to);

    list->data += to < list->len ? to + 1 : to;
    list->len -= to < list->len ? to + 1 : to;

    return first;
}


static bool
many_left(const tomo_rec_t *line, tomo_str_t serial)
{
    size_t  i;

    for (i = 0; i < line->n; i++) {
        if (tomo_str_eq(line->fields[i].name, tomo_str("left"))
            && tomo_str_eq(line->fields[i].value, serial))
        {
            return true;
        }
    }

    return false;
}


static void
many_one(decision_t *d, const many_t *m, tomo_str_t serial, tomo_str_t uid,
    tomo_str_t event, tomo_str_t text)
{
    uint64_t        no;
    outrow_about_t  about = m->about;

    if (tomo_u64_get(serial, UINT32_MAX, &no) != TOMO_OK) {
        return;
    }

    if (many_left(m->line, serial)) {
        about.serial = (uint32_t) no;
        about.uid = uid;
        about.event = event;
        outrow_push_body(d, &about, m->body, 0);
        return;
    }

    tomo_buf_reset(&d->why);
    decision_why(d, event);
    decision_why(d, about.def);
    decision_why(d, about.step);
    decision_row(d, (uint32_t) no, m->id, m->at_ms, "send", text);
}


/* whoever is still in the lists gets their turn in the next event */
static void
many_continue(decision_t *d, many_t *m)
{
    size_t      i, cap = 4096;
    tomo_str_t  rest, serial;
    tomo_buf_t  b;

    for (i = 0; i < MANY_MEMBERS; i++) {
        cap += 3 * many_member(m, i)->len + 32;
    }

    cap += 24 * m->line->n;
    tomo_buf_init(&b, tomo_arena_alloc(d->arena, cap), cap);

    if (b.data == NULL) {
        return;
    }

    tomo_rec_put(&b, "do", tomo_str("many"));
    tomo_rec_put(&b, "send", tomo_str_c(tomo_send_word(m->send)));
    tomo_rec_put_i64(&b, "at", m->at_ms);

    for (i = 0; i < MANY_MEMBERS; i++) {
        tomo_rec_put(&b, many_members[i].name, *many_member(m, i));
    }

    for (rest = m->serials; rest.len > 0; /* void */) {
        serial = many_next(&rest);

        if (many_left(m->line, serial)) {
            tomo_rec_put(&b, "left", serial);
        }
    }

    d->arena->failed = d->arena->failed || b.failed;
    owner_follow_up(d->o, tomo_buf_str(&b), d->now_ms);
}


void
many_decide(decision_t *d, many_t *m)
{
    size_t      room = 2 * m->body.len + 65536;
    tomo_str_t  text, serial, uid, event;

    decision_fx(d, tomo_send_word(m->send), tomo_str("multicast"));
    text = many_text(d, m->body);
    /* the follow-up repeats the lists and the bubbles, percent-encoded */
    room += 3 * (m->to.len + m->serials.len + m->events.len + m->body.len);

    while (m->serials.len > 0) {
        if (!commit_room(d->c, OUTROW_ARGS + MANY_SPARE_ARGS, room)) {
            many_continue(d, m);
            return;
        }

        serial = many_next(&m->serials);
        uid = many_next(&m->to);
        event = many_next(&m->events);
        many_one(d, m, serial, uid, event, text);
    }
}


tomo_rc_e
many_go_on(decision_t *d)
{
    size_t             i;
    many_t             m = { .line = &d->ev->line };
    const tomo_str_t  *s;

    s = tomo_rec_get(m.line, "send");

    if (s == NULL || tomo_send_parse(*s, &m.send) != TOMO_OK
        || tomo_rec_get_i64(m.line, "at", &m.at_ms) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    for (i = 0; i < MANY_MEMBERS; i++) {
        s = tomo_rec_get(m.line, many_members[i].name);

        if (s == NULL) {
            return TOMO_INVALID;
        }

        *many_member(&m, i) = *s;
    }

    many_decide(d, &m);

    return TOMO_OK;
}
