/*
 * ngx_http_tomo_snapshot: reading the sealed table at start.
 */

#include "ngx_http_tomo_snapshot.h"


static ngx_int_t ngx_http_tomo_snapshot_read(const char *name, size_t max,
    ngx_log_t *log, u_char **data, size_t *len);
static const char *ngx_http_tomo_snapshot_open(ngx_http_tomo_zone_t *tz,
    tomo_str_t sealed, u_char *room);


void
ngx_http_tomo_snapshot_load(ngx_http_tomo_zone_t *tz, ngx_log_t *log)
{
    size_t                      len;
    u_char                     *data, *room;
    const char                 *why;
    ngx_http_tomo_main_conf_t  *tmcf = tz->tmcf;

    if (tmcf->snapshot.len == 0 || tmcf->keys == NULL) {
        return;
    }

    if (ngx_http_tomo_snapshot_read((char *) tmcf->snapshot.data,
                                    tz->area_size + TOMO_SEAL_OVERHEAD, log,
                                    &data, &len)
        != NGX_OK)
    {
        return;
    }

    room = ngx_alloc(len, log);

    why = room ? ngx_http_tomo_snapshot_open(tz, tomo_str_n(data, len), room)
               : "out of memory";

    if (why) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "tomo: snapshot \"%V\" is not used: %s; accounts and "
                      "links come from Redis", &tmcf->snapshot, why);
    }

    if (room) {
        tomo_mac_wipe(room, len);
        ngx_free(room);
    }

    ngx_free(data);
}


/* NULL: published; else the reason */

static const char *
ngx_http_tomo_snapshot_open(ngx_http_tomo_zone_t *tz, tomo_str_t sealed,
    u_char *room)
{
    ngx_uint_t             i;
    tomo_buf_t             out;
    ngx_http_tomo_keys_t  *keys = tz->tmcf->keys;

    for (i = 0; i < keys->n; i++) {
        tomo_buf_init(&out, room, sealed.len);

        if (tomo_seal_open(keys->snapshot[i],
                           tomo_str(NGX_HTTP_TOMO_SNAPSHOT_AAD), sealed, &out)
            != TOMO_OK)
        {
            continue;
        }

        if (ngx_http_tomo_zone_publish(tz, tomo_buf_str(&out)) != NGX_OK) {
            return "the table in it is damaged or larger than the zone";
        }

        return NULL;
    }

    return "it was not sealed with a key of tomo_key_file";
}


static ngx_int_t
ngx_http_tomo_snapshot_read(const char *name, size_t max, ngx_log_t *log,
    u_char **data, size_t *len)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                          "tomo: snapshot \"%s\" cannot be opened", name);
        }

        return NGX_DECLINED;
    }

    *data = NULL;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi)
        || (size_t) ngx_file_size(&fi) > max)
    {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "tomo: snapshot \"%s\" is not used: no plain file, or "
                      "larger than the zone holds: enlarge tomo_zone", name);
        goto failed;
    }

    *len = (size_t) ngx_file_size(&fi);

    *data = ngx_alloc(*len + 1, log);
    if (*data == NULL) {
        goto failed;
    }

    n = ngx_read_fd(fd, *data, *len);
    if (n != (ssize_t) *len) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "tomo: snapshot \"%s\" cannot be read", name);
        goto failed;
    }

    (void) ngx_close_file(fd);

    return NGX_OK;

failed:

    if (*data) {
        ngx_free(*data);
    }

    (void) ngx_close_file(fd);

    return NGX_ERROR;
}
