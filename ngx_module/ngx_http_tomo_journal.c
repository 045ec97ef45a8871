/*
 * ngx_http_tomo_journal: appends and group commits.
 */

#include "ngx_http_tomo_journal_own.h"


static ngx_int_t ngx_http_tomo_journal_refuses(ngx_http_tomo_journal_t *jr,
    size_t size);
static void ngx_http_tomo_journal_start(ngx_http_tomo_journal_t *jr);
static void ngx_http_tomo_journal_outcome(ngx_http_tomo_journal_t *jr,
    int err);


ngx_int_t
ngx_http_tomo_journal_append(ngx_http_tomo_journal_t *jr,
    tomo_record_t *record, ngx_http_tomo_waiter_t *waiter)
{
    size_t     size;
    ngx_int_t  rc;

    size = tomo_journal_record_size(record);

    if (record->account.len > TOMO_ACCOUNT_MAX
        || size > TOMO_JOURNAL_PAYLOAD_MAX
        || size + TOMO_JOURNAL_HEADER > jr->own->writer.size)
    {
        ngx_log_error(NGX_LOG_ERR, jr->log, 0,
                      "tomo: a record of %uz bytes does not fit a segment: "
                      "raise segment= in tomo_journal above tomo_max_body",
                      size);
        return NGX_ERROR;
    }

    if (ngx_http_tomo_journal_refuses(jr, size)) {
        ngx_http_tomo_count(jr->zone, journal_refused);
        return NGX_BUSY;
    }

    rc = ngx_http_tomo_journal_put(jr, record);
    if (rc != NGX_OK) {
        ngx_http_tomo_count(jr->zone, journal_refused);
        return rc;
    }

    if (waiter) {
        ngx_http_tomo_wait_add(jr, waiter, record->seq);
        ngx_http_tomo_journal_flush_soon(jr);

    } else if (!jr->own->flush_timer.timer_set) {
        ngx_add_timer(&jr->own->flush_timer, NGX_HTTP_TOMO_CLICK_MS);
    }

    return NGX_OK;
}


/* no promise can be kept: failing, hanging or full */

static ngx_int_t
ngx_http_tomo_journal_refuses(ngx_http_tomo_journal_t *jr, size_t size)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    if (own->failed) {
        return 1;
    }

    if (own->busy
        && ngx_current_msec - own->began >= NGX_HTTP_TOMO_WAIT_MS)
    {
        return 1;
    }

    if (!ngx_http_tomo_journal_over(jr, size, 100)) {
        own->full_logged = 0;
        return 0;
    }

    if (!own->full_logged) {
        own->full_logged = 1;
        ngx_log_error(NGX_LOG_CRIT, jr->log, 0,
                      "tomo: journal is full (max=%O): webhooks get 503 until "
                      "Redis takes records, or max is raised",
                      jr->tmcf->journal_conf->max);
    }

    return 1;
}


ngx_int_t
ngx_http_tomo_journal_put(ngx_http_tomo_journal_t *jr, tomo_record_t *record)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    record->seq = own->next_seq;

    if (record->at_ms == 0) {
        record->at_ms = ngx_http_tomo_now_ms(jr->tmcf);
    }

    switch (ngx_http_tomo_group_add(own->open, record)) {

    case TOMO_OK:
        own->next_seq++;
        return NGX_OK;

    case TOMO_LIMIT:
        return NGX_BUSY;

    default:
        return NGX_ERROR;
    }
}


ngx_uint_t
ngx_http_tomo_journal_over(ngx_http_tomo_journal_t *jr, size_t size,
    ngx_uint_t percent)
{
    uint64_t                      used, mine;
    ngx_http_tomo_balance_t       all;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    if (!own->others_known
        || ngx_current_msec - own->others_at >= 100)
    {
        ngx_http_tomo_zone_balance(jr->zone, &all);
        mine = jr->slot == &own->slot ? 0 : jr->slot->bytes;
        own->others_bytes = all.bytes - ngx_min(mine, all.bytes);
        own->others_at = ngx_current_msec;
        own->others_known = 1;
    }

    used = own->others_bytes + jr->slot->bytes + own->open->len
           + own->flying->len;

    return used + size
           > (uint64_t) jr->tmcf->journal_conf->max / 100 * percent;
}


void
ngx_http_tomo_journal_flush_soon(ngx_http_tomo_journal_t *jr)
{
    /* posted: what else this turn of the loop brings joins the group */

    if (!jr->own->busy && !jr->own->failed) {
        ngx_post_event(&jr->own->flush_event, &ngx_posted_events);
    }
}


void
ngx_http_tomo_journal_flush(ngx_event_t *ev)
{
    ngx_http_tomo_group_t        *group;
    ngx_http_tomo_journal_t      *jr = ev->data;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    if (own->busy) {
        return;
    }

    if (own->flying->len == 0) {
        group = own->open;

        ngx_http_tomo_frame_close(jr);

        if (group->len == 0 && !own->writer.dirty && !own->failed
            && !own->roll)
        {
            return;
        }

        own->open = own->flying;
        own->flying = group;
    }

    ngx_http_tomo_journal_start(jr);
}


static void
ngx_http_tomo_journal_start(ngx_http_tomo_journal_t *jr)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;
    ngx_http_tomo_commit_t       *c = &own->commit;

    if (own->flush_timer.timer_set) {
        ngx_del_timer(&own->flush_timer);
    }

    c->writer = &own->writer;
    c->group = own->flying;
    c->now_ms = ngx_http_tomo_now_ms(jr->tmcf);
    c->written_seq = jr->written_seq;
    c->synced_seq = jr->synced_seq;

    /* clicks alone are written now and synced within a second */

    c->sync = !ngx_queue_empty(&own->waiters) || own->failed
              || ngx_current_msec - own->synced >= NGX_HTTP_TOMO_SYNC_MS;

    c->probe = own->failed != 0;
    c->roll = own->roll;
    own->roll = 0;

    if (c->ready[0] == '\0') {
        ngx_memcpy(c->ready, own->ready, sizeof(c->ready));
        own->ready[0] = '\0';
    }

    own->began = ngx_current_msec;
    own->flushed = ngx_current_msec;
    own->busy = 1;

    if (ngx_http_tomo_journal_post(jr, own->commit_task) != NGX_OK) {
        own->busy = 0;
        ngx_http_tomo_journal_outcome(jr, EAGAIN);
    }
}


ngx_int_t
ngx_http_tomo_journal_post(ngx_http_tomo_journal_t *jr,
    ngx_thread_task_t *task)
{
    return ngx_thread_task_post(jr->tmcf->thread_pool, task);
}


void
ngx_http_tomo_journal_thread(void *data, ngx_log_t *log)
{
    ngx_http_tomo_group_commit(data);
}


void
ngx_http_tomo_journal_done(ngx_event_t *ev)
{
    ngx_http_tomo_journal_t      *jr = ev->data;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    own->commit_task->event.complete = 0;
    own->busy = 0;

    ngx_http_tomo_journal_result(jr);
    ngx_http_tomo_journal_outcome(jr, own->commit.err);
    ngx_http_tomo_reap_prepare(jr);
}


/* takes over what the thread left in own->commit */

void
ngx_http_tomo_journal_result(ngx_http_tomo_journal_t *jr)
{
    ngx_uint_t                    grown;
    ngx_http_tomo_journal_own_t  *own = jr->own;
    ngx_http_tomo_commit_t       *c = &own->commit;

    grown = c->written_seq > jr->written_seq
            || c->synced_seq > jr->synced_seq;

    ngx_http_tomo_reap_opened(jr, c);

    jr->written_seq = c->written_seq;
    jr->synced_seq = c->synced_seq;

    own->last_bytes = own->writer.offset;
    jr->slot->bytes = own->closed_bytes + own->last_bytes;
    jr->slot->last_seq = jr->written_seq;

    ngx_http_tomo_count(jr->zone, journal_groups);
    ngx_http_tomo_count_n(jr->zone, journal_appended, c->records);

    if (c->err == 0) {
        ngx_http_tomo_group_reset(own->flying);

        if (c->sync) {
            own->synced = ngx_current_msec;
        }
    }

    if (grown && jr->written) {
        jr->written(jr->written_data);
    }
}


/* what follows a commit: answers, the next commit, or its repetition */

static void
ngx_http_tomo_journal_outcome(ngx_http_tomo_journal_t *jr, int err)
{
    ngx_http_tomo_journal_own_t  *own = jr->own;

    if (err) {
        ngx_http_tomo_count(jr->zone, journal_errors);

        if (own->failed != err) {
            ngx_log_error(NGX_LOG_CRIT, jr->log, err,
                          "tomo: journal %V cannot be written: webhooks get "
                          "503 until it can, tried again by itself",
                          &jr->folder);
        }

    } else if (own->failed) {
        ngx_log_error(NGX_LOG_NOTICE, jr->log, 0,
                      "tomo: journal %V can be written again", &jr->folder);
    }

    own->failed = err;
    ngx_http_tomo_wait_done(jr, jr->synced_seq, err ? NGX_ERROR : NGX_OK);

    own->failures = err ? own->failures + 1 : 0;

    if (err) {
        ngx_add_timer(&own->flush_timer,
                      own->failures > 2 ? NGX_HTTP_TOMO_AGAIN_MS
                                        : NGX_HTTP_TOMO_RETRY_MS);

    } else if (!ngx_queue_empty(&own->waiters)) {
        ngx_post_event(&own->flush_event, &ngx_posted_events);

    } else if ((own->open->len || own->n_frames)
               && !own->flush_timer.timer_set)
    {
        ngx_add_timer(&own->flush_timer, NGX_HTTP_TOMO_CLICK_MS);

    } else if (own->writer.dirty && !own->flush_timer.timer_set) {
        ngx_add_timer(&own->flush_timer, NGX_HTTP_TOMO_SYNC_MS);
    }
}
