#include "ngx_http_tomo_unread.h"


ngx_uint_t
ngx_http_tomo_unread_add(ngx_http_tomo_unread_t *u, uint64_t writer)
{
    ngx_uint_t  i, room;

    for (i = 0, room = 0; i < NGX_HTTP_TOMO_UNREAD; i++) {
        if (u[i].writer == writer) {
            return 0;
        }

        if (u[room].writer
            && (u[i].writer == 0
                || (ngx_msec_int_t) (u[i].since - u[room].since) < 0))
        {
            room = i;
        }
    }

    u[room].writer = writer;
    u[room].since = ngx_current_msec;

    return 1;
}


void
ngx_http_tomo_unread_forget(ngx_http_tomo_unread_t *u, uint64_t writer)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_TOMO_UNREAD; i++) {
        if (u[i].writer == writer) {
            u[i].writer = 0;
        }
    }
}


void
ngx_http_tomo_unread_hopeless(const ngx_http_tomo_unread_t *u,
    ngx_http_tomo_hopeless_t list)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_TOMO_UNREAD; i++) {
        list[i] = ngx_current_msec - u[i].since > NGX_HTTP_TOMO_UNREAD_MS
                  ? u[i].writer : 0;
    }
}


ngx_uint_t
ngx_http_tomo_unread_is(const ngx_http_tomo_hopeless_t list, uint64_t writer)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_TOMO_UNREAD; i++) {
        if (list[i] == writer) {
            return 1;
        }
    }

    return 0;
}
