#include "ngx_http_tomo_batch.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


typedef struct {
    tomo_record_t          record;
    ngx_http_tomo_mark_t  *mark;
    ngx_uint_t             next;        /* of the same account */
} ngx_http_tomo_batch_record_t;

/* ship->batch */
typedef struct {
    ngx_http_tomo_batch_record_t  records[NGX_HTTP_TOMO_SHIP_RECORDS];
    ngx_uint_t                    n;
    size_t                        bytes;
    uint64_t                      id;           /* grows; 0: none yet */
} ngx_http_tomo_batch_t;


ngx_int_t
ngx_http_tomo_batch_init(ngx_http_tomo_ship_t *ship)
{
    ship->batch = ngx_pcalloc(ship->pool, sizeof(ngx_http_tomo_batch_t));

    return ship->batch ? NGX_OK : NGX_ERROR;
}


void
ngx_http_tomo_batch_aside(ngx_http_tomo_source_t *source, uint64_t n)
{
    ngx_http_tomo_zone_t  *tz;

    if (n == 0 || source->next_seq <= source->aside_seq + 1) {
        return;                 /* looked at again: counted then */
    }

    source->aside_seq = source->next_seq - 1;

    tz = source->ship->tmcf->zone;
    ngx_http_tomo_count_n(tz, ship_quarantined, n);
    (void) ngx_atomic_fetch_add(&tz->sh->quarantined, (ngx_atomic_int_t) n);

    ngx_log_error(NGX_LOG_ERR, source->ship->log, 0,
                  "tomo: journal %s: %uL records before sequence %uL are "
                  "damaged or gone and were set aside: check the disk",
                  source->folder, n, source->next_seq);
}


static ngx_int_t
ngx_http_tomo_batch_xadd(ngx_http_tomo_mark_t *mark, const tomo_record_t *r)
{
    u_char        keys[TOMO_KEY_MAX], texts[128];
    tomo_buf_t    key, text;
    tomo_str_t    argv[3 + 2 * TOMO_ENTRY_FIELDS];
    tomo_entry_t  entry;

    tomo_buf_init(&key, keys, sizeof(keys));

    if (r->lane == TOMO_LANE_BULK) {
        tomo_key_bulk(&key, r->account);
    } else {
        tomo_key_in(&key, r->account);
    }

    entry.kind = (tomo_entry_kind_e) r->kind;
    entry.at_ms = r->at_ms;
    entry.writer = mark->source->writer;
    entry.seq = r->seq;
    entry.body = r->body;

    tomo_buf_init(&text, texts, sizeof(texts));

    argv[0] = tomo_str("XADD");
    argv[1] = tomo_buf_str(&key);
    argv[2] = tomo_str("*");

    if (tomo_entry_encode(&entry, &text, &argv[3]) != TOMO_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tomo_redis_send(mark->source->ship->redis, argv,
                                    3 + 2 * TOMO_ENTRY_FIELDS,
                                    ngx_http_tomo_batch_item, mark);
}


static ngx_int_t
ngx_http_tomo_batch_group(ngx_http_tomo_mark_t *mark)
{
    u_char                   keys[TOMO_KEY_MAX], text[64];
    ngx_uint_t               i, n;
    tomo_buf_t               key, num;
    tomo_str_t               argv[4];
    ngx_http_tomo_batch_t   *b;
    ngx_http_tomo_redis_t   *redis;
    ngx_http_tomo_source_t  *source;

    source = mark->source;
    redis = source->ship->redis;
    b = source->ship->batch;

    argv[0] = tomo_str("MULTI");

    if (ngx_http_tomo_redis_send(redis, argv, 1, ngx_http_tomo_batch_queued,
                                 source)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = mark->first, n = 0; n < mark->n; i = b->records[i].next, n++) {
        if (ngx_http_tomo_batch_xadd(mark, &b->records[i].record)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    tomo_buf_init(&key, keys, sizeof(keys));
    tomo_key_ship(&key, tomo_str_n(mark->id, mark->sn.str.len));
    tomo_buf_init(&num, text, sizeof(text));
    tomo_buf_hex64(&num, source->writer);
    tomo_buf_u64(&num, mark->to);

    argv[0] = tomo_str("HSET");
    argv[1] = tomo_buf_str(&key);
    argv[2] = tomo_str_n(text, 16);
    argv[3] = tomo_str_n(text + 16, num.len - 16);

    if (ngx_http_tomo_redis_send(redis, argv, 4, ngx_http_tomo_batch_item,
                                 mark)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    argv[0] = tomo_str("EXEC");

    if (ngx_http_tomo_redis_send(redis, argv, 1, ngx_http_tomo_batch_exec,
                                 mark)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    source->batch_groups++;

    return NGX_OK;
}


static void
ngx_http_tomo_batch_send(ngx_http_tomo_source_t *source)
{
    ngx_uint_t              i;
    ngx_http_tomo_mark_t   *mark;
    ngx_http_tomo_batch_t  *b;

    b = source->ship->batch;

    source->in_flight = 1;
    source->failed = 0;
    source->batch_groups = 0;
    source->batch_records = b->n;
    source->batch_to = source->next_seq - 1;
    source->ship->in_flight++;

    for (i = 0; i < b->n; i++) {
        mark = b->records[i].mark;

        if (mark->first != i) {
            continue;           /* its group went with its first record */
        }

        if (ngx_http_tomo_batch_group(mark) != NGX_OK) {
            source->failed = 1;
            ngx_http_tomo_redis_surprise(source->ship->redis,
                                         "a transaction could not be queued");
            break;
        }
    }

    if (source->batch_groups == 0) {
        ngx_http_tomo_batch_done(source);
    }
}


static void
ngx_http_tomo_batch_add(ngx_http_tomo_batch_t *b, ngx_http_tomo_mark_t *mark,
    const tomo_record_t *r, size_t size)
{
    ngx_uint_t  i;

    i = b->n++;

    b->records[i].record = *r;
    b->records[i].mark = mark;
    b->bytes += size;

    if (mark->n == 0) {
        mark->refused = 0;
        mark->first = i;
    } else {
        b->records[mark->last].next = i;
    }

    mark->n++;
    mark->last = i;
    mark->to = r->seq;
}


/* one record: into the batch, or passed over; other than NGX_OK: stop */

static ngx_int_t
ngx_http_tomo_batch_take(ngx_http_tomo_source_t *source,
    ngx_http_tomo_batch_t *b)
{
    size_t                 size;
    ngx_int_t              rc;
    tomo_record_t          r;
    ngx_http_tomo_mark_t  *mark;

    rc = ngx_http_tomo_source_peek(source, &r, &size);
    if (rc != NGX_OK) {
        return rc;
    }

    if (source->journal && r.kind != TOMO_ENTRY_click
        && r.seq > source->journal->synced_seq)
    {
        return NGX_DECLINED;
    }

    if (r.lane == TOMO_LANE_LOCAL) {
        ngx_http_tomo_source_skip(source, size);
        return NGX_OK;
    }

    if (!tomo_keys_account_ok(r.account)
        || tomo_entry_kind_name(r.kind) == NULL)
    {
        ngx_http_tomo_source_skip(source, size);
        ngx_http_tomo_batch_aside(source, 1);
        return NGX_OK;
    }

    mark = ngx_http_tomo_source_mark(source, r.account);
    if (mark == NULL) {
        return NGX_DECLINED;
    }

    if (!mark->known && !mark->held) {
        return NGX_BUSY;
    }

    if (r.seq > mark->mark && !mark->held) {
        if (mark->batch != b->id) {
            mark->batch = b->id;
            mark->n = 0;
        }

        ngx_http_tomo_batch_add(b, mark, &r, size);
    }

    ngx_http_tomo_source_skip(source, size);

    return NGX_OK;
}


/* makes marks for all accounts in the chunk, so that one round asks for all */

static void
ngx_http_tomo_batch_ahead(ngx_http_tomo_source_t *source)
{
    size_t         pos, want, size;
    uint64_t       seq;
    tomo_record_t  r;

    pos = source->chunk_pos;
    want = source->want;
    seq = source->next_seq;

    while (ngx_http_tomo_source_peek(source, &r, &size) == NGX_OK) {
        if (r.lane != TOMO_LANE_LOCAL && tomo_keys_account_ok(r.account)) {
            (void) ngx_http_tomo_source_mark(source, r.account);
        }

        ngx_http_tomo_source_skip(source, size);
    }

    source->chunk_pos = pos;
    source->want = want;
    source->next_seq = seq;
}


ngx_int_t
ngx_http_tomo_batch_start(ngx_http_tomo_source_t *source)
{
    uint64_t                from;
    ngx_int_t               rc;
    ngx_http_tomo_batch_t  *b;

    if (!ngx_http_tomo_redis_room(source->ship->redis,
                                  4 * NGX_HTTP_TOMO_SHIP_RECORDS,
                                  2 * NGX_HTTP_TOMO_SHIP_BYTES))
    {
        return NGX_DECLINED;
    }

    b = source->ship->batch;
    b->n = 0;
    b->bytes = 0;
    b->id++;
    from = source->next_seq;
    rc = NGX_OK;

    while (b->n < NGX_HTTP_TOMO_SHIP_RECORDS
           && b->bytes < NGX_HTTP_TOMO_SHIP_BYTES)
    {
        rc = ngx_http_tomo_batch_take(source, b);
        if (rc != NGX_OK) {
            break;
        }
    }

    if (b->n) {
        ngx_http_tomo_batch_send(source);
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        ngx_http_tomo_batch_aside(source, ngx_http_tomo_source_jump(source));
        rc = NGX_OK;
    }

    if (source->held == 0) {
        source->passed_seq = ngx_max(source->passed_seq,
                                     source->next_seq - 1);
        ngx_http_tomo_source_reached(source);
    }

    if (rc == NGX_BUSY) {
        ngx_http_tomo_batch_ahead(source);
        ngx_http_tomo_mark_ask(source);
        return NGX_BUSY;
    }

    return rc == NGX_OK && source->next_seq == from ? NGX_DECLINED : rc;
}
