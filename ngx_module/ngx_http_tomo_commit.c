/*
 * What Redis answers to a batch.  Declared in ngx_http_tomo_batch.h.
 */

#include "ngx_http_tomo_batch.h"


void
ngx_http_tomo_batch_done(ngx_http_tomo_source_t *source)
{
    ngx_str_t              why = ngx_string("a transaction was refused");
    uint64_t               again;
    ngx_http_tomo_ship_t  *ship;

    ship = source->ship;

    source->in_flight = 0;
    ship->in_flight--;

    if (source->failed) {
        source->stale = 1;

        if (ngx_http_tomo_redis_up(ship->redis)) {
            ngx_http_tomo_ship_refused(ship, &why);
        }

        return;         /* else the next connect begins anew */
    }

    if (source->batch_to <= source->reached_seq) {
        again = source->batch_records;
        ngx_http_tomo_count_n(ship->tmcf->zone, ship_reshipped, again);
    }

    if (source->held == 0) {
        source->passed_seq = ngx_max(source->passed_seq, source->batch_to);
        ngx_http_tomo_source_reached(source);
    }

    ship->tries = 0;
    ship->reported = 0;
    ngx_http_tomo_redis_proved(ship->redis);
    ngx_http_tomo_ship_wake(ship);
}


/* before EXEC: only refusals matter */

void
ngx_http_tomo_batch_queued(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_str_t                word;
    ngx_http_tomo_source_t  *source = data;

    if (reply == NULL || ngx_http_tomo_reply_is(reply, "QUEUED")
        || ngx_http_tomo_reply_is(reply, "OK"))
    {
        return;
    }

    /*
     * MULTI was refused, and what came behind it no more: it ran by itself,
     * the mark too.  EXEC is an error then, and the mark is put back.
     */
    if (source->failed
        && (ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_STRING
            || ngx_http_tomo_reply_kind(reply)
               == NGX_HTTP_TOMO_REPLY_INTEGER))
    {
        return;
    }

    source->failed = 1;

    if (ngx_http_tomo_reply_kind(reply) != NGX_HTTP_TOMO_REPLY_ERROR) {
        ngx_http_tomo_redis_surprise(source->ship->redis,
                                     "a transaction's queue answered oddly");
        return;
    }

    word = ngx_http_tomo_reply_word(reply);
    ngx_http_tomo_ship_refused(source->ship, &word);
}


void
ngx_http_tomo_batch_item(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_str_t              word;
    ngx_http_tomo_mark_t  *mark = data;

    if (reply && !mark->source->failed
        && ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_ERROR)
    {
        word = ngx_http_tomo_reply_word(reply);

        if (ngx_http_tomo_hold_fits(&word)) {
            mark->refused = 1;          /* EXEC will do nothing */
            ngx_http_tomo_hold(mark, &word);
            return;
        }
    }

    ngx_http_tomo_batch_queued(reply, mark->source);
}


static void
ngx_http_tomo_batch_check(ngx_http_tomo_mark_t *mark,
    const ngx_http_tomo_reply_t *reply)
{
    ngx_str_t                     word;
    ngx_uint_t                    i, bad;
    ngx_http_tomo_reply_e         kind;
    ngx_http_tomo_source_t       *source;
    const ngx_http_tomo_reply_t  *item;

    source = mark->source;

    if (ngx_http_tomo_reply_n(reply) != mark->n + 1) {
        source->failed = 1;
        ngx_http_tomo_redis_surprise(source->ship->redis,
                                     "a transaction's answer has a gap");
        return;
    }

    bad = 0;

    for (i = 0; i <= mark->n; i++) {
        item = ngx_http_tomo_reply_at(reply, i);
        kind = ngx_http_tomo_reply_kind(item);

        if (kind == NGX_HTTP_TOMO_REPLY_ERROR) {
            word = ngx_http_tomo_reply_word(item);
            bad = 1;

            if (ngx_http_tomo_hold_fits(&word)) {
                mark->refused = 1;
                ngx_http_tomo_hold(mark, &word);
            } else {
                source->failed = 1;
                ngx_http_tomo_ship_refused(source->ship, &word);
            }

        } else if (kind != (i < mark->n ? NGX_HTTP_TOMO_REPLY_STRING
                                        : NGX_HTTP_TOMO_REPLY_INTEGER))
        {
            source->failed = 1;
            ngx_http_tomo_redis_surprise(source->ship->redis,
                                         "a transaction answered oddly");
            return;
        }
    }

    if (bad) {
        ngx_http_tomo_mark_repair(mark);
        return;
    }

    mark->mark = mark->to;
    mark->owed = 0;
    mark->believed = ngx_max(mark->believed, mark->to);
    ngx_http_tomo_hold_shipped(mark);
    ngx_http_tomo_count(source->ship->tmcf->zone, ship_commits);
}


void
ngx_http_tomo_batch_exec(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_str_t                word;
    ngx_http_tomo_mark_t    *mark = data;
    ngx_http_tomo_source_t  *source;

    source = mark->source;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_LOST:
        source->failed = 1;     /* the next connect reads what became of it */
        break;

    case NGX_HTTP_TOMO_REPLY_ARRAY:
        ngx_http_tomo_batch_check(mark, reply);
        break;

    case NGX_HTTP_TOMO_REPLY_ERROR:

        if (mark->refused) {
            break;
        }

        source->failed = 1;
        word = ngx_http_tomo_reply_word(reply);

        if (word.len == 3 && ngx_strncmp(word.data, "ERR", 3) == 0) {
            ngx_http_tomo_mark_repair(mark);        /* without MULTI */
        }

        ngx_http_tomo_ship_refused(source->ship, &word);
        break;

    default:
        source->failed = 1;
        ngx_http_tomo_redis_surprise(source->ship->redis,
                                     "EXEC answered oddly");
        break;
    }

    if (source->failed || mark->refused) {
        ngx_http_tomo_count(source->ship->tmcf->zone, ship_errors);
    }

    if (--source->batch_groups == 0) {
        ngx_http_tomo_batch_done(source);
    }
}
