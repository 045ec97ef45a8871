/*
 * ngx_http_tomo_hold: an account whose own keys Redis refuses (a key of
 * another type, no right to it) waits by itself, and the others ship on.
 *
 * While any account of a source is held, the source's passed_seq stands
 * still and its next_seq goes on: the journal keeps what was not taken, and
 * nothing is kept in memory.  Held marks are asked for again with backoff;
 * when one answers, the source goes back to where it had passed, and the
 * other accounts' marks pass over what they have.  So an account's records
 * go out in order, by the way that all go.
 *
 * Declared in ngx_http_tomo_batch.h.
 */

#include "ngx_http_tomo_batch.h"


ngx_uint_t
ngx_http_tomo_hold_fits(const ngx_str_t *word)
{
    return tomo_str_eq(ngx_http_tomo_view(word), tomo_str("WRONGTYPE"))
           || tomo_str_eq(ngx_http_tomo_view(word), tomo_str("NOPERM"));
}


static void
ngx_http_tomo_hold_set(ngx_http_tomo_mark_t *mark, ngx_uint_t held)
{
    ngx_http_tomo_slot_t    *slot;
    ngx_http_tomo_source_t  *source = mark->source;

    if (mark->held == held) {
        return;
    }

    mark->held = held ? 1 : 0;

    if (held) {
        source->held++;
    } else {
        source->held--;
    }

    slot = source->journal ? source->journal->slot : source->slot;

    if (slot) {
        slot->held = source->held;
    }
}


/* is it known from another journal that this worker ships? */

static ngx_uint_t
ngx_http_tomo_hold_told(const ngx_http_tomo_mark_t *mark)
{
    ngx_queue_t             *q, *sources;
    ngx_http_tomo_mark_t    *other;
    ngx_http_tomo_source_t  *source;

    sources = &mark->source->ship->sources;

    for (q = ngx_queue_head(sources);
         q != ngx_queue_sentinel(sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);
        other = ngx_http_tomo_source_mark_find(source, &mark->sn.str);

        if (other && other->told && other->held) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_tomo_hold(ngx_http_tomo_mark_t *mark, const ngx_str_t *why)
{
    ngx_http_tomo_ship_t  *ship = mark->source->ship;

    mark->known = 0;
    mark->probe = 0;
    ngx_http_tomo_hold_set(mark, 1);

    if (!ship->closing && !ship->holds.timer_set) {
        ngx_add_timer(&ship->holds, ngx_http_tomo_backoff(&ship->hold_tries));
    }

    if (!ngx_http_tomo_hold_told(mark)) {
        ngx_http_tomo_count(ship->tmcf->zone, ship_holds);
        ngx_log_error(NGX_LOG_ERR, ship->log, 0,
                      "tomo: account %V is held: redis refuses its records: "
                      "%V: they stay in the journal and are tried again, "
                      "other accounts go on; %s", &mark->sn.str, why,
                      ngx_strncmp(why->data, "NOPERM", 6) == 0
                      ? "give the user of tomo_redis its rights back"
                      : "move away what lies at its keys in and ship");
    }

    mark->told = 1;
}


void
ngx_http_tomo_hold_end(ngx_http_tomo_mark_t *mark)
{
    if (mark->held) {
        ngx_http_tomo_hold_set(mark, 0);
        mark->source->back = 1;
    }
}


void
ngx_http_tomo_hold_shipped(ngx_http_tomo_mark_t *mark)
{
    ngx_http_tomo_ship_t  *ship = mark->source->ship;

    if (mark->told) {
        mark->told = 0;
        ship->hold_tries = 0;
        ngx_log_error(NGX_LOG_NOTICE, ship->log, 0,
                      "tomo: account %V is no longer held", &mark->sn.str);
    }
}


static void
ngx_http_tomo_hold_retry(ngx_event_t *ev)
{
    ngx_queue_t             *q, *m;
    ngx_http_tomo_ship_t    *ship = ev->data;
    ngx_http_tomo_mark_t    *mark;
    ngx_http_tomo_source_t  *source;

    for (q = ngx_queue_head(&ship->sources);
         q != ngx_queue_sentinel(&ship->sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);
        source->probe = source->held != 0;

        for (m = ngx_queue_head(&source->accounts);
             source->held && m != ngx_queue_sentinel(&source->accounts);
             m = ngx_queue_next(m))
        {
            mark = ngx_queue_data(m, ngx_http_tomo_mark_t, queue);
            mark->probe = mark->held;
        }
    }

    ngx_http_tomo_ship_wake(ship);
}


void
ngx_http_tomo_hold_init(ngx_http_tomo_ship_t *ship)
{
    ship->holds.handler = ngx_http_tomo_hold_retry;
    ship->holds.data = ship;
    ship->holds.log = ship->log;
    ship->holds.cancelable = 1;
}


void
ngx_http_tomo_hold_stop(ngx_http_tomo_ship_t *ship)
{
    if (ship->holds.timer_set) {
        ngx_del_timer(&ship->holds);
    }
}
