/*
 * ship_marks: how far each writer's records of each account are in Redis: the
 * fields of the `ship` hashes, as read since the last connect.  For ship.c.
 */

#ifndef SHIP_MARKS_H
#define SHIP_MARKS_H

#include "redis.h"

typedef struct {
    uint64_t  writer;
    char      account[TOMO_ACCOUNT_MAX + 1];
    uint64_t  mark;             /* sequence of the last record there */
    bool      known;            /* mark was read since the last connect */
    bool      seen;             /* or at some time before */
    bool      owed;             /* Redis' may be ahead: it is put back */

    /* ship_hold.c */
    bool      held;
    bool      told;             /* since it last shipped */
    uint64_t  from;             /* held: the first record that waits; 0: none */
    int64_t   look_us;          /* held: is asked for again, monotonic */
    uint32_t  tries;
} ship_mark_t;

typedef struct {
    ship_mark_t  *list;
    size_t        n;
    size_t        cap;
} ship_marks_t;

void ship_marks_free(ship_marks_t *marks);

/* index of a mark, which may not be known yet */
size_t ship_marks_find(ship_marks_t *marks, uint64_t writer,
    tomo_str_t account);
/* the marks of a writer go */
void ship_marks_forget(ship_marks_t *marks, uint64_t writer);

/*
 * Reads one from Redis, and whether the account's streams can be appended to.
 * Never while commands are in the pipeline.  TOMO_INVALID: the account's own
 * keys are refused, *word says why; TOMO_AGAIN: no usable answer.
 */
tomo_rc_e ship_marks_read(ship_marks_t *marks, redis_t *r, size_t i,
    const char **word) TOMO_MUST_CHECK;

/* is it about the keys of one account, what an error says? */
bool ship_marks_own(const char *word);

/*
 * Puts a mark back that a transaction moved though records were refused.  What
 * was appended beside them comes twice: events with an id of LINE's, answers
 * and verdicts have no effect again, clicks and commands do.
 */
void ship_marks_repair(ship_marks_t *marks, redis_t *r, size_t i);

/* the command that moves mark i to seq; its views live until the next call */
void ship_marks_put(ship_marks_t *marks, size_t i, uint64_t seq,
    redis_args_t *args);

#endif
