/*
 * ngx_http_tomo_wait: who waits for the journal, and for how long.  Waiters
 * stand in the order of their records, so both an end of a commit and the
 * deadline concern the head of one queue.
 */

#include "ngx_http_tomo_journal_own.h"


static void ngx_http_tomo_wait_timer(ngx_event_t *ev);
static void ngx_http_tomo_wait_answer(ngx_http_tomo_waiter_t *w,
    ngx_int_t rc);


void
ngx_http_tomo_wait_init(ngx_http_tomo_journal_t *jr)
{
    ngx_queue_init(&jr->own->waiters);

    jr->own->wait_timer.handler = ngx_http_tomo_wait_timer;
    jr->own->wait_timer.data = jr;
    jr->own->wait_timer.log = jr->log;
    jr->own->wait_timer.cancelable = 1;
}


void
ngx_http_tomo_wait_add(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_waiter_t *w, uint64_t seq)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    w->seq = seq;
    w->since = ngx_current_msec;
    w->waiting = 1;
    ngx_queue_insert_tail(&own->waiters, &w->queue);

    /* an exiting worker stays while somebody waits, not for an idle timer */

    own->wait_timer.cancelable = 0;

    if (!own->wait_timer.timer_set) {
        ngx_add_timer(&own->wait_timer, NGX_HTTP_TOMO_WAIT_MS);
    }
}


void
ngx_http_tomo_journal_cancel(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_waiter_t *waiter)
{
    if (!waiter->waiting) {
        return;
    }

    ngx_queue_remove(&waiter->queue);
    waiter->waiting = 0;

    if (ngx_queue_empty(&jr->own->waiters)) {
        jr->own->wait_timer.cancelable = 1;
    }
}


void
ngx_http_tomo_wait_done(ngx_http_tomo_journal_t *jr, uint64_t synced,
    ngx_int_t rc)
{
    uint64_t                      last;
    ngx_queue_t                  *q;
    ngx_http_tomo_waiter_t       *w;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    /* a handler may append again: that one is not meant here */

    last = own->next_seq - 1;

    while (!ngx_queue_empty(&own->waiters)) {
        q = ngx_queue_head(&own->waiters);
        w = ngx_queue_data(q, ngx_http_tomo_waiter_t, queue);

        if (w->seq > synced && (rc == NGX_OK || w->seq > last)) {
            break;
        }

        ngx_http_tomo_wait_answer(w, w->seq <= synced ? NGX_OK : rc);
    }

    own->wait_timer.cancelable = ngx_queue_empty(&own->waiters);
}


static void
ngx_http_tomo_wait_answer(ngx_http_tomo_waiter_t *w, ngx_int_t rc)
{
    ngx_queue_remove(&w->queue);
    w->waiting = 0;
    w->handler(w, rc);
}


static void
ngx_http_tomo_wait_timer(ngx_event_t *ev)
{
    ngx_msec_t                    waited;
    ngx_queue_t                  *q;
    ngx_http_tomo_waiter_t       *w;
    ngx_http_tomo_journal_t      *jr = ev->data;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    while (!ngx_queue_empty(&own->waiters)) {
        q = ngx_queue_head(&own->waiters);
        w = ngx_queue_data(q, ngx_http_tomo_waiter_t, queue);

        waited = ngx_current_msec - w->since;

        if (waited < NGX_HTTP_TOMO_WAIT_MS) {
            ngx_add_timer(ev, NGX_HTTP_TOMO_WAIT_MS - waited);
            return;
        }

        ngx_http_tomo_count(jr->zone, journal_late);
        ngx_http_tomo_wait_answer(w, NGX_BUSY);
    }

    ev->cancelable = 1;
}
