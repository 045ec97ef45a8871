/*
 * ngx_http_tomo_journal_own: the journal's own state and the calls between
 * its files (writer: start and end; journal: append, commit; wait: waiters;
 * frame: clicks; reap: segments).  For these files only.
 *
 * Life of a group: open (records are added) → flying (a commit runs or will
 * be repeated) → done.  flying is not empty exactly while a commit runs
 * (busy) or a failed one waits for its repetition (failed != 0).
 */

#ifndef NGX_HTTP_TOMO_JOURNAL_OWN_H
#define NGX_HTTP_TOMO_JOURNAL_OWN_H

#include "ngx_http_tomo_journal.h"
#include "ngx_http_tomo_group.h"

#define NGX_HTTP_TOMO_RETRY_MS   200    /* a failed commit is repeated … */
#define NGX_HTTP_TOMO_AGAIN_MS   1000   /* … and from the third time on */
#define NGX_HTTP_TOMO_SYNC_MS    1000   /* clicks are synced this often */
#define NGX_HTTP_TOMO_REAP_MS    1000
#define NGX_HTTP_TOMO_ROLL_S     3600
#define NGX_HTTP_TOMO_FRAMES     16     /* accounts with an open frame */
#define NGX_HTTP_TOMO_FRAME_CAP  65536
#define NGX_HTTP_TOMO_CLICK_MAX  1280   /* bytes of one line, at most */

typedef struct {
    u_char      account[32];
    size_t      account_len;
    uint32_t    clicks;
    int64_t     at_ms;
    tomo_buf_t  body;
} ngx_http_tomo_frame_t;

/* a file operation in the thread pool: prepare a segment, or recycle one */
typedef struct {
    ngx_http_tomo_journal_t  *jr;
    size_t                    size;
    uint32_t                  made;
    int                       err;
    char                      path[NGX_HTTP_TOMO_PATH_MAX];
} ngx_http_tomo_file_task_t;

struct ngx_http_tomo_journal_private_s {
    int                      lock_fd;
    char                    *path;          /* of the folder */
    ngx_event_t              open_timer;
    uint64_t                 next_seq;
    ngx_http_tomo_slot_t     slot;          /* when the zone has none left */

    ngx_http_tomo_group_t    groups[2];
    ngx_http_tomo_group_t   *open;
    ngx_http_tomo_group_t   *flying;

    ngx_http_tomo_writer_t   writer;        /* the thread's while busy */
    ngx_http_tomo_commit_t   commit;
    ngx_thread_task_t       *commit_task;
    ngx_thread_task_t       *prepare_task;
    ngx_thread_task_t       *recycle_task;
    char                     ready[NGX_HTTP_TOMO_PATH_MAX];
    uint32_t                 made;

    int                      failed;        /* errno of the last commit */
    ngx_uint_t               failures;      /* in a row */
    ngx_msec_t               began;         /* the running commit */
    ngx_msec_t               flushed;       /* the last commit's start */
    ngx_msec_t               synced;        /* the last sync */

    ngx_queue_t              waiters;       /* oldest first */
    ngx_event_t              wait_timer;
    ngx_event_t              flush_event;   /* posted: commit this turn */
    ngx_event_t              flush_timer;
    ngx_event_t              reap_timer;
    ngx_msec_t               prepare_at;    /* last try */

    ngx_http_tomo_frame_t   *frames;
    ngx_uint_t               n_frames;      /* open ones */

    size_t                   closed_bytes;  /* of segments left behind */
    size_t                   last_bytes;    /* of the newest */
    uint64_t                 others_bytes;  /* of other writers, cached */
    ngx_msec_t               others_at;

    unsigned                 busy:1;        /* a commit runs */
    unsigned                 preparing:1;
    unsigned                 prepare_failed:1;
    unsigned                 recycling:1;
    unsigned                 roll:1;        /* a new segment, next commit */
    unsigned                 full_logged:1;
    unsigned                 others_known:1;
};

typedef struct ngx_http_tomo_journal_private_s  ngx_http_tomo_journal_own_t;

/* journal.c: adds to the open group, without any check of room */
ngx_int_t ngx_http_tomo_journal_put(ngx_http_tomo_journal_t *jr,
    tomo_record_t *record);
/* commits in this turn of the loop, or as soon as the running one ended */
void ngx_http_tomo_journal_flush_soon(ngx_http_tomo_journal_t *jr);
/* would size more bytes exceed percent of max? */
ngx_uint_t ngx_http_tomo_journal_over(ngx_http_tomo_journal_t *jr,
    size_t size, ngx_uint_t percent);
/* posts to the thread pool; NGX_ERROR: its queue is full */
ngx_int_t ngx_http_tomo_journal_post(ngx_http_tomo_journal_t *jr,
    ngx_thread_task_t *task);

/* the steps of a commit: event, thread, end, and taking over its result */
void ngx_http_tomo_journal_flush(ngx_event_t *ev);
void ngx_http_tomo_journal_thread(void *data, ngx_log_t *log);
void ngx_http_tomo_journal_done(ngx_event_t *ev);
void ngx_http_tomo_journal_result(ngx_http_tomo_journal_t *jr);

/* wait.c */
void ngx_http_tomo_wait_init(ngx_http_tomo_journal_t *jr);
void ngx_http_tomo_wait_add(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_waiter_t *w, uint64_t seq);
/* answers all with seq ≤ synced; and, when rc is not NGX_OK, the rest */
void ngx_http_tomo_wait_done(ngx_http_tomo_journal_t *jr, uint64_t synced,
    ngx_int_t rc);

/* frame.c: moves all open frames into the open group */
void ngx_http_tomo_frame_close(ngx_http_tomo_journal_t *jr);

/* reap.c */
ngx_int_t ngx_http_tomo_reap_init(ngx_cycle_t *cycle,
    ngx_http_tomo_journal_t *jr);
/* the segments that a commit took into use */
void ngx_http_tomo_reap_opened(ngx_http_tomo_journal_t *jr,
    const ngx_http_tomo_commit_t *c);
/* starts making the next segment when the current one is half full */
void ngx_http_tomo_reap_prepare(ngx_http_tomo_journal_t *jr);

#endif
