/*
 * ngx_http_tomo_adopt: takes over the journals of writers that died: one
 * worker at a time (the lock `adopt.lock`) looks through the folders once a
 * second, takes free locks, cuts torn tails, sets damage aside, hands the
 * rest to the shipper under the old writer's id, and lets shipped segments go
 * when they are old enough.  File work happens in the thread pool.
 */

#ifndef NGX_HTTP_TOMO_ADOPT_H
#define NGX_HTTP_TOMO_ADOPT_H

#include "ngx_http_tomo_ship.h"

#define NGX_HTTP_TOMO_ADOPT_MS    1000

/*
 * Each adopted journal holds a descriptor, its lock.  No more than MAX are
 * held at a time, the others wait on disk; above SOME, those that are shipped
 * go before keep= says so.
 */
#define NGX_HTTP_TOMO_ADOPT_MAX   256
#define NGX_HTTP_TOMO_ADOPT_SOME  192

/* init_process; sets ship->adopt */
ngx_int_t ngx_http_tomo_adopt_start(ngx_http_tomo_ship_t *ship);
void ngx_http_tomo_adopt_stop(ngx_http_tomo_ship_t *ship);
/* adopted journals that this worker holds */
ngx_uint_t ngx_http_tomo_adopt_held(const ngx_http_tomo_ship_t *ship);

/*
 * Lets shipped segments of this worker's adopted journals go when they are
 * old enough, or the journal is nearly full (ngx_http_tomo_prune.c).
 */
void ngx_http_tomo_prune_tick(ngx_http_tomo_ship_t *ship);

#endif
