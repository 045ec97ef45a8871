/*
 * ngx_http_tomo_body: a request's body in one piece, in memory.
 *
 * What nginx cannot keep in its buffer it writes to a temporary file, and
 * answers 500 when there is no descriptor or no space for one.  So a filter
 * takes what nginx has read, piece by piece, before it comes to that: into
 * memory that grows with what has really come (at most twice as much), never
 * with what was announced, and never above tomo_max_body, at which nginx
 * stops.  That is the same for bodies with a length, in chunks and of HTTP/2.
 * A body that comes at once, as nearly all do, stays where nginx read it to.
 */

#include "ngx_http_tomo_module.h"

#define NGX_HTTP_TOMO_BODY_FIRST  (16 * 1024)

struct ngx_http_tomo_body_s {
    u_char      *data;
    size_t       len;
    size_t       cap;
    ngx_buf_t    whole;         /* what is passed on, at the end */
    unsigned     failed:1;      /* out of memory: not all of it is here */
};


static void
ngx_http_tomo_body_add(ngx_http_request_t *r, ngx_http_tomo_body_t *body,
    const ngx_buf_t *b)
{
    size_t   size, cap;
    u_char  *data;

    if (b->in_file) {
        body->failed = 1;               /* no filter before ours does that */
    }

    size = (size_t) (b->last - b->pos);

    if (size == 0 || body->failed) {
        return;
    }

    if (size > body->cap - body->len) {
        cap = ngx_max(2 * body->cap, body->len + size);
        cap = ngx_max(cap, NGX_HTTP_TOMO_BODY_FIRST);

        data = ngx_pnalloc(r->pool, cap);
        if (data == NULL) {
            body->failed = 1;
            return;
        }

        if (body->data) {
            ngx_memcpy(data, body->data, body->len);
            (void) ngx_pfree(r->pool, body->data);
        }

        body->data = data;
        body->cap = cap;
    }

    ngx_memcpy(body->data + body->len, b->pos, size);
    body->len += size;
}


/*
 * Pieces are marked as used up, which makes nginx reuse its buffer; with the
 * last one the whole goes on.
 */

static ngx_int_t
ngx_http_tomo_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t                  last;
    ngx_chain_t                *cl, out;
    ngx_http_tomo_ctx_t        *ctx;
    ngx_http_tomo_body_t       *body;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);
    body = ctx ? ctx->body : NULL;

    for (last = 0, cl = in; cl; cl = cl->next) {
        last |= cl->buf->last_buf;
    }

    if (body == NULL || (last && body->len == 0 && !body->failed)) {
        return tmcf->body_next(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        ngx_http_tomo_body_add(r, body, cl->buf);
        cl->buf->pos = cl->buf->last;
    }

    if (!last) {
        return tmcf->body_next(r, NULL);
    }

    body->whole.temporary = 1;
    body->whole.last_buf = 1;
    body->whole.pos = body->data;
    body->whole.last = body->data + body->len;

    out.buf = &body->whole;
    out.next = NULL;

    return tmcf->body_next(r, &out);
}


void
ngx_http_tomo_body_init(ngx_http_tomo_main_conf_t *tmcf)
{
    tmcf->body_next = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_tomo_body_filter;
}


ngx_int_t
ngx_http_tomo_body_read(ngx_http_request_t *r, ngx_http_tomo_ctx_t *ctx,
    ngx_http_client_body_handler_pt handler)
{
    ngx_int_t  rc;

    ctx->body = ngx_pcalloc(r->pool, sizeof(ngx_http_tomo_body_t));
    if (ctx->body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->request_body_in_file_only = 0;

    rc = ngx_http_read_client_request_body(r, handler);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


/* of several buffers, or of a file: what another module read before us */

static ngx_int_t
ngx_http_tomo_body_join(ngx_http_request_t *r, tomo_str_t *whole)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (size = 0, cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, (size_t) size + 1);
    if (p == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    *whole = tomo_str_n(p, (size_t) size);

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_size(b) == 0) {
            continue;                   /* the last chunk: no memory at all */
        }

        if (!b->in_file) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        n = ngx_read_file(b->file, p, (size_t) (b->file_last - b->file_pos),
                          b->file_pos);
        if (n != b->file_last - b->file_pos) {
            return NGX_HTTP_SERVICE_UNAVAILABLE;
        }

        p += n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tomo_body(ngx_http_request_t *r, ngx_http_tomo_ctx_t *ctx,
    tomo_str_t *whole)
{
    ngx_chain_t  *cl;

    *whole = tomo_str_null;

    if (ctx->body->failed) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && !cl->buf->in_file) {
        *whole = tomo_str_n(cl->buf->pos,
                            (size_t) (cl->buf->last - cl->buf->pos));
        return NGX_OK;
    }

    return ngx_http_tomo_body_join(r, whole);
}
