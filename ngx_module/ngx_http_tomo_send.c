/*
 * ngx_http_tomo_send: answers, and the small helpers all handlers use.
 */

#include <sys/random.h>

#include "ngx_http_tomo_log.h"
#include "tomo_survey.h"


ngx_int_t
ngx_http_tomo_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, tomo_str_t body, ngx_uint_t retry_after)
{
    u_char       *p;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_str_t     value;
    ngx_chain_t   out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = (off_t) body.len;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);

    /* gzip_types and the like compare what stands before the parameters */
    r->headers_out.content_type_len = strcspn(type, ";");

    ngx_str_set(&value, "no-store");
    if (ngx_http_tomo_header(r, "Cache-Control", value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&value, "nosniff");
    if (ngx_http_tomo_header(r, "X-Content-Type-Options", value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (retry_after) {
        p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        value.data = p;
        value.len = (size_t) (ngx_snprintf(p, NGX_INT_T_LEN, "%ui",
                                           retry_after) - p);

        if (ngx_http_tomo_header(r, "Retry-After", value) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || body.len == 0) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = (u_char *) body.data;
    b->last = b->pos + body.len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_tomo_send_page(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t referrer, tomo_str_t page)
{
    ngx_uint_t  i;

    static const struct {
        const char  *key;
        ngx_str_t    value;
    } headers[] = {
        { "Content-Security-Policy", ngx_string(TOMO_SURVEY_CSP) },
        { "X-Frame-Options", ngx_string("DENY") },
        { "X-Robots-Tag", ngx_string("noindex, nofollow") }
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {

        if (ngx_http_tomo_header(r, headers[i].key, headers[i].value)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ngx_http_tomo_header(r, "Referrer-Policy", referrer) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tomo_send(r, status, "text/html; charset=utf-8", page,
                              status == NGX_HTTP_SERVICE_UNAVAILABLE ? 1 : 0);
}


ngx_int_t
ngx_http_tomo_header(ngx_http_request_t *r, const char *key, ngx_str_t value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) key;
    h->key.len = ngx_strlen(key);
    h->value = value;
    h->lowcase_key = NULL;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


ngx_uint_t
ngx_http_tomo_request_header(ngx_http_request_t *r, const char *name,
    ngx_table_elt_t **last)
{
    size_t            len;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;
    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len
                && ngx_strncmp(h[i].lowcase_key, name, len) == 0)
            {
                *last = &h[i];
                n++;
            }
        }
    }

    return n;
}


ngx_http_tomo_ctx_t *
ngx_http_tomo_ctx(ngx_http_request_t *r)
{
    ngx_http_tomo_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_tomo_ctx_t));
        if (ctx == NULL) {
            return NULL;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_tomo_module);
        ngx_http_tomo_log_seal(r->main);
    }

    return ctx;
}


ngx_str_t
ngx_http_tomo_last_segment(ngx_http_request_t *r)
{
    u_char     *p, *end;
    ngx_str_t   s;

    end = r->uri.data + r->uri.len;

    for (p = end; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }

    s.data = p;
    s.len = (size_t) (end - p);

    return s;
}


ngx_int_t
ngx_http_tomo_random(void *data, size_t n)
{
    u_char   *p = data;
    ssize_t   got;

    while (n) {
        got = getrandom(p, n, 0);
        if (got == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        p += got;
        n -= (size_t) got;
    }

    return NGX_OK;
}
