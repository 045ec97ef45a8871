/*
 * ship_own: the state of a ship and the calls between its files (ship:
 * writers and turns; ship_batch: transactions; ship_hold: accounts that wait).
 * For ship*.c alone.
 */

#ifndef SHIP_OWN_H
#define SHIP_OWN_H

#include "log.h"
#include "ship.h"
#include "ship_marks.h"

#define SHIP_GROUPS  64


typedef struct {
    uint64_t  id;
    uint64_t  seq;              /* next to look at */
} ship_writer_t;

/* one MULTI … EXEC in the pipeline */
typedef struct {
    size_t    mark;             /* index of the account's */
    size_t    n;                /* records in it; 0: nothing was opened */
    uint64_t  first;            /* sequence of the first one */
    uint64_t  last;
    bool      failed;
    bool      loose;            /* the mark moved all the same */
    bool      own;              /* the account's own keys are refused */
    const char  *word;          /* of the first refusal */
} ship_group_t;

struct ship_s {
    journal_t      *journal;
    redis_t        *redis;
    uint64_t        generation;
    ship_writer_t  *writers;
    size_t          n_writers;
    ship_marks_t    marks;
    int64_t         tidy_us;

    /* the batch that is being put together: one MULTI per run of records
       of one account, all in one pipeline */
    uint64_t        writer;
    uint64_t        settled;    /* of it, surely */
    ship_group_t    groups[SHIP_GROUPS];
    size_t          n_groups;
    size_t          n;          /* records appended to the pipeline */
    size_t          seen;
    size_t          bytes;
    uint64_t        last;
    tomo_rc_e       rc;
    log_gate_t      gate;
};

/* One batch of writer i.  *more: there may be another. */
tomo_rc_e ship_batch(ship_t *s, size_t i, bool *more) TOMO_MUST_CHECK;

/*
 * Holds.  hold: mark i's account waits, word is why.  pass: its record seq is
 * passed over.  over: nothing of it waits any more.  due: is one to be asked
 * for again?  turn: asks for those; TOMO_AGAIN: no usable answer.  passed:
 * all of writer i up to there is in Redis.  none: all of writer i is, but
 * what is held.
 */
void ship_hold(ship_t *s, size_t i, const char *word);
void ship_hold_pass(ship_mark_t *m, uint64_t seq);
void ship_hold_over(ship_t *s, ship_mark_t *m);
bool ship_hold_due(const ship_t *s);
tomo_rc_e ship_hold_turn(ship_t *s) TOMO_MUST_CHECK;
uint64_t ship_hold_passed(const ship_t *s, size_t i);
void ship_hold_none(ship_t *s, size_t i);

#endif
