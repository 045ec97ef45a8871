#include "ngx_http_tomo_source.h"


#define NGX_HTTP_TOMO_REST_MS  1000

/* Input and output of one read in the thread pool */
typedef struct {
    ngx_http_tomo_source_t  *source;
    char                     path[NGX_HTTP_TOMO_PATH_MAX];
    off_t                    offset;
    size_t                   size;
    u_char                  *buf;
    ssize_t                  n;
    ngx_err_t                err;
} ngx_http_tomo_read_t;


static void ngx_http_tomo_source_read_thread(void *data, ngx_log_t *log);
static void ngx_http_tomo_source_read_done(ngx_event_t *ev);


ngx_http_tomo_source_t *
ngx_http_tomo_source_create(ngx_http_tomo_ship_t *ship,
    ngx_http_tomo_journal_t *journal, uint64_t writer)
{
    size_t                   size;
    ngx_http_tomo_read_t    *read;
    ngx_http_tomo_source_t  *source;

    size = sizeof(ngx_http_tomo_source_t) + sizeof(ngx_thread_task_t)
           + sizeof(ngx_http_tomo_read_t);

    source = ngx_calloc(size, ship->log);
    if (source == NULL) {
        return NULL;
    }

    source->task = (ngx_thread_task_t *) (source + 1);
    read = (ngx_http_tomo_read_t *) (source->task + 1);

    source->task->ctx = read;
    source->task->handler = ngx_http_tomo_source_read_thread;
    source->task->event.handler = ngx_http_tomo_source_read_done;
    source->task->event.data = source;
    source->task->event.log = ship->log;
    read->source = source;

    source->ship = ship;
    source->journal = journal;
    source->writer = writer;
    source->lock = NGX_INVALID_FILE;
    source->next_seq = 1;

    ngx_rbtree_init(&source->marks, &source->sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&source->accounts);

    if (ngx_http_tomo_segment_folder(source->folder, sizeof(source->folder),
            (const char *) ship->tmcf->journal_conf->path.data, writer)
        != TOMO_OK)
    {
        ngx_free(source);
        return NULL;
    }

    return source;
}


void
ngx_http_tomo_source_destroy(ngx_http_tomo_source_t *source)
{
    ngx_queue_t           *q;
    ngx_http_tomo_mark_t  *mark;

    while (!ngx_queue_empty(&source->accounts)) {
        q = ngx_queue_head(&source->accounts);
        ngx_queue_remove(q);

        mark = ngx_queue_data(q, ngx_http_tomo_mark_t, queue);
        ngx_free(mark);
    }

    if (source->lock != NGX_INVALID_FILE) {
        (void) ngx_close_file(source->lock);
    }

    if (source->chunk) {
        ngx_free(source->chunk);
    }

    if (source->kept) {
        ngx_free(source->kept);
    }

    ngx_free(source);
}


ngx_uint_t
ngx_http_tomo_source_idle(const ngx_http_tomo_source_t *source)
{
    return !source->reading && !source->in_flight && !source->busy
           && source->asked == 0
           && source->fence != NGX_HTTP_TOMO_FENCE_RUNNING;
}


ngx_uint_t
ngx_http_tomo_source_rests(const ngx_http_tomo_source_t *source)
{
    return source->rest_until
           && (ngx_msec_int_t) (source->rest_until - ngx_current_msec) > 0;
}


uint64_t
ngx_http_tomo_source_limit(const ngx_http_tomo_source_t *source)
{
    if (source->journal) {
        return source->journal->written_seq;
    }

    return source->n_kept ? source->kept[source->n_kept - 1].last_seq : 0;
}


uint64_t
ngx_http_tomo_source_first(const ngx_http_tomo_source_t *source)
{
    ngx_queue_t                   *q;
    ngx_http_tomo_segment_node_t  *node;

    if (source->journal == NULL) {
        return source->n_kept ? source->kept[0].first_seq : 1;
    }

    if (ngx_queue_empty(&source->journal->segments)) {
        return 1;
    }

    q = ngx_queue_head(&source->journal->segments);
    node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);

    return node->first_seq;
}


void
ngx_http_tomo_source_reached(ngx_http_tomo_source_t *source)
{
    if (source->passed_seq <= source->reached_seq) {
        return;
    }

    source->reached_seq = source->passed_seq;

    if (source->journal) {
        ngx_http_tomo_journal_passed(source->journal, source->passed_seq);

    } else if (source->slot) {
        source->slot->passed_seq = (ngx_atomic_uint_t) source->passed_seq;
    }

    /* an adopted journal that is done needs no memory but its list */
    if (source->journal == NULL && source->chunk && !source->reading
        && source->passed_seq >= ngx_http_tomo_source_limit(source))
    {
        ngx_free(source->chunk);
        source->chunk = NULL;
        source->chunk_size = 0;
        source->chunk_len = 0;
        source->chunk_pos = 0;
    }
}


void
ngx_http_tomo_source_seek(ngx_http_tomo_source_t *source, uint64_t seq)
{
    source->next_seq = seq;
    source->number = 0;
    source->chunk_len = 0;
    source->chunk_pos = 0;
    source->want = 0;
}


/*
 * The segment that holds next_seq, or the oldest behind it.  *end: bytes that
 * may be read; *next: sequence at which its records end, 0: none known.
 */

static ngx_int_t
ngx_http_tomo_source_locate(ngx_http_tomo_source_t *source, uint64_t *number,
    uint64_t *first, size_t *end, uint64_t *next)
{
    uint64_t                       seq;
    ngx_uint_t                     i;
    ngx_queue_t                   *q;
    ngx_http_tomo_kept_t          *kept;
    ngx_http_tomo_segment_node_t  *node;

    seq = source->next_seq;

    if (source->journal) {
        for (q = ngx_queue_last(&source->journal->segments);
             q != ngx_queue_sentinel(&source->journal->segments);
             q = ngx_queue_prev(q))
        {
            node = ngx_queue_data(q, ngx_http_tomo_segment_node_t, queue);

            if (node->first_seq <= seq
                || q == ngx_queue_head(&source->journal->segments))
            {
                *number = node->number;
                *first = node->first_seq;
                *end = node->bytes;
                *next = node->last_seq ? node->last_seq + 1 : 0;
                return NGX_OK;
            }
        }

        return NGX_DECLINED;
    }

    for (i = 0; i < source->n_kept; i++) {
        kept = &source->kept[i];

        if (seq <= kept->last_seq) {
            *number = kept->number;
            *first = kept->first_seq;
            *end = kept->end;
            *next = kept->last_seq + 1;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_tomo_source_post(ngx_http_tomo_source_t *source, uint64_t number,
    size_t size)
{
    ngx_http_tomo_read_t  *read;

    if (size > source->chunk_size) {
        if (source->chunk) {
            ngx_free(source->chunk);
        }

        source->chunk_size = 0;
        source->chunk = ngx_alloc(size, source->ship->log);
        if (source->chunk == NULL) {
            return NGX_ERROR;
        }

        source->chunk_size = size;
    }

    read = source->task->ctx;

    if (ngx_http_tomo_segment_path(read->path, sizeof(read->path),
                                   source->folder, number)
        != TOMO_OK)
    {
        return NGX_ERROR;
    }

    read->offset = source->offset;
    read->size = size;
    read->buf = source->chunk;

    if (ngx_thread_task_post(source->ship->tmcf->thread_pool, source->task)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    source->reading = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_tomo_source_read(ngx_http_tomo_source_t *source, uint64_t *lost)
{
    size_t    end, size;
    uint64_t  number, first, next;

    if (source->next_seq > ngx_http_tomo_source_limit(source)
        || ngx_http_tomo_source_locate(source, &number, &first, &end, &next)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (first > source->next_seq) {
        *lost = first - source->next_seq;
        ngx_http_tomo_source_seek(source, first);
        return NGX_AGAIN;
    }

    if (source->number != number) {
        /* from its start: what Redis has already is passed over by marks */
        ngx_http_tomo_source_seek(source, first);
        source->number = number;
        source->offset = TOMO_JOURNAL_HEADER;
    } else {
        source->offset += (off_t) source->chunk_pos;
        source->chunk_pos = 0;
        source->chunk_len = 0;
    }

    source->end_seq = next;

    if ((size_t) source->offset >= end) {
        return NGX_DECLINED;
    }

    size = ngx_max(source->want, NGX_HTTP_TOMO_SHIP_CHUNK);
    size = ngx_min(size, end - (size_t) source->offset);

    return ngx_http_tomo_source_post(source, number, size);
}


static void
ngx_http_tomo_source_read_thread(void *data, ngx_log_t *log)
{
    int                    fd;
    size_t                 len;
    ssize_t                n;
    ngx_http_tomo_read_t  *read = data;

    read->err = 0;
    read->n = 0;
    len = 0;

    fd = open(read->path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        read->err = ngx_errno;
        return;
    }

    while (len < read->size) {
        n = pread(fd, read->buf + len, read->size - len,
                  read->offset + (off_t) len);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1) {
            read->err = ngx_errno;
            break;
        }

        if (n == 0) {
            break;
        }

        len += (size_t) n;
    }

    read->n = (ssize_t) len;
    (void) close(fd);
}


static void
ngx_http_tomo_source_read_done(ngx_event_t *ev)
{
    ngx_http_tomo_read_t    *read;
    ngx_http_tomo_source_t  *source;

    source = ev->data;
    read = source->task->ctx;

    source->reading = 0;
    source->task->next = NULL;
    ev->complete = 0;

    /* sought elsewhere meanwhile: what was read is of no use */
    if (source->number == 0) {
        ngx_http_tomo_ship_wake(source->ship);
        return;
    }

    if (read->err && !source->reported) {
        source->reported = 1;
        ngx_log_error(NGX_LOG_ERR, source->ship->log, read->err,
                      "tomo: journal %s cannot be read: check the disk and "
                      "the owner of the journal folder", read->path);
    }

    source->chunk_pos = 0;
    source->chunk_len = (size_t) read->n;

    source->rest_until = 0;

    if (source->chunk_len == 0) {
        /* looks again later; the other sources go on meanwhile */
        source->number = 0;
        source->rest_until = ngx_current_msec + NGX_HTTP_TOMO_REST_MS;
        source->rest_until += source->rest_until == 0;
    }

    if (read->err == 0) {
        source->reported = 0;
    }

    ngx_http_tomo_ship_wake(source->ship);
}


ngx_int_t
ngx_http_tomo_source_peek(ngx_http_tomo_source_t *source, tomo_record_t *r,
    size_t *size)
{
    size_t          left;
    tomo_rc_e       rc;
    tomo_str_t      bytes;
    tomo_segment_t  segment;

    if (source->next_seq > ngx_http_tomo_source_limit(source)) {
        return NGX_DECLINED;
    }

    left = source->chunk_len - source->chunk_pos;

    if (source->number == 0 || left == 0
        || (source->end_seq && source->next_seq >= source->end_seq))
    {
        return NGX_AGAIN;
    }

    bytes = tomo_str_n(source->chunk + source->chunk_pos, left);

    ngx_memzero(&segment, sizeof(tomo_segment_t));
    segment.writer = source->writer;
    segment.number = source->number;

    rc = tomo_journal_record_read(&segment, bytes, source->next_seq, r, size);

    if (rc == TOMO_OK) {
        source->want = 0;
        return NGX_OK;
    }

    if (rc != TOMO_AGAIN) {
        return NGX_ERROR;
    }

    /* a whole read that does not hold it: the file ends inside */
    if (source->chunk_pos == 0 && source->want
        && source->chunk_len < source->want)
    {
        return NGX_ERROR;
    }

    source->want = TOMO_JOURNAL_RECORD;
    if (left >= 4) {
        source->want += (size_t) tomo_get_le(bytes.data, 4) + 8;
    }

    return NGX_AGAIN;
}


void
ngx_http_tomo_source_skip(ngx_http_tomo_source_t *source, size_t size)
{
    source->chunk_pos += size;
    source->next_seq++;
}


uint64_t
ngx_http_tomo_source_jump(ngx_http_tomo_source_t *source)
{
    uint64_t  lost, limit;

    limit = ngx_http_tomo_source_limit(source) + 1;

    if (source->end_seq && source->end_seq < limit) {
        limit = source->end_seq;
    }

    lost = limit - source->next_seq;
    ngx_http_tomo_source_seek(source, limit);

    return lost;
}
