#include "erase_places.h"

#include "schedule.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define ERASE_PLACES_MAX   400          /* of one commit: a key each */
#define ERASE_PLACE_BYTES  12           /* `t4294967295.` */

/* letters of the record's fields, and `t`, `p` for tags and the profile */
typedef struct {
    decision_t          *d;
    const gone_stone_t  *stone;
    size_t               n;
    uint8_t              text[ERASE_PLACES_MAX * ERASE_PLACE_BYTES];
    tomo_buf_t           later;         /* those of the next follow-up */
    size_t               n_later;
} erase_places_t;


static tomo_rc_e
erase_place(decision_t *d, uint32_t serial, uint8_t of, uint32_t no)
{
    timer_e  timer = timer_of((char) of);

    if (timer != TIMER_END) {
        schedule_drop_of(d, serial, timer, no);
        return TOMO_OK;
    }

    switch (of) {

    case 't':
        decision_index(d, 'j', serial, tomo_key_set_tag, no);
        return TOMO_OK;

    case 'k':
        decision_index(d, 'j', serial, tomo_key_set_link, no);
        return TOMO_OK;

    case 'a':
        decision_index(d, 'j', serial, tomo_key_set_survey, no);
        return TOMO_OK;
    }

    return TOMO_INVALID;
}


static void
erase_places_later(erase_places_t *p)
{
    uint8_t     body[sizeof(p->text) + 128];
    tomo_buf_t  b;

    if (p->n_later == 0) {
        return;
    }

    tomo_buf_init(&b, body, sizeof(body));
    tomo_rec_put(&b, "do", tomo_str("erase"));
    tomo_rec_put(&b, "of", tomo_str("places"));
    tomo_rec_put_u64(&b, "friend", p->stone->serial);
    tomo_rec_put(&b, "places", tomo_buf_str(&p->later));
    owner_follow_up(p->d->o, tomo_buf_str(&b), p->d->now_ms);
    tomo_buf_init(&p->later, p->text, sizeof(p->text));
    p->n_later = 0;
}


static void
erase_places_add(erase_places_t *p, uint8_t of, uint32_t no)
{
    if (p->n++ < ERASE_PLACES_MAX) {
        (void) !erase_place(p->d, p->stone->serial, of, no);
        return;
    }

    tomo_buf_byte(&p->later, of);
    tomo_buf_u64(&p->later, no);
    tomo_buf_byte(&p->later, '.');

    if (++p->n_later == ERASE_PLACES_MAX) {
        erase_places_later(p);
    }
}


/* fields such as `s:12` that stand for a place */
static void
erase_places_of(erase_places_t *p, const char *letters)
{
    uint64_t         no;
    const friend_t  *f = p->d->f;

    for (size_t i = 0; i < f->n; i++) {
        tomo_str_t  name = f->fields[i].name;

        if (name.len < 3 || name.data[1] != ':'
            || tomo_str_find(tomo_str_c(letters), 0, name.data[0])
               == tomo_str_c(letters).len
            || tomo_u64_get(tomo_str_n(name.data + 2, name.len - 2),
                            UINT32_MAX, &no) != TOMO_OK)
        {
            continue;
        }

        erase_places_add(p, name.data[0], (uint32_t) no);
    }
}


void
erase_places(decision_t *d, const gone_stone_t *stone)
{
    erase_places_t  p = { .d = d, .stone = stone };

    tomo_buf_init(&p.later, p.text, sizeof(p.text));

    /* first what would run by itself */
    erase_places_add(&p, 'p', 0);
    erase_places_of(&p, "s");

    for (size_t i = 0; i < d->f->n_tags; i++) {
        erase_places_add(&p, 't', d->f->tags[i]);
    }

    erase_places_of(&p, "ka");
    erase_places_later(&p);
}


tomo_rc_e
erase_places_go_on(decision_t *d, const gone_stone_t *stone)
{
    size_t             at = 0, end, n = 0;
    uint64_t           no;
    const tomo_str_t  *all;

    all = tomo_rec_get(&d->ev->line, "places");

    if (all == NULL) {
        return TOMO_INVALID;
    }

    for ( /* void */ ; at < all->len; at = end + 1) {
        end = tomo_str_find(*all, at, '.');

        if (n++ == ERASE_PLACES_MAX || end < at + 2
            || tomo_u64_get(tomo_str_n(all->data + at + 1, end - at - 1),
                            UINT32_MAX, &no) != TOMO_OK
            || erase_place(d, stone->serial, all->data[at], (uint32_t) no)
               != TOMO_OK)
        {
            return TOMO_INVALID;
        }
    }

    owner_erases(d->o);

    return TOMO_OK;
}
