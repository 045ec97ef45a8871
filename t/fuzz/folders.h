/*
 * folders: a journal folder of writers, some dead, some odd.  All that is put
 * on the disk is kept here as well, so that what must be read again is known
 * without reading.
 */

#ifndef TOMO_FUZZ_FOLDERS_H
#define TOMO_FUZZ_FOLDERS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "tomo_journal.h"

#define WRITERS  6
#define FILES    8
#define RECORDS  24
#define BYTES    4096
#define NAME     40
#define LIFE     7                      /* of who had the file before */


typedef struct {
    size_t    at;
    size_t    size;                     /* with the padding */
    size_t    sealed;                   /* without */
    uint64_t  seq;
    uint32_t  mark;                     /* first of the body: which it is */
} placed_t;

typedef struct {
    char      name[NAME];
    uint64_t  number;
    uint64_t  first_seq;
    bool      good;                     /* as made: name, header, file */
    bool      planted;                  /* others may write it */
    bool      odd;                      /* no file */
    placed_t  records[RECORDS];
    size_t    n;
    uint8_t   made[BYTES], now[BYTES];
    size_t    made_len, len;
} file_t;

typedef struct {
    char      name[NAME];
    uint64_t  id;
    int       dir;                      /* -1: it is no folder */
    int       held;                     /* a living writer's lock, or -1 */
    bool      good;                     /* name, folder and lock are */
    file_t    files[FILES];
    size_t    n;
    uint64_t  next_seq;
} writer_t;

static struct {
    char      path[64];
    int       dir;
    writer_t  writers[WRITERS];
    size_t    n;
    uint32_t  marks;
} disk = { .dir = -1 };


static inline void
name_put(char to[NAME], const char *name)
{
    FUZZ_HOLDS(strlen(name) < NAME);
    memcpy(to, name, strlen(name) + 1);
}


/* removes whatever bears the name, with what is in it */

static inline void
disk_remove(int at, const char *name)
{
    int             fd;
    DIR            *dir;
    struct dirent  *e;

    if (unlinkat(at, name, 0) == 0) {
        return;
    }

    fd = openat(at, name, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    dir = fd < 0 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        return;
    }

    while ((e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            disk_remove(fd, e->d_name);
        }
    }

    closedir(dir);
    FUZZ_HOLDS(unlinkat(at, name, AT_REMOVEDIR) == 0);
}


static inline void
disk_end(void)
{
    disk_remove(AT_FDCWD, disk.path);
}


/* an empty folder, in memory where the machine has such a place */

static inline void
disk_begin(void)
{
    if (disk.dir < 0) {
        snprintf(disk.path, sizeof(disk.path), "%s/tomo-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FUZZ_HOLDS(mkdtemp(disk.path) != NULL);
        atexit(disk_end);
        disk.dir = open(disk.path, O_DIRECTORY | O_CLOEXEC);
        FUZZ_HOLDS(disk.dir >= 0);
    }

    disk.n = 0;
    disk.marks = 0;
}


static inline void
writer_forget(writer_t *w)
{
    if (w->held >= 0) {
        close(w->held);
    }

    if (w->dir >= 0) {
        close(w->dir);
    }

    w->held = w->dir = -1;
}


static inline void
disk_clear(void)
{
    DIR            *dir = fdopendir(dup(disk.dir));
    struct dirent  *e;

    while (disk.n > 0) {
        writer_forget(&disk.writers[--disk.n]);
    }

    FUZZ_HOLDS(dir != NULL);
    rewinddir(dir);

    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] != '.') {
            disk_remove(disk.dir, e->d_name);
        }
    }

    closedir(dir);
}


static inline writer_t *
writer_add(const char *name, uint64_t id)
{
    writer_t  *w = &disk.writers[disk.n++];

    name_put(w->name, name);
    w->id = id;
    w->held = -1;
    w->good = true;
    w->n = 0;
    w->next_seq = 1;
    w->dir = openat(disk.dir, name, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return w;
}


static inline void
writer_remove(writer_t *w)
{
    writer_forget(w);
    disk_remove(disk.dir, w->name);
    disk.n--;
    memmove(w, w + 1, (size_t) (&disk.writers[disk.n] - w) * sizeof(*w));
}


static inline void
file_drop(writer_t *w, size_t i)
{
    memmove(&w->files[i], &w->files[i + 1],
            (w->n - i - 1) * sizeof(w->files[0]));
    w->n--;
}


/* known from now on; NULL: no room */

static inline file_t *
file_new(writer_t *w, const char *name)
{
    file_t  *f;

    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->files[i].name, name) == 0) {
            file_drop(w, i);
            break;
        }
    }

    if (w->n == FILES || w->dir < 0) {
        return NULL;
    }

    f = &w->files[w->n++];
    name_put(f->name, name);
    f->good = false;
    f->planted = f->odd = false;
    f->number = f->first_seq = 0;
    f->n = f->len = f->made_len = 0;

    return f;
}


/* the same in place of whatever bears the name */

static inline file_t *
file_add(writer_t *w, const char *name)
{
    file_t  *f = file_new(w, name);

    if (f != NULL) {
        disk_remove(w->dir, name);
    }

    return f;
}


static inline void
file_put(const writer_t *w, const file_t *f)
{
    int  fd = openat(w->dir, f->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
                     | O_NOFOLLOW, 0600);

    FUZZ_HOLDS(fd >= 0);
    FUZZ_HOLDS(write(fd, f->now, f->len) == (ssize_t) f->len);
    FUZZ_HOLDS(fchmod(fd, f->planted ? 0622 : 0600) == 0);
    close(fd);
}


/* one more record as the writer makes them; false: no room for it */

static inline bool
file_record(file_t *f, const tomo_segment_t *s, uint64_t seq, size_t len)
{
    uint8_t         body[256];
    placed_t       *p = &f->records[f->n];
    tomo_buf_t      out;
    tomo_record_t   r = { .seq = seq, .at_ms = 5, .events = 1 };

    memset(body, 'b', sizeof(body));
    tomo_put_le(body, ++disk.marks, 4);
    r.kind = (uint8_t) len;
    r.lane = (tomo_lane_e) (len % 3);
    r.account = tomo_str_n("demo", 1 + len % 4);
    r.body = tomo_str_n(body, 4 + len % 252);

    if (f->n == RECORDS || tomo_journal_record_size(&r) > BYTES - f->len) {
        return false;
    }

    *p = (placed_t) {
        .at = f->len, .size = tomo_journal_record_size(&r),
        .sealed = TOMO_JOURNAL_RECORD + r.account.len + r.body.len,
        .seq = seq, .mark = disk.marks
    };
    tomo_buf_init(&out, f->now, BYTES);
    out.len = f->len;
    tomo_journal_record_write(s, &r, &out);
    FUZZ_HOLDS(!out.failed && out.len == f->len + p->size);
    f->len = out.len;
    f->n++;

    return true;
}


static inline void
file_made(file_t *f)
{
    memcpy(f->made, f->now, f->len);
    f->made_len = f->len;
}


static inline bool
file_same(const file_t *f, size_t at, size_t len)
{
    return at + len <= f->len && at + len <= f->made_len
           && memcmp(f->now + at, f->made + at, len) == 0;
}


static inline bool
placed_alive(const file_t *f, const placed_t *p)
{
    return p->at + p->size <= f->len && file_same(f, p->at, p->sealed);
}


/* what a reader must take of the file: *end is where it stops */

static inline size_t
file_readable(const file_t *f, size_t *end)
{
    size_t  n = 0;

    *end = TOMO_JOURNAL_HEADER;

    while (n < f->n && placed_alive(f, &f->records[n])) {
        *end = f->records[n].at + f->records[n].size;
        n++;
    }

    return n;
}


/* does anything stand behind what can be read? */

static inline bool
file_damaged(const file_t *f)
{
    size_t  end;

    for (size_t i = file_readable(f, &end); i < f->n; i++) {
        if (placed_alive(f, &f->records[i])) {
            return true;
        }
    }

    return false;
}


static inline bool
file_usable(const file_t *f)
{
    return f->good && !f->planted && file_same(f, 0, TOMO_JOURNAL_HEADER);
}


static inline int
file_order(const void *a, const void *b)
{
    const file_t  *x = *(file_t *const *) a, *y = *(file_t *const *) b;

    return x->number < y->number ? -1 : x->number > y->number;
}


/* the files that can be read, in order; returns how many */

static inline size_t
writer_files(writer_t *w, file_t *list[FILES])
{
    size_t  n = 0;

    for (size_t i = 0; i < w->n; i++) {
        if (file_usable(&w->files[i])) {
            list[n++] = &w->files[i];
        }
    }

    if (n > 0) {
        qsort(list, n, sizeof(list[0]), file_order);
    }

    return n;
}

#endif
