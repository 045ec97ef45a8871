#include "ngx_http_tomo_adopt.h"
#include "ngx_http_tomo_recover.h"
#include "ngx_http_tomo_unread.h"
#include "tomo_codec.h"

#include <dirent.h>
#include <sys/file.h>


#define NGX_HTTP_TOMO_ADOPT_AT_ONCE  32     /* folders of one scan */
#define NGX_HTTP_TOMO_ADOPT_YOUNG_S  1


/* One scan of the journal folder by the thread pool */
typedef struct {
    ngx_http_tomo_adopt_t      *adopt;
    const char                 *journal;
    ngx_http_tomo_recovered_t  *found;
    ngx_uint_t                  room;       /* folders to take, at most */
    ngx_uint_t                  n;
    ngx_err_t                   err;
    ngx_http_tomo_hopeless_t    hopeless;
} ngx_http_tomo_scan_t;

struct ngx_http_tomo_adopt_s {
    ngx_http_tomo_ship_t   *ship;
    ngx_event_t             timer;
    ngx_thread_task_t      *task;
    ngx_fd_t                office;     /* adopt.lock */
    ngx_http_tomo_unread_t  unread[NGX_HTTP_TOMO_UNREAD];
    unsigned                elected:1;
    unsigned                busy:1;
    unsigned                reported:1;
};


static void ngx_http_tomo_adopt_tick(ngx_event_t *ev);
static void ngx_http_tomo_adopt_scan(void *data, ngx_log_t *log);
static void ngx_http_tomo_adopt_scanned(ngx_event_t *ev);


ngx_int_t
ngx_http_tomo_adopt_start(ngx_http_tomo_ship_t *ship)
{
    char                    path[NGX_HTTP_TOMO_PATH_MAX];
    ngx_http_tomo_scan_t   *scan;
    ngx_http_tomo_adopt_t  *adopt;

    adopt = ngx_pcalloc(ship->pool, sizeof(ngx_http_tomo_adopt_t));
    if (adopt == NULL) {
        return NGX_ERROR;
    }

    adopt->task = ngx_thread_task_alloc(ship->pool,
                                        sizeof(ngx_http_tomo_scan_t));
    if (adopt->task == NULL) {
        return NGX_ERROR;
    }

    adopt->ship = ship;
    adopt->task->handler = ngx_http_tomo_adopt_scan;
    adopt->task->event.handler = ngx_http_tomo_adopt_scanned;
    adopt->task->event.data = adopt;
    adopt->task->event.log = ship->log;

    scan = adopt->task->ctx;
    scan->adopt = adopt;
    scan->journal = (char *) ship->tmcf->journal_conf->path.data;

    (void) ngx_snprintf((u_char *) path, sizeof(path), "%s/adopt.lock%Z",
                        scan->journal);

    adopt->office = open(path, O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600);
    if (adopt->office == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, ship->log, ngx_errno,
                      "tomo: \"%s\" cannot be opened: journals of dead "
                      "workers wait; let the workers' user write the folder",
                      path);
        return NGX_ERROR;
    }

    adopt->timer.handler = ngx_http_tomo_adopt_tick;
    adopt->timer.data = adopt;
    adopt->timer.log = ship->log;
    adopt->timer.cancelable = 1;
    ngx_add_timer(&adopt->timer, 50);

    ship->adopt = adopt;

    return NGX_OK;
}


void
ngx_http_tomo_adopt_stop(ngx_http_tomo_ship_t *ship)
{
    ngx_http_tomo_adopt_t  *adopt;

    adopt = ship->adopt;
    if (adopt == NULL) {
        return;
    }

    if (adopt->timer.timer_set) {
        ngx_del_timer(&adopt->timer);
    }

    if (adopt->office != NGX_INVALID_FILE) {
        (void) ngx_close_file(adopt->office);
        adopt->office = NGX_INVALID_FILE;
    }
}


/*
 * A folder, not reached through a link, and ours alone (E10).  One that has
 * just been made may be about to be locked by its writer.
 */

static ngx_uint_t
ngx_http_tomo_adopt_trusted(const char *folder)
{
    struct stat  st;

    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode)
           && st.st_uid == geteuid()
           && !(st.st_mode & (S_IWGRP|S_IWOTH))
           && time(NULL) - st.st_mtime > NGX_HTTP_TOMO_ADOPT_YOUNG_S;
}


static void
ngx_http_tomo_adopt_folder(ngx_http_tomo_scan_t *scan, const char *name)
{
    int                         lock;
    char                        folder[NGX_HTTP_TOMO_PATH_MAX];
    uint64_t                    writer;
    ngx_uint_t                  give_up;
    ngx_http_tomo_recovered_t  *found;

    if (strlen(name) != 16
        || tomo_hex64_get(tomo_str_n(name, 16), &writer) != TOMO_OK
        || writer == 0
        || ngx_http_tomo_segment_folder(folder, sizeof(folder),
                                        scan->journal, writer)
           != TOMO_OK
        || !ngx_http_tomo_adopt_trusted(folder))
    {
        return;
    }

    lock = ngx_http_tomo_segment_lock_dead(folder);

    if (lock == -1) {
        if (ngx_errno == NGX_ENOENT) {
            (void) rmdir(folder);       /* killed while it was made */
        }

        return;
    }

    give_up = ngx_http_tomo_unread_is(scan->hopeless, writer);

    found = ngx_http_tomo_recover(folder, writer, lock, give_up);
    if (found == NULL) {
        (void) close(lock);
        return;
    }

    if (found->kept == NULL && found->err == 0) {
        (void) ngx_http_tomo_recover_remove(folder);
    }

    found->next = scan->found;
    scan->found = found;
    scan->n += found->err == 0;     /* the others leave their room to more */
}


static void
ngx_http_tomo_adopt_scan(void *data, ngx_log_t *log)
{
    DIR                   *dir;
    struct dirent         *entry;
    ngx_http_tomo_scan_t  *scan = data;

    scan->found = NULL;
    scan->n = 0;
    scan->err = 0;

    dir = opendir(scan->journal);
    if (dir == NULL) {
        scan->err = ngx_errno;
        return;
    }

    while (scan->n < scan->room
           && (entry = readdir(dir)) != NULL)
    {
        ngx_http_tomo_adopt_folder(scan, entry->d_name);
    }

    (void) closedir(dir);
}


/* the writer left nothing: its records, if any, have passed long ago */

static void
ngx_http_tomo_adopt_retire(ngx_http_tomo_adopt_t *adopt, uint64_t writer)
{
    ngx_uint_t             i;
    ngx_http_tomo_zone_t  *tz;
    ngx_http_tomo_slot_t  *slot;

    tz = adopt->ship->tmcf->zone;

    for (i = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        slot = &tz->sh->slots[i];

        if (slot->writer == (ngx_atomic_uint_t) writer) {
            slot->last_seq = slot->passed_seq;
            ngx_http_tomo_zone_give_back_slot(tz, slot);
            return;
        }
    }
}


static off_t
ngx_http_tomo_adopt_bytes(const ngx_http_tomo_source_t *source)
{
    off_t       bytes;
    ngx_uint_t  i;

    for (i = 0, bytes = 0; i < source->n_kept; i++) {
        bytes += source->kept[i].size;
    }

    return bytes;
}


static ngx_int_t
ngx_http_tomo_adopt_take(ngx_http_tomo_adopt_t *adopt,
    ngx_http_tomo_recovered_t *found)
{
    uint64_t                 limit;
    ngx_uint_t               i;
    ngx_http_tomo_mark_t    *mark;
    ngx_http_tomo_source_t  *source;

    source = ngx_http_tomo_source_create(adopt->ship, NULL, found->writer);
    if (source == NULL) {
        return NGX_ERROR;
    }

    source->kept = ngx_alloc(found->n_kept * sizeof(ngx_http_tomo_kept_t),
                             adopt->ship->log);
    if (source->kept == NULL) {
        ngx_http_tomo_source_destroy(source);
        return NGX_ERROR;
    }

    ngx_memcpy(source->kept, found->kept,
               found->n_kept * sizeof(ngx_http_tomo_kept_t));
    source->n_kept = found->n_kept;

    for (i = 0; i < found->n_accounts; i++) {
        mark = ngx_http_tomo_source_mark(source,
                                         tomo_str_n(found->accounts[i].id,
                                                    found->accounts[i].len));
        if (mark == NULL) {
            ngx_http_tomo_source_destroy(source);
            return NGX_ERROR;
        }

        mark->believed = found->accounts[i].last;
        mark->assumed = 1;
    }

    /* all is believed to be in Redis until the marks say otherwise */
    limit = ngx_http_tomo_source_limit(source);
    source->next_seq = limit + 1;
    source->passed_seq = limit;

    source->slot = ngx_http_tomo_zone_take_slot(adopt->ship->tmcf->zone,
                                                found->writer);
    if (source->slot) {
        source->slot->last_seq = (ngx_atomic_uint_t) limit;
        source->slot->passed_seq = ngx_min(source->slot->passed_seq,
                                           (ngx_atomic_uint_t) limit);
        source->slot->bytes =
            (ngx_atomic_uint_t) ngx_http_tomo_adopt_bytes(source);
        source->slot->held = 0;     /* of the dead worker: asked anew */
        source->reached_seq = source->slot->passed_seq;
        source->settled_seq = source->slot->passed_seq;
    }

    source->lock = found->lock;
    ngx_http_tomo_ship_add(adopt->ship, source);
    ngx_http_tomo_count(adopt->ship->tmcf->zone, ship_adopted);

    return NGX_OK;
}


static void
ngx_http_tomo_adopt_found(ngx_http_tomo_adopt_t *adopt,
    ngx_http_tomo_recovered_t *found)
{
    ngx_log_t  *log;

    log = adopt->ship->log;

    if (found->bad) {
        ngx_http_tomo_count_n(adopt->ship->tmcf->zone, ship_quarantined,
                              found->bad);
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "tomo: journal %s: %ui segments are damaged or foreign; "
                      "what can be read is shipped, the rest is left there "
                      "(*.bad): check the disk", found->folder, found->bad);
    }

    if (found->err) {
        (void) close(found->lock);

        if (ngx_http_tomo_unread_add(adopt->unread, found->writer)) {
            ngx_log_error(NGX_LOG_ERR, log, found->err,
                          "tomo: journal %s cannot be read; tried for %d s, "
                          "then the rest is shipped without what cannot: "
                          "check owner, mode and disk", found->folder,
                          NGX_HTTP_TOMO_UNREAD_MS / 1000);
        }

        return;
    }

    ngx_http_tomo_unread_forget(adopt->unread, found->writer);

    if (found->kept == NULL) {
        ngx_http_tomo_adopt_retire(adopt, found->writer);
        (void) close(found->lock);
        return;
    }

    if (adopt->ship->closing
        || ngx_http_tomo_adopt_take(adopt, found) != NGX_OK)
    {
        (void) close(found->lock);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "tomo: journal %s adopted: records %uL..%uL%s",
                  found->folder, found->kept[0].first_seq,
                  found->kept[found->n_kept - 1].last_seq,
                  found->torn ? ", a tail was cut" : "");
}


ngx_uint_t
ngx_http_tomo_adopt_held(const ngx_http_tomo_ship_t *ship)
{
    ngx_uint_t               n;
    ngx_queue_t             *q;
    ngx_http_tomo_source_t  *source;

    for (n = 0, q = ngx_queue_head(&ship->sources);
         q != ngx_queue_sentinel(&ship->sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);
        n += source->journal == NULL;
    }

    return n;
}


static void
ngx_http_tomo_adopt_post(ngx_http_tomo_adopt_t *adopt)
{
    ngx_uint_t             held;
    ngx_http_tomo_scan_t  *scan;

    held = ngx_http_tomo_adopt_held(adopt->ship);

    if (held >= NGX_HTTP_TOMO_ADOPT_MAX) {
        return;
    }

    scan = adopt->task->ctx;
    scan->room = ngx_min(NGX_HTTP_TOMO_ADOPT_AT_ONCE,
                         NGX_HTTP_TOMO_ADOPT_MAX - held);

    ngx_http_tomo_unread_hopeless(adopt->unread, scan->hopeless);

    if (ngx_thread_task_post(adopt->ship->tmcf->thread_pool, adopt->task)
        == NGX_OK)
    {
        adopt->busy = 1;
    }
}


static void
ngx_http_tomo_adopt_scanned(ngx_event_t *ev)
{
    ngx_http_tomo_scan_t       *scan;
    ngx_http_tomo_adopt_t      *adopt = ev->data;
    ngx_http_tomo_recovered_t  *found;

    scan = adopt->task->ctx;
    adopt->busy = 0;
    adopt->task->next = NULL;
    ev->complete = 0;

    if (scan->err && !adopt->reported) {
        ngx_log_error(NGX_LOG_ERR, adopt->ship->log, scan->err,
                      "tomo: journal folder %s cannot be read", scan->journal);
    }

    adopt->reported = (scan->err != 0);

    while (scan->found) {
        found = scan->found;
        scan->found = found->next;
        ngx_http_tomo_adopt_found(adopt, found);
        ngx_http_tomo_recover_free(found);
    }

    if (scan->n == scan->room && !ngx_exiting) {
        ngx_http_tomo_adopt_post(adopt);
    }
}


static void
ngx_http_tomo_adopt_tick(ngx_event_t *ev)
{
    ngx_http_tomo_adopt_t  *adopt = ev->data;

    ngx_add_timer(ev, NGX_HTTP_TOMO_ADOPT_MS);

    ngx_http_tomo_prune_tick(adopt->ship);
    ngx_http_tomo_ship_wake(adopt->ship);       /* who rested may go on */

    if (ngx_exiting) {
        if (adopt->elected) {
            (void) flock(adopt->office, LOCK_UN);
            adopt->elected = 0;
        }

        return;
    }

    if (!adopt->elected) {
        adopt->elected = flock(adopt->office, LOCK_EX|LOCK_NB) == 0;
    }

    if (adopt->elected && !adopt->busy) {
        ngx_http_tomo_adopt_post(adopt);
    }
}
