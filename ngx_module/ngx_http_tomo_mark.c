/*
 * The marks of a source: keeping and reading them, and finding the place to go
 * on from.  Declared in ngx_http_tomo_source.h and ngx_http_tomo_batch.h.
 */

#include "ngx_http_tomo_batch.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


ngx_http_tomo_mark_t *
ngx_http_tomo_source_mark_find(ngx_http_tomo_source_t *source,
    const ngx_str_t *account)
{
    ngx_str_t  id = *account;

    return (ngx_http_tomo_mark_t *)
               ngx_str_rbtree_lookup(&source->marks, &id,
                                     ngx_crc32_short(id.data, id.len));
}


ngx_http_tomo_mark_t *
ngx_http_tomo_source_mark(ngx_http_tomo_source_t *source, tomo_str_t account)
{
    ngx_str_t              id;
    ngx_http_tomo_mark_t  *mark;

    if (account.len == 0 || account.len > TOMO_ACCOUNT_MAX) {
        return NULL;
    }

    id.data = (u_char *) account.data;
    id.len = account.len;

    mark = ngx_http_tomo_source_mark_find(source, &id);
    if (mark) {
        return mark;
    }

    mark = ngx_calloc(sizeof(ngx_http_tomo_mark_t), source->ship->log);
    if (mark == NULL) {
        return NULL;
    }

    ngx_memcpy(mark->id, id.data, id.len);
    mark->sn.str.data = mark->id;
    mark->sn.str.len = id.len;
    mark->sn.node.key = ngx_crc32_short(id.data, id.len);
    mark->source = source;

    ngx_rbtree_insert(&source->marks, &mark->sn.node);
    ngx_queue_insert_tail(&source->accounts, &mark->queue);

    return mark;
}


/*
 * The first record that may lack of an account whose mark is behind.  The mark
 * of a held one may never have been read: what is no longer kept went when it
 * was shipped.
 */

static uint64_t
ngx_http_tomo_mark_next(const ngx_http_tomo_mark_t *mark)
{
    uint64_t  next;

    next = mark->mark + 1;

    return mark->held ? ngx_max(next, ngx_http_tomo_source_first(mark->source))
                      : next;
}


/*
 * All marks are here: goes on from the first record that Redis lacks.  A mark
 * behind what was believed means that Redis lost what it had acknowledged: it
 * was restarted from an older file, or empty.
 */

static void
ngx_http_tomo_mark_settle(ngx_http_tomo_source_t *source)
{
    uint64_t               target, low, high;
    ngx_queue_t           *q;
    ngx_http_tomo_mark_t  *mark;

    target = source->passed_seq + 1;
    low = UINT64_MAX;
    high = source->reached_seq;

    for (q = ngx_queue_head(&source->accounts);
         q != ngx_queue_sentinel(&source->accounts);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_http_tomo_mark_t, queue);

        if (mark->mark < mark->believed) {
            target = ngx_min(target, ngx_http_tomo_mark_next(mark));
        }

        if (mark->held) {
            continue;
        }

        if (mark->mark < mark->believed) {
            low = ngx_min(low, mark->mark);
            high = mark->assumed ? high : ngx_max(high, mark->believed);
        }

        mark->believed = mark->mark;
        mark->assumed = 0;
    }

    if (low < high) {
        ngx_http_tomo_count(source->ship->tmcf->zone, redis_rollbacks);
        ngx_log_error(NGX_LOG_WARN, source->ship->log, 0,
                      "tomo: redis has journal %s only up to sequence %uL of "
                      "%uL: shipping again what is kept", source->folder,
                      low, high);
    }

    source->passed_seq = ngx_min(source->passed_seq, target - 1);
    ngx_http_tomo_source_reached(source);

    if (low != UINT64_MAX || (source->back && source->next_seq > target)) {
        ngx_http_tomo_source_seek(source, target);
    }

    source->back = 0;

    ngx_http_tomo_ship_wake(source->ship);
}


static void
ngx_http_tomo_mark_answered(ngx_http_tomo_mark_t *mark)
{
    ngx_http_tomo_source_t  *source;

    source = mark->source;

    if (--source->asked == 0 && !source->stale) {
        ngx_http_tomo_mark_ask(source);     /* those that had no room */
    }
}


/* Redis refuses the account's keys, or everything */

static void
ngx_http_tomo_mark_refused(ngx_http_tomo_mark_t *mark, ngx_str_t *word)
{
    mark->refused = 1;

    if (ngx_http_tomo_hold_fits(word)) {
        ngx_http_tomo_hold(mark, word);
        return;
    }

    mark->source->stale = 1;
    ngx_http_tomo_ship_refused(mark->source->ship, word);
}


static void
ngx_http_tomo_mark_known(ngx_http_tomo_mark_t *mark, uint64_t n)
{
    uint64_t  sure;

    sure = mark->seen ? mark->mark : mark->source->settled_seq;

    /*
     * A transaction whose answer was lost, with the connection or its worker,
     * moved it, and what it appended to is no stream: EXEC takes nothing back.
     * Or what was to put it back was lost.
     */
    if (sure && n > sure && (mark->owed || mark->doubt)) {
        mark->mark = sure;
        ngx_http_tomo_mark_repair(mark);
        n = sure;

    } else {
        mark->owed = 0;
    }

    mark->mark = n;
    mark->seen = 1;

    if (!mark->refused) {
        mark->known = 1;
        ngx_http_tomo_hold_end(mark);
    }
}


/* the stream can be appended to: or every transaction would only half run */

static void
ngx_http_tomo_mark_checked(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_str_t              word;
    ngx_http_tomo_mark_t  *mark = data;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_LOST:
        mark->source->stale = 1;
        break;

    case NGX_HTTP_TOMO_REPLY_INTEGER:
        break;

    case NGX_HTTP_TOMO_REPLY_ERROR:
        word = ngx_http_tomo_reply_word(reply);
        mark->doubt = tomo_str_eq(ngx_http_tomo_view(&word),
                                  tomo_str("WRONGTYPE"));
        ngx_http_tomo_mark_refused(mark, &word);
        break;

    default:
        mark->source->stale = 1;
        ngx_http_tomo_redis_surprise(mark->source->ship->redis,
                                     "XLEN answered oddly");
        break;
    }

    ngx_http_tomo_mark_answered(mark);
}


static void
ngx_http_tomo_mark_read(const ngx_http_tomo_reply_t *reply, void *data)
{
    uint64_t               n;
    ngx_str_t              word;
    ngx_http_tomo_mark_t  *mark = data;

    mark->asked = 0;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_LOST:
        mark->source->stale = 1;
        break;

    case NGX_HTTP_TOMO_REPLY_NIL:
        ngx_http_tomo_mark_known(mark, 0);
        break;

    case NGX_HTTP_TOMO_REPLY_STRING:
        if (tomo_u64_get(ngx_http_tomo_reply_str(reply), UINT64_MAX, &n)
            == TOMO_OK)
        {
            ngx_http_tomo_mark_known(mark, n);
            break;
        }

        ngx_str_set(&word, "a ship mark that is no number");
        ngx_http_tomo_hold(mark, &word);
        break;

    case NGX_HTTP_TOMO_REPLY_ERROR:
        word = ngx_http_tomo_reply_word(reply);
        ngx_http_tomo_mark_refused(mark, &word);
        break;

    default:
        mark->source->stale = 1;
        ngx_http_tomo_redis_surprise(mark->source->ship->redis,
                                     "HGET answered oddly");
        break;
    }

    ngx_http_tomo_mark_answered(mark);
}


static ngx_int_t
ngx_http_tomo_mark_send(ngx_http_tomo_mark_t *mark)
{
    u_char                  keys[TOMO_KEY_MAX], text[16];
    tomo_str_t              argv[3], account;
    tomo_buf_t              key, id;
    ngx_http_tomo_redis_t  *redis;

    redis = mark->source->ship->redis;
    account = tomo_str_n(mark->id, mark->sn.str.len);

    if (!ngx_http_tomo_redis_room(redis, 2, 1024)) {
        return NGX_AGAIN;
    }

    mark->refused = 0;
    mark->doubt = 0;

    tomo_buf_init(&key, keys, sizeof(keys));
    tomo_key_in(&key, account);

    argv[0] = tomo_str("XLEN");
    argv[1] = tomo_buf_str(&key);

    if (ngx_http_tomo_redis_send(redis, argv, 2, ngx_http_tomo_mark_checked,
                                 mark)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mark->source->asked++;

    tomo_buf_init(&key, keys, sizeof(keys));
    tomo_key_ship(&key, account);
    tomo_buf_init(&id, text, sizeof(text));
    tomo_buf_hex64(&id, mark->source->writer);

    argv[0] = tomo_str("HGET");
    argv[1] = tomo_buf_str(&key);
    argv[2] = tomo_buf_str(&id);

    if (ngx_http_tomo_redis_send(redis, argv, 3, ngx_http_tomo_mark_read,
                                 mark)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mark->source->asked++;
    mark->asked = 1;
    mark->probe = 0;

    return NGX_OK;
}


void
ngx_http_tomo_mark_ask(ngx_http_tomo_source_t *source)
{
    ngx_int_t              rc;
    ngx_queue_t           *q;
    ngx_http_tomo_mark_t  *mark;

    for (q = ngx_queue_head(&source->accounts);
         q != ngx_queue_sentinel(&source->accounts);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_http_tomo_mark_t, queue);

        if (mark->known || mark->asked || (mark->held && !mark->probe)) {
            continue;
        }

        rc = ngx_http_tomo_mark_send(mark);

        if (rc == NGX_AGAIN && source->asked) {
            return;             /* the rest when these are answered */
        }

        if (rc != NGX_OK) {
            source->stale = 1;
            return;
        }
    }

    if (source->asked == 0) {
        ngx_http_tomo_mark_settle(source);
    }
}


static void
ngx_http_tomo_mark_repaired(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_http_tomo_mark_t  *mark = data;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_LOST:
        mark->source->stale = 1;
        break;

    case NGX_HTTP_TOMO_REPLY_INTEGER:
        mark->owed = 0;
        break;

    default:
        break;          /* the next transaction moves it, or it is read again */
    }

    ngx_http_tomo_mark_answered(mark);
    ngx_http_tomo_ship_wake(mark->source->ship);
}


void
ngx_http_tomo_mark_repair(ngx_http_tomo_mark_t *mark)
{
    u_char                   keys[TOMO_KEY_MAX], text[64];
    tomo_buf_t               key, num;
    tomo_str_t               argv[4];
    ngx_http_tomo_source_t  *source;

    source = mark->source;
    mark->owed = 1;

    tomo_buf_init(&key, keys, sizeof(keys));
    tomo_key_ship(&key, tomo_str_n(mark->id, mark->sn.str.len));
    tomo_buf_init(&num, text, sizeof(text));
    tomo_buf_hex64(&num, source->writer);
    tomo_buf_u64(&num, mark->mark);

    argv[0] = tomo_str("HSET");
    argv[1] = tomo_buf_str(&key);
    argv[2] = tomo_str_n(text, 16);
    argv[3] = tomo_str_n(text + 16, num.len - 16);

    if (ngx_http_tomo_redis_send(source->ship->redis, argv, 4,
                                 ngx_http_tomo_mark_repaired, mark)
        == NGX_OK)
    {
        source->asked++;
    }
}
