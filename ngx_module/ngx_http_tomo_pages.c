#include "ngx_http_tomo_pages.h"


/* the store of one worker, in its cycle's pool; the entries are malloced */
struct ngx_http_tomo_pages_s {
    ngx_queue_t  used;          /* the latest first */
    ngx_uint_t   n;
};

typedef struct {
    ngx_queue_t  queue;
    uint32_t     account;
    uint32_t     survey;
    int          year;
    tomo_str_t   value;         /* all three lie behind this struct */
    tomo_str_t   prefix;        /* of the path, up to the token */
    tomo_str_t   page;
    size_t       token_at;      /* offsets in the page */
    size_t       nonce_at;
} ngx_http_tomo_pages_entry_t;


static tomo_str_t
ngx_http_tomo_pages_prefix(const ngx_http_tomo_page_t *of)
{
    return tomo_str_n(of->path.data, of->path.len - TOMO_TOKEN_LEN);
}


static ngx_http_tomo_pages_entry_t *
ngx_http_tomo_pages_find(ngx_http_tomo_pages_t *pages,
    const ngx_http_tomo_page_t *of)
{
    ngx_queue_t                  *q;
    ngx_http_tomo_pages_entry_t  *e;

    for (q = ngx_queue_head(&pages->used);
         q != ngx_queue_sentinel(&pages->used);
         q = ngx_queue_next(q))
    {
        e = ngx_queue_data(q, ngx_http_tomo_pages_entry_t, queue);

        if (e->survey == of->survey && e->account == of->account
            && e->year == of->year && tomo_str_eq(e->value, of->value)
            && tomo_str_eq(e->prefix, ngx_http_tomo_pages_prefix(of)))
        {
            return e;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_tomo_pages_get(ngx_http_request_t *r, const ngx_http_tomo_page_t *of,
    tomo_str_t *page)
{
    u_char                       *p;
    ngx_http_tomo_main_conf_t    *tmcf;
    ngx_http_tomo_pages_entry_t  *e;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    if (tmcf->pages == NULL) {
        return NGX_DECLINED;
    }

    e = ngx_http_tomo_pages_find(tmcf->pages, of);
    if (e == NULL) {
        return NGX_DECLINED;
    }

    ngx_queue_remove(&e->queue);
    ngx_queue_insert_head(&tmcf->pages->used, &e->queue);

    p = ngx_pnalloc(r->pool, e->page.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, e->page.data, e->page.len);
    ngx_memcpy(p + e->token_at,
               of->path.data + of->path.len - TOMO_TOKEN_LEN, TOMO_TOKEN_LEN);
    ngx_memcpy(p + e->nonce_at, of->nonce.data, TOMO_SURVEY_NONCE_LEN);

    *page = tomo_str_n(p, e->page.len);

    return NGX_OK;
}


/*
 * Offset of text behind the first mark, which is markup: quotes and angle
 * brackets of a definition are escaped and cannot imitate it.  page.len:
 * not there.
 */

static size_t
ngx_http_tomo_pages_place(tomo_str_t page, tomo_str_t mark, tomo_str_t text)
{
    size_t  i, at;

    for (i = 0; i + mark.len + text.len <= page.len; i++) {
        at = i + mark.len;

        if (page.data[i] == mark.data[0]
            && ngx_memcmp(page.data + i, mark.data, mark.len) == 0)
        {
            return ngx_memcmp(page.data + at, text.data, text.len) == 0
                   ? at : page.len;
        }
    }

    return page.len;
}


static ngx_http_tomo_pages_entry_t *
ngx_http_tomo_pages_entry(ngx_log_t *log, const ngx_http_tomo_page_t *of,
    tomo_str_t page)
{
    u_char                       *p;
    tomo_str_t                    prefix = ngx_http_tomo_pages_prefix(of);
    ngx_http_tomo_pages_entry_t  *e;

    e = ngx_alloc(sizeof(ngx_http_tomo_pages_entry_t) + of->value.len
                  + prefix.len + page.len, log);
    if (e == NULL) {
        return NULL;
    }

    e->account = of->account;
    e->survey = of->survey;
    e->year = of->year;

    p = (u_char *) e + sizeof(ngx_http_tomo_pages_entry_t);
    e->value = tomo_str_n(p, of->value.len);
    p = ngx_cpymem(p, of->value.data, of->value.len);
    e->prefix = tomo_str_n(p, prefix.len);
    p = ngx_cpymem(p, prefix.data, prefix.len);
    e->page = tomo_str_n(p, page.len);
    ngx_memcpy(p, page.data, page.len);

    return e;
}


static ngx_http_tomo_pages_t *
ngx_http_tomo_pages_store(ngx_http_tomo_main_conf_t *tmcf)
{
    if (tmcf->pages == NULL) {
        tmcf->pages = ngx_pcalloc(ngx_cycle->pool,
                                  sizeof(ngx_http_tomo_pages_t));
        if (tmcf->pages) {
            ngx_queue_init(&tmcf->pages->used);
        }
    }

    return tmcf->pages;
}


/* an older form of the same survey, or the page unused longest */

static void
ngx_http_tomo_pages_room(ngx_http_tomo_pages_t *pages,
    const ngx_http_tomo_page_t *of)
{
    ngx_queue_t                  *q, *next;
    ngx_http_tomo_pages_entry_t  *e;

    for (q = ngx_queue_head(&pages->used);
         q != ngx_queue_sentinel(&pages->used);
         q = next)
    {
        next = ngx_queue_next(q);
        e = ngx_queue_data(q, ngx_http_tomo_pages_entry_t, queue);

        if ((e->survey == of->survey && e->account == of->account
             && !tomo_str_eq(e->value, of->value))
            || (next == ngx_queue_sentinel(&pages->used)
                && pages->n >= NGX_HTTP_TOMO_PAGES))
        {
            ngx_queue_remove(q);
            ngx_free(e);
            pages->n--;
        }
    }
}


void
ngx_http_tomo_pages_put(ngx_http_request_t *r, const ngx_http_tomo_page_t *of,
    tomo_str_t page)
{
    size_t                        token_at, nonce_at;
    ngx_http_tomo_pages_t        *pages;
    ngx_http_tomo_pages_entry_t  *e;

    /* the path's prefix may be escaped in the page: then it is not kept */

    token_at = ngx_http_tomo_pages_place(page,
                   tomo_str("<form method=\"post\" action=\""), of->path);
    nonce_at = ngx_http_tomo_pages_place(page,
                   tomo_str("name=\"nonce\" value=\""), of->nonce);

    if (page.len > NGX_HTTP_TOMO_PAGES_BYTES || token_at == page.len
        || nonce_at == page.len)
    {
        return;
    }

    pages = ngx_http_tomo_pages_store(
                ngx_http_get_module_main_conf(r, ngx_http_tomo_module));
    if (pages == NULL) {
        return;
    }

    ngx_http_tomo_pages_room(pages, of);

    e = ngx_http_tomo_pages_entry(r->connection->log, of, page);
    if (e == NULL) {
        return;
    }

    e->token_at = token_at + of->path.len - TOMO_TOKEN_LEN;
    e->nonce_at = nonce_at;

    ngx_queue_insert_head(&pages->used, &e->queue);
    pages->n++;
}
