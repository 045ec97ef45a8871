/*
 * ngx_http_tomo_frame: clicks on their way into the journal.  Up to 64 clicks
 * of an account become one record, because nobody waits for them and a record
 * of their own each would cost the shipper and ingest far more.
 */

#include "ngx_http_tomo_journal_own.h"


static ngx_http_tomo_frame_t *ngx_http_tomo_frame_of(
    ngx_http_tomo_journal_t *jr, tomo_str_t account);
static ngx_int_t ngx_http_tomo_frame_make(ngx_http_tomo_journal_t *jr);
static void ngx_http_tomo_frame_seal(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_frame_t *f);


ngx_int_t
ngx_http_tomo_journal_click(ngx_http_tomo_journal_t *jr, tomo_str_t account,
    const tomo_click_t *click)
{
    ngx_msec_t                    since;
    ngx_http_tomo_frame_t        *f;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    if (account.len == 0
        || account.len > TOMO_ACCOUNT_MAX
        || own->open->len > NGX_HTTP_TOMO_GROUP_CLICKS
        || ngx_http_tomo_journal_over(jr, NGX_HTTP_TOMO_CLICK_MAX, 90))
    {
        return NGX_BUSY;
    }

    f = ngx_http_tomo_frame_of(jr, account);
    if (f == NULL) {
        return NGX_BUSY;
    }

    tomo_click_put(&f->body, click);
    f->clicks++;

    if (f->clicks == TOMO_FRAME_CLICKS
        || f->body.cap - f->body.len < NGX_HTTP_TOMO_CLICK_MAX)
    {
        ngx_http_tomo_frame_seal(jr, f);
    }

    if (own->busy || own->failed) {
        return NGX_OK;
    }

    if (own->flush_timer.timer_set) {
        if ((ngx_msec_int_t) (own->flush_timer.timer.key - ngx_current_msec)
            <= NGX_HTTP_TOMO_CLICK_MS)
        {
            return NGX_OK;
        }

        /* it waits for the next sync, up to a second: a tap does not */
        ngx_del_timer(&own->flush_timer);
    }

    since = ngx_current_msec - own->flushed;

    if (since >= NGX_HTTP_TOMO_CLICK_MS) {
        ngx_http_tomo_journal_flush_soon(jr);

    } else {
        ngx_add_timer(&own->flush_timer, NGX_HTTP_TOMO_CLICK_MS - since);
    }

    return NGX_OK;
}


void
ngx_http_tomo_frame_close(ngx_http_tomo_journal_t *jr)
{
    ngx_uint_t                    i;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    for (i = 0; i < own->n_frames; i++) {
        ngx_http_tomo_frame_seal(jr, &own->frames[i]);
    }

    own->n_frames = 0;
}


/* the account's open frame, or a new one; NULL: out of memory */

static ngx_http_tomo_frame_t *
ngx_http_tomo_frame_of(ngx_http_tomo_journal_t *jr, tomo_str_t account)
{
    ngx_uint_t                    i;
    ngx_http_tomo_frame_t        *f;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    for (i = 0; i < own->n_frames; i++) {
        f = &own->frames[i];

        if (f->account_len == account.len
            && ngx_memcmp(f->account, account.data, account.len) == 0)
        {
            break;
        }
    }

    if (i == own->n_frames) {
        if (own->frames == NULL && ngx_http_tomo_frame_make(jr) != NGX_OK) {
            return NULL;
        }

        if (i == NGX_HTTP_TOMO_FRAMES) {
            ngx_http_tomo_frame_close(jr);
            i = 0;
        }

        own->n_frames = i + 1;
        f = &own->frames[i];
        ngx_memcpy(f->account, account.data, account.len);
        f->account_len = account.len;
    }

    f = &own->frames[i];

    if (f->clicks == 0) {
        f->at_ms = ngx_http_tomo_now_ms(jr->tmcf);
        tomo_buf_reset(&f->body);
    }

    return f;
}


static ngx_int_t
ngx_http_tomo_frame_make(ngx_http_tomo_journal_t *jr)
{
    u_char                       *room;
    ngx_uint_t                    i;
    ngx_http_tomo_journal_own_t  *own = jr->own;

    room = ngx_alloc(NGX_HTTP_TOMO_FRAMES * NGX_HTTP_TOMO_FRAME_CAP, jr->log);
    own->frames = ngx_calloc(NGX_HTTP_TOMO_FRAMES
                             * sizeof(ngx_http_tomo_frame_t), jr->log);

    if (room == NULL || own->frames == NULL) {
        ngx_free(room);
        ngx_free(own->frames);
        own->frames = NULL;
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_TOMO_FRAMES; i++) {
        tomo_buf_init(&own->frames[i].body,
                      room + i * NGX_HTTP_TOMO_FRAME_CAP,
                      NGX_HTTP_TOMO_FRAME_CAP);
    }

    return NGX_OK;
}


/* the frame becomes a record of the open group; it stays the account's */

static void
ngx_http_tomo_frame_seal(ngx_http_tomo_journal_t *jr,
    ngx_http_tomo_frame_t *f)
{
    tomo_record_t  record;

    if (f->clicks == 0) {
        return;
    }

    ngx_memzero(&record, sizeof(record));
    record.at_ms = f->at_ms;
    record.kind = TOMO_ENTRY_click;
    record.lane = TOMO_LANE_IN;
    record.events = f->clicks;
    record.account = tomo_str_n(f->account, f->account_len);
    record.body = tomo_buf_str(&f->body);

    if (ngx_http_tomo_journal_put(jr, &record) != NGX_OK) {
        ngx_http_tomo_count_n(jr->zone, click_dropped, f->clicks);
    }

    f->clicks = 0;
}
