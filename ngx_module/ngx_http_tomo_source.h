/*
 * ngx_http_tomo_source: one writer's journal as a queue to be read: where the
 * next record lies, the chunk of the file that is in memory, and per account
 * how far Redis has it (the mark).
 *
 * It reads files (through the thread pool) and keeps positions; it does not
 * talk to Redis and does not decide when to read.
 */

#ifndef NGX_HTTP_TOMO_SOURCE_H
#define NGX_HTTP_TOMO_SOURCE_H

#include "ngx_http_tomo_ship.h"
#include "tomo_keys.h"

/* Is it sure that nothing sent before, by whomever, is still on its way? */
typedef enum {
    NGX_HTTP_TOMO_FENCE_NEEDED = 0,
    NGX_HTTP_TOMO_FENCE_RUNNING,
    NGX_HTTP_TOMO_FENCE_DONE
} ngx_http_tomo_fence_e;

/* One account of a source */
typedef struct {
    ngx_str_node_t           sn;        /* sn.str: the id, in id[] */
    ngx_queue_t              queue;
    ngx_http_tomo_source_t  *source;

    uint64_t                 mark;      /* Redis has records up to here */
    uint64_t                 believed;  /* and should have up to here */

    uint64_t                 batch;     /* what follows is of this batch */
    ngx_uint_t               n;         /* records */
    ngx_uint_t               first;     /* index of the first record */
    ngx_uint_t               last;
    uint64_t                 to;        /* sequence of the last */

    unsigned                 known:1;   /* mark was read */
    unsigned                 asked:1;
    unsigned                 held:1;    /* see ngx_http_tomo_hold.c */
    unsigned                 probe:1;   /* held, and to be asked for */
    unsigned                 refused:1; /* in the round under way */
    unsigned                 told:1;    /* since it last shipped */
    unsigned                 assumed:1; /* believed, though nobody saw it */
    unsigned                 seen:1;    /* mark was known at some time */
    unsigned                 doubt:1;   /* the stream is none, this round */
    unsigned                 owed:1;    /* redis' is ahead: to be put back */
    u_char                   id[TOMO_ACCOUNT_MAX + 1];
} ngx_http_tomo_mark_t;

/* One segment of an adopted journal; an own journal keeps its list itself */
typedef struct {
    uint64_t  number;
    uint64_t  first_seq;
    uint64_t  last_seq;         /* first_seq - 1: no record */
    size_t    end;              /* offset behind the last good record */
    off_t     size;             /* of the file, for max= */
    time_t    changed;          /* Unix s of the last write */
} ngx_http_tomo_kept_t;

struct ngx_http_tomo_source_s {
    ngx_queue_t                 queue;
    ngx_http_tomo_ship_t       *ship;
    ngx_http_tomo_journal_t    *journal;        /* NULL: adopted */
    uint64_t                    writer;
    ngx_http_tomo_slot_t       *slot;           /* adopted; may be NULL */
    ngx_fd_t                    lock;           /* adopted: holds the folder */
    char                        folder[NGX_HTTP_TOMO_PATH_MAX];

    ngx_http_tomo_kept_t       *kept;           /* adopted, oldest first */
    ngx_uint_t                  n_kept;

    ngx_rbtree_t                marks;
    ngx_rbtree_node_t           sentinel;
    ngx_queue_t                 accounts;
    ngx_uint_t                  asked;          /* marks on their way */
    ngx_uint_t                  held;           /* accounts */

    uint64_t                    next_seq;       /* to be looked at next */
    uint64_t                    passed_seq;     /* all up to it are done */
    uint64_t                    reached_seq;    /* highest passed_seq ever */
    uint64_t                    settled_seq;    /* adopted: the dead one knew
                                                   all up to it as done */
    uint64_t                    aside_seq;      /* all set aside up to it are
                                                   counted */

    /* the chunk in memory: [pos, len) is not looked at yet */
    u_char                     *chunk;
    size_t                      chunk_size;
    size_t                      chunk_len;
    size_t                      chunk_pos;
    size_t                      want;           /* a record needs so much */
    uint64_t                    number;         /* segment of the chunk */
    off_t                       offset;         /* in the file, of chunk[0] */
    uint64_t                    end_seq;        /* first of the next segment */

    ngx_thread_task_t          *task;
    ngx_msec_t                  rest_until;     /* 0: may be read at once */

    /* the batch in flight */
    uint64_t                    batch_to;
    ngx_uint_t                  batch_records;
    ngx_uint_t                  batch_groups;   /* answers to come */

    ngx_http_tomo_fence_e       fence;
    unsigned                    reading:1;
    unsigned                    in_flight:1;
    unsigned                    failed:1;       /* of the batch */
    unsigned                    stale:1;        /* marks to be read again */
    unsigned                    back:1;         /* then on from passed_seq */
    unsigned                    probe:1;        /* some held ones are due */
    unsigned                    busy:1;         /* a task of adopt has it */
    unsigned                    reported:1;     /* that it is unreadable */
};

/* journal NULL: adopted.  NULL: out of memory.  Not yet in ship->sources. */
ngx_http_tomo_source_t *ngx_http_tomo_source_create(
    ngx_http_tomo_ship_t *ship, ngx_http_tomo_journal_t *journal,
    uint64_t writer);

/* only when idle (ngx_http_tomo_source_idle); closes its lock */
void ngx_http_tomo_source_destroy(ngx_http_tomo_source_t *source);

/* nothing of it is on its way: no task, no answer */
ngx_uint_t ngx_http_tomo_source_idle(const ngx_http_tomo_source_t *source);

/* a file of it could not be read lately: it is left alone for a moment */
ngx_uint_t ngx_http_tomo_source_rests(const ngx_http_tomo_source_t *source);

/* last sequence that may be read now */
uint64_t ngx_http_tomo_source_limit(const ngx_http_tomo_source_t *source);

/* first sequence that is kept */
uint64_t ngx_http_tomo_source_first(const ngx_http_tomo_source_t *source);

/* passed_seq has risen: tells the slot, and the journal that may recycle */
void ngx_http_tomo_source_reached(ngx_http_tomo_source_t *source);

/* finds or makes the mark of an account; NULL: out of memory, or no id */
ngx_http_tomo_mark_t *ngx_http_tomo_source_mark(
    ngx_http_tomo_source_t *source, tomo_str_t account);

/* as above; NULL: the source knows of none */
ngx_http_tomo_mark_t *ngx_http_tomo_source_mark_find(
    ngx_http_tomo_source_t *source, const ngx_str_t *account);

/* forgets the chunk; the next read looks for next_seq = seq */
void ngx_http_tomo_source_seek(ngx_http_tomo_source_t *source, uint64_t seq);

/*
 * Posts a read of the place where next_seq lies.  NGX_OK: posted, done is
 * called later through ship->work.  NGX_DECLINED: nothing to read.
 * NGX_AGAIN: the records up to a later segment are gone; *lost of them were
 * skipped, try again.  NGX_ERROR: no memory, or the pool's queue is full.
 */
ngx_int_t ngx_http_tomo_source_read(ngx_http_tomo_source_t *source,
    uint64_t *lost);

/*
 * The record at next_seq, a view into the chunk.
 *   NGX_OK        *r, *size; ngx_http_tomo_source_skip moves on
 *   NGX_AGAIN     not in memory: read
 *   NGX_DECLINED  nothing may be read now
 *   NGX_ERROR     the file holds no such record: damage
 */
ngx_int_t ngx_http_tomo_source_peek(ngx_http_tomo_source_t *source,
    tomo_record_t *r, size_t *size);
void ngx_http_tomo_source_skip(ngx_http_tomo_source_t *source, size_t size);

/* passes over the rest of a damaged segment; returns how many records */
uint64_t ngx_http_tomo_source_jump(ngx_http_tomo_source_t *source);

#endif
