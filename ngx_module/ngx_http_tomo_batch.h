/*
 * ngx_http_tomo_batch: the next records of a source as transactions, one per
 * account, and their answers.  For ngx_http_tomo_ship.c alone.
 */

#ifndef NGX_HTTP_TOMO_BATCH_H
#define NGX_HTTP_TOMO_BATCH_H

#include "ngx_http_tomo_source.h"

/* scratch for all batches of this worker; NGX_ERROR: out of memory */
ngx_int_t ngx_http_tomo_batch_init(ngx_http_tomo_ship_t *ship);

/*
 * Looks at what the source's chunk holds.
 *   NGX_OK        moved on (a batch is in flight, or records were passed
 *                 over, or lost ones set aside)
 *   NGX_BUSY      waits for the mark of an account
 *   NGX_AGAIN     the chunk is used up: read
 *   NGX_DECLINED  nothing to ship now
 */
ngx_int_t ngx_http_tomo_batch_start(ngx_http_tomo_source_t *source);

/* n records of the source are lost or unusable: counts and tells */
void ngx_http_tomo_batch_aside(ngx_http_tomo_source_t *source, uint64_t n);

/*
 * Marks (ngx_http_tomo_mark.c).  ask: reads those that are not known from
 * Redis; when the last has come, the source is set to the first record that
 * Redis lacks.  repair: a transaction moved the mark without appending all
 * its records; puts mark->mark back.
 */
void ngx_http_tomo_mark_ask(ngx_http_tomo_source_t *source);
void ngx_http_tomo_mark_repair(ngx_http_tomo_mark_t *mark);

/*
 * Holds (ngx_http_tomo_hold.c).  fits: is the first word of an error about an
 * account's own keys?  hold: no record of it is sent until it is asked for
 * again; why is for the log.  end: its keys answer.  shipped: a transaction
 * of it went through.
 */
void ngx_http_tomo_hold_init(ngx_http_tomo_ship_t *ship);
void ngx_http_tomo_hold_stop(ngx_http_tomo_ship_t *ship);
ngx_uint_t ngx_http_tomo_hold_fits(const ngx_str_t *word);
void ngx_http_tomo_hold(ngx_http_tomo_mark_t *mark, const ngx_str_t *why);
void ngx_http_tomo_hold_end(ngx_http_tomo_mark_t *mark);
void ngx_http_tomo_hold_shipped(ngx_http_tomo_mark_t *mark);

/*
 * Answers (ngx_http_tomo_commit.c): to MULTI (data: the source), to what is
 * queued and to EXEC (data: the mark); done when all groups are answered.
 */
void ngx_http_tomo_batch_queued(const ngx_http_tomo_reply_t *reply,
    void *data);
void ngx_http_tomo_batch_item(const ngx_http_tomo_reply_t *reply,
    void *data);
void ngx_http_tomo_batch_exec(const ngx_http_tomo_reply_t *reply,
    void *data);
void ngx_http_tomo_batch_done(ngx_http_tomo_source_t *source);

#endif
