/*
 * ngx_http_tomo_park: a request that is answered when its record is on disk.
 * What webhooks and survey posts have in common: append, wait, and either
 * answer or, when the client left first, forget.
 *
 * It does not read bodies and does not choose answers.
 */

#ifndef NGX_HTTP_TOMO_PARK_H
#define NGX_HTTP_TOMO_PARK_H

#include "ngx_http_tomo_journal.h"

/*
 * The record's fate, as a waiter's rc (ngx_http_tomo_journal.h); returns
 * what to finalize r with.
 */
typedef ngx_int_t (*ngx_http_tomo_parked_pt)(ngx_http_request_t *r,
    ngx_int_t rc);

/* The client left before; r is only good for its context.  May be NULL. */
typedef void (*ngx_http_tomo_left_pt)(ngx_http_request_t *r);

/*
 * Appends the record and parks r, which must be in its body handler.
 *   NGX_OK     parked: stored or left is called once, and with stored r is
 *              finalized; the caller just returns
 *   NGX_BUSY   not taken: answer 503 + Retry-After
 *   NGX_ERROR  not taken: out of memory, or over the format's limits
 * Other than NGX_OK: neither is called.
 */
ngx_int_t ngx_http_tomo_park(ngx_http_request_t *r, tomo_record_t *record,
    ngx_http_tomo_parked_pt stored, ngx_http_tomo_left_pt left);

#endif
