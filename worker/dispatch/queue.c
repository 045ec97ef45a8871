#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define QUEUE_TABLE_FIRST  256


/* the rows of one friend, oldest first; a multicast row has one for itself */

struct lane_s {
    uint32_t        serial;
    row_t          *first;
    row_t          *last;
    row_t          *away;       /* CHOSEN or FLYING: one at a time */
    UT_hash_handle  hh;
};


static void *
queue_memory(void *p)
{
    if (p == NULL) {
        abort();                /* what is open comes back after the start */
    }

    return p;
}


void
queue_init(queue_t *q)
{
    memset(q, 0, sizeof(*q));
    q->table_size = QUEUE_TABLE_FIRST;
    q->table = queue_memory(calloc(q->table_size, sizeof(row_t *)));
}


static size_t
queue_slot(const queue_t *q, uint64_t id_ms, uint64_t id_seq)
{
    uint64_t  h = (id_ms * UINT64_C(0x9e3779b97f4a7c15))
                  ^ (id_seq * UINT64_C(0xc2b2ae3d27d4eb4f));

    return (size_t) (h >> 32) & (q->table_size - 1);
}


static void
queue_table_put(queue_t *q, row_t *row)
{
    size_t  i = queue_slot(q, row->id_ms, row->id_seq);

    row->hash_next = q->table[i];
    q->table[i] = row;
}


static void
queue_table_grow(queue_t *q)
{
    row_t   *row, *next;
    row_t  **old = q->table;
    size_t   old_size = q->table_size;

    q->table_size *= 2;
    q->table = queue_memory(calloc(q->table_size, sizeof(row_t *)));

    for (size_t i = 0; i < old_size; i++) {
        for (row = old[i]; row != NULL; row = next) {
            next = row->hash_next;
            queue_table_put(q, row);
        }
    }

    free(old);
}


static void
queue_table_remove(queue_t *q, row_t *row)
{
    row_t  **at = &q->table[queue_slot(q, row->id_ms, row->id_seq)];

    while (*at != NULL && *at != row) {
        at = &(*at)->hash_next;
    }

    if (*at == row) {
        *at = row->hash_next;
    }
}


bool
queue_has(const queue_t *q, uint64_t id_ms, uint64_t id_seq)
{
    for (row_t *row = q->table[queue_slot(q, id_ms, id_seq)]; row != NULL;
         row = row->hash_next)
    {
        if (row->id_ms == id_ms && row->id_seq == id_seq) {
            return true;
        }
    }

    return false;
}


static void
queue_ready(queue_t *q, row_t *row)
{
    queue_list_t  *list = &q->ready[row->via];

    row->state = ROW_READY;
    row->ready_next = NULL;

    if (list->last == NULL) {
        list->first = row;

    } else {
        list->last->ready_next = row;
    }

    list->last = row;
    list->n++;
}


static row_t *
queue_ready_take(queue_t *q, tomo_via_e via)
{
    queue_list_t  *list = &q->ready[via];
    row_t         *row = list->first;

    if (row != NULL) {
        list->first = row->ready_next;
        list->last = list->first == NULL ? NULL : list->last;
        list->n--;
    }

    return row;
}


/*
 * Lets the next row of a friend go, if none is away.  Several may be READY
 * at once (a reply beside a paused push): the first that is chosen goes.
 */

static void
queue_wake(queue_t *q, lane_t *lane)
{
    bool  behind_push = false;

    if (lane->away != NULL) {
        return;
    }

    for (row_t *row = lane->first; row != NULL; row = row->next) {
        bool  counted = row_counted(row);
        bool  waits = row->state == ROW_TIMED
                      || (counted && q->paused);

        if (counted && behind_push) {
            continue;
        }

        if (row->state == ROW_QUEUED) {
            queue_ready(q, row);
        }

        if (!waits || !counted) {
            return;             /* it goes, or what is behind it waits */
        }

        behind_push = true;
    }
}


static lane_t *
queue_lane(queue_t *q, const row_t *row)
{
    lane_t  *lane = NULL;

    if (row->friend != 0) {
        HASH_FIND(hh, q->lanes, &row->friend, sizeof(row->friend), lane);
    }

    if (lane != NULL) {
        return lane;
    }

    lane = queue_memory(calloc(1, sizeof(*lane)));
    lane->serial = row->friend;

    if (row->friend != 0) {
        HASH_ADD(hh, q->lanes, serial, sizeof(lane->serial), lane);
    }

    return lane;
}


void
queue_add(queue_t *q, row_t *row)
{
    lane_t  *lane = queue_lane(q, row);

    row->lane = lane;
    row->state = ROW_QUEUED;
    row->next = NULL;
    row->prev = lane->last;

    if (lane->last == NULL) {
        lane->first = row;

    } else {
        lane->last->next = row;
    }

    lane->last = row;

    if (++q->n > 2 * q->table_size) {
        queue_table_grow(q);
    }

    queue_table_put(q, row);
    queue_wake(q, lane);
}


row_t *
queue_choose(queue_t *q, tomo_via_e via)
{
    row_t  *row;

    if (q->paused && (via == TOMO_VIA_PUSH || via == TOMO_VIA_MULTICAST)) {
        return NULL;
    }

    while ((row = queue_ready_take(q, via)) != NULL) {
        if (row->lane->away == NULL) {
            row->lane->away = row;
            row->state = ROW_CHOSEN;
            q->away_counted += row_counted(row);
            return row;
        }

        row->state = ROW_QUEUED;        /* another of its friend was faster */
    }

    return NULL;
}


void
queue_fly(queue_t *q, row_t *row)
{
    row->state = ROW_FLYING;
    q->flying++;
}


static void
queue_landed(queue_t *q, row_t *row)
{
    q->flying -= row->state == ROW_FLYING;
    q->away_counted -= row_counted(row);
    row->lane->away = NULL;
}


static void
queue_heap_set(queue_t *q, size_t i, row_t *row)
{
    q->heap[i] = row;
    row->heap_at = i;
}


static void
queue_heap_up(queue_t *q, size_t i, row_t *row)
{
    while (i > 0 && q->heap[(i - 1) / 2]->due_us > row->due_us) {
        queue_heap_set(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }

    queue_heap_set(q, i, row);
}


static void
queue_heap_down(queue_t *q, size_t i, row_t *row)
{
    size_t  child;

    while ((child = 2 * i + 1) < q->heap_n) {
        if (child + 1 < q->heap_n
            && q->heap[child + 1]->due_us < q->heap[child]->due_us)
        {
            child++;
        }

        if (q->heap[child]->due_us >= row->due_us) {
            break;
        }

        queue_heap_set(q, i, q->heap[child]);
        i = child;
    }

    queue_heap_set(q, i, row);
}


void
queue_wait(queue_t *q, row_t *row, int64_t due_us)
{
    queue_landed(q, row);
    row->state = ROW_TIMED;
    row->due_us = due_us;

    if (q->heap_n == q->heap_cap) {
        q->heap_cap = q->heap_cap == 0 ? 64 : 2 * q->heap_cap;
        q->heap = queue_memory(realloc(q->heap,
                                       q->heap_cap * sizeof(row_t *)));
    }

    queue_heap_up(q, q->heap_n++, row);
    queue_wake(q, row->lane);
}


void
queue_tick(queue_t *q, int64_t now_us, int64_t *next_us)
{
    row_t  *row, *last;

    while (q->heap_n > 0 && q->heap[0]->due_us <= now_us) {
        row = q->heap[0];
        last = q->heap[--q->heap_n];

        if (q->heap_n > 0) {
            queue_heap_down(q, 0, last);
        }

        row->state = ROW_QUEUED;
        queue_wake(q, row->lane);
    }

    *next_us = q->heap_n > 0 ? q->heap[0]->due_us : INT64_MAX;
}


/* The lane without the row; NULL: it was the last and the lane is gone. */

static lane_t *
queue_lane_remove(queue_t *q, row_t *row)
{
    lane_t  *lane = row->lane;

    if (row->prev == NULL) {
        lane->first = row->next;

    } else {
        row->prev->next = row->next;
    }

    if (row->next == NULL) {
        lane->last = row->prev;

    } else {
        row->next->prev = row->prev;
    }

    if (lane->first != NULL) {
        return lane;
    }

    if (lane->serial != 0) {
        HASH_DEL(q->lanes, lane);
    }

    free(lane);

    return NULL;
}


void
queue_drop(queue_t *q, row_t *row)
{
    lane_t  *lane;

    queue_landed(q, row);
    queue_table_remove(q, row);
    lane = queue_lane_remove(q, row);
    q->n--;
    row_free(row);

    if (lane != NULL) {
        queue_wake(q, lane);
    }
}


void
queue_clear(queue_t *q)
{
    row_t   *row;
    row_t  **at;

    memset(q->ready, 0, sizeof(q->ready));
    q->heap_n = 0;

    for (size_t i = 0; i < q->table_size; i++) {
        at = &q->table[i];

        while ((row = *at) != NULL) {
            if (row->state == ROW_FLYING || row->state == ROW_CHOSEN) {
                at = &row->hash_next;
                continue;
            }

            *at = row->hash_next;
            (void) queue_lane_remove(q, row);
            q->n--;
            row_free(row);
        }
    }
}


void
queue_free(queue_t *q)
{
    for (size_t i = 0; i < q->table_size; i++) {
        for (row_t *row = q->table[i]; row != NULL; row = row->hash_next) {
            row->state = ROW_QUEUED;
        }
    }

    queue_clear(q);
    free(q->table);
    free(q->heap);
}


void
queue_pause(queue_t *q, bool paused)
{
    lane_t  *lane, *next;

    if (q->paused == paused) {
        return;
    }

    q->paused = paused;

    HASH_ITER(hh, q->lanes, lane, next) {
        queue_wake(q, lane);
    }
}
