/* journal_read: reading what is kept, and letting go of what is not needed. */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "journal_dir.h"
#include "log.h"


/* Gives the records of one segment from *seq on.  False: fn wants no more. */

static bool
journal_read_mapped(journal_writer_t *w, const journal_segment_t *s,
    tomo_str_t bytes, uint64_t *seq, journal_fn_pt fn, void *data)
{
    bool            more = true;
    size_t          at = TOMO_JOURNAL_HEADER, size;
    uint64_t        next = s->first_seq;
    tomo_record_t   r;
    tomo_segment_t  head;

    if (tomo_journal_header_read(bytes, &head) != TOMO_OK) {
        return false;
    }

    if (w->at_number == s->number && w->at_seq <= *seq) {
        at = w->at_offset;
        next = w->at_seq;
    }

    while (more && next < s->next_seq) {
        if (tomo_journal_record_read(&head,
                                     tomo_str_n(bytes.data + at,
                                                bytes.len - at),
                                     next, &r, &size) != TOMO_OK)
        {
            log_error("journal", "a record of writer %016llx changed on disk: "
                      "look at segment %016llx", (unsigned long long) w->id,
                      (unsigned long long) s->number);
            return false;
        }

        /* the next reading may begin with this record again */
        w->at_number = s->number;
        w->at_seq = next;
        w->at_offset = at;

        at += size;
        next++;

        if (r.seq >= *seq) {
            more = fn(data, w->id, &r);
            *seq = next;
        }
    }

    return more;
}


static bool
journal_read_segment(journal_writer_t *w, const journal_segment_t *s,
    uint64_t *seq, journal_fn_pt fn, void *data)
{
    int    fd;
    bool   more;
    char   name[JOURNAL_NAME_MAX];
    void  *map;

    journal_dir_segment_name(s->number, name);
    fd = openat(w->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        log_error("journal", "segment %s of writer %016llx has disappeared",
                  name, (unsigned long long) w->id);
        return false;
    }

    map = mmap(NULL, s->end, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);

    if (map == MAP_FAILED) {
        log_error("journal", "segment %s of writer %016llx cannot be mapped",
                  name, (unsigned long long) w->id);
        return false;
    }

    more = journal_read_mapped(w, s, tomo_str_n(map, s->end), seq, fn, data);
    munmap(map, s->end);

    return more;
}


tomo_rc_e
journal_read(journal_t *j, size_t i, uint64_t *seq, journal_fn_pt fn,
    void *data)
{
    journal_writer_t  *w = &j->writers[i];

    for (size_t k = 0; ; k++) {
        bool               more;
        journal_segment_t  s;

        /* the owner may be adding a segment, or records to the last one */
        (void) pthread_mutex_lock(&j->lock);
        more = k < w->n;
        s = more ? w->segments[k] : (journal_segment_t) { .number = 0 };
        (void) pthread_mutex_unlock(&j->lock);

        if (!more) {
            break;
        }

        if (s.next_seq <= *seq) {
            continue;
        }

        if (s.first_seq > *seq) {
            *seq = s.first_seq;
            return TOMO_ABSENT;
        }

        if (!journal_read_segment(w, &s, seq, fn, data)) {
            break;
        }
    }

    return TOMO_OK;
}


typedef struct {
    journal_fn_pt  fn;
    void          *data;
    bool           stopped;
} journal_each_t;


static bool
journal_each_record(void *data, uint64_t writer, const tomo_record_t *r)
{
    journal_each_t  *e = data;

    e->stopped = !e->fn(e->data, writer, r);

    return !e->stopped;
}


tomo_rc_e
journal_each(journal_t *j, journal_fn_pt fn, void *data)
{
    uint64_t        seq;
    tomo_rc_e       rc;
    journal_each_t  e = { .fn = fn, .data = data };

    for (size_t i = 0; i < j->n_writers && !e.stopped; i++) {
        seq = 1;

        /* gaps are passed over: what is kept is what there is */
        do {
            rc = journal_read(j, i, &seq, journal_each_record, &e);
        } while (rc == TOMO_ABSENT && !e.stopped);

        if (rc != TOMO_OK) {
            return rc;
        }
    }

    return TOMO_OK;
}


void
journal_settle(journal_t *j, size_t i, uint64_t seq)
{
    uint8_t            text[16];
    tomo_buf_t         b;
    journal_writer_t  *w = &j->writers[i];

    if (seq <= w->settled) {
        return;
    }

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_hex64(&b, seq);

    if (pwrite(w->lock_fd, text, b.len, 0) == (ssize_t) b.len) {
        w->settled = seq;
    }
}


uint64_t
journal_settled(const journal_t *j, size_t i)
{
    return j->writers[i].settled;
}


void
journal_shipped(journal_t *j, size_t i, uint64_t seq)
{
    int64_t            old_ms = clock_real_ms() - j->options.keep_ms;
    journal_writer_t  *w = &j->writers[i];

    /* nothing may come for long; a failure shows when something does */
    if (i == 0 && j->pending_len == 0 && j->part_len == 0 && !j->failed
        && journal_dir_old(j)
        && w->segments[w->n - 1].next_seq <= seq + 1
        && journal_dir_segment(j, 0) != TOMO_OK)
    {
        return;
    }

    while (w->n > 0) {
        const journal_segment_t  *s = &w->segments[0];

        if ((i == 0 && w->n == 1) || s->next_seq > seq + 1 || s->damaged
            || s->written_ms > old_ms)
        {
            return;
        }

        journal_dir_drop(j, w, 0);
    }

    if (i != 0) {
        journal_dir_forget(j, i);
    }
}
