/*
 * sender: from a row that may go to a verdict in the journal.  It chooses
 * rows, has them taken and journalled (depart.h), asks tomo_send_decide what an
 * answer means (settle.h), and obeys.
 *
 * The order that makes a message leave once: take → attempt record → fsync →
 * request → verdict record → fsync → stream.  What waits in it for Redis or
 * for the disk is an errand, so that requests move on meanwhile.
 */

#ifndef SENDER_H
#define SENDER_H

#include "depart.h"
#include "channel.h"
#include "edges.h"
#include "lineapi.h"
#include "sendjournal.h"
#include "sendsync.h"

#define SENDER_DEPARTS  2

struct sender_s {
    const conf_t   *conf;
    vault_t        *vault;
    redis_t        *redis;      /* the errand's while that is under way */
    errand_t       *errand;     /* takes, and what the loop ships */
    depart_t         departs[SENDER_DEPARTS];
    sendjournal_t  *journal;
    sendsync_t      sync;       /* of it */
    wire_t         *wire;
    lineapi_t       lineapi;
    edges_t         edges;
    channel_t      *channels;
    size_t          n_channels;
    size_t          first;      /* channel that begins the next turn */
    size_t          rows;       /* in memory, after the last turn */
    bool            stopping;   /* nothing new is started */
    bool            ending;     /* nothing is waited for any more */
    bool            held;       /* nothing is tried for the first time */
    bool            failed;     /* the journal does not take records */
    uint8_t        *line;       /* scratch for a verdict */
};

/* wire_done_pt: data is the sender */
void sender_done(void *data, void *subject, const wire_answer_t *answer);

/* an entry of the outbox; knows rows it has met */
void sender_admit(sender_t *s, channel_t *c, tomo_str_t id,
    const redisReply *pairs);

/* rows on their way to their request */
size_t sender_preparing(const sender_t *s);

/* Moves on what errands are done with: before leases are looked after. */
void sender_collect(sender_t *s);
/*
 * Starts what may start, unless an errand is under way.  *wait_us: how long
 * nothing can be done without an event.  The caller syncs and ships.
 */
void sender_turn(sender_t *s, int64_t *wait_us);
/*
 * The process ends: what is known of attempts under way goes to the journal, so
 * that the next life repeats none as if its outcome were in doubt.
 */
void sender_end(sender_t *s);

#endif
