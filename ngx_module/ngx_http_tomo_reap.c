/*
 * ngx_http_tomo_reap: the list of this writer's segments: what was opened,
 * where a sequence lies, which are made ahead and which may go.
 */

#include "ngx_http_tomo_journal_own.h"


static ngx_thread_task_t *ngx_http_tomo_reap_task(ngx_pool_t *pool,
    ngx_http_tomo_journal_t *jr, void (*thread)(void *data, ngx_log_t *log),
    ngx_event_handler_pt done);
static void ngx_http_tomo_reap_prepare_thread(void *data, ngx_log_t *log);
static void ngx_http_tomo_reap_prepared(ngx_event_t *ev);
static void ngx_http_tomo_reap_recycle_thread(void *data, ngx_log_t *log);
static void ngx_http_tomo_reap_recycled(ngx_event_t *ev);
static void ngx_http_tomo_reap_timer(ngx_event_t *ev);
static void ngx_http_tomo_reap_roll(ngx_http_tomo_journal_t *jr);
static void ngx_http_tomo_reap_oldest(ngx_http_tomo_journal_t *jr);


ngx_int_t
ngx_http_tomo_reap_init(ngx_cycle_t *cycle, ngx_http_tomo_journal_t *jr)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    own->prepare_task = ngx_http_tomo_reap_task(cycle->pool, jr,
                                           ngx_http_tomo_reap_prepare_thread,
                                           ngx_http_tomo_reap_prepared);
    own->recycle_task = ngx_http_tomo_reap_task(cycle->pool, jr,
                                           ngx_http_tomo_reap_recycle_thread,
                                           ngx_http_tomo_reap_recycled);

    if (own->prepare_task == NULL || own->recycle_task == NULL) {
        return NGX_ERROR;
    }

    own->reap_timer.handler = ngx_http_tomo_reap_timer;
    own->reap_timer.data = jr;
    own->reap_timer.log = jr->log;
    own->reap_timer.cancelable = 1;

    return NGX_OK;
}


static ngx_thread_task_t *
ngx_http_tomo_reap_task(ngx_pool_t *pool, ngx_http_tomo_journal_t *jr,
    void (*thread)(void *data, ngx_log_t *log), ngx_event_handler_pt done)
{
    ngx_thread_task_t          *task;
    ngx_http_tomo_file_task_t  *ft;

    task = ngx_thread_task_alloc(pool, sizeof(ngx_http_tomo_file_task_t));
    if (task == NULL) {
        return NULL;
    }

    ft = task->ctx;
    ft->jr = jr;

    task->handler = thread;
    task->event.handler = done;
    task->event.data = task;

    return task;
}


void
ngx_http_tomo_reap_opened(ngx_http_tomo_journal_t *jr,
    const ngx_http_tomo_commit_t *c)
{
    size_t                         i;
    ngx_queue_t                   *q;
    ngx_http_tomo_segment_node_t  *node;

    for (i = 0; i < c->n_opened; i++) {

        if (!ngx_queue_empty(&jr->segments)) {
            q = ngx_queue_last(&jr->segments);
            node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);

            node->last_seq = c->opened[i].first_seq - 1;
            node->bytes = c->opened[i].before;
            node->closed = ngx_time();
            jr->own->closed_bytes += node->bytes;
        }

        node = ngx_calloc(sizeof(ngx_http_tomo_segment_node_t), jr->log);
        if (node == NULL) {
            ngx_log_error(NGX_LOG_EMERG, jr->log, 0,
                          "tomo: out of memory: journal %V is shipped by the "
                          "next worker", &jr->folder);
            continue;
        }

        node->number = c->opened[i].number;
        node->first_seq = c->opened[i].first_seq;
        node->opened = ngx_time();
        ngx_queue_insert_tail(&jr->segments, &node->queue);

        ngx_http_tomo_count(jr->zone, journal_segments);
    }

    if (!ngx_queue_empty(&jr->segments)) {
        q = ngx_queue_last(&jr->segments);
        node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);
        node->bytes = c->writer->offset;
    }
}


ngx_http_tomo_segment_node_t *
ngx_http_tomo_journal_find(ngx_http_tomo_journal_t *jr, uint64_t seq)
{
    ngx_queue_t                   *q;
    ngx_http_tomo_segment_node_t  *node;

    for (q = ngx_queue_head(&jr->segments);
         q != ngx_queue_sentinel(&jr->segments);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);

        if (seq < node->first_seq) {
            return NULL;
        }

        if (seq <= node->last_seq
            || (node->closed == 0 && seq <= jr->written_seq))
        {
            return node;
        }
    }

    return NULL;
}


void
ngx_http_tomo_journal_passed(ngx_http_tomo_journal_t *jr, uint64_t seq)
{
    if (seq > jr->passed_seq) {
        jr->passed_seq = ngx_min(seq, jr->written_seq);
        jr->slot->passed_seq = jr->passed_seq;
    }
}


void
ngx_http_tomo_reap_prepare(ngx_http_tomo_journal_t *jr)
{
    ngx_http_tomo_file_task_t    *ft;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    if (own->busy
        || own->preparing
        || own->ready[0]
        || own->commit.ready[0]
        || (own->writer.fd != -1
            && own->writer.offset < own->writer.size / 2)
        || (own->prepare_failed
            && ngx_current_msec - own->prepare_at < NGX_HTTP_TOMO_REAP_MS))
    {
        return;
    }

    ft = own->prepare_task->ctx;
    ft->made = own->made++;
    ft->size = own->writer.size;

    own->prepare_at = ngx_current_msec;
    own->preparing = 1;

    if (ngx_http_tomo_journal_post(jr, own->prepare_task) != NGX_OK) {
        own->preparing = 0;
    }
}


static void
ngx_http_tomo_reap_prepare_thread(void *data, ngx_log_t *log)
{
    ngx_http_tomo_file_task_t  *ft = data;
    ngx_http_tomo_writer_t     *w = &ft->jr->own->writer;

    /* journal and folder are set once and never change */

    ft->err = ngx_http_tomo_segment_prepare(w->journal, w->folder, ft->size,
                                            ft->made, ft->path,
                                            sizeof(ft->path));
}


static void
ngx_http_tomo_reap_prepared(ngx_event_t *ev)
{
    ngx_thread_task_t            *task = ev->data;
    ngx_http_tomo_file_task_t    *ft = task->ctx;
    ngx_http_tomo_journal_own_t  *own = ft->jr->own;

    ev->complete = 0;
    own->preparing = 0;
    own->prepare_failed = ft->err != 0;

    if (ft->err == 0) {
        ngx_memcpy(own->ready, ft->path, sizeof(own->ready));
    }

    /* an error shows, and is logged, when the segment is needed */
}


static void
ngx_http_tomo_reap_timer(ngx_event_t *ev)
{
    ngx_http_tomo_journal_t  *jr = ev->data;

    ngx_http_tomo_reap_roll(jr);
    ngx_http_tomo_reap_oldest(jr);
    ngx_add_timer(ev, NGX_HTTP_TOMO_REAP_MS);
}


/*
 * A segment that never gets full would never go: it is left after an hour (or
 * keep=, if that is less), so that what was deleted leaves the disk too.
 */

static void
ngx_http_tomo_reap_roll(ngx_http_tomo_journal_t *jr)
{
    time_t                         most;
    ngx_queue_t                   *q;
    ngx_http_tomo_journal_own_t   *own = jr->own;
    ngx_http_tomo_segment_node_t  *node;

    if (own->roll || own->failed || ngx_queue_empty(&jr->segments)) {
        return;
    }

    q = ngx_queue_last(&jr->segments);
    node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);
    most = ngx_min(jr->tmcf->journal_conf->keep, NGX_HTTP_TOMO_ROLL_S);

    if (node->closed == 0 && jr->written_seq >= node->first_seq
        && ngx_time() - node->opened >= most)
    {
        own->roll = 1;
        ngx_http_tomo_journal_flush_soon(jr);
    }
}


/*
 * Lets the oldest segment go when all in it has passed and it is older than
 * keep; when room is short, shipped segments go before clicks are dropped.
 */

static void
ngx_http_tomo_reap_oldest(ngx_http_tomo_journal_t *jr)
{
    ngx_queue_t                   *q;
    ngx_http_tomo_file_task_t     *ft;
    ngx_http_tomo_journal_own_t   *own = jr->own;
    ngx_http_tomo_segment_node_t  *node;

    if (own->recycling || ngx_queue_empty(&jr->segments)) {
        return;
    }

    q = ngx_queue_head(&jr->segments);
    node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);

    if (node->closed == 0
        || node->last_seq > jr->passed_seq
        || (ngx_time() - node->closed < jr->tmcf->journal_conf->keep
            && !ngx_http_tomo_journal_over(jr, 0, 80)))
    {
        return;
    }

    ft = own->recycle_task->ctx;

    if (ngx_http_tomo_segment_path(ft->path, sizeof(ft->path),
                                   own->writer.folder, node->number)
        != TOMO_OK)
    {
        return;
    }

    own->recycling = 1;

    if (ngx_http_tomo_journal_post(jr, own->recycle_task) != NGX_OK) {
        own->recycling = 0;
        return;
    }

    own->closed_bytes -= node->bytes;
    jr->slot->bytes = own->closed_bytes + jr->own->last_bytes;

    ngx_queue_remove(&node->queue);
    ngx_free(node);
}


static void
ngx_http_tomo_reap_recycle_thread(void *data, ngx_log_t *log)
{
    ngx_http_tomo_file_task_t  *ft = data;

    ft->err = ngx_http_tomo_segment_recycle(ft->jr->own->writer.journal,
                                            ft->path);
}


static void
ngx_http_tomo_reap_recycled(ngx_event_t *ev)
{
    ngx_thread_task_t            *task = ev->data;
    ngx_http_tomo_file_task_t    *ft = task->ctx;
    ngx_http_tomo_journal_own_t  *own = ft->jr->own;

    ev->complete = 0;
    own->recycling = 0;

    if (ft->err) {
        ngx_log_error(NGX_LOG_ERR, ft->jr->log, ft->err,
                      "tomo: shipped segment \"%s\" cannot be set aside: "
                      "remove it by hand", ft->path);
        return;
    }

    ngx_http_tomo_count(ft->jr->zone, journal_recycled);
    ngx_http_tomo_reap_oldest(ft->jr);
}
