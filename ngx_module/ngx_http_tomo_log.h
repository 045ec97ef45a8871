/*
 * ngx_http_tomo_log: what error.log may say about requests to Tomo.
 *
 * nginx appends the request line to every message about a request, and a
 * request line of ours holds a token.  In locations of Tomo this handler
 * takes its place: client, server, method, the handler's name and the
 * account; no path, no token, no body, no Referer.
 */

#ifndef NGX_HTTP_TOMO_LOG_H
#define NGX_HTTP_TOMO_LOG_H

#include "ngx_http_tomo_module.h"

/*
 * A handler of the post-read phase; ours for every server once a location of
 * Tomo exists, because nginx may complain (413, say) before a content
 * handler runs.  Requests to other locations are logged as ever.
 */
ngx_int_t ngx_http_tomo_log_phase(ngx_http_request_t *r);

/*
 * This request is about Tomo for good, wherever an error_page leads it:
 * called when its context is made.
 */
void ngx_http_tomo_log_seal(ngx_http_request_t *r);

/*
 * Lines that a stranger can cause are limited: true at most 10 times a
 * second per worker; the rest are counted (log_limited).
 */
ngx_uint_t ngx_http_tomo_log_allowed(ngx_http_tomo_main_conf_t *tmcf);

#endif
