/*
 * ngx_http_tomo_segment: the files of a journal: folders, locks, segments.
 * Plain blocking calls for the thread pool and for start and exit; no
 * nginx pools, no log, no counters: errors come back as errno.
 *
 * Any thread; one thread at a time per writer.  The exception is spare/,
 * which all writers share: files come and go there by rename only.
 *
 * Names in a writer's folder: `lock`, NNNN.seg (in use or full), *.new (not
 * in use: being filled with zeros, or ready).  A reader ignores *.new.
 */

#ifndef NGX_HTTP_TOMO_SEGMENT_H
#define NGX_HTTP_TOMO_SEGMENT_H

#include "tomo_journal.h"

#define NGX_HTTP_TOMO_SPARES     8      /* segments kept in spare/ */
#define NGX_HTTP_TOMO_PATH_MAX   1024   /* of any file of a journal */

/* "PATH/ID" and "PATH/ID/NNNNNNNNNNNNNNNN.seg", NUL-terminated.
   TOMO_FULL: longer than cap */
tomo_rc_e ngx_http_tomo_segment_folder(char *out, size_t cap,
    const char *journal, uint64_t writer) TOMO_MUST_CHECK;
tomo_rc_e ngx_http_tomo_segment_path(char *out, size_t cap,
    const char *folder, uint64_t number) TOMO_MUST_CHECK;

/*
 * Makes the folder of a new writer and takes its lock; makes spare/ when
 * missing; syncs the folders.  Returns the descriptor that holds the lock
 * (close it to let go), or -1 with errno.
 */
int ngx_http_tomo_segment_lock_new(const char *journal, const char *folder);

/*
 * Takes the lock of another writer's folder if it is free.  Returns the
 * descriptor, or -1: errno EWOULDBLOCK = its writer lives.
 */
int ngx_http_tomo_segment_lock_dead(const char *folder);

/*
 * Sets a segment aside for reuse (rename into spare/, or unlink when there
 * are enough).  Not synced: one that comes back after a power cut is set
 * aside again.  0 or errno; ENOENT counts as done.
 */
int ngx_http_tomo_segment_recycle(const char *journal, const char *file);

/*
 * The segment a writer writes to.  fd -1: none yet, the next record opens
 * one.  Zero-initialise but for the fields marked (set).
 */
typedef struct {
    const char      *journal;       /* (set) */
    const char      *folder;        /* (set) */
    size_t           size;          /* (set) bytes of a segment */
    tomo_segment_t   at;            /* (set: writer) number 0: none yet */
    int              fd;            /* (set: -1) */
    size_t           offset;        /* end of what is written */
    uint32_t         made;          /* names *.new */
    bool             dirty;         /* written, not synced */
    bool             recycled;      /* came from spare/ */
} ngx_http_tomo_writer_t;

/*
 * Makes a file of w->size bytes ready for use: from spare/, or new and
 * filled with zeros, synced.  name receives its path.  0 or errno.
 */
int ngx_http_tomo_segment_prepare(const char *journal, const char *folder,
    size_t size, uint32_t made, char *name, size_t cap);

/*
 * Leaves the current segment (synced first) and takes the file `ready` (a
 * path from prepare) into use as the next number, its first record first_seq.
 * 0 or errno.
 */
int ngx_http_tomo_segment_next(ngx_http_tomo_writer_t *w, const char *ready,
    uint64_t first_seq, int64_t now_ms);

/* writes framed bytes at the end; 0 or errno.  Syncs: fdatasync. */
int ngx_http_tomo_segment_write(ngx_http_tomo_writer_t *w, tomo_str_t framed);
int ngx_http_tomo_segment_sync(ngx_http_tomo_writer_t *w);

/* after a failed write or sync: nothing more goes into this segment */
void ngx_http_tomo_segment_abandon(ngx_http_tomo_writer_t *w);

/* zeros.c: a new file of that size, synced; errno or 0 */
int ngx_http_tomo_zeros_make(const char *name, size_t size);
/* all of a file that is there */
int ngx_http_tomo_zeros_over(const char *name);

#endif
