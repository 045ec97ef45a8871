/*
 * The sealed snapshot of the table: written beside its place, synced, and
 * renamed, so that it is whole or the one before.  Declared in
 * ngx_http_tomo_table.h.
 */

#include "ngx_http_tomo_table.h"
#include "ngx_http_tomo_snapshot.h"


#define NGX_HTTP_TOMO_SAVER_MS  1000


/* ctx of the task */
typedef struct {
    ngx_http_tomo_saver_t  *saver;
    char                    name[NGX_HTTP_TOMO_PATH_MAX];
    char                    temp[NGX_HTTP_TOMO_PATH_MAX];
    char                    folder[NGX_HTTP_TOMO_PATH_MAX];
    u_char                  key[32];
    u_char                  nonce[12];
    u_char                 *plain;
    size_t                  len;
    ngx_err_t               err;
    const char             *what;
} ngx_http_tomo_saver_task_t;


static void ngx_http_tomo_saver_thread(void *data, ngx_log_t *log);
static void ngx_http_tomo_saver_done(ngx_event_t *ev);


ngx_int_t
ngx_http_tomo_saver_init(ngx_http_tomo_saver_t *saver,
    ngx_http_tomo_main_conf_t *tmcf, ngx_pool_t *pool, ngx_log_t *log)
{
    u_char                      *end;
    ngx_http_tomo_saver_task_t  *t;

    saver->tmcf = tmcf;
    saver->log = log;

    if (tmcf->snapshot.len == 0 || tmcf->keys == NULL) {
        return NGX_OK;
    }

    if (tmcf->snapshot.len + 5 > NGX_HTTP_TOMO_PATH_MAX) {
        return NGX_ERROR;
    }

    saver->task = ngx_thread_task_alloc(pool,
                                        sizeof(ngx_http_tomo_saver_task_t));
    if (saver->task == NULL) {
        return NGX_ERROR;
    }

    saver->task->handler = ngx_http_tomo_saver_thread;
    saver->task->event.handler = ngx_http_tomo_saver_done;
    saver->task->event.data = saver;
    saver->task->event.log = log;

    t = saver->task->ctx;
    t->saver = saver;
    (void) ngx_snprintf((u_char *) t->name, sizeof(t->name), "%V%Z",
                        &tmcf->snapshot);
    (void) ngx_snprintf((u_char *) t->temp, sizeof(t->temp), "%V.tmp%Z",
                        &tmcf->snapshot);
    (void) ngx_snprintf((u_char *) t->folder, sizeof(t->folder), "%V%Z",
                        &tmcf->snapshot);

    for (end = (u_char *) t->folder + tmcf->snapshot.len;
         end > (u_char *) t->folder && end[-1] != '/'; end--)
    {
        /* the folder is what stands before the last slash */
    }

    *end = '\0';
    ngx_memcpy(t->key, tmcf->keys->snapshot[0], 32);

    return NGX_OK;
}


void
ngx_http_tomo_saver_tick(ngx_http_tomo_saver_t *saver)
{
    size_t                       area;
    uint64_t                     generation;
    tomo_buf_t                   out;
    ngx_http_tomo_saver_task_t  *t;

    if (!saver->dirty || saver->busy || saver->task == NULL
        || (saver->last
            && ngx_current_msec - saver->last < NGX_HTTP_TOMO_SAVER_MS))
    {
        return;
    }

    saver->last = ngx_current_msec ? ngx_current_msec : 1;
    t = saver->task->ctx;
    area = saver->tmcf->zone->area_size;

    t->plain = ngx_alloc(area, saver->log);
    if (t->plain == NULL) {
        return;
    }

    tomo_buf_init(&out, t->plain, area);

    if (ngx_http_tomo_zone_copy(saver->tmcf->zone, &out, &generation) != NGX_OK
        || ngx_http_tomo_random(t->nonce, sizeof(t->nonce)) != NGX_OK)
    {
        goto failed;
    }

    t->len = out.len;
    t->err = 0;
    t->what = NULL;

    if (ngx_thread_task_post(saver->tmcf->thread_pool, saver->task)
        != NGX_OK)
    {
        goto failed;
    }

    saver->dirty = 0;
    saver->busy = 1;

    return;

failed:

    tomo_mac_wipe(t->plain, out.len);
    ngx_free(t->plain);
    t->plain = NULL;
}


static ngx_err_t
ngx_http_tomo_saver_write(ngx_http_tomo_saver_task_t *t, int fd,
    const u_char *data, size_t len)
{
    size_t   done;
    ssize_t  n;

    t->what = "write";

    for (done = 0; done < len; done += (size_t) n) {
        n = write(fd, data + done, len - done);

        if (n == -1) {
            return ngx_errno;
        }
    }

    t->what = "sync";

    return fsync(fd) == -1 ? ngx_errno : 0;
}


static ngx_err_t
ngx_http_tomo_saver_replace(ngx_http_tomo_saver_task_t *t,
    const u_char *data, size_t len)
{
    int        fd;
    ngx_err_t  err;

    t->what = "create";
    (void) unlink(t->temp);

    fd = open(t->temp, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);
    if (fd == -1) {
        return ngx_errno;
    }

    err = ngx_http_tomo_saver_write(t, fd, data, len);
    (void) close(fd);

    if (err == 0 && rename(t->temp, t->name) == -1) {
        t->what = "rename";
        err = ngx_errno;
    }

    if (err) {
        (void) unlink(t->temp);
        return err;
    }

    t->what = "sync the folder of";

    fd = open(t->folder[0] ? t->folder : ".",
              O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return ngx_errno;
    }

    err = fsync(fd) == -1 ? ngx_errno : 0;
    (void) close(fd);

    return err;
}


static void
ngx_http_tomo_saver_thread(void *data, ngx_log_t *log)
{
    u_char                      *sealed;
    tomo_buf_t                   out;
    ngx_http_tomo_saver_task_t  *t = data;

    sealed = malloc(t->len + TOMO_SEAL_OVERHEAD);
    if (sealed == NULL) {
        t->what = "find memory for";
        t->err = NGX_ENOMEM;
        return;
    }

    tomo_buf_init(&out, sealed, t->len + TOMO_SEAL_OVERHEAD);

    if (tomo_seal(t->key, t->nonce, tomo_str(NGX_HTTP_TOMO_SNAPSHOT_AAD),
                  tomo_str_n(t->plain, t->len), &out)
        != TOMO_OK)
    {
        t->what = "seal";
        t->err = NGX_EINVAL;

    } else {
        t->err = ngx_http_tomo_saver_replace(t, sealed, out.len);
    }

    free(sealed);
}


static void
ngx_http_tomo_saver_done(ngx_event_t *ev)
{
    ngx_http_tomo_saver_t       *saver = ev->data;
    ngx_http_tomo_saver_task_t  *t;

    t = saver->task->ctx;
    saver->busy = 0;
    saver->task->next = NULL;
    ev->complete = 0;

    tomo_mac_wipe(t->plain, t->len);
    ngx_free(t->plain);
    t->plain = NULL;

    if (t->err == 0) {
        saver->reported = 0;
        ngx_http_tomo_count(saver->tmcf->zone, snapshot_saved);
        return;
    }

    saver->dirty = 1;           /* tried again, at most once a second */

    if (!saver->reported) {
        saver->reported = 1;
        ngx_log_error(NGX_LOG_ERR, saver->log, t->err,
                      "tomo: cannot %s snapshot \"%s\": a restart without "
                      "redis would serve nothing; let the workers' user "
                      "write its folder", t->what, t->name);
    }
}
