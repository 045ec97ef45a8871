/*
 * ngx_http_tomo_redis_check: may records be trusted to this Redis?  Asked on
 * every connect before anything is shipped, then every 2 s (each second while
 * it is refused), in the event loop.  What is wanted and the words about it
 * are core/tomo_doctor's, the same as the worker's.
 *
 * A refused Redis stops shipping and nothing else: the journal goes on, and
 * so do feed and heartbeat.
 */

#ifndef NGX_HTTP_TOMO_REDIS_CHECK_H
#define NGX_HTTP_TOMO_REDIS_CHECK_H

#include "ngx_http_tomo_ship.h"

/* makes it, in ship->pool; NGX_ERROR: out of memory */
ngx_int_t ngx_http_tomo_redis_check_start(ngx_http_tomo_ship_t *ship);
void ngx_http_tomo_redis_check_stop(ngx_http_tomo_ship_t *ship);

/* the connection came (up) or went: asks, or forgets */
void ngx_http_tomo_redis_check_watch(ngx_http_tomo_ship_t *ship,
    ngx_uint_t up);

/*
 * May be shipped to now?  Asks again when a good part of the memory that was
 * left has been used up since, so that a burst stops at three quarters, too.
 */
ngx_uint_t ngx_http_tomo_redis_check_ok(ngx_http_tomo_ship_t *ship);

/*
 * Rows of tomo_doctor that some worker of this edge refuses Redis for, as
 * bits; for the status.
 */
uint64_t ngx_http_tomo_redis_check_stops(ngx_http_tomo_zone_t *tz);
/* "ITEM, wanted …: …" of the first of them; the buffer is appended to */
void ngx_http_tomo_redis_check_put(tomo_buf_t *b, uint64_t stops);

#endif
