/*
 * ngx_http_tomo_hot: the links this worker used last, parsed and checked, so
 * that a link many people tap is read from the table once.  An entry holds
 * only while the table's generation stands still.
 */

#ifndef NGX_HTTP_TOMO_HOT_H
#define NGX_HTTP_TOMO_HOT_H

#include "ngx_http_tomo_zone.h"
#include "tomo_keys.h"

#define NGX_HTTP_TOMO_HOT_LINKS  1024       /* of one worker */

typedef struct ngx_http_tomo_hot_s  ngx_http_tomo_hot_t;

typedef struct {
    ngx_atomic_uint_t  generation;          /* 0: empty */
    uint32_t           account;             /* number in tokens */
    uint32_t           link;
    ngx_str_t          url;                 /* good and open */
    size_t             id_len;
    u_char             id[TOMO_ACCOUNT_MAX];
} ngx_http_tomo_hot_link_t;

/* NULL: out of memory */
ngx_http_tomo_hot_t *ngx_http_tomo_hot_create(ngx_pool_t *pool);

/* NULL: not known, or the table is another by now.  Valid until put. */
const ngx_http_tomo_hot_link_t *ngx_http_tomo_hot_find(
    ngx_http_tomo_hot_t *hot, ngx_http_tomo_zone_t *tz, uint32_t account,
    uint32_t link);

/*
 * Keeps a link that was read from the table of that generation; not when the
 * table changed since.
 */
void ngx_http_tomo_hot_put(ngx_http_tomo_hot_t *hot, ngx_http_tomo_zone_t *tz,
    ngx_atomic_uint_t generation, uint32_t account, uint32_t link,
    ngx_str_t *id, tomo_str_t url);

#endif
