/*
 * ship_marks: how far each writer's records of each account are in Redis: the
 * fields of the `ship` hashes, as read since the last connect.  For ship.c.
 */

#ifndef SHIP_MARKS_H
#define SHIP_MARKS_H

#include "redis.h"

typedef struct {
    uint64_t  writer;
    char      account[TOMO_ACCOUNT_MAX];
    size_t    account_len;
    uint64_t  mark;             /* sequence of the last record there */
} ship_mark_t;

typedef struct {
    ship_mark_t  *list;
    size_t        n;            /* 0 forgets them all */
    size_t        cap;
} ship_marks_t;

void ship_marks_free(ship_marks_t *marks);

/* index of a known mark; marks->n: not known yet */
size_t ship_marks_find(const ship_marks_t *marks, uint64_t writer,
    tomo_str_t account);

/*
 * Reads one from Redis; it becomes the last of the list.  Never while
 * commands are in the pipeline.  False: no usable answer.
 */
bool ship_marks_read(ship_marks_t *marks, redis_t *r, uint64_t writer,
    tomo_str_t account);

/* the command that moves mark i to seq; its views live until the next call */
void ship_marks_put(ship_marks_t *marks, size_t i, uint64_t seq,
    redis_args_t *args);

#endif
