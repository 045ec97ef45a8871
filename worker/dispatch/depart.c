#include "depart.h"

#include "clock.h"
#include "settle.h"

#define DEPART_AGAIN_US  INT64_C(50000)


static void
depart_take(void *data)
{
    depart_t  *b = data;

    take_ask(b->redis, b->takes, b->n, b->now_ms);
}


void
depart_start(sender_t *s, depart_t *b)
{
    b->state = DEPART_TAKING;
    b->redis = s->redis;
    b->now_ms = clock_now_ms();

    if (wire_flying(s->wire) > 0) {
        errand_start(s->errand, depart_take, b);

    } else {
        depart_take(b);         /* nothing to go on with meanwhile */
    }
}


/* What take said, but for OK. */

static void
depart_untaken(sender_t *s, take_t *t, int64_t now_ms, int64_t now_us)
{
    channel_t  *c = t->channel;

    switch (t->word) {

    case TAKE_GONE:
        queue_drop(&c->queue, t->row);
        break;

    case TAKE_BLOCKED:
        settle_untried(s, c, t->row, TOMO_SEND_CANCELLED,
                       "the friend blocks the account");
        break;

    case TAKE_PAUSE:
        (void) channel_pause(c, t->pause_ms, false, now_ms);
        queue_wait(&c->queue, t->row, now_us);
        break;

    case TAKE_LEASE:
        c->lease.held = false;          /* the loop asks again at once */
        c->fenced++;
        queue_wait(&c->queue, t->row, now_us + DEPART_AGAIN_US);
        break;

    default:
        queue_wait(&c->queue, t->row, now_us + 10 * DEPART_AGAIN_US);
        break;
    }
}


/* The attempt is written down; durable only after the batch's sync. */

static bool
depart_journal(sender_t *s, channel_t *c, row_t *row, int64_t now_ms)
{
    row->attempt++;

    if (row->first_ms == 0) {
        row->first_ms = now_ms;
    }

    if (row->via == TOMO_VIA_PROFILE || row->journalled) {
        return true;
    }

    if (sendjournal_attempt(s->journal, c->ac, row) != TOMO_OK) {
        s->failed = true;
        return false;
    }

    row->journalled = true;

    return true;
}


/* taken: those that may go are journalled, the others are out of the batch */

static void
depart_taken(sender_t *s, depart_t *b)
{
    size_t   k = 0;
    int64_t  now_ms = clock_now_ms(), now_us = clock_mono_us();

    for (size_t i = 0; i < b->n; i++) {
        take_t     *t = &b->takes[i];
        tomo_via_e  via = t->row->via;
        channel_t  *c = t->channel;

        if (t->word == TAKE_OK && !s->stopping) {
            if (depart_journal(s, c, t->row, now_ms)) {
                b->takes[k++] = *t;
            }

            continue;
        }

        channel_leave(c, via, now_us);

        if (t->word == TAKE_OK) {
            queue_wait(&c->queue, t->row, now_us);

        } else {
            depart_untaken(s, t, now_ms, now_us);
        }
    }

    b->n = k;
    b->last = sendsync_last(&s->sync);
    b->state = k > 0 ? DEPART_SYNCING : DEPART_FREE;
}


/*
 * This process may have stood still since it asked: what it was allowed then
 * is somebody else's by now if the lease may have run out, even if it is ours
 * again.  And an answer to another row may have told that nothing goes for now.
 */

static bool
depart_may_go(const sender_t *s, const take_t *t, int64_t now_ms)
{
    if (channel_lapsed(t->channel, t->epoch)) {
        t->channel->fenced++;
        return false;
    }

    return channel_lets(t->channel, t->row->via, now_ms)
           && !(s->held && !t->row->unknown_before);
}


static void
depart_hold_back(sender_t *s, channel_t *c, row_t *row, int64_t now_us)
{
    if (row->journalled && !row->unknown_before) {
        row->journalled = false;
        row->first_ms = 0;
        s->failed = sendjournal_void(s->journal, c->ac, row) != TOMO_OK
                    || s->failed;
    }

    row->attempt--;
    queue_wait(&c->queue, row, now_us);
}


static void
depart_request(sender_t *s, channel_t *c, row_t *row)
{
    tomo_str_t                 to = row->to;
    const char                *why;
    wire_request_t             request;
    const sendjournal_life_t  *life;

    if (row->via == TOMO_VIA_MULTICAST) {
        life = sendjournal_find(s->journal, row->name);
        to = life != NULL && life->to.len > 0 ? life->to : to;
    }

    why = lineapi_request(&s->lineapi, row, to, &request);

    if (why != NULL) {
        settle_untried(s, c, row, TOMO_SEND_REFUSED, why);
        return;
    }

    request.bearer = tomo_str_n(c->access.token, c->access.len);
    row->flight = (row_flight_t) { .channel = c, .row = row };
    row->access_used = c->access.generation;
    queue_fly(&c->queue, row);

    if (wire_start(s->wire, &request, &row->flight) != TOMO_OK) {
        wire_answer_t  unsent = { .unsent = true,
                                  .cause = "the request could not be made" };

        sender_done(s, &row->flight, &unsent);
    }
}


/* its attempts are on the disk */

static void
depart_go(sender_t *s, depart_t *b)
{
    int64_t  now_ms = clock_now_ms(), now_us = clock_mono_us();

    b->state = DEPART_FREE;

    for (size_t i = 0; i < b->n; i++) {
        row_t      *row = b->takes[i].row;
        channel_t  *c = b->takes[i].channel;

        channel_leave(c, row->via, now_us);

        if (depart_may_go(s, &b->takes[i], now_ms)) {
            depart_request(s, c, row);

        } else {
            depart_hold_back(s, c, row, now_us);
        }
    }
}


void
depart_end(sender_t *s, depart_t *b)
{
    int64_t  now_us = clock_mono_us();

    for (size_t i = 0; b->state == DEPART_SYNCING && i < b->n; i++) {
        row_t      *row = b->takes[i].row;
        channel_t  *c = b->takes[i].channel;

        channel_leave(c, row->via, now_us);
        depart_hold_back(s, c, row, now_us);
    }

    b->state = DEPART_FREE;
}


void
depart_turn(sender_t *s, depart_t *b)
{
    if (b->state == DEPART_TAKING && !errand_busy(s->errand)) {
        depart_taken(s, b);
    }

    if (b->state == DEPART_SYNCING
        && sendsync_is_durable(&s->sync, b->last))
    {
        depart_go(s, b);
    }
}
