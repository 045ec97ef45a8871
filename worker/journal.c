#include "journal_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define JOURNAL_BYTES_DEFAULT    (UINT64_C(4) << 30)
#define JOURNAL_SEGMENT_DEFAULT  (8u << 20)


static bool
journal_folder(journal_t *j)
{
    struct stat  st;

    if (mkdir(j->dir, 0700) != 0 && errno != EEXIST) {
        log_error("journal", "%s cannot be made: %s; create the folder above "
                  "it for the worker's user", j->dir, strerror(errno));
        return false;
    }

    j->dir_fd = open(j->dir, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (j->dir_fd < 0 || fstat(j->dir_fd, &st) != 0) {
        log_error("journal", "%s cannot be opened: %s", j->dir,
                  strerror(errno));
        return false;
    }

    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        log_error("journal", "%s must belong to the worker's user and be "
                  "writable for nobody else: chown and chmod 700 it", j->dir);
        return false;
    }

    return true;
}


journal_t *
journal_open(const journal_options_t *options)
{
    journal_t  *j = calloc(1, sizeof(*j));

    if (j == NULL) {
        return NULL;
    }

    (void) pthread_mutex_init(&j->lock, NULL);
    j->fd = -1;
    j->dir_fd = -1;
    j->next_seq = 1;
    j->options = *options;
    j->dir = strdup(options->dir);
    j->options.dir = j->dir;

    if (j->options.max_bytes == 0) {
        j->options.max_bytes = JOURNAL_BYTES_DEFAULT;
    }

    if (j->options.segment_bytes == 0) {
        j->options.segment_bytes = JOURNAL_SEGMENT_DEFAULT;
    }

    if (j->dir == NULL || !journal_folder(j)
        || journal_dir_create(j) != TOMO_OK
        || journal_dir_adopt(j) != TOMO_OK)
    {
        journal_close(j);
        return NULL;
    }

    return j;
}


void
journal_close(journal_t *j)
{
    if (j == NULL) {
        return;
    }

    if (j->fd >= 0) {
        close(j->fd);
    }

    for (size_t i = 0; i < j->n_writers; i++) {
        journal_dir_close(&j->writers[i]);
    }

    if (j->dir_fd >= 0) {
        close(j->dir_fd);
    }

    (void) pthread_mutex_destroy(&j->lock);
    free(j->writers);
    free(j->pending);
    free(j->part);
    free(j->dir);
    free(j);
}


static void
journal_reserve(journal_t *j, size_t more)
{
    size_t    cap = j->pending_cap == 0 ? 65536 : j->pending_cap;
    uint8_t  *p;

    while (cap - j->pending_len < more) {
        cap *= 2;
    }

    if (cap == j->pending_cap) {
        return;
    }

    p = realloc(j->pending, cap);

    if (p == NULL) {
        log_error("memory", "is out: the role ends and starts again");
        abort();
    }

    j->pending = p;
    j->pending_cap = cap;
}


/* room for the record in the current segment; if not, the next one */

static tomo_rc_e
journal_room(journal_t *j, size_t size)
{
    tomo_rc_e           rc;
    journal_writer_t   *w = &j->writers[0];
    journal_segment_t  *s;

    if (w->n > 0 && j->fd >= 0) {
        s = &w->segments[w->n - 1];

        if (s->bytes - s->end - j->part_len - j->pending_len >= size
            && !journal_dir_old(j))
        {
            return TOMO_OK;
        }

        rc = journal_sync(j);

        if (rc != TOMO_OK) {
            return rc;
        }
    }

    (void) pthread_mutex_lock(&j->lock);
    rc = journal_dir_segment(j, size);
    (void) pthread_mutex_unlock(&j->lock);

    return rc;
}


tomo_rc_e
journal_append(journal_t *j, tomo_record_t *r)
{
    size_t      size = tomo_journal_record_size(r);
    tomo_rc_e   rc;
    tomo_buf_t  out;

    if (r->body.len + r->account.len > TOMO_JOURNAL_PAYLOAD_MAX) {
        return TOMO_LIMIT;
    }

    if (j->failed) {
        return TOMO_ERROR;
    }

    rc = journal_room(j, size);

    if (rc != TOMO_OK) {
        return rc;
    }

    journal_reserve(j, size);
    tomo_buf_init(&out, j->pending + j->pending_len, size);
    r->seq = j->next_seq;
    tomo_journal_record_write(&j->head, r, &out);

    if (out.failed) {
        return TOMO_INVALID;
    }

    j->pending_len += out.len;
    j->next_seq++;

    return TOMO_OK;
}


bool
journal_part_begin(journal_t *j)
{
    size_t                   cap = j->part_cap;
    uint8_t                 *part = j->part;
    const journal_writer_t  *w = &j->writers[0];

    if (j->failed || j->part_len > 0 || j->pending_len == 0) {
        return false;
    }

    j->part = j->pending;
    j->part_cap = j->pending_cap;
    j->part_len = j->pending_len;
    j->part_seq = j->next_seq;
    j->part_fd = j->fd;
    j->part_at = w->segments[w->n - 1].end;
    j->part_error = 0;
    j->pending = part;
    j->pending_cap = cap;
    j->pending_len = 0;

    return true;
}


void
journal_part_write(journal_t *j)
{
    size_t   done = 0;
    ssize_t  n;

    while (done < j->part_len) {
        n = pwrite(j->part_fd, j->part + done, j->part_len - done,
                   (off_t) (j->part_at + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            j->part_error = n < 0 ? errno : EIO;
            return;
        }

        done += (size_t) n;
    }

    if (fdatasync(j->part_fd) != 0) {
        j->part_error = errno;
    }
}


tomo_rc_e
journal_part_end(journal_t *j)
{
    journal_writer_t   *w = &j->writers[0];
    journal_segment_t  *s;

    if (j->failed) {
        return TOMO_ERROR;
    }

    if (j->part_len == 0) {
        return TOMO_OK;
    }

    if (j->part_error != 0) {
        /* the kernel may have dropped the pages: no second try */
        j->failed = true;
        log_error("journal", "%s cannot be written: %s; the role ends, check "
                  "the disk", j->dir, strerror(j->part_error));
        return TOMO_ERROR;
    }

    s = &w->segments[w->n - 1];
    (void) pthread_mutex_lock(&j->lock);
    s->end += j->part_len;
    s->next_seq = j->part_seq;
    s->written_ms = clock_real_ms();
    (void) pthread_mutex_unlock(&j->lock);
    j->part_len = 0;

    return TOMO_OK;
}


void
journal_part_by(journal_t *j, void (*wait)(void *data), void *data)
{
    j->part_wait = wait;
    j->part_data = data;
}


tomo_rc_e
journal_sync(journal_t *j)
{
    tomo_rc_e  rc;

    if (j->failed) {
        return TOMO_ERROR;
    }

    if (j->part_len > 0) {
        j->part_wait(j->part_data);
    }

    rc = journal_part_end(j);

    if (rc != TOMO_OK || !journal_part_begin(j)) {
        return rc;
    }

    journal_part_write(j);

    return journal_part_end(j);
}


uint64_t
journal_writer(const journal_t *j)
{
    return j->writers[0].id;
}


uint64_t
journal_last_seq(const journal_t *j)
{
    const journal_writer_t  *w = &j->writers[0];

    return w->n == 0 ? 0 : w->segments[w->n - 1].next_seq - 1;
}


uint64_t
journal_next_seq(const journal_t *j)
{
    return j->next_seq;
}


bool
journal_has(const journal_t *j, size_t i, uint64_t seq)
{
    const journal_writer_t  *w = &j->writers[i];

    return w->n > 0 && w->segments[w->n - 1].next_seq > seq;
}


size_t
journal_writers(const journal_t *j)
{
    return j->n_writers;
}


uint64_t
journal_writer_id(const journal_t *j, size_t i)
{
    return j->writers[i].id;
}
