/*
 * history: has this Redis gone back in time?  A watermark in Redis grows once
 * a second; what Redis acknowledged of it, and who it was (run id, replication
 * id and offset), is kept in JOURNAL/redis.state.  After each reconnect the two
 * are compared (RELIABILITY.md 6, Rollback detection).
 *
 * One role keeps it, dispatch: it is the one that must not act on a past that
 * did not happen.  One thread.
 */

#ifndef HISTORY_H
#define HISTORY_H

#include "redis.h"
#include "tomo_doctor.h"

#define HISTORY_TICK_MS  1000

typedef enum {
    HISTORY_GOES_ON = 0,
    HISTORY_BEGAN,              /* nothing is known of former times */
    HISTORY_RESTARTED,          /* another run, with all we know of */
    HISTORY_BACK,               /* it lacks what it had acknowledged */
    HISTORY_LOST                /* it knows nothing of us at all */
} history_e;

typedef struct {
    uint64_t  id;               /* our field of the watermark; 0: no state */
    uint64_t  mark;             /* acknowledged by Redis */
    uint64_t  incidents;        /* times it went back */
    int64_t   offset;
    int64_t   at_ms;            /* when the mark was made, real time */
    char      run_id[41];
    char      replid[41];
} history_state_t;

typedef struct {
    const conf_t     *conf;
    history_state_t   state;
    uint64_t          generation;       /* of the connection compared */
    int64_t           next_us;
} history_t;

/* reads the file; a missing one is a beginning */
void history_open(history_t *h, const conf_t *conf);

/*
 * After a reconnect compares (logging what it finds), else moves the watermark
 * when it is time.  *what is set when there was a comparison.
 * TOMO_OK; TOMO_AGAIN: Redis gave no answer; TOMO_ABSENT: nothing to do.
 */
tomo_rc_e history_turn(history_t *h, redis_t *r, history_e *what)
    TOMO_MUST_CHECK;

/* for the doctor: compares, changes nothing */
void history_look(tomo_doctor_facts_t *f, const conf_t *conf, redis_t *r);

/* how often it went back, by the file */
uint64_t history_incidents(const conf_t *conf);

#endif
