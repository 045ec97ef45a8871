/*
 * sender: from a row that may go to a verdict in the journal.  It chooses
 * rows, takes them, journals the attempt, starts the request, asks
 * tomo_send_decide what an answer means, and obeys.
 *
 * The order that makes a message leave once: take → attempt record → fsync →
 * request → verdict record → fsync → stream.
 */

#ifndef SENDER_H
#define SENDER_H

#include "channel.h"
#include "edges.h"
#include "lineapi.h"
#include "sendjournal.h"

typedef struct {
    const conf_t   *conf;
    vault_t        *vault;
    redis_t        *redis;
    sendjournal_t  *journal;
    wire_t         *wire;
    lineapi_t       lineapi;
    edges_t         edges;
    channel_t      *channels;
    size_t          n_channels;
    size_t          first;      /* channel that begins the next turn */
    size_t          rows;       /* in memory, after the last turn */
    bool            stopping;   /* nothing new is started */
    bool            held;       /* nothing is tried for the first time */
    bool            failed;     /* the journal does not take records */
    uint8_t        *line;       /* scratch for a verdict */
} sender_t;

/* wire_done_pt: data is the sender */
void sender_done(void *data, void *subject, const wire_answer_t *answer);

/* an entry of the outbox; knows rows it has met */
void sender_admit(sender_t *s, channel_t *c, tomo_str_t id,
    const redisReply *pairs);

/*
 * Starts what may start.  *wait_us: how long nothing can be done without an
 * event.  The caller syncs the journal and ships afterwards.
 */
void sender_turn(sender_t *s, int64_t *wait_us);

#endif
