/*
 * ngx_http_tomo_table: from the feeds of accounts, as Redis returned them, to
 * a new table in shared memory, and to the sealed snapshot on disk.  Used by
 * ngx_http_tomo_feed.c alone, in the elected worker.
 */

#ifndef NGX_HTTP_TOMO_TABLE_H
#define NGX_HTTP_TOMO_TABLE_H

#include "ngx_http_tomo_feed.h"
#include "tomo_fresh.h"

/* One account's feed, with memory of its own (it holds secrets) */
typedef struct {
    ngx_queue_t           queue;
    tomo_fresh_t          feed;
    tomo_arena_t          arena;
    size_t                size;         /* of all this memory, to be wiped */
} ngx_http_tomo_fresh_t;

/*
 * A HGETALL reply → a feed.  NULL: it is no feed (no version or number), or
 * out of memory.
 */
ngx_http_tomo_fresh_t *ngx_http_tomo_table_read(
    ngx_http_tomo_main_conf_t *tmcf, tomo_str_t account,
    const ngx_http_tomo_reply_t *reply, ngx_log_t *log);
void ngx_http_tomo_table_free(ngx_http_tomo_fresh_t *fresh);

/*
 * Replaces the accounts in the queue of fresh feeds, keeps all others.
 * NGX_DECLINED: the feeds contradict each other or the table; NGX_ERROR: out
 * of memory, or larger than the zone.  The old table stays then.
 */
ngx_int_t ngx_http_tomo_table_apply(ngx_http_tomo_main_conf_t *tmcf,
    ngx_queue_t *fresh, ngx_log_t *log);


/* The snapshot: sealed and written by the thread pool, one at a time */
typedef struct {
    ngx_http_tomo_main_conf_t  *tmcf;
    ngx_thread_task_t          *task;
    ngx_msec_t                  last;
    ngx_log_t                  *log;
    unsigned                    dirty:1;
    unsigned                    busy:1;
    unsigned                    reported:1;
} ngx_http_tomo_saver_t;

ngx_int_t ngx_http_tomo_saver_init(ngx_http_tomo_saver_t *saver,
    ngx_http_tomo_main_conf_t *tmcf, ngx_pool_t *pool, ngx_log_t *log);
/* writes when dirty, but not more than once a second */
void ngx_http_tomo_saver_tick(ngx_http_tomo_saver_t *saver);

#endif
