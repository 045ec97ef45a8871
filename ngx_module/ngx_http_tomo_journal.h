/*
 * ngx_http_tomo_journal: the journal of one worker: records are appended in
 * the loop to a group in memory; a task of the thread pool writes the group
 * and syncs it, one at a time; what arrives meanwhile is the next group.
 * Nothing here blocks the loop.  The thread's side (files, segments, syncs)
 * is in ngx_http_tomo_segment.h.
 *
 * Failures: EIO makes the segment suspect; its group is written again into a
 * new one under the same sequences; until that is synced every append with a
 * waiter is refused.  ENOSPC and `max` refuse likewise, and heal by
 * themselves.  Records below written_seq never change or vanish before they
 * have passed.
 */

#ifndef NGX_HTTP_TOMO_JOURNAL_H
#define NGX_HTTP_TOMO_JOURNAL_H

#include "ngx_http_tomo_module.h"
#include "ngx_http_tomo_segment.h"
#include "ngx_http_tomo_zone.h"
#include "tomo_entry.h"
#include "tomo_journal.h"
#include "tomo_keys.h"

#define NGX_HTTP_TOMO_WAIT_MS   900     /* no waiter waits longer */
#define NGX_HTTP_TOMO_CLICK_MS  5       /* clicks lie in memory this long */

typedef struct ngx_http_tomo_waiter_s  ngx_http_tomo_waiter_t;

/*
 * rc: NGX_OK    the record is on disk, synced
 *     NGX_BUSY  not within NGX_HTTP_TOMO_WAIT_MS; it may still get there
 *     NGX_ERROR the write or sync failed; it may still get there
 * w belongs to the caller again; it may be freed inside.
 */
typedef void (*ngx_http_tomo_waiter_pt)(ngx_http_tomo_waiter_t *w,
    ngx_int_t rc);

/*
 * Wants to know when a record is on disk.  In the request's pool; handler
 * and data are the caller's, the rest the journal's.
 */
struct ngx_http_tomo_waiter_s {
    ngx_http_tomo_waiter_pt  handler;
    void                    *data;

    ngx_queue_t              queue;
    uint64_t                 seq;
    ngx_msec_t               since;
    unsigned                 waiting:1;
};

/*
 * Appends a record; record->seq and at_ms are set by the journal (at_ms only
 * when 0).  The record's bytes are copied.
 *   waiter  not NULL: the group is flushed at once, and the handler is called
 *           exactly once, never before append returned, unless cancelled.
 *           NULL: nobody waits; written within NGX_HTTP_TOMO_CLICK_MS.
 *   NGX_OK        taken
 *   NGX_BUSY      full, failing, or the sync hangs: answer 503 + Retry-After
 *   NGX_ERROR     out of memory, or the record is over the format's limits
 * Other than NGX_OK: no handler will be called.
 */
ngx_int_t ngx_http_tomo_journal_append(ngx_http_tomo_journal_t *jr,
    tomo_record_t *record, ngx_http_tomo_waiter_t *waiter);

/* The request goes away: no call-back; the record stays.  Idempotent. */
void ngx_http_tomo_journal_cancel(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_waiter_t *waiter);

/*
 * Adds a click to the account's open frame (up to 64 clicks become one
 * record).  Flushed at once when nothing was in the last
 * NGX_HTTP_TOMO_CLICK_MS, else by timer.  NGX_BUSY: dropped (journal over
 * 90 % of max, or NGX_HTTP_TOMO_GROUP_CLICKS wait for the disk); the caller
 * counts and redirects all the same.
 */
ngx_int_t ngx_http_tomo_journal_click(ngx_http_tomo_journal_t *jr,
    tomo_str_t account, const tomo_click_t *click);

/*
 * For the shipper.  Fields may be read, only these functions write.
 */
typedef struct {
    ngx_queue_t  queue;
    uint64_t     number;
    uint64_t     first_seq;
    uint64_t     last_seq;      /* 0: still being written (the newest) */
    size_t       bytes;         /* end of what is written */
    time_t       opened;        /* ngx_time() when it was taken into use */
    time_t       closed;        /* ngx_time() when it was left; 0: open */
} ngx_http_tomo_segment_node_t;

typedef void (*ngx_http_tomo_written_pt)(void *data);

struct ngx_http_tomo_journal_s {
    uint64_t                       writer;
    ngx_http_tomo_main_conf_t     *tmcf;
    ngx_http_tomo_zone_t          *zone;
    ngx_http_tomo_slot_t          *slot;
    ngx_log_t                     *log;

    ngx_str_t                      folder;      /* NUL-terminated: PATH/ID */
    ngx_queue_t                    segments;    /* oldest first */
    uint64_t                       written_seq; /* in the files, may be read */
    uint64_t                       synced_seq;  /* and survives power loss */
    uint64_t                       passed_seq;

    /* called after one of them grew; set by the shipper, may be NULL */
    ngx_http_tomo_written_pt       written;
    void                          *written_data;

    struct ngx_http_tomo_journal_private_s  *own;
};

/*
 * The segment that holds seq (≤ written_seq), NULL: recycled or not there.
 * Valid until the next turn of the loop.  A segment's records end before
 * the first_seq of the next one, whatever its file holds behind.
 */
ngx_http_tomo_segment_node_t *ngx_http_tomo_journal_find(
    ngx_http_tomo_journal_t *jr, uint64_t seq);

/*
 * All records ≤ seq are in Redis or set aside: moves the slot's passed_seq,
 * and lets segments go once they are older than keep (or room is short).
 */
void ngx_http_tomo_journal_passed(ngx_http_tomo_journal_t *jr, uint64_t seq);

/*
 * init_process and exit_process.  init sets tmcf->journal and starts the
 * shipper when the folder could be made, now or later (tried each second);
 * NGX_ERROR: out of memory.  exit writes and syncs what is left.
 */
ngx_int_t ngx_http_tomo_journal_init(ngx_cycle_t *cycle,
    ngx_http_tomo_main_conf_t *tmcf);
void ngx_http_tomo_journal_exit(ngx_cycle_t *cycle,
    ngx_http_tomo_main_conf_t *tmcf);

#endif
