/*
 * ngx_http_tomo_writer: the life of a worker's journal: folder, lock and slot
 * at the start, the last group at the end.
 */

#include "ngx_http_tomo_journal_own.h"


static void ngx_http_tomo_writer_events(ngx_http_tomo_journal_t *jr);
static ngx_int_t ngx_http_tomo_writer_task(ngx_cycle_t *cycle,
    ngx_http_tomo_journal_t *jr);
static void ngx_http_tomo_writer_try(ngx_event_t *ev);
static ngx_int_t ngx_http_tomo_writer_open(ngx_http_tomo_journal_t *jr);
static void ngx_http_tomo_writer_last(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_group_t *group);


ngx_int_t
ngx_http_tomo_journal_init(ngx_cycle_t *cycle,
    ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_http_tomo_journal_t      *jr;
    ngx_http_tomo_journal_own_t  *own;

    jr = ngx_pcalloc(cycle->pool, sizeof(ngx_http_tomo_journal_t));
    own = ngx_pcalloc(cycle->pool, sizeof(ngx_http_tomo_journal_own_t));
    if (jr == NULL || own == NULL) {
        return NGX_ERROR;
    }

    jr->tmcf = tmcf;
    jr->zone = tmcf->zone;
    jr->log = cycle->log;
    jr->own = own;
    ngx_queue_init(&jr->segments);

    own->next_seq = 1;
    own->open = &own->groups[0];
    own->flying = &own->groups[1];
    own->lock_fd = -1;
    own->writer.fd = -1;
    own->writer.made = 0x80000000;      /* names of its own beside own->made */
    own->synced = ngx_current_msec;
    own->flushed = ngx_current_msec - NGX_HTTP_TOMO_CLICK_MS;

    ngx_http_tomo_writer_events(jr);
    ngx_http_tomo_wait_init(jr);

    if (ngx_http_tomo_writer_task(cycle, jr) != NGX_OK
        || ngx_http_tomo_reap_init(cycle, jr) != NGX_OK)
    {
        return NGX_ERROR;
    }

    own->path = ngx_pnalloc(cycle->pool, NGX_HTTP_TOMO_PATH_MAX);
    if (own->path == NULL) {
        return NGX_ERROR;
    }

    ngx_http_tomo_writer_try(&own->open_timer);

    return NGX_OK;
}


/* a disk that is full now may have room in a second */

static void
ngx_http_tomo_writer_try(ngx_event_t *ev)
{
    ngx_http_tomo_journal_t    *jr = ev->data;
    ngx_http_tomo_main_conf_t  *tmcf = jr->tmcf;

    if (ngx_http_tomo_writer_open(jr) != NGX_OK) {
        ngx_add_timer(ev, NGX_HTTP_TOMO_AGAIN_MS);
        return;
    }

    tmcf->journal = jr;
    ngx_add_timer(&jr->own->reap_timer, NGX_HTTP_TOMO_REAP_MS);
    ngx_http_tomo_reap_prepare(jr);

    if (tmcf->redis
        && ngx_http_tomo_ship_init((ngx_cycle_t *) ngx_cycle, tmcf)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, jr->log, 0,
                      "tomo: shipping to Redis cannot start: the journal "
                      "waits on disk until nginx is reloaded");
    }
}


static void
ngx_http_tomo_writer_events(ngx_http_tomo_journal_t *jr)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    own->flush_event.handler = ngx_http_tomo_journal_flush;
    own->flush_event.data = jr;
    own->flush_event.log = jr->log;

    own->flush_timer.handler = ngx_http_tomo_journal_flush;
    own->flush_timer.data = jr;
    own->flush_timer.log = jr->log;
    own->flush_timer.cancelable = 1;

    own->open_timer.handler = ngx_http_tomo_writer_try;
    own->open_timer.data = jr;
    own->open_timer.log = jr->log;
    own->open_timer.cancelable = 1;
}


static ngx_int_t
ngx_http_tomo_writer_task(ngx_cycle_t *cycle, ngx_http_tomo_journal_t *jr)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    own->commit_task = ngx_thread_task_alloc(cycle->pool, 0);
    if (own->commit_task == NULL) {
        return NGX_ERROR;
    }

    own->commit_task->ctx = &own->commit;
    own->commit_task->handler = ngx_http_tomo_journal_thread;
    own->commit_task->event.handler = ngx_http_tomo_journal_done;
    own->commit_task->event.data = jr;

    return NGX_OK;
}


/* a folder, a lock and a slot for this process; a new id at every try */

static ngx_int_t
ngx_http_tomo_writer_open(ngx_http_tomo_journal_t *jr)
{
    int                           err;
    char                         *folder = jr->own->path;
    const char                   *path;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    path = (char *) jr->tmcf->journal_conf->path.data;

    do {
        if (ngx_http_tomo_random(&jr->writer, sizeof(jr->writer)) != NGX_OK) {
            return NGX_ERROR;
        }
    } while (jr->writer == 0);

    if (ngx_http_tomo_segment_folder(folder, NGX_HTTP_TOMO_PATH_MAX, path,
                                     jr->writer)
        != TOMO_OK)
    {
        return NGX_ERROR;
    }

    jr->slot = ngx_http_tomo_zone_take_slot(jr->zone, jr->writer);

    if (jr->slot == NULL) {
        jr->slot = &own->slot;      /* all are taken: served, not counted */
    }

    own->lock_fd = ngx_http_tomo_segment_lock_new(path, folder);
    if (own->lock_fd == -1) {
        err = ngx_errno;

        if (jr->slot != &own->slot) {
            ngx_http_tomo_zone_give_back_slot(jr->zone, jr->slot);
        }

        if (own->failed != err) {
            own->failed = err;
            ngx_log_error(NGX_LOG_CRIT, jr->log, err,
                          "tomo: journal \"%s\" cannot be made: webhooks "
                          "get 503 until it can, tried again by itself",
                          folder);
        }

        return NGX_ERROR;
    }

    own->failed = 0;

    jr->folder.data = (u_char *) folder;
    jr->folder.len = ngx_strlen(folder);

    own->writer.journal = path;
    own->writer.folder = folder;
    own->writer.size = jr->tmcf->journal_conf->segment;
    own->writer.at.writer = jr->writer;

    return NGX_OK;
}


void
ngx_http_tomo_journal_exit(ngx_cycle_t *cycle,
    ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_http_tomo_journal_t      *jr = tmcf->journal;
    ngx_http_tomo_journal_own_t  *own;

    if (jr == NULL) {
        return;
    }

    own = jr->own;
    jr->written = NULL;
    tmcf->journal = NULL;

    /*
     * The pool's threads ended before this: a commit that was on its way has
     * run, only nobody was told.
     */

    if (own->busy) {
        own->busy = 0;
        ngx_http_tomo_journal_result(jr);
    }

    /* what is left of it, then what waited behind it */

    ngx_http_tomo_writer_last(jr, own->flying);
    ngx_http_tomo_frame_close(jr);
    ngx_http_tomo_writer_last(jr, own->open);

    if (own->ready[0]) {
        (void) ngx_http_tomo_segment_recycle(own->writer.journal, own->ready);
    }

    if (own->commit.ready[0]) {
        (void) ngx_http_tomo_segment_recycle(own->writer.journal,
                                             own->commit.ready);
    }

    ngx_http_tomo_segment_abandon(&own->writer);
    jr->slot->pid = 0;
    (void) close(own->lock_fd);
}


/* writes and syncs a group at exit, in the loop: nobody is served any more */

static void
ngx_http_tomo_writer_last(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_group_t *group)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;
    ngx_http_tomo_commit_t       *c = &own->commit;

    own->flying = group;

    c->writer = &own->writer;
    c->group = group;
    c->sync = 1;
    c->probe = 0;
    c->written_seq = jr->written_seq;
    c->synced_seq = jr->synced_seq;
    c->now_ms = ngx_http_tomo_now_ms(jr->tmcf);

    ngx_http_tomo_group_commit(c);
    ngx_http_tomo_journal_result(jr);

    if (c->err) {
        ngx_log_error(NGX_LOG_CRIT, jr->log, c->err,
                      "tomo: journal %V lost its last clicks at exit",
                      &jr->folder);
    }
}
