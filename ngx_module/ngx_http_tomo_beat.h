/*
 * ngx_http_tomo_beat: the state of the feed, and the heartbeat that tells the
 * worker which versions this edge serves.  For ngx_http_tomo_feed.c alone.
 */

#ifndef NGX_HTTP_TOMO_BEAT_H
#define NGX_HTTP_TOMO_BEAT_H

#include "ngx_http_tomo_table.h"
#include "tomo_keys.h"

/* One account that Redis lists */
typedef struct {
    ngx_queue_t            queue;
    ngx_http_tomo_feed_t  *feed;
    uint64_t               tried;       /* version that could not be applied */
    ngx_msec_t             again;       /* 0, or when to try it once more */
    unsigned               asked:1;     /* HGETALL on its way */
    size_t                 len;
    u_char                 id[TOMO_ACCOUNT_MAX];
} ngx_http_tomo_feed_account_t;

struct ngx_http_tomo_feed_s {
    ngx_http_tomo_ship_t   *ship;
    ngx_event_t             timer;
    ngx_queue_t             accounts;
    ngx_uint_t              n;
    ngx_queue_t             fresh;      /* read, not yet in the table */
    ngx_uint_t              asked;      /* HGETALLs on their way */
    ngx_uint_t              polls;      /* other answers to come */
    ngx_http_tomo_saver_t   saver;
    unsigned                elected:1;
};

/* sends one; counts itself in feed->polls until it is answered */
void ngx_http_tomo_feed_beat(ngx_http_tomo_feed_t *feed);

#endif
