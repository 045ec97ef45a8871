#include "entries.h"

#include <stdlib.h>
#include <string.h>

#include "outmass.h"
#include "quarantine.h"
#include "slice.h"
#include "split.h"
#include "tomo_codec.h"

#define ENTRIES_BYTES  (8u << 20)   /* of one entry; ours are below 2 MiB */

typedef struct {
    entries_t     *list;
    owner_t       *o;
    tomo_arena_t  *arena;
    tomo_lane_e    lane;
    uint32_t       skip;
    uint32_t       index;       /* of the next event within the entry */
    tomo_str_t     id;
    tomo_entry_t   entry;
    tomo_str_t     origin;
} entries_read_t;


static event_t *
entries_add(entries_t *list, tomo_arena_t *arena)
{
    size_t    cap;
    event_t  *more;

    if (list->n == list->cap) {
        cap = 2 * list->cap + 64;
        more = tomo_arena_array(arena, cap, sizeof(event_t));

        if (more == NULL) {
            return NULL;
        }

        if (list->n > 0) {
            memcpy(more, list->events, list->n * sizeof(event_t));
        }

        list->events = more;
        list->cap = cap;
    }

    return &list->events[list->n++];
}


/* ev's place is filled in and it joins the list; ev is copied */
static void
entries_put(entries_read_t *r, event_t *ev)
{
    event_t     *place;
    uint8_t      text[96];
    tomo_buf_t   b;

    ev->index = r->index++;

    if (ev->index < r->skip) {
        return;
    }

    ev->lane = r->lane;
    ev->entry = r->id;
    ev->origin = r->origin;
    ev->received_ms = r->entry.at_ms;

    if (ev->id.len == 0) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_put(&b, r->origin);
        tomo_buf_byte(&b, '.');
        tomo_buf_u64(&b, ev->index);
        ev->id = tomo_arena_dup(r->arena, tomo_buf_str(&b));
    }

    if (ev->raw.data == NULL) {
        ev->raw = r->entry.body;
    }

    place = entries_add(r->list, r->arena);

    if (place != NULL) {
        *place = *ev;
    }
}


static void
entries_fault(entries_read_t *r, event_kind_e kind, const char *why,
    tomo_str_t raw)
{
    event_t  ev = { .kind = kind, .fault = why, .raw = raw };

    ev.at_ms = r->entry.at_ms;
    entries_put(r, &ev);
}


static void
entries_webhook(entries_read_t *r)
{
    size_t       i;
    split_t      split;
    const char  *why, *bot;

    why = split_body(r->entry.body, 0, r->arena, &split);
    bot = r->o->account->bot_user_id;

    if (why == NULL && bot[0] != '\0'
        && !tomo_str_eq(split.destination, tomo_str_c(bot)))
    {
        why = "destination_of_another_bot";
    }

    if (why != NULL) {
        entries_fault(r, EVENT_NONE, why, r->entry.body);
        return;
    }

    for (i = 0; i < split.n; i++) {
        split_judge(&split.events[i], r->entry.at_ms);
        entries_put(r, &split.events[i]);
    }
}


static void
entries_click(entries_read_t *r)
{
    event_t     ev;
    tomo_str_t  rest = r->entry.body, line;

    while (tomo_rec_line(&rest, &line)) {
        memset(&ev, 0, sizeof(ev));
        ev.kind = EVENT_CLICK;
        ev.raw = line;

        if (tomo_click_parse(line, r->arena, &ev.click) != TOMO_OK) {
            ev.fault = "click_odd";
            ev.at_ms = r->entry.at_ms;

        } else {
            ev.at_ms = ev.click.at_ms;
            ev.serial = ev.click.friend;
        }

        entries_put(r, &ev);
    }
}


static tomo_str_t
entries_line(tomo_str_t body)
{
    if (body.len > 0 && body.data[body.len - 1] == '\n') {
        body.len--;
    }

    return body;
}


static void
entries_answer(entries_read_t *r)
{
    event_t  ev = { .kind = EVENT_ANSWER };

    if (tomo_answer_parse(entries_line(r->entry.body), r->arena, &ev.answer)
        != TOMO_OK
        || ev.answer.nonce.len == 0)
    {
        entries_fault(r, EVENT_ANSWER, "answer_odd", r->entry.body);
        return;
    }

    ev.at_ms = ev.answer.at_ms;
    ev.serial = ev.answer.friend;

    if (tomo_rec_get(&ev.answer.line, "trap") != NULL) {
        ev.fault = "answer_trapped";    /* a machine filled the trap (B52) */

    } else if (tomo_rec_get(&ev.answer.line, "flood") != NULL) {
        ev.fault = "answer_flood";      /* nobody sends so many a minute */
    }

    entries_put(r, &ev);
}


static void
entries_verdict(entries_read_t *r)
{
    event_t   ev = { .kind = EVENT_VERDICT };
    uint64_t  serial = 0;

    if (tomo_rec_parse(entries_line(r->entry.body), r->arena, &ev.line)
        != TOMO_OK)
    {
        entries_fault(r, EVENT_VERDICT, "verdict_odd", r->entry.body);
        return;
    }

    if (tomo_rec_get_u64(&ev.line, "friend", UINT32_MAX, &serial) == TOMO_OK) {
        ev.serial = (uint32_t) serial;
    }

    ev.at_ms = r->entry.at_ms;
    (void) !tomo_rec_get_i64(&ev.line, "at", &ev.at_ms);
    entries_put(r, &ev);
}


static void
entries_command(entries_read_t *r)
{
    event_t        ev = { .kind = EVENT_COMMAND };
    int64_t        friend = 0;
    json_limits_t  limits = { .max_bytes = 2 << 20, .max_nodes = 100000 };

    ev.at_ms = r->entry.at_ms;

    if (json_parse(r->entry.body, &limits, r->arena, &ev.command, NULL)
        != TOMO_OK)
    {
        entries_fault(r, EVENT_COMMAND, "command_odd", r->entry.body);
        return;
    }

    if (json_i64(ev.command, "friend", 1, (INT64_C(1) << 30) - 1, &friend)
        == TOMO_OK)
    {
        ev.serial = (uint32_t) friend;
        ev.apart = true;
    }

    entries_put(r, &ev);
}


static void
entries_follow_up(entries_read_t *r)
{
    event_t  ev = { .kind = EVENT_FOLLOW_UP };

    ev.at_ms = r->entry.at_ms;

    if (tomo_rec_parse(entries_line(r->entry.body), r->arena, &ev.line)
        != TOMO_OK)
    {
        entries_fault(r, EVENT_FOLLOW_UP, "follow_up_odd", r->entry.body);
        return;
    }

    entries_put(r, &ev);
}


static const struct {
    tomo_entry_kind_e   kind;
    void              (*read)(entries_read_t *r);
} entries_kinds[] = {
    { TOMO_ENTRY_webhook, entries_webhook },
    { TOMO_ENTRY_click, entries_click },
    { TOMO_ENTRY_answer, entries_answer },
    { TOMO_ENTRY_verdict, entries_verdict },
    { TOMO_ENTRY_command, entries_command },
    { TOMO_ENTRY_follow_up, entries_follow_up },
};


static void
entries_origin(entries_read_t *r)
{
    uint8_t     text[48];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_hex64(&b, r->entry.writer);
    tomo_buf_byte(&b, '-');
    tomo_buf_u64(&b, r->entry.seq);
    r->origin = tomo_arena_dup(r->arena, tomo_buf_str(&b));
}


/* larger than anything of ours: its beginning is kept, for a person to see */
static void
entries_huge(entries_read_t *r, const redisReply *pairs)
{
    tomo_str_t  last;

    last = redis_str(redis_at(pairs, redis_len(pairs) - 1));
    last.len = last.len < QUARANTINE_BYTES ? last.len : QUARANTINE_BYTES;
    entries_fault(r, EVENT_NONE, EVENT_TOO_LARGE,
                  tomo_arena_dup(r->arena, last));
}


static void
entries_decode(entries_read_t *r, const redisReply *pairs)
{
    size_t      i, n, bytes = 0;
    tomo_str_t  copy[4 * TOMO_ENTRY_FIELDS];

    for (i = 0; i < redis_len(pairs); i++) {
        bytes += redis_str(redis_at(pairs, i)).len;
    }

    if (bytes > ENTRIES_BYTES) {
        entries_huge(r, pairs);
        return;
    }

    n = redis_len(pairs);
    n = n < 4 * TOMO_ENTRY_FIELDS ? n : 4 * TOMO_ENTRY_FIELDS;

    for (i = 0; i < n; i++) {
        copy[i] = tomo_arena_dup(r->arena, redis_str(redis_at(pairs, i)));
    }

    if (tomo_entry_decode(copy, n / 2, &r->entry) != TOMO_OK) {
        memset(&r->entry, 0, sizeof(r->entry));
        entries_fault(r, EVENT_NONE, "entry_odd",
                      n > 0 ? copy[n - 1] : tomo_str_null);
        return;
    }

    entries_origin(r);

    for (i = 0; i < sizeof(entries_kinds) / sizeof(entries_kinds[0]); i++) {
        if (entries_kinds[i].kind == r->entry.kind) {
            entries_kinds[i].read(r);
            return;
        }
    }

    entries_fault(r, EVENT_NONE, "entry_of_another_role", r->entry.body);
}


tomo_rc_e
entries_read(entries_t *list, owner_t *o, const redisReply *entry,
    tomo_lane_e lane, uint32_t skip, tomo_arena_t *arena)
{
    size_t          before = list->n;
    event_t         none = { .kind = EVENT_NONE };
    entries_read_t  r;

    memset(&r, 0, sizeof(r));
    r.list = list;
    r.o = o;
    r.arena = arena;
    r.lane = lane;
    r.skip = skip;
    r.id = tomo_arena_dup(arena, redis_str(redis_at(entry, 0)));
    entries_decode(&r, redis_at(entry, 1));

    if (list->n == before) {
        /* nothing in it, or all of it decided: the cursor must pass it */
        r.index = 0;
        r.skip = 0;
        entries_put(&r, &none);
    }

    if (arena->failed) {
        list->n = before;
        return TOMO_FULL;
    }

    list->events[list->n - 1].last = true;

    return TOMO_OK;
}


tomo_rc_e
entries_timer(entries_t *list, tomo_str_t member, int64_t due_ms,
    tomo_arena_t *arena)
{
    event_t         *ev;
    uint8_t          text[128];
    tomo_buf_t       b;
    timer_member_t   t;

    ev = entries_add(list, arena);

    if (ev == NULL) {
        return TOMO_FULL;
    }

    memset(ev, 0, sizeof(event_t));
    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "timer:");
    tomo_buf_put(&b, member.len <= 64 ? member : tomo_str_n(member.data, 64));
    tomo_buf_byte(&b, ':');
    tomo_buf_i64(&b, due_ms);

    ev->kind = EVENT_TIMER;
    ev->lane = TOMO_LANE_LOCAL;
    ev->id = tomo_arena_dup(arena, tomo_buf_str(&b));
    ev->ref = tomo_arena_dup(arena, member);
    ev->raw = ev->ref;
    ev->at_ms = due_ms;
    ev->received_ms = due_ms;

    if (timer_parse(member, &t) == TOMO_OK) {
        ev->serial = t.serial;
        ev->no = t.no;
        ev->timer = t.kind;
    }

    return arena->failed ? TOMO_FULL : TOMO_OK;
}


static int
entries_order(const void *left, const void *right)
{
    const event_t  *a = left, *b = right;

    if (a->at_ms != b->at_ms) {
        return a->at_ms < b->at_ms ? -1 : 1;
    }

    if (a->serial != b->serial) {
        return a->serial < b->serial ? -1 : 1;
    }

    return tomo_str_cmp(a->ref, b->ref);
}


void
entries_sort(entries_t *list)
{
    qsort(list->events, list->n, sizeof(event_t), entries_order);
}


size_t
entries_cut(const entries_t *list, size_t i)
{
    bool    timers = list->events[i].kind == EVENT_TIMER;
    size_t  n, max = timers ? SLICE_TIMERS : SLICE_EVENTS;

    for (n = 0; !timers && n < max && i + n < list->n; n++) {
        if (list->events[i + n].apart) {
            return n == 0 ? 1 : n;
        }
    }

    if (list->n - i <= max) {
        return list->n - i;
    }

    for (n = max; timers && n > 1; n--) {
        if (list->events[i + n].serial / OUTMASS_WINDOW
            != list->events[i + n - 1].serial / OUTMASS_WINDOW)
        {
            return n;
        }
    }

    return max;
}
