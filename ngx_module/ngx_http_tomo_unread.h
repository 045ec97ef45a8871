/*
 * ngx_http_tomo_unread: dead writers' folders in which a segment cannot be
 * read: since when, and which of them were tried long enough.  For
 * ngx_http_tomo_adopt.c alone.
 *
 * Bounded: NGX_HTTP_TOMO_UNREAD folders; the one known longest gives way, and
 * is tried as long again.
 */

#ifndef NGX_HTTP_TOMO_UNREAD_H
#define NGX_HTTP_TOMO_UNREAD_H

#include "ngx_http_tomo_module.h"

#define NGX_HTTP_TOMO_UNREAD     256
#define NGX_HTTP_TOMO_UNREAD_MS  10000

typedef struct {
    uint64_t    writer;         /* 0: free */
    ngx_msec_t  since;
} ngx_http_tomo_unread_t;

/* writers tried long enough, 0 between them; for another thread to read */
typedef uint64_t  ngx_http_tomo_hopeless_t[NGX_HTTP_TOMO_UNREAD];

/* a folder could not be read; 1: it is the first time */
ngx_uint_t ngx_http_tomo_unread_add(ngx_http_tomo_unread_t *u,
    uint64_t writer);
/* it could */
void ngx_http_tomo_unread_forget(ngx_http_tomo_unread_t *u, uint64_t writer);

void ngx_http_tomo_unread_hopeless(const ngx_http_tomo_unread_t *u,
    ngx_http_tomo_hopeless_t list);
/* any thread */
ngx_uint_t ngx_http_tomo_unread_is(const ngx_http_tomo_hopeless_t list,
    uint64_t writer);

#endif
