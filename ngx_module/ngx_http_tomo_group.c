/*
 * ngx_http_tomo_group: records in memory, and their commit to segments.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ngx_http_tomo_group.h"

#define NGX_HTTP_TOMO_FRAME_MIN  (256 * 1024)

/* Behind it in the group: account, body, padding to 8 */
typedef struct {
    uint64_t  seq;
    int64_t   at_ms;
    uint32_t  body_len;
    uint32_t  events;
    uint8_t   kind;
    uint8_t   lane;
    uint8_t   account_len;
    uint8_t   zero;
} ngx_http_tomo_raw_t;


static void ngx_http_tomo_group_failed(ngx_http_tomo_commit_t *c);
static size_t ngx_http_tomo_group_raw_size(size_t account, size_t body);
static size_t ngx_http_tomo_group_read(const ngx_http_tomo_group_t *g,
    size_t at, tomo_record_t *r);
static int ngx_http_tomo_group_put(ngx_http_tomo_commit_t *c,
    const tomo_record_t *r, tomo_buf_t *out, uint64_t *framed_seq);
static int ngx_http_tomo_group_room(ngx_http_tomo_commit_t *c, size_t size,
    tomo_buf_t *out);
static int ngx_http_tomo_group_write(ngx_http_tomo_commit_t *c,
    tomo_buf_t *out, uint64_t framed_seq);
static int ngx_http_tomo_group_roll(ngx_http_tomo_commit_t *c,
    uint64_t first_seq);


tomo_rc_e
ngx_http_tomo_group_add(ngx_http_tomo_group_t *g, const tomo_record_t *r)
{
    size_t                size, cap;
    uint8_t              *p;
    ngx_http_tomo_raw_t   raw;

    size = ngx_http_tomo_group_raw_size(r->account.len, r->body.len);

    if (g->len + size > NGX_HTTP_TOMO_GROUP_MAX) {
        return TOMO_LIMIT;
    }

    if (g->len + size > g->cap) {
        for (cap = g->cap ? g->cap : 65536; cap < g->len + size; cap *= 2) {
            continue;
        }

        p = realloc(g->data, cap);
        if (p == NULL) {
            return TOMO_ERROR;
        }

        g->data = p;
        g->cap = cap;
    }

    memset(&raw, 0, sizeof(raw));
    raw.seq = r->seq;
    raw.at_ms = r->at_ms;
    raw.body_len = (uint32_t) r->body.len;
    raw.events = r->events;
    raw.kind = r->kind;
    raw.lane = (uint8_t) r->lane;
    raw.account_len = (uint8_t) r->account.len;

    p = g->data + g->len;
    memcpy(p, &raw, sizeof(raw));
    p += sizeof(raw);
    memcpy(p, r->account.data, r->account.len);

    if (r->body.len) {
        memcpy(p + r->account.len, r->body.data, r->body.len);
    }

    g->len += size;
    g->last_seq = r->seq;

    return TOMO_OK;
}


void
ngx_http_tomo_group_reset(ngx_http_tomo_group_t *g)
{
    g->len = 0;

    if (g->cap > NGX_HTTP_TOMO_GROUP_KEEP) {
        ngx_http_tomo_group_free(g);
    }
}


void
ngx_http_tomo_group_free(ngx_http_tomo_group_t *g)
{
    free(g->data);
    g->data = NULL;
    g->len = 0;
    g->cap = 0;
}


void
ngx_http_tomo_group_commit(ngx_http_tomo_commit_t *c)
{
    size_t         at;
    uint64_t       began_seq, framed_seq;
    tomo_buf_t     out;
    tomo_record_t  r;

    began_seq = c->written_seq;
    framed_seq = c->written_seq;
    c->err = 0;
    c->records = 0;
    c->n_opened = 0;

    tomo_buf_init(&out, c->frame, c->frame_cap);

    for (at = 0; c->err == 0 && at < c->group->len; /* void */ ) {
        at += ngx_http_tomo_group_read(c->group, at, &r);

        if (r.seq > began_seq) {
            c->err = ngx_http_tomo_group_put(c, &r, &out, &framed_seq);
        }
    }

    if (c->err == 0) {
        c->err = ngx_http_tomo_group_write(c, &out, framed_seq);
    }

    if (c->err == 0 && (c->roll || (c->probe && c->writer->fd == -1))) {
        c->err = ngx_http_tomo_group_roll(c, c->written_seq + 1);
    }

    if (c->err == 0 && c->sync) {
        c->err = ngx_http_tomo_segment_sync(c->writer);
    }

    if (c->err == 0) {
        if (c->sync) {
            c->synced_seq = c->written_seq;
        }

    } else {
        c->written_seq = c->synced_seq > began_seq ? c->synced_seq
                                                   : began_seq;
        ngx_http_tomo_group_failed(c);
    }

    c->records = c->written_seq - began_seq;
}


/*
 * The current segment is suspect.  One that holds nothing that counts as
 * written is removed, or a disk that fails for hours would fill with them.
 */

static void
ngx_http_tomo_group_failed(ngx_http_tomo_commit_t *c)
{
    char                     path[NGX_HTTP_TOMO_PATH_MAX];
    ngx_http_tomo_writer_t  *w = c->writer;
    ngx_http_tomo_opened_t  *o;

    ngx_http_tomo_segment_abandon(w);

    if (c->n_opened == 0) {
        return;
    }

    o = &c->opened[c->n_opened - 1];

    if (o->first_seq > c->written_seq
        && ngx_http_tomo_segment_path(path, sizeof(path), w->folder,
                                      o->number)
           == TOMO_OK)
    {
        (void) unlink(path);
        w->offset = o->before;
        c->n_opened--;
    }
}


static size_t
ngx_http_tomo_group_raw_size(size_t account, size_t body)
{
    return (sizeof(ngx_http_tomo_raw_t) + account + body + 7) & ~(size_t) 7;
}


/* r views the group; returns the bytes to the next record */

static size_t
ngx_http_tomo_group_read(const ngx_http_tomo_group_t *g, size_t at,
    tomo_record_t *r)
{
    const uint8_t        *p;
    ngx_http_tomo_raw_t   raw;

    memcpy(&raw, g->data + at, sizeof(raw));
    p = g->data + at + sizeof(raw);

    r->seq = raw.seq;
    r->at_ms = raw.at_ms;
    r->kind = raw.kind;
    r->lane = (tomo_lane_e) raw.lane;
    r->events = raw.events;
    r->account = tomo_str_n(p, raw.account_len);
    r->body = tomo_str_n(p + raw.account_len, raw.body_len);

    return ngx_http_tomo_group_raw_size(raw.account_len, raw.body_len);
}


/* frames one record, writing or opening a segment when there is no room */

static int
ngx_http_tomo_group_put(ngx_http_tomo_commit_t *c, const tomo_record_t *r,
    tomo_buf_t *out, uint64_t *framed_seq)
{
    int                      err;
    size_t                   size;
    ngx_http_tomo_writer_t  *w = c->writer;

    size = tomo_journal_record_size(r);

    if (w->fd == -1 || w->offset + out->len + size > w->size) {
        err = ngx_http_tomo_group_write(c, out, *framed_seq);
        if (err == 0) {
            err = ngx_http_tomo_group_roll(c, r->seq);
        }

        if (err != 0) {
            return err;
        }
    }

    if (out->len + size > out->cap) {
        err = ngx_http_tomo_group_write(c, out, *framed_seq);
        if (err == 0) {
            err = ngx_http_tomo_group_room(c, size, out);
        }

        if (err != 0) {
            return err;
        }
    }

    tomo_journal_record_write(&w->at, r, out);
    *framed_seq = r->seq;

    return out->failed ? EOVERFLOW : 0;
}


static int
ngx_http_tomo_group_room(ngx_http_tomo_commit_t *c, size_t size,
    tomo_buf_t *out)
{
    uint8_t  *p;

    if (size <= c->frame_cap) {
        return 0;
    }

    if (size < NGX_HTTP_TOMO_FRAME_MIN) {
        size = NGX_HTTP_TOMO_FRAME_MIN;
    }

    p = realloc(c->frame, size);
    if (p == NULL) {
        return ENOMEM;
    }

    c->frame = p;
    c->frame_cap = size;
    tomo_buf_init(out, p, size);

    return 0;
}


static int
ngx_http_tomo_group_write(ngx_http_tomo_commit_t *c, tomo_buf_t *out,
    uint64_t framed_seq)
{
    int  err;

    if (out->len == 0) {
        return 0;
    }

    err = ngx_http_tomo_segment_write(c->writer, tomo_buf_str(out));
    if (err == 0) {
        c->written_seq = framed_seq;
        tomo_buf_reset(out);
    }

    return err;
}


/*
 * Takes the next segment into use.  That syncs the one before, so everything
 * written so far is on disk.
 */

static int
ngx_http_tomo_group_roll(ngx_http_tomo_commit_t *c, uint64_t first_seq)
{
    int                      err;
    size_t                   before;
    uint64_t                 was;
    ngx_http_tomo_writer_t  *w = c->writer;
    ngx_http_tomo_opened_t  *o;

    if (c->n_opened == NGX_HTTP_TOMO_GROUP_OPENED) {
        return EFBIG;
    }

    if (c->ready[0] == '\0') {
        err = ngx_http_tomo_segment_prepare(w->journal, w->folder, w->size,
                                            w->made++, c->ready,
                                            sizeof(c->ready));
        if (err != 0) {
            c->ready[0] = '\0';
            return err;
        }
    }

    before = w->offset;
    was = w->fd == -1 ? c->synced_seq : c->written_seq;

    err = ngx_http_tomo_segment_next(w, c->ready, first_seq, c->now_ms);
    c->ready[0] = '\0';

    if (err != 0) {
        return err;
    }

    c->synced_seq = was;

    o = &c->opened[c->n_opened++];
    o->number = w->at.number;
    o->first_seq = first_seq;
    o->before = before;

    return 0;
}
