#include "journal_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "ids.h"
#include "log.h"

#define JOURNAL_ZEROS  (256 * 1024)
#define JOURNAL_ROLL_MS  INT64_C(3600000)


void
journal_dir_segment_name(uint64_t number, char name[JOURNAL_NAME_MAX])
{
    snprintf(name, JOURNAL_NAME_MAX, "%016llx.seg",
             (unsigned long long) number);
}


void
journal_dir_writer_name(uint64_t id, char name[JOURNAL_NAME_MAX])
{
    snprintf(name, JOURNAL_NAME_MAX, "%016llx", (unsigned long long) id);
}


static void *
journal_dir_grow(void *list, size_t *cap, size_t size)
{
    *cap = *cap == 0 ? 8 : 2 * *cap;
    list = realloc(list, *cap * size);

    if (list == NULL) {
        log_error("memory", "is out: the role ends and starts again");
        abort();
    }

    return list;
}


journal_writer_t *
journal_dir_add(journal_t *j, uint64_t id)
{
    if (j->n_writers == j->cap_writers) {
        j->writers = journal_dir_grow(j->writers, &j->cap_writers,
                                      sizeof(journal_writer_t));
    }

    j->writers[j->n_writers] = (journal_writer_t) {
        .id = id, .dir_fd = -1, .lock_fd = -1
    };

    return &j->writers[j->n_writers++];
}


journal_segment_t *
journal_dir_push(journal_writer_t *w)
{
    if (w->n == w->cap) {
        w->segments = journal_dir_grow(w->segments, &w->cap,
                                       sizeof(journal_segment_t));
    }

    w->segments[w->n] = (journal_segment_t) { .number = 0 };

    return &w->segments[w->n++];
}


void
journal_dir_close(journal_writer_t *w)
{
    if (w->lock_fd >= 0) {
        close(w->lock_fd);
    }

    if (w->dir_fd >= 0) {
        close(w->dir_fd);
    }

    free(w->segments);
    *w = (journal_writer_t) { .dir_fd = -1, .lock_fd = -1 };
}


tomo_rc_e
journal_dir_create(journal_t *j)
{
    char               name[JOURNAL_NAME_MAX];
    journal_writer_t  *w;

    w = journal_dir_add(j, ids_random64());
    journal_dir_writer_name(w->id, name);

    if ((mkdirat(j->dir_fd, "spare", 0700) != 0 && errno != EEXIST)
        || mkdirat(j->dir_fd, name, 0700) != 0)
    {
        goto failed;
    }

    w->dir_fd = openat(j->dir_fd, name, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (w->dir_fd < 0) {
        goto failed;
    }

    w->lock_fd = openat(w->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC,
                        0600);

    if (w->lock_fd < 0 || flock(w->lock_fd, LOCK_EX | LOCK_NB) != 0
        || fsync(w->dir_fd) != 0 || fsync(j->dir_fd) != 0)
    {
        goto failed;
    }

    return TOMO_OK;

failed:

    log_error("journal", "%s/%s cannot be made: %s; the worker's user must "
              "own the folder", j->dir, name, strerror(errno));

    return TOMO_ERROR;
}


static bool
journal_dir_write(int fd, const void *data, size_t len, off_t at)
{
    ssize_t         n;
    const uint8_t  *p = data;

    while (len > 0) {
        n = pwrite(fd, p, len, at);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return false;
        }

        p += n;
        at += n;
        len -= (size_t) n;
    }

    return true;
}


/* Zeros, really written: a sync then changes data only, no file system maps. */

static bool
journal_dir_zero(int fd, size_t bytes)
{
    bool      ok = true;
    uint8_t  *zeros = calloc(1, JOURNAL_ZEROS);

    if (zeros == NULL) {
        return false;
    }

    for (size_t at = 0; ok && at < bytes; at += JOURNAL_ZEROS) {
        size_t  len = bytes - at < JOURNAL_ZEROS ? bytes - at : JOURNAL_ZEROS;

        ok = journal_dir_write(fd, zeros, len, (off_t) at);
    }

    free(zeros);

    return ok;
}


static bool
journal_dir_wipe(int dir_fd, const char *name, size_t bytes)
{
    int   fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    bool  ok = fd >= 0 && journal_dir_zero(fd, bytes);

    if (fd >= 0) {
        close(fd);
    }

    return ok;
}


/* A file of the right size named "next" in our folder, spare or new. */

static int
journal_dir_next(journal_t *j, size_t bytes)
{
    int                fd;
    char               from[JOURNAL_NAME_MAX + 8];
    struct stat        st;
    journal_writer_t  *w = &j->writers[0];

    snprintf(from, sizeof(from), "spare/%zu", bytes);

    if (renameat(j->dir_fd, from, w->dir_fd, "next") == 0) {
        fd = openat(w->dir_fd, "next", O_RDWR | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0 && fstat(fd, &st) == 0 && (size_t) st.st_size == bytes) {
            return fd;
        }

        if (fd >= 0) {
            close(fd);
        }
    }

    fd = openat(w->dir_fd, "next", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC
                | O_NOFOLLOW, 0600);

    if (fd >= 0 && !journal_dir_zero(fd, bytes)) {
        close(fd);
        unlinkat(w->dir_fd, "next", 0);
        return -1;
    }

    return fd;
}


static void
journal_dir_use(journal_t *j, int fd)
{
    if (j->fd >= 0) {
        close(j->fd);
    }

    j->fd = fd;
    j->bytes += j->head.size;
    *journal_dir_push(&j->writers[0]) = (journal_segment_t) {
        .number = j->head.number,
        .first_seq = j->head.first_seq,
        .next_seq = j->head.first_seq,
        .end = TOMO_JOURNAL_HEADER,
        .bytes = j->head.size,
        .written_ms = j->head.created_ms,
    };
}


tomo_rc_e
journal_dir_segment(journal_t *j, size_t room)
{
    int                 fd;
    char                name[JOURNAL_NAME_MAX];
    size_t              bytes = j->options.segment_bytes;
    uint8_t             header[TOMO_JOURNAL_HEADER];
    journal_writer_t   *w = &j->writers[0];

    if (bytes < TOMO_JOURNAL_HEADER + room) {
        bytes = TOMO_JOURNAL_HEADER + room;
    }

    if (j->bytes + bytes > j->options.max_bytes) {
        log_error("journal", "%s is full: %llu bytes wait to be shipped; "
                  "bring Redis back or give it more room", j->dir,
                  (unsigned long long) j->bytes);
        return TOMO_FULL;
    }

    fd = journal_dir_next(j, bytes);
    j->head = (tomo_segment_t) {
        .writer = w->id,
        .number = w->n == 0 ? 1 : w->segments[w->n - 1].number + 1,
        .first_seq = j->next_seq,
        .created_ms = clock_real_ms(),
        .size = (uint32_t) bytes,
    };
    tomo_journal_header_write(&j->head, header);
    journal_dir_segment_name(j->head.number, name);

    if (fd < 0 || !journal_dir_write(fd, header, sizeof(header), 0)
        || fsync(fd) != 0 || renameat(w->dir_fd, "next", w->dir_fd, name) != 0
        || fsync(w->dir_fd) != 0)
    {
        log_error("journal", "%s: a segment cannot be made: %s; free disk "
                  "space or check its permissions", j->dir, strerror(errno));

        if (fd >= 0) {
            close(fd);
        }

        return TOMO_ERROR;
    }

    journal_dir_use(j, fd);

    return TOMO_OK;
}


bool
journal_dir_old(const journal_t *j)
{
    int64_t                  most_ms = j->options.keep_ms;
    const journal_writer_t  *w = &j->writers[0];

    if (most_ms <= 0 || most_ms > JOURNAL_ROLL_MS) {
        most_ms = JOURNAL_ROLL_MS;
    }

    return j->fd >= 0 && w->n > 0
           && w->segments[w->n - 1].next_seq > w->segments[w->n - 1].first_seq
           && clock_real_ms() - j->head.created_ms > most_ms;
}


void
journal_dir_drop(journal_t *j, journal_writer_t *w, size_t i)
{
    bool                whole;
    char                name[JOURNAL_NAME_MAX], spare[JOURNAL_NAME_MAX + 8];
    journal_segment_t  *s = &w->segments[i];

    journal_dir_segment_name(s->number, name);
    snprintf(spare, sizeof(spare), "spare/%zu", s->bytes);
    whole = w == &j->writers[0] && s->bytes == j->options.segment_bytes;

    /* what was deleted must not wait on the disk for its next use */
    if (!whole || !journal_dir_wipe(w->dir_fd, name, s->bytes)
        || renameat(w->dir_fd, name, j->dir_fd, spare) != 0) {
        unlinkat(w->dir_fd, name, 0);
    }

    j->bytes -= s->bytes;
    memmove(s, s + 1, (w->n - i - 1) * sizeof(*s));
    w->n--;
}


void
journal_dir_forget(journal_t *j, size_t i)
{
    char               name[JOURNAL_NAME_MAX];
    journal_writer_t  *w = &j->writers[i];

    journal_dir_writer_name(w->id, name);
    unlinkat(w->dir_fd, "lock", 0);
    unlinkat(w->dir_fd, "next", 0);

    if (unlinkat(j->dir_fd, name, AT_REMOVEDIR) != 0) {
        log_warn("journal", "%s/%s cannot be removed: %s", j->dir, name,
                 strerror(errno));
    }

    journal_dir_close(w);
    memmove(w, w + 1, (j->n_writers - i - 1) * sizeof(*w));
    j->n_writers--;
}
