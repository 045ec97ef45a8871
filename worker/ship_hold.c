/*
 * ship_hold: an account whose own keys Redis refuses (a key of another type,
 * no right to it, a mark that is no number) waits by itself, and the others
 * ship on.
 *
 * Its records are passed over: the journal keeps them, nothing is kept in
 * memory but where the first lies.  Its mark is asked for again with backoff;
 * when it answers, the writer goes back to that record, and the other
 * accounts' marks pass over what they have.
 */

#include "ship_own.h"

#include <string.h>

#include "clock.h"

#define SHIP_HOLD_US      INT64_C(100000)
#define SHIP_HOLD_MAX_US  INT64_C(5000000)


/* does the operator know of the account, be it by another writer's mark? */

static bool
ship_hold_told(const ship_t *s, const ship_mark_t *m)
{
    bool  told = false;

    for (size_t i = 0; i < s->marks.n && !told; i++) {
        const ship_mark_t  *o = &s->marks.list[i];

        told = o->told && o->held && strcmp(o->account, m->account) == 0;
    }

    return told;
}


void
ship_hold(ship_t *s, size_t i, const char *word)
{
    int64_t       wait_us = SHIP_HOLD_MAX_US;
    ship_mark_t  *m = &s->marks.list[i];

    if (m->tries < 6) {
        wait_us = SHIP_HOLD_US << m->tries;
    }

    m->tries++;
    m->look_us = clock_mono_us() + wait_us;
    m->known = false;
    m->held = true;

    if (!ship_hold_told(s, m)) {
        log_error(m->account, "is held: Redis does not take its records "
                  "(%s): %s; they stay on disk and are tried again, other "
                  "accounts go on: %s", s->redis->name, word,
                  strcmp(word, "NOPERM") == 0
                  ? "give the worker's user its rights back"
                  : "move away what lies at its keys in, bulk and ship");
    }

    m->told = true;
}


void
ship_hold_pass(ship_mark_t *m, uint64_t seq)
{
    if (m->from == 0 || seq < m->from) {
        m->from = seq;
    }
}


void
ship_hold_over(ship_t *s, ship_mark_t *m)
{
    m->tries = 0;

    if (m->told) {
        m->told = false;

        if (!ship_hold_told(s, m)) {
            log_info(m->account, "is no longer held (%s)", s->redis->name);
        }
    }
}


/* Its keys answer: the writer goes back to the first record that waits. */

static void
ship_hold_end(ship_t *s, ship_mark_t *m)
{
    m->held = false;

    for (size_t i = 0; i < s->n_writers && m->from != 0; i++) {
        if (s->writers[i].id == m->writer && s->writers[i].seq > m->from) {
            s->writers[i].seq = m->from;
        }
    }

    m->from = 0;
}


bool
ship_hold_due(const ship_t *s)
{
    bool     due = false;
    int64_t  now_us = clock_mono_us();

    for (size_t i = 0; i < s->marks.n && !due; i++) {
        due = s->marks.list[i].held && s->marks.list[i].look_us <= now_us;
    }

    return due;
}


tomo_rc_e
ship_hold_turn(ship_t *s)
{
    int64_t      now_us = clock_mono_us();
    tomo_rc_e    rc;
    const char  *word = "";

    for (size_t i = 0; i < s->marks.n; i++) {
        ship_mark_t  *m = &s->marks.list[i];

        if (!m->held || m->look_us > now_us) {
            continue;
        }

        rc = ship_marks_read(&s->marks, s->redis, i, &word);

        if (rc == TOMO_OK) {
            ship_hold_end(s, m);

        } else if (rc == TOMO_INVALID) {
            ship_hold(s, i, word);

        } else {
            return rc;
        }
    }

    return TOMO_OK;
}


uint64_t
ship_hold_passed(const ship_t *s, size_t i)
{
    uint64_t  seq = s->writers[i].seq - 1;

    for (size_t k = 0; k < s->marks.n; k++) {
        const ship_mark_t  *m = &s->marks.list[k];

        if (m->held && m->writer == s->writers[i].id && m->from != 0
            && m->from <= seq)
        {
            seq = m->from - 1;
        }
    }

    return seq;
}


void
ship_hold_none(ship_t *s, size_t i)
{
    for (size_t k = 0; k < s->marks.n; k++) {
        ship_mark_t  *m = &s->marks.list[k];

        if (!m->held && m->writer == s->writers[i].id) {
            ship_hold_over(s, m);
        }
    }
}
