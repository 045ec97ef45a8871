#include "ngx_http_tomo_ship.h"
#include "ngx_http_tomo_adopt.h"
#include "ngx_http_tomo_batch.h"
#include "ngx_http_tomo_feed.h"
#include "ngx_http_tomo_lookup.h"
#include "ngx_http_tomo_redis_check.h"


/*
 * A connection that was given up may have left bytes behind that a frozen
 * Redis executes when it wakes, after the marks were read on the next one:
 * the records would be appended twice.  Redis reads every connection once a
 * turn of its loop, at least 16 KiB at a time, and a round trip takes at
 * least one turn; so as many round trips as all batches in flight have such
 * pieces make sure that what was left behind has been executed or is gone.
 */
#define NGX_HTTP_TOMO_FENCE_TURNS                                             \
    (NGX_HTTP_TOMO_SHIP_BATCHES * (NGX_HTTP_TOMO_SHIP_BYTES / 16384 + 8))


static void ngx_http_tomo_ship_fence(ngx_http_tomo_ship_t *ship);
static void ngx_http_tomo_ship_work(ngx_event_t *ev);
static void ngx_http_tomo_ship_retry(ngx_event_t *ev);


void
ngx_http_tomo_ship_wake(ngx_http_tomo_ship_t *ship)
{
    if (!ship->closing) {
        ngx_post_event(&ship->work, &ngx_posted_events);
    }
}


static void
ngx_http_tomo_ship_written(void *data)
{
    ngx_http_tomo_ship_wake(data);
}


void
ngx_http_tomo_ship_refused(ngx_http_tomo_ship_t *ship, ngx_str_t *why)
{
    if (ship->paused || ship->closing) {
        return;
    }

    ship->paused = 1;
    ngx_add_timer(&ship->retry, ngx_http_tomo_backoff(&ship->tries));

    if (!ship->reported) {
        ship->reported = 1;
        ngx_log_error(NGX_LOG_ERR, ship->log, 0,
                      "tomo: redis refuses records: %V: they stay in the "
                      "journal and are tried again; check redis", why);
    }
}


static void
ngx_http_tomo_ship_stale(ngx_http_tomo_source_t *source)
{
    ngx_queue_t           *q;
    ngx_http_tomo_mark_t  *mark;

    source->stale = 1;
    source->back = 1;

    for (q = ngx_queue_head(&source->accounts);
         q != ngx_queue_sentinel(&source->accounts);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_http_tomo_mark_t, queue);
        mark->known = 0;
        mark->probe = mark->held;
    }
}


static void
ngx_http_tomo_ship_stale_all(ngx_http_tomo_ship_t *ship, ngx_uint_t fence)
{
    ngx_queue_t             *q;
    ngx_http_tomo_source_t  *source;

    for (q = ngx_queue_head(&ship->sources);
         q != ngx_queue_sentinel(&ship->sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);
        ngx_http_tomo_ship_stale(source);

        if (fence) {
            source->fence = NGX_HTTP_TOMO_FENCE_NEEDED;
        }
    }
}


static void
ngx_http_tomo_ship_retry(ngx_event_t *ev)
{
    ngx_http_tomo_ship_t  *ship = ev->data;

    ship->paused = 0;
    ngx_http_tomo_ship_stale_all(ship, 0);
    ngx_http_tomo_ship_wake(ship);
}


void
ngx_http_tomo_ship_tell(ngx_http_tomo_ship_t *ship)
{
    uint64_t  n;

    n = ngx_http_tomo_redis_stats(ship->redis)->surprises;
    ngx_http_tomo_count_n(ship->tmcf->zone, redis_surprises,
                          n - ship->surprises);
    ship->surprises = n;
}


static void
ngx_http_tomo_ship_watch(void *data, ngx_uint_t up)
{
    ngx_http_tomo_ship_t  *ship = data;
    ngx_http_tomo_slot_t  *slot;

    slot = ship->tmcf->journal->slot;

    if (up) {
        ngx_http_tomo_count(ship->tmcf->zone, redis_connected);
    } else {
        ngx_http_tomo_count(ship->tmcf->zone, redis_lost);
    }

    if (slot) {
        slot->redis = up ? NGX_HTTP_TOMO_REDIS_UP : NGX_HTTP_TOMO_REDIS_DOWN;
    }

    ship->fence = 0;
    ngx_http_tomo_ship_stale_all(ship, 1);
    ngx_http_tomo_redis_check_watch(ship, up);
}


static void
ngx_http_tomo_ship_fence_set(ngx_http_tomo_ship_t *ship,
    ngx_http_tomo_fence_e from, ngx_http_tomo_fence_e to)
{
    ngx_queue_t             *q;
    ngx_http_tomo_source_t  *source;

    for (q = ngx_queue_head(&ship->sources);
         q != ngx_queue_sentinel(&ship->sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);

        if (source->fence == from) {
            source->fence = to;
        }
    }
}


static void
ngx_http_tomo_ship_fence_turn(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_str_t              word;
    ngx_http_tomo_ship_t  *ship = data;

    if (reply == NULL) {
        return;                 /* the watcher starts again */
    }

    if (ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_ERROR) {
        ship->fence = 0;
        ngx_http_tomo_ship_fence_set(ship, NGX_HTTP_TOMO_FENCE_RUNNING,
                                     NGX_HTTP_TOMO_FENCE_NEEDED);
        word = ngx_http_tomo_reply_word(reply);
        ngx_http_tomo_ship_refused(ship, &word);
        return;
    }

    if (!ngx_http_tomo_reply_is(reply, "PONG")) {
        ngx_http_tomo_redis_surprise(ship->redis, "PING answered oddly");
        return;
    }

    if (--ship->fence) {
        ngx_http_tomo_ship_fence(ship);
        return;
    }

    ngx_http_tomo_ship_fence_set(ship, NGX_HTTP_TOMO_FENCE_RUNNING,
                                 NGX_HTTP_TOMO_FENCE_DONE);
    ngx_http_tomo_ship_wake(ship);
}


static void
ngx_http_tomo_ship_fence(ngx_http_tomo_ship_t *ship)
{
    tomo_str_t  argv[1];

    argv[0] = tomo_str("PING");

    if (ngx_http_tomo_redis_send(ship->redis, argv, 1,
                                 ngx_http_tomo_ship_fence_turn, ship)
        != NGX_OK)
    {
        ship->fence = 0;
        ngx_http_tomo_ship_fence_set(ship, NGX_HTTP_TOMO_FENCE_RUNNING,
                                     NGX_HTTP_TOMO_FENCE_NEEDED);
    }
}


static ngx_int_t
ngx_http_tomo_ship_read(ngx_http_tomo_ship_t *ship,
    ngx_http_tomo_source_t *source)
{
    uint64_t   lost;
    ngx_int_t  rc;
    ngx_str_t  why = ngx_string("the thread pool's queue is full");

    rc = ngx_http_tomo_source_read(source, &lost);

    if (rc == NGX_AGAIN && source->next_seq > source->reached_seq + 1) {
        ngx_http_tomo_batch_aside(source, source->next_seq - 1
                                  - ngx_max(source->reached_seq,
                                            source->next_seq - 1 - lost));
    }

    if (rc == NGX_AGAIN) {
        ngx_http_tomo_count(ship->tmcf->zone, ship_incidents);
        ngx_log_error(NGX_LOG_ERR, ship->log, 0,
                      "tomo: journal %s no longer keeps %uL records that "
                      "redis lacks: raise keep= and max= of tomo_journal",
                      source->folder, lost);
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        ngx_http_tomo_ship_refused(ship, &why);
    }

    return NGX_DONE;
}


/* one step of one source; NGX_OK: another may follow */

static ngx_int_t
ngx_http_tomo_ship_step(ngx_http_tomo_ship_t *ship,
    ngx_http_tomo_source_t *source)
{
    ngx_int_t  rc;

    if (source->fence == NGX_HTTP_TOMO_FENCE_NEEDED) {
        if (ship->fence == 0) {
            ship->fence = NGX_HTTP_TOMO_FENCE_TURNS;
            ngx_http_tomo_ship_fence_set(ship, NGX_HTTP_TOMO_FENCE_NEEDED,
                                         NGX_HTTP_TOMO_FENCE_RUNNING);
            ngx_http_tomo_ship_fence(ship);
        }

        return NGX_DONE;
    }

    if (source->fence != NGX_HTTP_TOMO_FENCE_DONE || source->asked
        || source->in_flight || source->reading || source->busy)
    {
        return NGX_DONE;
    }

    if (source->stale) {
        ngx_http_tomo_ship_stale(source);
        source->stale = 0;
        ngx_http_tomo_mark_ask(source);
        return NGX_DONE;
    }

    if (source->probe) {
        source->probe = 0;
        ngx_http_tomo_mark_ask(source);
        return NGX_DONE;
    }

    if (ship->in_flight >= NGX_HTTP_TOMO_SHIP_BATCHES
        || ngx_http_tomo_source_rests(source))
    {
        return NGX_DONE;
    }

    rc = ngx_http_tomo_batch_start(source);

    if (rc != NGX_AGAIN) {
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    return ngx_http_tomo_ship_read(ship, source);
}


static void
ngx_http_tomo_ship_work(ngx_event_t *ev)
{
    ngx_queue_t             *q, *next;
    ngx_http_tomo_ship_t    *ship = ev->data;
    ngx_http_tomo_source_t  *source;

    for (q = ngx_queue_head(&ship->sources);
         q != ngx_queue_sentinel(&ship->sources);
         q = next)
    {
        next = ngx_queue_next(q);
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);

        while (!ship->closing && !ship->paused
               && ngx_http_tomo_redis_up(ship->redis)
               && ngx_http_tomo_redis_check_ok(ship)
               && ngx_http_tomo_ship_step(ship, source) == NGX_OK)
        {
            /* until the source waits for something */
        }
    }
}


void
ngx_http_tomo_ship_add(ngx_http_tomo_ship_t *ship,
    ngx_http_tomo_source_t *source)
{
    source->stale = 1;
    source->fence = NGX_HTTP_TOMO_FENCE_NEEDED;
    ngx_queue_insert_tail(&ship->sources, &source->queue);

    ngx_http_tomo_ship_wake(ship);
}


ngx_int_t
ngx_http_tomo_ship_init(ngx_cycle_t *cycle, ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_http_tomo_ship_t    *ship;
    ngx_http_tomo_source_t  *source;

    ship = ngx_pcalloc(cycle->pool, sizeof(ngx_http_tomo_ship_t));
    if (ship == NULL) {
        return NGX_ERROR;
    }

    ship->tmcf = tmcf;
    ship->pool = cycle->pool;
    ship->log = cycle->log;
    ngx_queue_init(&ship->sources);

    ship->work.handler = ngx_http_tomo_ship_work;
    ship->work.data = ship;
    ship->work.log = cycle->log;
    ship->retry.handler = ngx_http_tomo_ship_retry;
    ship->retry.data = ship;
    ship->retry.log = cycle->log;
    ship->retry.cancelable = 1;
    ngx_http_tomo_hold_init(ship);

    ship->hot = ngx_http_tomo_hot_create(cycle->pool);

    if (ship->hot == NULL || ngx_http_tomo_batch_init(ship) != NGX_OK
        || ngx_http_tomo_redis_check_start(ship) != NGX_OK)
    {
        return NGX_ERROR;
    }

    source = ngx_http_tomo_source_create(ship, tmcf->journal,
                                         tmcf->journal->writer);
    if (source == NULL) {
        return NGX_ERROR;
    }

    ship->redis = ngx_http_tomo_redis_start(tmcf->redis, cycle->pool,
                                            cycle->log);
    if (ship->redis == NULL) {
        ngx_http_tomo_source_destroy(source);
        return NGX_ERROR;
    }

    ngx_http_tomo_ship_add(ship, source);
    tmcf->journal->written = ngx_http_tomo_ship_written;
    tmcf->journal->written_data = ship;
    tmcf->ship = ship;

    if (ngx_http_tomo_redis_watch(ship->redis, ngx_http_tomo_ship_watch, ship)
            != NGX_OK
        || ngx_http_tomo_lookup_start(ship) != NGX_OK
        || ngx_http_tomo_feed_start(ship) != NGX_OK
        || ngx_http_tomo_adopt_start(ship) != NGX_OK)
    {
        ngx_http_tomo_ship_exit(cycle, tmcf);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_tomo_ship_exit(ngx_cycle_t *cycle, ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_queue_t             *q;
    ngx_http_tomo_ship_t    *ship;
    ngx_http_tomo_source_t  *source;

    ship = tmcf->ship;

    if (ship == NULL) {
        return;
    }

    ship->closing = 1;
    tmcf->journal->written = NULL;

    if (ship->retry.timer_set) {
        ngx_del_timer(&ship->retry);
    }

    ngx_http_tomo_hold_stop(ship);

    if (ship->work.posted) {
        ngx_delete_posted_event(&ship->work);
    }

    ngx_http_tomo_redis_check_stop(ship);
    ngx_http_tomo_adopt_stop(ship);
    ngx_http_tomo_feed_stop(ship);
    ngx_http_tomo_redis_close(ship->redis);

    while (!ngx_queue_empty(&ship->sources)) {
        q = ngx_queue_head(&ship->sources);
        ngx_queue_remove(q);

        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);
        ngx_http_tomo_source_destroy(source);
    }

    tmcf->ship = NULL;
}
