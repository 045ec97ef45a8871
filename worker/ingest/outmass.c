#include "outmass.h"

#include <stdlib.h>

#include "outrow.h"
#include "render.h"
#include "tomo_keys.h"


/*
 * Only steps at a clock time: all their friends are due at the very same
 * millisecond and so in one slice.  Elapsed times differ from friend to
 * friend; two slices would share a window and its key.
 */
bool
outmass_add(decision_t *d, const messages_t *messages)
{
    mass_t  *m = d->mass;

    if (d->ev->kind != EVENT_TIMER || messages->personal || d->depth > 0
        || d->due_ms % TOMO_MIN_MS != 0 || d->due_ms != d->ev->at_ms
        || d->step.len == 0 || m == NULL || m->n == m->cap)
    {
        return false;
    }

    /* the order of a friend's bubbles counts: nothing before, nothing after */
    if (d->n_bubbles > 0 || m->n > d->mass_from) {
        return false;
    }

    if (m->n == 0 || m->items[m->n - 1].messages != messages
        || m->items[m->n - 1].serial / OUTMASS_WINDOW
           != d->f->serial / OUTMASS_WINDOW)
    {
        m->n_rows++;
    }

    m->items[m->n++] = (mass_item_t) {
        .messages = messages,
        .def = d->def,
        .step = d->step,
        .gen = d->gen,
        .due_ms = d->due_ms,
        .serial = d->f->serial,
        .uid = friend_get_c(d->f, "uid"),
        .event = d->by.len > 0 ? d->by : d->ev->id
    };

    return true;
}


/*
 * All bubbles of one event go out in one row: two pushes of one step would
 * share a retry key, and LINE would answer 409 to the second.
 */
void
outmass_back(decision_t *d)
{
    int64_t       due_ms = d->due_ms;
    uint32_t      gen = d->gen;
    tomo_str_t    def = d->def, step = d->step, by = d->by;
    mass_item_t  *item;

    if (d->mass == NULL || d->mass->n == d->mass_from) {
        return;
    }

    item = &d->mass->items[--d->mass->n];
    d->def = item->def;
    d->step = item->step;
    d->gen = item->gen;
    d->due_ms = item->due_ms;
    d->by = item->event;
    render_messages(d, item->messages);
    d->def = def;
    d->step = step;
    d->gen = gen;
    d->due_ms = due_ms;
    d->by = by;
}


static int
outmass_order(const void *left, const void *right)
{
    const mass_item_t  *a = left, *b = right;

    if (a->messages != b->messages) {
        return a->messages < b->messages ? -1 : 1;
    }

    if (a->due_ms != b->due_ms) {
        return a->due_ms < b->due_ms ? -1 : 1;
    }

    return a->serial < b->serial ? -1 : a->serial > b->serial;
}


static bool
outmass_same(const mass_item_t *a, const mass_item_t *b)
{
    return a->messages == b->messages && a->due_ms == b->due_ms
           && a->serial / OUTMASS_WINDOW == b->serial / OUTMASS_WINDOW;
}


/* the bubbles of one item; d is made to stand on it */
static void
outmass_render(decision_t *d, const mass_item_t *item, event_t *ev)
{
    *ev = (event_t) {
        .kind = EVENT_TIMER, .id = item->event, .at_ms = item->due_ms,
        .lane = TOMO_LANE_LOCAL
    };

    d->ev = ev;
    d->f = view_friend(d->view, item->serial);
    d->def = item->def;
    d->step = item->step;
    d->gen = item->gen;
    d->due_ms = item->due_ms;
    d->reply = tomo_str_null;
    d->n_bubbles = 0;
    render_messages(d, item->messages);
}


/* what differs between recipients, in their order, joined by commas */
typedef struct {
    tomo_str_t  to;
    tomo_str_t  serials;
    tomo_str_t  events;
} mass_people_t;


static void
outmass_people(decision_t *d, const mass_item_t *items, size_t n,
    mass_people_t *people)
{
    size_t      i, k, cap;
    tomo_buf_t  b[3];

    for (i = 0, cap = 16; i < n; i++) {
        cap += items[i].uid.len + items[i].event.len + 12;
    }

    for (k = 0; k < 3; k++) {
        tomo_buf_init(&b[k], tomo_arena_alloc(d->arena, cap), cap);
    }

    for (i = 0; i < n && !d->arena->failed; i++) {
        for (k = 0; k < 3; k++) {
            tomo_buf_put(&b[k], tomo_str_n(",", i > 0));
        }

        tomo_buf_put(&b[0], items[i].uid);
        tomo_buf_u64(&b[1], items[i].serial);
        tomo_buf_put(&b[2], items[i].event);
    }

    *people = (mass_people_t) {
        tomo_buf_str(&b[0]), tomo_buf_str(&b[1]), tomo_buf_str(&b[2])
    };
}


static tomo_str_t
outmass_body(decision_t *d)
{
    size_t      i;
    tomo_str_t  list[DECISION_BUBBLES_MAX];

    for (i = 0; i < d->n_bubbles; i++) {
        list[i] = d->bubbles[i].json;
    }

    return outrow_array(d, list, 0, d->n_bubbles);
}


/* HMAC(account|window|def|step|-|due|body): branches of a step differ */
static tomo_str_t
outmass_key(decision_t *d, const mass_item_t *item, tomo_str_t body)
{
    uint8_t     text[512];
    tomo_buf_t  about;

    tomo_buf_init(&about, text, sizeof(text));
    tomo_buf_put(&about, d->o->id);
    tomo_buf_c(&about, "|w");
    tomo_buf_u64(&about, item->serial / OUTMASS_WINDOW);
    tomo_buf_byte(&about, '|');
    tomo_buf_put(&about, item->def);
    tomo_buf_byte(&about, '|');
    tomo_buf_put(&about, item->step);
    tomo_buf_c(&about, "|-|");
    tomo_buf_i64(&about, item->due_ms);
    tomo_buf_byte(&about, '|');
    tomo_buf_u64(&about, tomo_crc32c(0, body.data, body.len));

    return outrow_key(d, &about);
}


static void
outmass_row(decision_t *d, const mass_item_t *items, size_t n)
{
    event_t        ev;
    tomo_str_t     body, key;
    mass_people_t  people;

    outmass_render(d, &items[0], &ev);
    outmass_people(d, items, n, &people);
    body = outmass_body(d);
    key = outmass_key(d, &items[0], body);

    if (d->arena->failed || d->n_bubbles == 0) {
        return;
    }

    commit_op(d->c, 'x', decision_key(d, tomo_key_out));
    commit_pair(d->c, "via", tomo_str_c(tomo_via_word(TOMO_VIA_MULTICAST)));
    commit_pair(d->c, "medium", tomo_str("line"));
    commit_pair_u64(d->c, "friend", 0);
    commit_pair(d->c, "to", people.to);
    commit_pair(d->c, "serials", people.serials);
    commit_pair(d->c, "key", key);
    commit_pair(d->c, "body", body);
    commit_pair(d->c, "def", items[0].def);
    commit_pair(d->c, "step", items[0].step);
    commit_pair_u64(d->c, "gen", items[0].gen);
    commit_pair_i64(d->c, "due", items[0].due_ms);
    commit_pair_u64(d->c, "delivery", d->bubbles[0].delivery);
    commit_pair_u64(d->c, "links", 0);
    commit_pair(d->c, "event", people.events);
    commit_end(d->c);
    d->n_bubbles = 0;
}


void
outmass_write(decision_t *d)
{
    size_t   from, to;
    event_t  ev;
    mass_t  *m = d->mass;

    if (m->n == 0) {
        return;
    }

    qsort(m->items, m->n, sizeof(mass_item_t), outmass_order);

    for (from = 0; from < m->n; from = to) {
        for (to = from + 1; to < m->n; to++) {
            if (!outmass_same(&m->items[from], &m->items[to])) {
                break;
            }
        }

        /*
         * Alone, others of the window may have had theirs in a former life,
         * in one multicast: only the window's key tells dispatch so.
         */
        if (to - from > 1 || d->alone) {
            outmass_row(d, &m->items[from], to - from);

        } else {
            outmass_render(d, &m->items[from], &ev);
            outrow_write(d);
        }
    }

    m->n = 0;
    m->n_rows = 0;
}
