/*
 * ngx_http_tomo_group: a group of records on its way from the loop's memory
 * to the disk: how it is kept in memory, and the commit that a thread of the
 * pool runs over it.  Decides what counts as written after a failure; knows
 * nothing of requests, timers or Redis.
 *
 * A group in memory holds plain records.  They are framed by the thread,
 * because only the thread knows which segment they will lie in, and a group
 * whose segment failed is framed again for the next one.
 */

#ifndef NGX_HTTP_TOMO_GROUP_H
#define NGX_HTTP_TOMO_GROUP_H

#include "ngx_http_tomo_segment.h"

/*
 * Two groups a worker.  Clicks may fill three quarters of one: over 2 s of a
 * disk that stands still at 50,000 clicks a second of 300 bytes each.
 */
#define NGX_HTTP_TOMO_GROUP_MAX     (64 * 1024 * 1024)
#define NGX_HTTP_TOMO_GROUP_CLICKS  (NGX_HTTP_TOMO_GROUP_MAX / 4 * 3)
#define NGX_HTTP_TOMO_GROUP_KEEP    (1024 * 1024)   /* memory kept for reuse */
/* segments one commit may open: of 1 MB at least, each half full or more */
#define NGX_HTTP_TOMO_GROUP_OPENED  130

/* Records first_seq .. last_seq, in malloc'ed memory.  len 0: empty. */
typedef struct {
    uint8_t   *data;
    size_t     len;
    size_t     cap;
    uint64_t   last_seq;
} ngx_http_tomo_group_t;

/*
 * Copies r to the end.  TOMO_LIMIT: the group would exceed
 * NGX_HTTP_TOMO_GROUP_MAX; TOMO_ERROR: out of memory.
 */
tomo_rc_e ngx_http_tomo_group_add(ngx_http_tomo_group_t *g,
    const tomo_record_t *r) TOMO_MUST_CHECK;

/* empties it; large memory is given back */
void ngx_http_tomo_group_reset(ngx_http_tomo_group_t *g);
void ngx_http_tomo_group_free(ngx_http_tomo_group_t *g);

/* a segment that the commit took into use */
typedef struct {
    uint64_t  number;
    uint64_t  first_seq;
    size_t    before;       /* end of what was written to the one before */
} ngx_http_tomo_opened_t;

/*
 * One commit.  The loop fills the first part and does not touch it while the
 * thread runs; the thread fills the second.
 */
typedef struct {
    ngx_http_tomo_writer_t  *writer;
    ngx_http_tomo_group_t   *group;
    bool                     sync;
    bool                     probe;     /* open a segment even for nothing */
    bool                     roll;      /* … though there is one */
    int64_t                  now_ms;
    char                     ready[NGX_HTTP_TOMO_PATH_MAX];  /* "" : none */

    uint8_t                 *frame;         /* kept between commits */
    size_t                   frame_cap;

    int                      err;           /* 0, or errno of the failure */
    /* in: where the last commit ended; out: where this one did.  After a
       failure written_seq stands where the last sync was or the commit
       began: records behind it must be committed again. */
    uint64_t                 written_seq;
    uint64_t                 synced_seq;
    uint64_t                 records;       /* written by this commit */
    ngx_http_tomo_opened_t   opened[NGX_HTTP_TOMO_GROUP_OPENED];
    size_t                   n_opened;
} ngx_http_tomo_commit_t;

/* in a thread, or in the loop at exit */
void ngx_http_tomo_group_commit(ngx_http_tomo_commit_t *c);

#endif
