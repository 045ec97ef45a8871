/*
 * journal_dir: a journal's folders and segment files: making, adopting,
 * removing.  For journal*.c alone.
 */

#ifndef JOURNAL_DIR_H
#define JOURNAL_DIR_H

#include <pthread.h>

#include "journal.h"

#define JOURNAL_NAME_MAX  32

typedef struct {
    uint64_t  number;
    uint64_t  first_seq;
    uint64_t  next_seq;         /* behind the last synced record */
    size_t    end;              /* bytes good */
    size_t    bytes;            /* of the file */
    int64_t   written_ms;       /* real time of the last write */
    bool      damaged;          /* kept for a person */
} journal_segment_t;

typedef struct {
    uint64_t            id;
    int                 dir_fd;
    int                 lock_fd;
    journal_segment_t  *segments;       /* by number */
    size_t              n;
    size_t              cap;
    uint64_t            settled;        /* see journal_settle */

    /* where the last reading stopped: a hint */
    uint64_t            at_seq;
    uint64_t            at_number;
    size_t              at_offset;
} journal_writer_t;

struct journal_s {
    int                dir_fd;
    char              *dir;
    journal_options_t  options;
    journal_writer_t  *writers;         /* [0] is ours */
    size_t             n_writers;
    size_t             cap_writers;
    uint64_t           bytes;           /* of all files */

    int                fd;              /* current segment, -1 */
    tomo_segment_t     head;
    uint8_t           *pending;         /* framed, not written */
    size_t             pending_len;
    size_t             pending_cap;
    uint64_t           next_seq;        /* of the next record appended */
    bool               failed;

    /* what is being written, from journal_part_begin to _end */
    uint8_t           *part;
    size_t             part_len;        /* 0: nothing */
    size_t             part_cap;
    uint64_t           part_seq;        /* behind its last record */
    int                part_fd;
    size_t             part_at;         /* where it goes in the segment */
    int                part_error;      /* of the writing */
    void             (*part_wait)(void *data);
    void              *part_data;

    /* of the writers' segments, which a shipping thread reads */
    pthread_mutex_t    lock;
};

/* name of a segment file / of a writer's folder */
void journal_dir_segment_name(uint64_t number, char name[JOURNAL_NAME_MAX]);
void journal_dir_writer_name(uint64_t id, char name[JOURNAL_NAME_MAX]);

/* our own folder, with its lock */
tomo_rc_e journal_dir_create(journal_t *j) TOMO_MUST_CHECK;
/* the folders of dead writers */
tomo_rc_e journal_dir_adopt(journal_t *j) TOMO_MUST_CHECK;

/*
 * The next segment of ours, at least `room` bytes for records: zero-filled,
 * header durable, name durable.  Sets j->fd and j->head.
 */
tomo_rc_e journal_dir_segment(journal_t *j, size_t room) TOMO_MUST_CHECK;

/*
 * Has our current segment been in use for an hour, or keep_ms, and holds
 * something?  One that never gets full would never go.
 */
bool journal_dir_old(const journal_t *j);

/* removes segment i of a writer (recycles it when it is ours and whole) */
void journal_dir_drop(journal_t *j, journal_writer_t *w, size_t i);
/* removes a dead writer without segments */
void journal_dir_forget(journal_t *j, size_t i);

journal_writer_t *journal_dir_add(journal_t *j, uint64_t id);
journal_segment_t *journal_dir_push(journal_writer_t *w);
void journal_dir_close(journal_writer_t *w);

#endif
