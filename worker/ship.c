#include "ship_own.h"

#include <stdlib.h>

#include "clock.h"

#define SHIP_TIDY_US  (INT64_C(60) * 1000000)


ship_t *
ship_new(journal_t *j, redis_t *r)
{
    ship_t  *s = calloc(1, sizeof(*s));

    if (s != NULL) {
        s->journal = j;
        s->redis = r;
    }

    return s;
}


void
ship_free(ship_t *s)
{
    if (s != NULL) {
        free(s->writers);
        ship_marks_free(&s->marks);
        free(s);
    }
}


/* After every connect: nothing is known, marks are read when needed. */

static void
ship_restart(ship_t *s)
{
    size_t  n = journal_writers(s->journal);

    for (size_t i = 0; i < s->marks.n; i++) {
        s->marks.list[i].known = false;
        s->marks.list[i].from = 0;
        s->marks.list[i].look_us = 0;       /* a held one is due */
    }

    free(s->writers);
    s->writers = calloc(n, sizeof(*s->writers));
    s->n_writers = s->writers == NULL ? 0 : n;

    for (size_t i = 0; i < s->n_writers; i++) {
        s->writers[i].id = journal_writer_id(s->journal, i);
        s->writers[i].seq = 1;
    }

    s->generation = s->redis->generation;
}


void
ship_tidy(ship_t *s)
{
    size_t   n;
    int64_t  now_us = clock_mono_us();

    if (s->generation != s->redis->generation) {
        return;                 /* what was shipped is not known */
    }

    if (s->tidy_us != 0 && now_us - s->tidy_us < SHIP_TIDY_US) {
        return;
    }

    s->tidy_us = now_us;

    /* from the end: a writer may disappear from the list */
    for (size_t i = s->n_writers; i-- > 0; ) {
        n = journal_writers(s->journal);
        journal_shipped(s->journal, i, ship_hold_passed(s, i));

        if (journal_writers(s->journal) != n) {
            ship_marks_forget(&s->marks, s->writers[i].id);
        }
    }

    if (journal_writers(s->journal) != s->n_writers) {
        ship_restart(s);
    }
}


tomo_rc_e
ship_send(ship_t *s, size_t max)
{
    bool       more, limited = false;
    size_t     shipped;
    tomo_rc_e  rc;

    if (redis_up(s->redis) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    if (s->generation != s->redis->generation) {
        ship_restart(s);
    }

    if (ship_hold_turn(s) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    for (size_t i = 0; i < s->n_writers; i++) {
        more = true;
        shipped = 0;

        /* each writer its share: a busy one must not keep the others */
        while (more) {
            rc = ship_batch(s, i, &more);

            if (rc != TOMO_OK) {
                return rc;
            }

            shipped += s->n;

            if (max != 0 && shipped >= max) {
                limited = true;
                break;
            }
        }

        if (!more) {
            ship_hold_none(s, i);
        }
    }

    return limited ? TOMO_LIMIT : TOMO_OK;
}


tomo_rc_e
ship_run(ship_t *s, size_t max)
{
    tomo_rc_e  rc = ship_send(s, max);

    if (rc == TOMO_OK) {
        ship_tidy(s);
    }

    return rc;
}


bool
ship_due(const ship_t *s)
{
    bool  due = s->generation != s->redis->generation || ship_hold_due(s);

    for (size_t i = 0; i < s->n_writers && !due; i++) {
        due = journal_has(s->journal, i, s->writers[i].seq);
    }

    return due;
}
