/*
 * ngx_http_tomo_version: see ngx_http_tomo_version.h.
 */

#include "ngx_http_tomo_version.h"

#include <dlfcn.h>

#define NGX_HTTP_TOMO_VERSION_CHUNK  65536
#define NGX_HTTP_TOMO_VERSION_FILE   (64 * 1024 * 1024)

typedef struct {
    dev_t   device;
    ino_t   inode;
    off_t   size;
    time_t  mtime;
} ngx_http_tomo_version_file_t;

/* what is looked for in a file: stands in it once, here */
static const char  ngx_http_tomo_version_mark[]
    = "tomo-module-version=" TOMO_VERSION;

#define NGX_HTTP_TOMO_VERSION_HEAD                                            \
    (sizeof("tomo-module-version=") - 1)

/*
 * Of this process, not of a cycle: the code mapped stays the same over all
 * reloads, and its file's identity is known only while it is being loaded.
 */
static struct {
    char                          path[NGX_MAX_PATH];   /* "": unknown */
    ngx_http_tomo_version_file_t  running;
    ngx_http_tomo_version_file_t  seen;
    ngx_http_tomo_version_t       last;         /* about seen */
} ngx_http_tomo_version_state;


static ngx_int_t ngx_http_tomo_version_file(const char *path,
    ngx_http_tomo_version_file_t *file);
static void ngx_http_tomo_version_read(ngx_pool_t *pool, const char *path,
    u_char *version);
static ngx_uint_t ngx_http_tomo_version_find(u_char *p, u_char *end,
    u_char *version);


/* runs when the module is loaded */

__attribute__((constructor))
static void
ngx_http_tomo_version_loaded(void)
{
    size_t    len;
    Dl_info   info;

    if (dladdr(&ngx_http_tomo_module, &info) == 0 || info.dli_fname == NULL
        || info.dli_fname[0] != '/')
    {
        return;
    }

    len = ngx_strlen(info.dli_fname);

    if (len < NGX_MAX_PATH
        && ngx_http_tomo_version_file(info.dli_fname,
                                      &ngx_http_tomo_version_state.running)
           == NGX_OK)
    {
        ngx_memcpy(ngx_http_tomo_version_state.path, info.dli_fname, len + 1);
    }
}


void
ngx_http_tomo_version_look(ngx_pool_t *pool, ngx_http_tomo_version_t *v)
{
    ngx_http_tomo_version_file_t  file;

    v->replaced = 0;
    ngx_cpystrn(v->on_disk, (u_char *) "unknown", NGX_HTTP_TOMO_VERSION_MAX);

    if (ngx_http_tomo_version_state.path[0] == '\0') {
        return;
    }

    if (ngx_http_tomo_version_file(ngx_http_tomo_version_state.path, &file)
        != NGX_OK)
    {
        v->replaced = 1;
        return;
    }

    if (ngx_memcmp(&file, &ngx_http_tomo_version_state.running, sizeof(file))
        == 0)
    {
        ngx_cpystrn(v->on_disk, (u_char *) TOMO_VERSION,
                    NGX_HTTP_TOMO_VERSION_MAX);
        return;
    }

    v->replaced = 1;

    if (ngx_memcmp(&file, &ngx_http_tomo_version_state.seen, sizeof(file))
        != 0)
    {
        ngx_http_tomo_version_read(pool, ngx_http_tomo_version_state.path,
                                   v->on_disk);
        ngx_http_tomo_version_state.seen = file;
        ngx_http_tomo_version_state.last = *v;
    }

    *v = ngx_http_tomo_version_state.last;
}


static ngx_int_t
ngx_http_tomo_version_file(const char *path,
    ngx_http_tomo_version_file_t *file)
{
    struct stat  st;

    ngx_memzero(file, sizeof(*file));       /* it is compared as bytes */

    if (stat(path, &st) != 0) {
        return NGX_ERROR;
    }

    file->device = st.st_dev;
    file->inode = st.st_ino;
    file->size = st.st_size;
    file->mtime = st.st_mtime;

    return NGX_OK;
}


static void
ngx_http_tomo_version_read(ngx_pool_t *pool, const char *path, u_char *version)
{
    off_t     done;
    u_char   *buf;
    size_t    have, keep;
    ssize_t   n;
    ngx_fd_t  fd;

    keep = NGX_HTTP_TOMO_VERSION_HEAD + NGX_HTTP_TOMO_VERSION_MAX;

    buf = ngx_palloc(pool, keep + NGX_HTTP_TOMO_VERSION_CHUNK);
    if (buf == NULL) {
        return;
    }

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == NGX_INVALID_FILE) {
        return;
    }

    have = 0;

    for (done = 0; done < NGX_HTTP_TOMO_VERSION_FILE; done += n) {
        n = read(fd, buf + have, NGX_HTTP_TOMO_VERSION_CHUNK);

        if (n <= 0
            || ngx_http_tomo_version_find(buf, buf + have + n, version))
        {
            break;
        }

        /* the mark may lie across two pieces */
        have += n;

        if (have > keep) {
            ngx_memmove(buf, buf + have - keep, keep);
            have = keep;
        }
    }

    (void) close(fd);
}


/* only a mark with its whole version behind it counts */

static ngx_uint_t
ngx_http_tomo_version_find(u_char *p, u_char *end, u_char *version)
{
    u_char  *from, *stop;

    while (end - p > (ssize_t) NGX_HTTP_TOMO_VERSION_HEAD) {
        p = memmem(p, end - p, ngx_http_tomo_version_mark,
                   NGX_HTTP_TOMO_VERSION_HEAD);

        if (p == NULL) {
            return 0;
        }

        from = p + NGX_HTTP_TOMO_VERSION_HEAD;
        stop = from;

        while (stop < end && ((*stop >= '0' && *stop <= '9') || *stop == '.'))
        {
            stop++;
        }

        if (stop < end && *stop == '\0' && stop > from
            && stop - from < NGX_HTTP_TOMO_VERSION_MAX)
        {
            ngx_memcpy(version, from, stop - from + 1);
            return 1;
        }

        p = from;
    }

    return 0;
}
