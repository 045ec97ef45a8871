/*
 * outbox: reads the `out` streams of our accounts: from the beginning after
 * every connect and when an account becomes ours, then what is added.  One
 * blocking XREAD stands at the server; its socket is polled beside libcurl's.
 */

#ifndef OUTBOX_H
#define OUTBOX_H

#include "sender.h"

typedef struct {
    redis_t    reader;
    uint64_t   generation;
    bool       asked;
    int64_t    rest_us;         /* after an error: no asking before */
    int64_t    asked_us;        /* monotonic: of the outstanding question */
} outbox_t;

void outbox_init(outbox_t *o, const conf_t *conf);
void outbox_close(outbox_t *o);

/* c came from another process: notes up to where it may have sent already */
void outbox_stood(channel_t *c, redis_t *r);

/* everything is read again (the other connection was lost) */
void outbox_rewind(sender_t *s);

/* asks if no answer is outstanding; returns the socket to poll, -1: none */
int outbox_ask(outbox_t *o, sender_t *s);
/* the socket is readable: takes answers in */
void outbox_read(outbox_t *o, sender_t *s);

#endif
