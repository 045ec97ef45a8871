/*
 * take: asks Redis by a pipeline of scripts whether rows may leave now:
 * is the lease ours, does the row still stand, is the friend not blocked,
 * does the account not wait for its quota.
 */

#ifndef TAKE_H
#define TAKE_H

#include "channel.h"

typedef enum {
    TAKE_OK = 0,
    TAKE_LEASE,                 /* the account is not ours any more */
    TAKE_GONE,                  /* settled or withdrawn */
    TAKE_BLOCKED,
    TAKE_PAUSE,                 /* until pause_ms */
    TAKE_UNKNOWN                /* no answer: try later */
} take_word_e;

typedef struct {
    channel_t    *channel;
    row_t        *row;
    uint64_t      epoch;        /* the lease it was asked under */
    take_word_e   word;
    int64_t       pause_ms;
} take_t;

/* registers the script, before the first redis_up */
void take_script_add(redis_t *r);

/*
 * Fills word of each; n ≤ 256.  Who blocks the account is taken out of a
 * multicast that was never tried (row_leave_out).
 */
void take_ask(redis_t *r, take_t *takes, size_t n, int64_t now_ms);

#endif
