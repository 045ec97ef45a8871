/*
 * Letting segments of adopted journals go: shipped ones, once they are older
 * than keep=, or when the journal is full.  (A worker's own segments are
 * ngx_http_tomo_journal's.)  Declared in ngx_http_tomo_adopt.h.
 */

#include "ngx_http_tomo_adopt.h"
#include "ngx_http_tomo_recover.h"


/* One removal in the thread pool; its memory is the task's */
typedef struct {
    ngx_http_tomo_source_t  *source;
    const char              *journal;
    ngx_uint_t               n;         /* oldest segments to go */
    ngx_uint_t               all;       /* the folder goes with them */
    ngx_err_t                err;
} ngx_http_tomo_prune_t;


static void
ngx_http_tomo_prune_thread(void *data, ngx_log_t *log)
{
    char                     path[NGX_HTTP_TOMO_PATH_MAX];
    ngx_uint_t               i;
    ngx_http_tomo_prune_t   *prune = data;
    ngx_http_tomo_source_t  *source;

    source = prune->source;

    for (i = 0; i < prune->n; i++) {
        if (ngx_http_tomo_segment_path(path, sizeof(path), source->folder,
                                       source->kept[i].number)
            != TOMO_OK)
        {
            continue;
        }

        prune->err = ngx_http_tomo_segment_recycle(prune->journal, path);

        if (prune->err) {
            prune->n = i;
            prune->all = 0;
            return;
        }
    }

    if (prune->all) {
        prune->err = ngx_http_tomo_recover_remove(source->folder);
    }
}


static void
ngx_http_tomo_prune_done(ngx_event_t *ev)
{
    off_t                    bytes;
    ngx_uint_t               i;
    ngx_thread_task_t       *task = ev->data;
    ngx_http_tomo_zone_t    *tz;
    ngx_http_tomo_prune_t   *prune;
    ngx_http_tomo_source_t  *source;

    prune = task->ctx;
    source = prune->source;
    tz = source->ship->tmcf->zone;
    source->busy = 0;

    if (prune->err) {
        ngx_log_error(NGX_LOG_ERR, source->ship->log, prune->err,
                      "tomo: journal %s: a segment cannot be removed: check "
                      "the owner of the folder", source->folder);
    }

    for (bytes = 0, i = 0; i < prune->n; i++) {
        bytes += source->kept[i].size;
    }

    ngx_memmove(source->kept, source->kept + prune->n,
                (source->n_kept - prune->n) * sizeof(ngx_http_tomo_kept_t));
    source->n_kept -= prune->n;
    ngx_http_tomo_count_n(tz, journal_recycled, prune->n);

    if (source->slot) {
        source->slot->bytes -= (ngx_atomic_uint_t) bytes;
    }

    if (prune->all && source->n_kept == 0) {
        if (source->slot) {
            ngx_http_tomo_zone_give_back_slot(tz, source->slot);
        }

        ngx_queue_remove(&source->queue);
        ngx_http_tomo_source_destroy(source);
    }

    ngx_free(task);
}


static void
ngx_http_tomo_prune_post(ngx_http_tomo_source_t *source, ngx_uint_t n)
{
    ngx_thread_task_t      *task;
    ngx_http_tomo_prune_t  *prune;

    task = ngx_calloc(sizeof(ngx_thread_task_t)
                      + sizeof(ngx_http_tomo_prune_t), source->ship->log);
    if (task == NULL) {
        return;
    }

    prune = (ngx_http_tomo_prune_t *) (task + 1);
    prune->source = source;
    prune->journal = (char *) source->ship->tmcf->journal_conf->path.data;
    prune->n = n;
    prune->all = (n == source->n_kept);

    task->ctx = prune;
    task->handler = ngx_http_tomo_prune_thread;
    task->event.handler = ngx_http_tomo_prune_done;
    task->event.data = task;
    task->event.log = source->ship->log;

    if (ngx_thread_task_post(source->ship->tmcf->thread_pool, task)
        != NGX_OK)
    {
        ngx_free(task);
        return;
    }

    source->busy = 1;
}


/* how many of its oldest segments are shipped and unchanged since then */

static ngx_uint_t
ngx_http_tomo_prune_old(const ngx_http_tomo_source_t *source, time_t then)
{
    ngx_uint_t  n;

    for (n = 0; n < source->n_kept; n++) {
        if (source->kept[n].last_seq > source->passed_seq
            || source->kept[n].changed > then)
        {
            break;
        }
    }

    return n;
}


/* marks are read, and nothing is being read again */

static ngx_uint_t
ngx_http_tomo_prune_may(const ngx_http_tomo_source_t *source)
{
    return source->journal == NULL && !source->stale
           && source->fence == NGX_HTTP_TOMO_FENCE_DONE
           && ngx_http_tomo_source_idle(source)
           && ngx_http_tomo_redis_up(source->ship->redis);
}


void
ngx_http_tomo_prune_tick(ngx_http_tomo_ship_t *ship)
{
    time_t                         keep, now;
    ngx_uint_t                     n, full, held, many;
    ngx_queue_t                   *q;
    ngx_http_tomo_source_t        *source, *oldest;
    ngx_http_tomo_balance_t        balance;
    ngx_http_tomo_journal_conf_t  *conf;

    conf = ship->tmcf->journal_conf;
    keep = conf->keep;
    now = ngx_time();
    oldest = NULL;
    held = ngx_http_tomo_adopt_held(ship);
    many = held - ngx_min(held, NGX_HTTP_TOMO_ADOPT_SOME);

    ngx_http_tomo_zone_balance(ship->tmcf->zone, &balance);
    full = balance.bytes > (uint64_t) conf->max / 10 * 8;

    for (q = ngx_queue_head(&ship->sources);
         q != ngx_queue_sentinel(&ship->sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_http_tomo_source_t, queue);

        if (!ngx_http_tomo_prune_may(source)) {
            continue;
        }

        n = ngx_http_tomo_prune_old(source, now - keep);

        if (many && ngx_http_tomo_prune_old(source, now) == source->n_kept) {
            n = source->n_kept;
            many--;
        }

        if (n) {
            ngx_http_tomo_prune_post(source, n);
            continue;
        }

        if (ngx_http_tomo_prune_old(source, now)
            && (oldest == NULL
                || source->kept[0].changed < oldest->kept[0].changed))
        {
            oldest = source;
        }
    }

    if (full && oldest) {
        ngx_http_tomo_prune_post(oldest, 1);
    }
}
