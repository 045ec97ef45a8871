/*
 * ngx_http_tomo_feed: keeps the table in shared memory equal to the edge feed
 * that the worker publishes in Redis, and tells the worker what this edge has
 * (docs/formats.md 9).  One elected worker of the edge does it; another takes
 * over when it dies.  Also writes the sealed snapshot.
 *
 * An item that cannot be read (a broken seal, a foreign field) is left out
 * and counted; the rest of the account stays served.
 */

#ifndef NGX_HTTP_TOMO_FEED_H
#define NGX_HTTP_TOMO_FEED_H

#include "ngx_http_tomo_ship.h"

#define NGX_HTTP_TOMO_FEED_MS  200

/* init_process, behind ship's redis; sets ship->feed */
ngx_int_t ngx_http_tomo_feed_start(ngx_http_tomo_ship_t *ship);
void ngx_http_tomo_feed_stop(ngx_http_tomo_ship_t *ship);

#endif
