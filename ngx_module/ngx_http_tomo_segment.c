/*
 * ngx_http_tomo_segment: folders, locks and segment files of a journal.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ngx_http_tomo_segment.h"


static int ngx_http_tomo_segment_sync_folder(const char *path);
static int ngx_http_tomo_segment_spare(const char *journal, size_t size,
    const char *name);
static int ngx_http_tomo_segment_join(char *out, size_t cap, const char *head,
    const char *tail);


tomo_rc_e
ngx_http_tomo_segment_folder(char *out, size_t cap, const char *journal,
    uint64_t writer)
{
    int  n;

    n = snprintf(out, cap, "%s/%016llx", journal,
                 (unsigned long long) writer);

    return n > 0 && (size_t) n < cap ? TOMO_OK : TOMO_FULL;
}


tomo_rc_e
ngx_http_tomo_segment_path(char *out, size_t cap, const char *folder,
    uint64_t number)
{
    int  n;

    n = snprintf(out, cap, "%s/%016llx.seg", folder,
                 (unsigned long long) number);

    return n > 0 && (size_t) n < cap ? TOMO_OK : TOMO_FULL;
}


int
ngx_http_tomo_segment_lock_new(const char *journal, const char *folder)
{
    int   fd, err;
    char  path[NGX_HTTP_TOMO_PATH_MAX];

    if (ngx_http_tomo_segment_join(path, sizeof(path), journal, "spare")
        != 0
        || (mkdir(path, 0700) == -1 && errno != EEXIST)
        || ngx_http_tomo_segment_join(path, sizeof(path), folder, "lock")
        != 0
        || mkdir(folder, 0700) == -1)
    {
        return -1;
    }

    fd = open(path, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);
    if (fd == -1) {
        err = errno;
        goto failed;
    }

    err = flock(fd, LOCK_EX|LOCK_NB) == 0 ? 0 : errno;

    if (err == 0) {
        err = ngx_http_tomo_segment_sync_folder(folder);
    }

    if (err == 0) {
        err = ngx_http_tomo_segment_sync_folder(journal);
    }

    if (err == 0) {
        return fd;
    }

    (void) close(fd);

failed:

    /* nothing is left behind: this is tried again and again */

    (void) unlink(path);
    (void) rmdir(folder);
    errno = err;

    return -1;
}


int
ngx_http_tomo_segment_lock_dead(const char *folder)
{
    int   fd, err;
    char  path[NGX_HTTP_TOMO_PATH_MAX];

    if (ngx_http_tomo_segment_join(path, sizeof(path), folder, "lock") != 0) {
        return -1;
    }

    fd = open(path, O_RDWR|O_CLOEXEC|O_NOFOLLOW);
    if (fd == -1) {
        return -1;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        err = errno;
        (void) close(fd);
        errno = err;
        return -1;
    }

    return fd;
}


int
ngx_http_tomo_segment_recycle(const char *journal, const char *file)
{
    DIR            *dir;
    int             err;
    char            path[NGX_HTTP_TOMO_PATH_MAX];
    size_t          n;
    const char     *name, *writer;
    struct dirent  *entry;

    if (ngx_http_tomo_segment_join(path, sizeof(path), journal, "spare")
        != 0)
    {
        return errno;
    }

    dir = opendir(path);
    if (dir == NULL) {
        return errno;
    }

    for (n = 0; (entry = readdir(dir)) != NULL; n += entry->d_name[0] != '.')
    {
        continue;
    }

    (void) closedir(dir);

    if (n >= NGX_HTTP_TOMO_SPARES) {
        return unlink(file) == 0 || errno == ENOENT ? 0 : errno;
    }

    /* "…/WRITER/NUMBER.seg" → "spare/WRITER-NUMBER.seg": never taken twice */

    name = strrchr(file, '/');
    if (name == NULL || name - file < 17) {
        return EINVAL;
    }

    writer = name - 16;

    if (snprintf(path, sizeof(path), "%s/spare/%.16s-%s", journal, writer,
                 name + 1)
        >= (int) sizeof(path))
    {
        return ENAMETOOLONG;
    }

    /* what was deleted must not wait on the disk for another writer */

    err = ngx_http_tomo_zeros_over(file);

    if (err == 0 && rename(file, path) == -1) {
        err = errno;
    }

    return err == ENOENT ? 0 : err;
}


int
ngx_http_tomo_segment_prepare(const char *journal, const char *folder,
    size_t size, uint32_t made, char *name, size_t cap)
{
    int  n;

    n = snprintf(name, cap, "%s/%08x.new", folder, (unsigned) made);
    if (n < 0 || (size_t) n >= cap) {
        return ENAMETOOLONG;
    }

    if (ngx_http_tomo_segment_spare(journal, size, name) == 0) {
        return 0;
    }

    return ngx_http_tomo_zeros_make(name, size);
}


static int
ngx_http_tomo_segment_head(ngx_http_tomo_writer_t *w)
{
    int      err;
    uint8_t  header[TOMO_JOURNAL_HEADER];

    w->offset = 0;
    tomo_journal_header_write(&w->at, header);

    err = ngx_http_tomo_segment_write(w,
                                      tomo_str_n(header, sizeof(header)));

    return err == 0 ? ngx_http_tomo_segment_sync(w) : err;
}


static int
ngx_http_tomo_segment_name(const ngx_http_tomo_writer_t *w, const char *ready,
    const char *path)
{
    int  err;

    if (rename(ready, path) == -1) {
        return errno;
    }

    err = ngx_http_tomo_segment_sync_folder(w->folder);
    if (err != 0) {
        (void) unlink(path);
    }

    return err;
}


int
ngx_http_tomo_segment_next(ngx_http_tomo_writer_t *w, const char *ready,
    uint64_t first_seq, int64_t now_ms)
{
    int     err;
    char    path[NGX_HTTP_TOMO_PATH_MAX];
    size_t  before = w->offset;

    err = ngx_http_tomo_segment_sync(w);
    if (err != 0) {
        goto failed;
    }

    ngx_http_tomo_segment_abandon(w);

    /* a number is never tried twice, whatever happens below */

    w->at.number++;
    w->at.first_seq = first_seq;
    w->at.created_ms = now_ms;
    w->at.size = (uint32_t) w->size;

    if (ngx_http_tomo_segment_path(path, sizeof(path), w->folder,
                                   w->at.number)
        != TOMO_OK)
    {
        err = ENAMETOOLONG;
        goto failed;
    }

    w->fd = open(ready, O_RDWR|O_CLOEXEC|O_NOFOLLOW);
    if (w->fd == -1) {
        err = errno;
        goto failed;
    }

    /* a name NNNN.seg always stands for a header, even after a power cut */

    err = ngx_http_tomo_segment_head(w);
    if (err != 0) {
        goto failed;
    }

    err = ngx_http_tomo_segment_name(w, ready, path);
    if (err == 0) {
        return 0;
    }

failed:

    /* what was written before still ends there: it is read up to the offset */

    w->offset = before;
    ngx_http_tomo_segment_abandon(w);
    (void) unlink(ready);

    return err;
}


int
ngx_http_tomo_segment_write(ngx_http_tomo_writer_t *w, tomo_str_t framed)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < framed.len; done += (size_t) n) {
        n = pwrite(w->fd, framed.data + done, framed.len - done,
                   (off_t) (w->offset + done));
        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            return n == 0 ? ENOSPC : errno;
        }
    }

    w->offset += done;
    w->dirty = true;

    return 0;
}


int
ngx_http_tomo_segment_sync(ngx_http_tomo_writer_t *w)
{
    if (w->fd == -1 || !w->dirty) {
        return 0;
    }

    if (fdatasync(w->fd) == -1) {
        return errno;
    }

    w->dirty = false;

    return 0;
}


void
ngx_http_tomo_segment_abandon(ngx_http_tomo_writer_t *w)
{
    if (w->fd != -1) {
        (void) close(w->fd);
    }

    w->fd = -1;
    w->dirty = false;
}


static int
ngx_http_tomo_segment_sync_folder(const char *path)
{
    int  fd, err;

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return errno;
    }

    err = fsync(fd) == 0 ? 0 : errno;
    (void) close(fd);

    return err;
}


/* renames any spare segment of the right size to name; ENOENT: none */

static int
ngx_http_tomo_segment_spare(const char *journal, size_t size,
    const char *name)
{
    DIR            *dir;
    int             err;
    char            path[NGX_HTTP_TOMO_PATH_MAX];
    struct stat     st;
    struct dirent  *entry;

    if (ngx_http_tomo_segment_join(path, sizeof(path), journal, "spare")
        != 0)
    {
        return errno;
    }

    dir = opendir(path);
    if (dir == NULL) {
        return errno;
    }

    err = ENOENT;

    while (err != 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.'
            || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)
               == -1
            || !S_ISREG(st.st_mode))
        {
            continue;
        }

        if ((size_t) st.st_size != size) {
            (void) unlinkat(dirfd(dir), entry->d_name, 0);
            continue;
        }

        /* another writer may be faster: then the next one */

        if (renameat(dirfd(dir), entry->d_name, AT_FDCWD, name) == 0) {
            err = 0;
        }
    }

    (void) closedir(dir);

    return err;
}


/* "head/tail"; -1 with errno ENAMETOOLONG */

static int
ngx_http_tomo_segment_join(char *out, size_t cap, const char *head,
    const char *tail)
{
    int  n;

    n = snprintf(out, cap, "%s/%s", head, tail);
    if (n < 0 || (size_t) n >= cap) {
        errno = ENAMETOOLONG;
        return -1;
    }

    return 0;
}
