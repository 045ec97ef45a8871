/* journal_adopt: recovery of the folders that dead writers left. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_dir.h"
#include "log.h"
#include "tomo_codec.h"


/* Ours, and nobody else may plant files there (owner and mode). */

static bool
journal_adopt_trusted(int fd, struct stat *st)
{
    return fstat(fd, st) == 0 && st->st_uid == geteuid()
           && (st->st_mode & 022) == 0;
}


static bool
journal_adopt_recover(journal_writer_t *w, uint64_t number, int fd,
    const struct stat *st, tomo_recovery_t *found, tomo_segment_t *head)
{
    bool   ok;
    void  *map;

    if (st->st_size < TOMO_JOURNAL_HEADER) {
        return false;
    }

    map = mmap(NULL, (size_t) st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);

    if (map == MAP_FAILED) {
        return false;
    }

    ok = tomo_journal_recover(tomo_str_n(map, (size_t) st->st_size), head,
                              found) == TOMO_OK
         && head->writer == w->id && head->number == number;
    munmap(map, (size_t) st->st_size);

    return ok;
}


static void
journal_adopt_segment(journal_t *j, journal_writer_t *w, const char *name)
{
    int                 fd;
    uint64_t            number;
    struct stat         st;
    tomo_segment_t      head;
    tomo_recovery_t     found;
    journal_segment_t  *s;

    if (tomo_hex64_get(tomo_str_n(name, 16), &number) != TOMO_OK) {
        return;
    }

    fd = openat(w->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || !journal_adopt_trusted(fd, &st)
        || !journal_adopt_recover(w, number, fd, &st, &found, &head))
    {
        log_error("journal", "%s: segment %s of writer %016llx cannot be "
                  "read and is left where it is: look at it", j->dir, name,
                  (unsigned long long) w->id);

        if (fd >= 0) {
            close(fd);
        }

        return;
    }

    if (found.damaged) {
        log_error("journal", "%s: segment %s of writer %016llx is damaged at "
                  "byte %zu; what lies behind is not shipped, the file is "
                  "kept", j->dir, name, (unsigned long long) w->id,
                  found.end);

    } else if ((size_t) st.st_size > found.end
               && ftruncate(fd, (off_t) found.end) == 0)
    {
        const struct timespec  when[2] = { st.st_atim, st.st_mtim };

        st.st_size = (off_t) found.end;     /* nobody will write it again */
        (void) !futimens(fd, when);         /* its age is its records' */
    }

    close(fd);
    s = journal_dir_push(w);
    *s = (journal_segment_t) {
        .number = number,
        .first_seq = head.first_seq,
        .next_seq = found.next_seq,
        .end = found.end,
        .bytes = (size_t) st.st_size,
        .written_ms = (int64_t) st.st_mtim.tv_sec * 1000,
        .damaged = found.damaged,
    };
    j->bytes += s->bytes;
}


static int
journal_adopt_order(const void *a, const void *b)
{
    const journal_segment_t  *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}


static void
journal_adopt_segments(journal_t *j, journal_writer_t *w)
{
    int             fd;
    DIR            *dir;
    struct dirent  *e;

    fd = openat(w->dir_fd, ".", O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        if (fd >= 0) {
            close(fd);
        }

        return;
    }

    while ((e = readdir(dir)) != NULL) {
        if (strlen(e->d_name) == 20 && strcmp(e->d_name + 16, ".seg") == 0) {
            journal_adopt_segment(j, w, e->d_name);
        }
    }

    closedir(dir);

    if (w->n > 0) {
        qsort(w->segments, w->n, sizeof(*w->segments), journal_adopt_order);
    }
}


/* how far the dead one knew all as done */

static void
journal_adopt_settled(journal_writer_t *w)
{
    uint8_t  text[16];

    if (pread(w->lock_fd, text, sizeof(text), 0) != (ssize_t) sizeof(text)
        || tomo_hex64_get(tomo_str_n(text, sizeof(text)), &w->settled)
           != TOMO_OK)
    {
        w->settled = 0;
    }
}


/* A folder whose lock nobody holds is a dead writer's. */

static void
journal_adopt_writer(journal_t *j, const char *name, uint64_t id)
{
    struct stat         st;
    journal_writer_t   *w = journal_dir_add(j, id);

    w->dir_fd = openat(j->dir_fd, name, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (w->dir_fd < 0 || !journal_adopt_trusted(w->dir_fd, &st)) {
        log_error("journal", "%s/%s is not the worker's own folder: it was "
                  "left alone", j->dir, name);
        goto failed;
    }

    w->lock_fd = openat(w->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC
                        | O_NOFOLLOW, 0600);

    if (w->lock_fd < 0 || flock(w->lock_fd, LOCK_EX | LOCK_NB) != 0) {

        if (w->lock_fd < 0 || errno != EWOULDBLOCK) {
            log_error("journal", "%s/%s is not adopted, its lock fails: %s; "
                      "its records wait: give folder and lock to the "
                      "worker's user", j->dir, name, strerror(errno));
        }

        goto failed;                    /* alive, or told */
    }

    journal_adopt_settled(w);
    journal_adopt_segments(j, w);

    return;

failed:

    journal_dir_close(w);
    j->n_writers--;
}


tomo_rc_e
journal_dir_adopt(journal_t *j)
{
    int             fd;
    DIR            *dir;
    uint64_t        id;
    struct dirent  *e;

    fd = openat(j->dir_fd, ".", O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        log_error("journal", "%s cannot be listed: %s", j->dir,
                  strerror(errno));

        if (fd >= 0) {
            close(fd);
        }

        return TOMO_ERROR;
    }

    while ((e = readdir(dir)) != NULL) {
        if (tomo_hex64_get(tomo_str_c(e->d_name), &id) == TOMO_OK
            && strlen(e->d_name) == 16 && id != j->writers[0].id)
        {
            journal_adopt_writer(j, e->d_name, id);
        }
    }

    closedir(dir);

    return TOMO_OK;
}
