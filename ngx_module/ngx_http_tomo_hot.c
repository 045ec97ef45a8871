#include "ngx_http_tomo_hot.h"


struct ngx_http_tomo_hot_s {
    ngx_http_tomo_hot_link_t  links[NGX_HTTP_TOMO_HOT_LINKS];
};


ngx_http_tomo_hot_t *
ngx_http_tomo_hot_create(ngx_pool_t *pool)
{
    return ngx_pcalloc(pool, sizeof(ngx_http_tomo_hot_t));
}


static ngx_http_tomo_hot_link_t *
ngx_http_tomo_hot_place(ngx_http_tomo_hot_t *hot, uint32_t account,
    uint32_t link)
{
    return &hot->links[(account * 2654435761u + link)
                       % NGX_HTTP_TOMO_HOT_LINKS];
}


const ngx_http_tomo_hot_link_t *
ngx_http_tomo_hot_find(ngx_http_tomo_hot_t *hot, ngx_http_tomo_zone_t *tz,
    uint32_t account, uint32_t link)
{
    ngx_http_tomo_hot_link_t  *h;

    h = ngx_http_tomo_hot_place(hot, account, link);

    if (h->generation == 0 || h->generation != tz->sh->generation
        || h->account != account || h->link != link)
    {
        return NULL;
    }

    return h;
}


void
ngx_http_tomo_hot_put(ngx_http_tomo_hot_t *hot, ngx_http_tomo_zone_t *tz,
    ngx_atomic_uint_t generation, uint32_t account, uint32_t link,
    ngx_str_t *id, tomo_str_t url)
{
    u_char                    *copy;
    ngx_http_tomo_hot_link_t  *h;

    if (generation == 0 || generation != tz->sh->generation
        || id->len > TOMO_ACCOUNT_MAX)
    {
        return;
    }

    copy = ngx_alloc(url.len, ngx_cycle->log);
    if (copy == NULL) {
        return;
    }

    h = ngx_http_tomo_hot_place(hot, account, link);

    if (h->url.data) {
        ngx_free(h->url.data);
    }

    ngx_memcpy(copy, url.data, url.len);
    h->url.data = copy;
    h->url.len = url.len;
    ngx_memcpy(h->id, id->data, id->len);
    h->id_len = id->len;
    h->account = account;
    h->link = link;
    h->generation = generation;
}
