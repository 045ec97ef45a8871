#include "ngx_http_tomo_recover.h"
#include "tomo_codec.h"

#include <dirent.h>
#include <sys/mman.h>


#define NGX_HTTP_TOMO_SEGMENT_MAX  (1024 * 1024 * 1024)


void
ngx_http_tomo_recover_free(ngx_http_tomo_recovered_t *found)
{
    free(found->kept);
    free(found->accounts);
    free(found);
}


/* NNNNNNNNNNNNNNNN.seg → its number; 0: another file */

static uint64_t
ngx_http_tomo_recover_number(const char *name)
{
    uint64_t  number;

    if (strlen(name) != 20 || strcmp(name + 16, ".seg") != 0
        || tomo_hex64_get(tomo_str_n(name, 16), &number) != TOMO_OK)
    {
        return 0;
    }

    return number;
}


static int
ngx_http_tomo_recover_order(const void *a, const void *b)
{
    const ngx_http_tomo_kept_t  *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}


static ngx_err_t
ngx_http_tomo_recover_list(ngx_http_tomo_recovered_t *found)
{
    DIR                   *dir;
    void                  *grown;
    uint64_t               number;
    ngx_uint_t             room;
    struct dirent         *entry;

    dir = opendir(found->folder);
    if (dir == NULL) {
        return ngx_errno;
    }

    room = 0;

    while ((entry = readdir(dir)) != NULL) {
        number = ngx_http_tomo_recover_number(entry->d_name);
        if (number == 0) {
            continue;
        }

        if (found->n_kept == room) {
            room = 2 * room + 8;
            grown = realloc(found->kept, room * sizeof(ngx_http_tomo_kept_t));
            if (grown == NULL) {
                (void) closedir(dir);
                return NGX_ENOMEM;
            }

            found->kept = grown;
        }

        memset(&found->kept[found->n_kept], 0, sizeof(ngx_http_tomo_kept_t));
        found->kept[found->n_kept++].number = number;
    }

    (void) closedir(dir);

    if (found->n_kept) {
        qsort(found->kept, found->n_kept, sizeof(ngx_http_tomo_kept_t),
              ngx_http_tomo_recover_order);
    }

    return 0;
}


static ngx_err_t
ngx_http_tomo_recover_account(ngx_http_tomo_recovered_t *found,
    const tomo_record_t *r)
{
    void                               *grown;
    ngx_uint_t                          i;
    ngx_http_tomo_recovered_account_t  *a;

    if (r->lane == TOMO_LANE_LOCAL || !tomo_keys_account_ok(r->account)) {
        return 0;
    }

    for (i = 0; i < found->n_accounts; i++) {
        a = &found->accounts[i];

        if (a->len == r->account.len
            && memcmp(a->id, r->account.data, a->len) == 0)
        {
            a->last = r->seq;
            return 0;
        }
    }

    grown = realloc(found->accounts, (found->n_accounts + 1)
                    * sizeof(ngx_http_tomo_recovered_account_t));
    if (grown == NULL) {
        return NGX_ENOMEM;
    }

    found->accounts = grown;
    a = &found->accounts[found->n_accounts++];
    memcpy(a->id, r->account.data, r->account.len);
    a->len = r->account.len;
    a->last = r->seq;

    return 0;
}


/*
 * Reads a file that only its writer's user may have made (E10).  Mapped, not
 * malloced: freed segments of many MB would stay with the process.
 */

static ngx_err_t
ngx_http_tomo_recover_load(int fd, ngx_http_tomo_kept_t *kept, u_char **data)
{
    void        *p;
    size_t       len;
    ssize_t      n;
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return ngx_errno;
    }

    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()
        || (st.st_mode & (S_IWGRP|S_IWOTH)) || st.st_nlink > 1
        || st.st_size > NGX_HTTP_TOMO_SEGMENT_MAX)
    {
        return NGX_EINVAL;
    }

    kept->size = st.st_size;
    kept->changed = st.st_mtime;

    p = mmap(NULL, (size_t) st.st_size + 1, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NGX_ENOMEM;
    }

    *data = p;

    for (len = 0; len < (size_t) st.st_size; len += (size_t) n) {
        n = pread(fd, *data + len, (size_t) st.st_size - len, (off_t) len);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            return ngx_errno;
        }

        if (n == 0) {
            memset(*data + len, 0, (size_t) st.st_size - len);
            break;
        }
    }

    return 0;
}


/* what was torn is cut off; records behind damage are left where they are */

static void
ngx_http_tomo_recover_tail(ngx_http_tomo_recovered_t *found,
    ngx_http_tomo_kept_t *kept, int fd, const tomo_recovery_t *rec)
{
    if (rec->damaged) {
        found->bad++;

    } else if ((size_t) kept->size > rec->end) {
        found->torn++;

        if (ftruncate(fd, (off_t) rec->end) == 0 && fsync(fd) == 0) {
            kept->size = (off_t) rec->end;
        }
    }
}


/* One segment: how far it is good, and whose records it holds. */

static ngx_err_t
ngx_http_tomo_recover_segment(ngx_http_tomo_recovered_t *found,
    ngx_http_tomo_kept_t *kept, int fd, ngx_uint_t last)
{
    u_char           *data;
    size_t            at, size;
    ngx_err_t         err;
    tomo_str_t        bytes;
    tomo_record_t     r;
    tomo_segment_t    segment;
    tomo_recovery_t   rec;

    data = NULL;
    err = ngx_http_tomo_recover_load(fd, kept, &data);

    bytes = tomo_str_n(data, (size_t) kept->size);

    /* records behind damage alone are a person's matter: set aside, too */

    if (err == 0
        && (tomo_journal_recover(bytes, &segment, &rec) != TOMO_OK
            || segment.writer != found->writer
            || segment.number != kept->number
            || (rec.damaged && rec.records == 0)))
    {
        err = NGX_EINVAL;
    }

    if (err) {
        goto done;
    }

    kept->first_seq = segment.first_seq;
    kept->last_seq = rec.next_seq - 1;
    kept->end = rec.end;

    for (at = TOMO_JOURNAL_HEADER; at < rec.end; at += size) {
        if (tomo_journal_record_read(&segment,
                                     tomo_str_n(data + at, rec.end - at),
                                     segment.first_seq++, &r, &size)
            != TOMO_OK)
        {
            break;
        }

        err = ngx_http_tomo_recover_account(found, &r);
        if (err) {
            goto done;
        }
    }

    if (last) {
        ngx_http_tomo_recover_tail(found, kept, fd, &rec);
    }

done:

    if (data) {
        (void) munmap(data, bytes.len + 1);
    }

    return err;
}


/* NGX_EINVAL: the file is nothing of ours */

static ngx_err_t
ngx_http_tomo_recover_file(ngx_http_tomo_recovered_t *found,
    ngx_http_tomo_kept_t *kept, ngx_uint_t last)
{
    int        fd;
    char       path[NGX_HTTP_TOMO_PATH_MAX];
    ngx_err_t  err;

    if (ngx_http_tomo_segment_path(path, sizeof(path), found->folder,
                                   kept->number)
        != TOMO_OK)
    {
        return NGX_ENOMEM;
    }

    /* a pipe must not hold the thread */

    fd = open(path, (last ? O_RDWR : O_RDONLY)|O_NONBLOCK|O_NOFOLLOW
                    |O_CLOEXEC);
    if (fd == -1) {
        return ngx_errno == ELOOP ? NGX_EINVAL : ngx_errno;
    }

    err = ngx_http_tomo_recover_segment(found, kept, fd, last);
    (void) close(fd);

    return err;
}


/* for the operator to look at; nobody reads it again */

static void
ngx_http_tomo_recover_aside(ngx_http_tomo_recovered_t *found,
    uint64_t number)
{
    char  path[NGX_HTTP_TOMO_PATH_MAX], bad[NGX_HTTP_TOMO_PATH_MAX + 8];

    found->bad++;

    if (ngx_http_tomo_segment_path(path, sizeof(path), found->folder, number)
        == TOMO_OK)
    {
        (void) snprintf(bad, sizeof(bad), "%s.bad", path);
        (void) rename(path, bad);
    }
}


/* may it be the file's fault, and not that of a process short of means? */

static ngx_uint_t
ngx_http_tomo_recover_of_file(ngx_err_t err)
{
    return err != NGX_ENOMEM && err != EMFILE && err != ENFILE;
}


/* drops files that are gone or foreign; holes between the rest stay holes */

static void
ngx_http_tomo_recover_files(ngx_http_tomo_recovered_t *found,
    ngx_uint_t give_up)
{
    ngx_err_t              err;
    ngx_uint_t             i, n;
    ngx_http_tomo_kept_t  *kept, *before;

    for (i = 0, n = 0; i < found->n_kept; i++) {
        kept = &found->kept[i];

        err = ngx_http_tomo_recover_file(found, kept,
                                         i == found->n_kept - 1);

        if (err == NGX_ENOENT) {
            continue;
        }

        if (err == NGX_EINVAL
            || (err && give_up && ngx_http_tomo_recover_of_file(err)))
        {
            ngx_http_tomo_recover_aside(found, kept->number);
            continue;
        }

        if (err) {
            found->err = err;
            return;
        }

        if (n) {
            before = &found->kept[n - 1];

            /* a suspect segment's last group stands again in the next */
            if (before->last_seq >= kept->first_seq) {
                before->last_seq = kept->first_seq - 1;
            }
        }

        found->kept[n++] = *kept;
    }

    found->n_kept = n;
}


ngx_http_tomo_recovered_t *
ngx_http_tomo_recover(const char *folder, uint64_t writer, int lock,
    ngx_uint_t give_up)
{
    size_t                      len;
    ngx_uint_t                  records;
    ngx_http_tomo_recovered_t  *found;

    found = calloc(1, sizeof(ngx_http_tomo_recovered_t));
    if (found == NULL) {
        return NULL;
    }

    len = strlen(folder);
    if (len >= sizeof(found->folder)) {
        free(found);
        return NULL;
    }

    memcpy(found->folder, folder, len + 1);
    found->writer = writer;
    found->lock = lock;

    found->err = ngx_http_tomo_recover_list(found);

    if (found->err == 0) {
        ngx_http_tomo_recover_files(found, give_up);
    }

    /* segments without a record are of no use to anybody */
    for (len = 0, records = 0; len < found->n_kept; len++) {
        records |= found->kept[len].last_seq >= found->kept[len].first_seq;
    }

    if (found->err == 0 && !records) {
        for (len = 0; len < found->n_kept; len++) {
            char  path[NGX_HTTP_TOMO_PATH_MAX];

            if (ngx_http_tomo_segment_path(path, sizeof(path), found->folder,
                                           found->kept[len].number)
                == TOMO_OK)
            {
                (void) unlink(path);
            }
        }

        free(found->kept);
        found->kept = NULL;
        found->n_kept = 0;
    }

    return found;
}


int
ngx_http_tomo_recover_remove(const char *folder)
{
    int             bad, n;
    DIR            *dir;
    char            path[NGX_HTTP_TOMO_PATH_MAX];
    size_t          len;
    struct dirent  *entry;

    dir = opendir(folder);
    if (dir == NULL) {
        return ngx_errno;
    }

    bad = 0;

    while ((entry = readdir(dir)) != NULL) {
        len = strlen(entry->d_name);

        if (len > 4 && strcmp(entry->d_name + len - 4, ".bad") == 0) {
            bad = 1;            /* for the operator to look at */
            continue;
        }

        if (strcmp(entry->d_name, "lock") != 0
            && (len <= 4 || strcmp(entry->d_name + len - 4, ".new") != 0))
        {
            continue;
        }

        n = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);

        if (n > 0 && (size_t) n < sizeof(path)) {
            (void) unlink(path);
        }
    }

    (void) closedir(dir);

    if (bad) {
        return 0;
    }

    return rmdir(folder) == -1 ? ngx_errno : 0;
}
