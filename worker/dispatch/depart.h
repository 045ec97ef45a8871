/*
 * depart: rows on their way from the queue to their request: taken (an errand),
 * journalled, synced (another errand), let go.  While one batch is synced the
 * next may be taken.  While no request is under way there is nothing to go on
 * with, and what would be an errand is done at once.
 *
 * Much can happen meanwhile: a row goes only if its lease, token and account
 * still let it; else its attempt is made void and it waits its turn again.
 */

#ifndef DEPART_H
#define DEPART_H

#include "take.h"

#define DEPART_ROWS  256

typedef struct sender_s  sender_t;

typedef enum {
    DEPART_FREE = 0,
    DEPART_TAKING,
    DEPART_SYNCING
} depart_state_e;

typedef struct {
    depart_state_e   state;
    redis_t        *redis;
    take_t          takes[DEPART_ROWS];
    size_t          n;
    uint64_t        last;       /* SYNCING: the last of its records */
    int64_t         now_ms;
} depart_t;

/* takes and n are filled; no errand is under way */
void depart_start(sender_t *s, depart_t *b);
/* as far as it can go now */
void depart_turn(sender_t *s, depart_t *b);
/* at the end of the process, no errand is under way: what did not go is told */
void depart_end(sender_t *s, depart_t *b);

#endif
