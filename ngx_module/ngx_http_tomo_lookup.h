/*
 * ngx_http_tomo_lookup: the value of a link or a survey that a valid token
 * names: from the table in shared memory, and on a miss from Redis.  One
 * HGET per key is in flight per worker, whoever waits for it; "not there" is
 * remembered for 5 s.  Used by the redirect and the survey pages.
 *
 * It does not open tokens and does not answer requests.
 */

#ifndef NGX_HTTP_TOMO_LOOKUP_H
#define NGX_HTTP_TOMO_LOOKUP_H

#include "ngx_http_tomo_ship.h"
#include "tomo_table.h"

#define NGX_HTTP_TOMO_LOOKUP_MS       1000      /* then 503 */
#define NGX_HTTP_TOMO_LOOKUP_GONE_MS  5000
#define NGX_HTTP_TOMO_LOOKUP_KEYS     1024      /* per worker, then 503 */

/*
 * The late answer; rc NGX_OK: value is in r->pool; NGX_DECLINED: there is no
 * such item; NGX_BUSY: Redis did not tell in time (503 + Retry-After).
 * Must finalize the request; the caller runs posted requests.
 */
typedef void (*ngx_http_tomo_lookup_pt)(ngx_http_request_t *r, ngx_int_t rc,
    tomo_str_t value, void *data);

/*
 * account: id as in the table, borrowed for the call.
 *   NGX_OK        *value is set, in r->pool
 *   NGX_DECLINED  there is no such item
 *   NGX_BUSY      nobody can tell now
 *   NGX_ERROR     out of memory
 *   NGX_AGAIN     parked: handler is called later, exactly once, unless the
 *                 request goes away first.  r->main->count is not touched: a
 *                 content handler adds one and returns NGX_DONE, a body
 *                 handler just returns.
 */
ngx_int_t ngx_http_tomo_lookup(ngx_http_request_t *r, tomo_str_t account,
    tomo_item_kind_e kind, uint32_t number, ngx_http_tomo_lookup_pt handler,
    void *data, tomo_str_t *value);

/* init_process; sets ship->lookup */
ngx_int_t ngx_http_tomo_lookup_start(ngx_http_tomo_ship_t *ship);

#endif
