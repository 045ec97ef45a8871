/*
 * queue: the open rows of one account and which of them may go now.
 *
 * One row of a friend is in flight at a time, the oldest first: LINE orders
 * nothing between calls.  A row that waits (backoff, the month's quota) holds
 * back the ones behind it, but a reply or a profile row does not wait for a
 * push that waits: its token lives a minute.
 *
 * Pure bookkeeping: no I/O; the monotonic clock is an argument.
 */

#ifndef QUEUE_H
#define QUEUE_H

#include "row.h"

typedef struct {
    row_t   *first;
    row_t   *last;
    size_t   n;
} queue_list_t;

typedef struct {
    lane_t        *lanes;               /* uthash by serial */
    row_t        **table;               /* by stream id, chained */
    size_t         table_size;
    queue_list_t   ready[TOMO_VIA_END];
    row_t        **heap;                /* TIMED, earliest first */
    size_t         heap_n;
    size_t         heap_cap;
    size_t         n;                   /* rows */
    size_t         flying;
    size_t         away_counted;        /* CHOSEN or FLYING */
    bool           paused;              /* counted rows do not go */
} queue_t;

void queue_init(queue_t *q);
/* frees every row that is not CHOSEN or FLYING: those come back first */
void queue_clear(queue_t *q);
/* frees everything; no transfer may be under way any more */
void queue_free(queue_t *q);

bool queue_has(const queue_t *q, uint64_t id_ms, uint64_t id_seq);
/* takes the row over; it becomes READY if nothing is before it */
void queue_add(queue_t *q, row_t *take_row);

/*
 * The oldest READY row of that way out becomes CHOSEN; NULL: none, or counted
 * rows are paused.  Its friend's other rows wait from now on.
 */
row_t *queue_choose(queue_t *q, tomo_via_e via);
/* CHOSEN: a request is under way now */
void queue_fly(queue_t *q, row_t *row);
/* CHOSEN or FLYING: tried again at due_us; others of the friend may go */
void queue_wait(queue_t *q, row_t *row, int64_t due_us);
/* CHOSEN or FLYING: settled or gone; frees it */
void queue_drop(queue_t *q, row_t *row);

/* makes due rows READY; *next_us: when the next one is due, INT64_MAX: none */
void queue_tick(queue_t *q, int64_t now_us, int64_t *next_us);
/* counted rows stop or go on */
void queue_pause(queue_t *q, bool paused);

#endif
