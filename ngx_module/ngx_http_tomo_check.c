/*
 * ngx_http_tomo_check: can the workers write where they are told to?
 */

#include <sys/vfs.h>

#include "ngx_http_tomo_conf.h"

/* of linux/magic.h, which not every machine has */
#define NGX_HTTP_TOMO_FS_TMPFS    0x01021994
#define NGX_HTTP_TOMO_FS_RAMFS    0x858458f6
#define NGX_HTTP_TOMO_FS_OVERLAY  0x794c7630
#define NGX_HTTP_TOMO_FS_NFS      0x6969
#define NGX_HTTP_TOMO_FS_CIFS     0xff534d42
#define NGX_HTTP_TOMO_FS_SMB2     0xfe534d42
#define NGX_HTTP_TOMO_FS_FUSE     0x65735546


static ngx_int_t ngx_http_tomo_check_fs(ngx_conf_t *cf, ngx_str_t *path,
    const char *real);
static ngx_int_t ngx_http_tomo_check_access(ngx_conf_t *cf, ngx_str_t *path,
    const char *real, ngx_uint_t made, const char *directive);
static ngx_int_t ngx_http_tomo_check_way(ngx_conf_t *cf, ngx_str_t *path);
static ngx_uint_t ngx_http_tomo_check_may(const ngx_core_conf_t *ccf,
    const struct stat *st, mode_t user, mode_t group, mode_t other);
static char *ngx_http_tomo_check_dirname(ngx_conf_t *cf, ngx_str_t *file);


ngx_int_t
ngx_http_tomo_check_folder(ngx_conf_t *cf, ngx_str_t *path)
{
    char         *real;
    ngx_uint_t    made;
    struct stat   st;

    real = (char *) path->data;
    made = stat(real, &st) == 0;

    if (made && !S_ISDIR(st.st_mode)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"tomo_journal\" directive is not a "
                           "folder", path);
        return NGX_ERROR;
    }

    if (!made) {
        real = ngx_http_tomo_check_dirname(cf, path);
        if (real == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_tomo_check_fs(cf, path, real) != NGX_OK
        || ngx_http_tomo_check_way(cf, path) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tomo_check_access(cf, path, real, made, "tomo_journal");
}


ngx_int_t
ngx_http_tomo_check_parent(ngx_conf_t *cf, ngx_str_t *file,
    const char *directive)
{
    char  *real;

    real = ngx_http_tomo_check_dirname(cf, file);
    if (real == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_tomo_check_access(cf, file, real, 1, directive);
}


/* a journal must survive a power cut, and fdatasync must mean something */

static ngx_int_t
ngx_http_tomo_check_fs(ngx_conf_t *cf, ngx_str_t *path, const char *real)
{
    const char     *kind;
    struct statfs   fs;

    if (statfs(real, &fs) == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\" in \"tomo_journal\" directive: the folder "
                           "\"%s\" must exist", path, real);
        return NGX_ERROR;
    }

    switch ((uint32_t) fs.f_type) {

    case NGX_HTTP_TOMO_FS_TMPFS:
    case NGX_HTTP_TOMO_FS_RAMFS:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"tomo_journal\" directive lies in "
                           "memory (tmpfs): what was acknowledged would be "
                           "lost at a power cut; choose a folder on a disk",
                           path);
        return NGX_ERROR;

    case NGX_HTTP_TOMO_FS_OVERLAY:
        kind = "an overlay";
        break;

    case NGX_HTTP_TOMO_FS_NFS:
    case NGX_HTTP_TOMO_FS_CIFS:
    case NGX_HTTP_TOMO_FS_SMB2:
        kind = "a network";
        break;

    case NGX_HTTP_TOMO_FS_FUSE:
        kind = "a FUSE";
        break;

    default:
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"%V\" in \"tomo_journal\" directive lies on %s file "
                       "system, where a sync may promise less or cost more "
                       "than on a local disk", path, kind);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tomo_check_access(ngx_conf_t *cf, ngx_str_t *path, const char *real,
    ngx_uint_t made, const char *directive)
{
    struct stat       st;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    /* this process, for a read-only file system and without root */

    if (stat(real, &st) == -1 || access(real, W_OK|X_OK) == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\" in \"%s\" directive: the folder \"%s\" "
                           "cannot be written", path, directive, real);
        return NGX_ERROR;
    }

    /*
     * The workers' user.  nginx gives that user the journal's folder itself
     * (made 0: will be made); other folders must be right already.
     */

    if (geteuid() != 0
        || !made
        || ngx_strcmp(directive, "tomo_journal") == 0
        || ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT
        || ngx_http_tomo_check_may(ccf, &st, S_IWUSR|S_IXUSR,
                                   S_IWGRP|S_IXGRP, S_IWOTH|S_IXOTH))
    {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"%V\" in \"%s\" directive: user \"%s\" cannot write "
                       "the folder \"%s\": chown it", path, directive,
                       ccf->username ? ccf->username : "nobody", real);

    return NGX_OK;
}


/* may the workers' user pass every folder on the way there? */

static ngx_int_t
ngx_http_tomo_check_way(ngx_conf_t *cf, ngx_str_t *path)
{
    u_char           *p;
    ngx_int_t         rc;
    struct stat       st;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() != 0
        || ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT
        || ccf->user == 0)
    {
        return NGX_OK;
    }

    rc = NGX_OK;

    for (p = path->data + 1; rc == NGX_OK && *p; p++) {
        if (*p != '/') {
            continue;
        }

        *p = '\0';

        if (stat((char *) path->data, &st) == 0
            && !ngx_http_tomo_check_may(ccf, &st, S_IXUSR, S_IXGRP, S_IXOTH))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s\" on the way to the folder in "
                               "\"tomo_journal\" directive cannot be entered "
                               "by user \"%s\": chmod a+x it", path->data,
                               ccf->username ? ccf->username : "");
            rc = NGX_ERROR;
        }

        *p = '/';
    }

    return rc;
}


/* all bits of the class that the workers' user belongs to */

static ngx_uint_t
ngx_http_tomo_check_may(const ngx_core_conf_t *ccf, const struct stat *st,
    mode_t user, mode_t group, mode_t other)
{
    if (ccf->user == 0) {
        return 1;
    }

    if (st->st_uid == ccf->user) {
        return (st->st_mode & user) == user;
    }

    if (st->st_gid == ccf->group) {
        return (st->st_mode & group) == group;
    }

    return (st->st_mode & other) == other;
}


static char *
ngx_http_tomo_check_dirname(ngx_conf_t *cf, ngx_str_t *file)
{
    char   *name;
    size_t  n;

    for (n = file->len; n > 1 && file->data[n - 1] != '/'; n--) { /* void */ }

    n = n > 1 ? n - 1 : 1;

    name = ngx_pnalloc(cf->pool, n + 1);
    if (name) {
        ngx_memcpy(name, file->data, n);
        name[n] = '\0';
    }

    return name;
}
