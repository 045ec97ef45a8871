/*
 * ngx_http_tomo_ship: moves records from journals to Redis: this worker's own
 * writer and those it adopted from dead ones.
 *
 * A source is one writer's journal.  Its records are read back from the
 * segment files by the thread pool in chunks, grouped by account, and sent
 * as one transaction per account that also moves the account's mark for this
 * writer (docs/formats.md 3).  One batch of a source is in flight at a time:
 * a transaction that fails can so never be overtaken by the next, whose mark
 * would cover the hole.  Batches of several sources run side by side.
 *
 * On every connect, and after every refusal, the marks are read again before
 * anything is sent: the mark, not our memory, says what Redis has.  A mark
 * behind what we had seen (a restart from an older file, an empty Redis)
 * rewinds the source.
 *
 * It does not decide when segments go (ngx_http_tomo_journal, _adopt) and
 * does not know what a record means.
 */

#ifndef NGX_HTTP_TOMO_SHIP_H
#define NGX_HTTP_TOMO_SHIP_H

#include "ngx_http_tomo_hot.h"
#include "ngx_http_tomo_journal.h"
#include "ngx_http_tomo_redis.h"

typedef struct ngx_http_tomo_source_s  ngx_http_tomo_source_t;
typedef struct ngx_http_tomo_feed_s    ngx_http_tomo_feed_t;
typedef struct ngx_http_tomo_adopt_s   ngx_http_tomo_adopt_t;
typedef struct ngx_http_tomo_lookup_s  ngx_http_tomo_lookup_t;
typedef struct ngx_http_tomo_redis_check_s  ngx_http_tomo_redis_check_t;

#define NGX_HTTP_TOMO_SHIP_BATCHES   4
#define NGX_HTTP_TOMO_SHIP_RECORDS   256        /* of a batch */
#define NGX_HTTP_TOMO_SHIP_BYTES     (512 * 1024)   /* and one record more */
#define NGX_HTTP_TOMO_SHIP_CHUNK     (256 * 1024)

/*
 * What tmcf->ship points to: the Redis connection of this worker and all
 * that uses it.  Lives in the cycle's pool.
 */
struct ngx_http_tomo_ship_s {
    ngx_http_tomo_main_conf_t  *tmcf;
    ngx_http_tomo_redis_t      *redis;
    ngx_http_tomo_feed_t       *feed;
    ngx_http_tomo_adopt_t      *adopt;
    ngx_http_tomo_lookup_t     *lookup;
    ngx_http_tomo_redis_check_t  *check;
    ngx_http_tomo_hot_t        *hot;

    ngx_queue_t                 sources;
    ngx_uint_t                  in_flight;      /* batches */
    ngx_uint_t                  fence;          /* round trips still to go */
    void                       *batch;          /* ngx_http_tomo_batch.c */
    ngx_uint_t                  tries;          /* refusals in a row */
    uint64_t                    surprises;      /* of redis, counted so far */
    ngx_event_t                 retry;
    ngx_event_t                 holds;          /* asks for held accounts */
    ngx_uint_t                  hold_tries;
    ngx_event_t                 work;           /* posted: something to do */
    ngx_log_t                  *log;
    ngx_pool_t                 *pool;
    unsigned                    paused:1;       /* retry is set */
    unsigned                    closing:1;
    unsigned                    reported:1;
};

/* there may be something to ship: looks at the end of this loop turn */
void ngx_http_tomo_ship_wake(ngx_http_tomo_ship_t *ship);

/*
 * Redis refused a write for its own reasons: everything rests for a moment
 * (50 ms .. 5 s), then the marks are read again.  why is for the log.  What
 * concerns one account alone holds that one (ngx_http_tomo_hold.c).
 */
void ngx_http_tomo_ship_refused(ngx_http_tomo_ship_t *ship, ngx_str_t *why);

/* carries the connection's own counters over into the zone */
void ngx_http_tomo_ship_tell(ngx_http_tomo_ship_t *ship);

/* takes an adopted source over; it is shipped from now on */
void ngx_http_tomo_ship_add(ngx_http_tomo_ship_t *ship,
    ngx_http_tomo_source_t *source);

#endif
