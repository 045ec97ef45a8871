/*
 * ngx_http_tomo_pages: blank survey pages of one worker, ready to send: a
 * page differs between two visitors only in the token it posts to and in its
 * nonce, which stand at known places.  A page is found by the compiled form
 * it was made from, byte by byte, so a changed form never meets an old page.
 *
 * Bounded: NGX_HTTP_TOMO_PAGES of at most NGX_HTTP_TOMO_PAGES_BYTES; the one
 * unused longest goes first.
 */

#ifndef NGX_HTTP_TOMO_PAGES_H
#define NGX_HTTP_TOMO_PAGES_H

#include "ngx_http_tomo_module.h"
#include "tomo_survey.h"

#define NGX_HTTP_TOMO_PAGES        32
#define NGX_HTTP_TOMO_PAGES_BYTES  (128 * 1024)

/* what a page is made from; views, borrowed for the call */
typedef struct {
    uint32_t    account;        /* numbers, as in the token */
    uint32_t    survey;
    int         year;
    tomo_str_t  value;          /* the compiled form */
    tomo_str_t  path;           /* ends with the 39 characters of a token */
    tomo_str_t  nonce;          /* 22 characters */
} ngx_http_tomo_page_t;

/* NGX_OK: *page is a copy in r->pool; NGX_DECLINED: none; NGX_ERROR: memory */
ngx_int_t ngx_http_tomo_pages_get(ngx_http_request_t *r,
    const ngx_http_tomo_page_t *of, tomo_str_t *page);

/* keeps a copy of a page that tomo_survey_page made; may do nothing */
void ngx_http_tomo_pages_put(ngx_http_request_t *r,
    const ngx_http_tomo_page_t *of, tomo_str_t page);

#endif
